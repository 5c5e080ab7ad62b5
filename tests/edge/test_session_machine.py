"""A browser in front of two hosts, through the real middleware, against a model that never forgets or invents.

The hosts differ as in a deploy: in their keys, in where they set the cookie, and in their clocks. Answers get lost,
forms are posted twice, proxies join header fields, clients put quotes around values, and a subdomain plants cookies.
After every step each host must show the browser exactly what `edge.oracle` says.
"""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from webob import Request as WebRequest

from cookiesess import CookiePolicy, Keyring, Lifetime, SessionMiddleware, get_session
from cookiesess.http.places import CookieIdentity
from cookiesess.testing import ManualClock
from edge.oracle import ABSOLUTE, HOST, IDLE, NAME, PATH, REFRESH, Content, Jar, Request, arrive, everywhere, place_of
from edge.works import WORKS, work_on
from kit.selection import examples
from kit.strategies import exact

OWNERS = st.sampled_from(["user-1", "user-2"])
LIFETIME = Lifetime(
    idle=timedelta(seconds=IDLE), absolute=timedelta(seconds=ABSOLUTE), refresh_after=timedelta(seconds=REFRESH)
)
POLICIES = [
    CookiePolicy(NAME),
    CookiePolicy(NAME, domain="shop.example"),
    CookiePolicy(NAME, domain=HOST),
    CookiePolicy(NAME, path="/shop"),
    CookiePolicy(NAME, samesite="None", partitioned=True),
]
# Where a page of a subdomain can set a cookie that the shop gets.
PLANTED = [CookieIdentity(NAME, path, "shop.example", False) for path in ("/", "/shop")]
HOSTS = st.sampled_from([0, 1])

VERBS = st.sampled_from([None, None, None, "login", "login", "renew", "invalidate"])
HEADERS = st.sampled_from(["plain", "plain", "quoted", "joined behind", "joined before"])


class Host:
    """One server: its keys, its policy, its clock."""

    def __init__(self, machine, clock):
        self.machine, self.clock = machine, clock
        self.ring, self.policy = [0], POLICIES[0]
        self.deploy()

    @property
    def now(self):
        return int(self.clock())

    def deploy(self):
        current, *accepted = (f"key number {key} of the ring which is long enough" for key in self.ring)
        self.app = SessionMiddleware(
            self.machine.app,
            Keyring(current, accepted=accepted),
            cookie=self.policy,
            clock=self.clock,
            lifetime=LIFETIME,
            encrypt=self.machine.sealed,
            on_event=lambda event: self.machine.events.append(event.name),
        )


class SessionMachine(RuleBasedStateMachine):
    """Rules are requests, and what happens between them."""

    @initialize(sealed=st.booleans(), streamed=st.booleans(), skew=st.sampled_from([0, 200, -200, 400, -400]))
    def begin(self, sealed, streamed, skew):
        self.sealed, self.streamed = sealed, streamed
        self.events = []
        clock = ManualClock()
        self.clocks = [clock, ManualClock(clock() + skew)]
        self.hosts = [Host(self, clock) for clock in self.clocks]
        self.jar = Jar()

    def app(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        if self.streamed:
            return self.stream(environ)
        self.view(get_session(environ))
        return [b""]

    def stream(self, environ):
        self.view(get_session(environ))
        yield b""

    # One request

    def header(self, sent, form):
        """Return the Cookie header as it comes, and what of it counts."""
        text = "; ".join(f'{NAME}="{kept.value}"' if form == "quoted" else f"{NAME}={kept.value}" for kept in sent)
        if form == "joined behind" and sent:
            return f"{text}, theme=dark", sent
        if form == "joined before" and sent:
            return f"theme=dark, {text}", sent[1:]
        return text, sent

    def ask(self, host, text, view):
        """Send one request, and return the Set-Cookie lines."""
        self.view = view
        self.events.clear()
        environ = {"HTTP_COOKIE": text} if text else {}
        response = WebRequest.blank(PATH, base_url=f"https://{HOST}", environ=environ).get_response(host.app)
        return response.headers.getall("Set-Cookie")

    def meet(self, host, counts, sent):
        met = arrive(
            [kept.content for kept in counts],
            joined=len(counts) < len(sent),
            ring=host.ring,
            now=host.now,
            sealed=self.sealed,
        )
        return Request(met, host.now)

    def exchange(self, host, sent, form, early, verb, owner, late):
        """Make a request by the library and by the model; return what its answer does to the browser."""
        text, counts = self.header(sent, form)
        model = self.meet(host, counts, sent)
        work_on(model.data, early)
        if verb is not None:
            getattr(model, verb)(*[owner] * (verb == "login"))
        work_on(model.data, late)

        def view(session):
            work_on(session, early)
            if verb is not None:
                getattr(session, verb)(*[owner] * (verb == "login"))
            work_on(session, late)
            assert (exact(dict(session)), session.owner) == (exact(model.data), model.owner)

        lines = self.ask(host, text, view)
        self.check_events(model)
        outcome = model.commit(host.ring)
        return self.answer(lines, outcome, host, present=bool(sent))

    def check_events(self, model):
        twins = [name for name in self.events if name.startswith("cookie.twins")]
        assert len(twins) == (len(model.met.opened) > 1)
        owners = {content.owner for content in model.met.opened if content.lives(model.now)} - {None}
        if twins:
            assert twins == ["cookie.twins_of_owners" if len(owners) > 1 else "cookie.twins"]
        if model.met.origin == "rejected":
            assert "session.rejected" in self.events

    def answer(self, lines, outcome, host, *, present):
        """Compare an answer's lines with what was predicted; return what applies them to a jar."""
        found = [self.parsed(line) for line in lines]
        forgotten = {place for place, value in found if value is None}
        sets = [(place, value) for place, value in found if value is not None]
        own = place_of(host.policy)
        expected = everywhere(host.policy) if outcome.forgets and present else set()
        assert forgotten == expected - {own} if outcome.content is not None else forgotten == expected
        assert [place for place, _ in sets] == [own] * (outcome.content is not None)
        assert [value for _, value in found][len(forgotten) :] == [value for _, value in sets]  # what sets comes last

        def apply(jar):
            jar.forget(forgotten)
            for place, value in sets:
                jar.put(place, value, outcome.content)

        return apply

    @staticmethod
    def parsed(line):
        """Return where a line sets a cookie, and what; None where it has the browser forget it."""
        pair, *attributes = line.split("; ")
        fields = dict(each.partition("=")[::2] for each in attributes)
        place = CookieIdentity(pair.partition("=")[0], fields["Path"], fields.get("Domain"), "Partitioned" in fields)
        return place, None if fields.get("Max-Age") == "0" else pair.partition("=")[2]

    # Requests

    @rule(
        number=HOSTS, form=HEADERS, early=WORKS, verb=VERBS, owner=OWNERS, late=WORKS, lost=st.sampled_from([0, 0, 1])
    )
    def visit(self, number, form, early, verb, owner, late, lost):
        apply = self.exchange(self.hosts[number], self.jar.sent(), form, early, verb, owner, late)
        if not lost:
            apply(self.jar)

    @rule(numbers=st.tuples(HOSTS, HOSTS), owner=OWNERS, works=WORKS, swapped=st.booleans())
    def double_click(self, numbers, owner, works, swapped):
        """Both posts go out with the same cookies; their answers come in either order."""
        sent = self.jar.sent()
        answers = [self.exchange(self.hosts[number], sent, "plain", [], "login", owner, works) for number in numbers]
        for apply in answers[::-1] if swapped else answers:
            apply(self.jar)

    @rule(number=HOSTS, owner=OWNERS, times=st.integers(1, 3))
    def lose_the_answer_of_a_login_and_try_again(self, number, owner, times):
        host = self.hosts[number]
        for _ in range(times):
            apply = self.exchange(host, self.jar.sent(), "plain", [], "login", owner, [])
        apply(self.jar)

    @rule(number=HOSTS, early=WORKS, owner=OWNERS, late=WORKS)
    def come_back_late_and_log_in(self, number, early, owner, late):
        self.wait(IDLE)
        self.visit(number, "plain", early, "login", owner, late, False)

    @rule(number=HOSTS)
    def touch_nothing(self, number):
        text, _ = self.header(self.jar.sent(), "plain")
        assert self.ask(self.hosts[number], text, repr) == []

    # What happens between them

    @rule(number=HOSTS, policy=st.sampled_from(POLICIES))
    def deploy(self, number, policy):
        self.hosts[number].policy = policy
        self.hosts[number].deploy()

    @rule(number=HOSTS)
    def rotate(self, number):
        """One step of a rotation, on one host: the next key is added, then current, then the old one is left out."""
        host = self.hosts[number]
        if len(host.ring) == 1:
            host.ring = [host.ring[0], host.ring[0] + 1]
        elif host.ring[0] < host.ring[1]:
            host.ring = host.ring[::-1]
        else:
            host.ring = host.ring[:1]
        host.deploy()

    @rule(seconds=st.sampled_from([1, 60, REFRESH - 1, REFRESH, ABSOLUTE // 2, IDLE - 1, IDLE]))
    def wait(self, seconds):
        for clock in self.clocks:
            clock.advance(seconds)

    @rule(number=HOSTS, place=st.sampled_from(PLANTED), what=st.sampled_from(["anonymous", "login", "junk", "forged"]))
    def plant(self, number, place, what):
        host = self.hosts[number]
        if what == "junk":
            self.jar.put(place, "junk", Content(None))
            return
        model = Request(arrive([], joined=False, ring=host.ring, now=host.now, sealed=self.sealed), host.now)

        def view(session):
            for each in (session, model):
                if what == "login":
                    each.login("mallory")
            session["planted"] = model.data["planted"] = True

        (line,) = self.ask(host, "", view)
        content, value = model.written(host.ring), self.parsed(line)[1]
        if what == "forged":
            content, value = (
                Content(host.ring[0], forged=True),
                value[:-4] + ("QQQQ" if value.endswith("AAAA") else "AAAA"),
            )
        self.jar.put(place, value, content)

    @precondition(lambda self: self.jar.kept)
    @rule()
    def close_the_window(self):
        self.jar = Jar()

    # What must hold after every step

    def look(self, host):
        """Return what a host shows the browser; its answer never arrives, so that looking changes nothing."""
        found = {}

        def view(session):
            found.update(data=exact(dict(session)), owner=session.owner, is_new=session.is_new)
            found["created_at"] = None if session.is_new else session.created_at

        text, _ = self.header(self.jar.sent(), "plain")
        self.ask(host, text, view)
        return found

    @invariant()
    def each_host_shows_what_the_model_says(self):
        for host in self.hosts:
            content = self.meet(host, self.jar.sent(), self.jar.sent()).met.content
            expected = {"data": exact({}), "owner": None, "is_new": True, "created_at": None}
            if content is not None:
                expected = {
                    "data": exact(content.data),
                    "owner": content.owner,
                    "is_new": False,
                    "created_at": content.created_at,
                }
            assert self.look(host) == expected


SessionMachine.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=30, deadline=None)
TestSessionMachine = SessionMachine.TestCase
