"""A session across requests, through the real middleware, against a plain dict that never forgets or invents."""

from copy import deepcopy
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cookiesess import Keyring, Lifetime, SessionMiddleware, get_session
from cookiesess.testing import ManualClock
from kit.constants import KEY, NAME, OTHER_KEY
from kit.selection import examples
from kit.strategies import VALUES, exact
from kit.wsgi import WebBrowser

KEYS = st.sampled_from(["a", "b", "cart", "萧兮"])
OWNERS = st.sampled_from(["user-1", "user-2"])
LIFETIME = Lifetime(idle=timedelta(hours=10), absolute=timedelta(hours=15))
REFRESH, IDLE, ABSOLUTE = 3600, 36_000, 54_000
# A cookie holds 4 KB; what the machine keeps is cut to fit.
MOST_ITEMS = 5


class SessionMachine(RuleBasedStateMachine):
    """The oracle: `data`, `owner`, and the times at which the session ends. Rules are requests."""

    @initialize(encrypt=st.booleans(), streamed=st.booleans())
    def begin(self, encrypt, streamed):
        self.clock = ManualClock()
        self.view = lambda session: None
        self.streamed = streamed
        self.encrypt = encrypt
        self.rings = [KEY, Keyring(KEY, [OTHER_KEY])]
        self.browser = WebBrowser(self.wrapped(OTHER_KEY))
        self.forget()

    def wrapped(self, keys):
        return SessionMiddleware(self.app, keys, clock=self.clock, lifetime=LIFETIME, encrypt=self.encrypt)

    def app(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        if self.streamed:
            return self.stream(environ)
        self.view(get_session(environ))
        return [b""]

    def stream(self, environ):
        self.view(get_session(environ))
        yield b""

    def forget(self):
        self.data, self.owner = {}, None
        self.created_at = self.refreshed_at = self.ends_at = None

    @property
    def exists(self):
        return bool(self.data) or self.owner is not None

    def request(self, view):
        """Send one request; return whether it set the session's cookie."""
        self.view = view
        lines = self.browser.get().headers.getall("Set-Cookie")
        setting = [line for line in lines if "; Max-Age=0;" not in line]
        assert len(setting) <= 1
        assert setting in ([], lines[-1:])  # what forgets comes before what sets
        return bool(lines)

    def change(self, view, oracle, *, always=False):
        """Send a request that changes something, or that only seems to; `always`: it writes whatever it changed."""
        before = exact(self.data), self.owner
        existed, due = self.exists, self.refresh_due
        oracle()
        sent = self.request(view)
        if self.exists and not existed:
            self.created_at, self.ends_at = self.now, self.now + ABSOLUTE
        changed = (exact(self.data), self.owner) != before
        wanted = (changed or always or due) if existed else self.exists
        assert sent == wanted
        if sent:
            self.refreshed_at = self.now
        if not self.exists:
            self.forget()

    @property
    def now(self):
        return int(self.clock())

    @property
    def refresh_due(self):
        return self.exists and self.now - self.refreshed_at >= REFRESH

    @rule(key=KEYS, value=VALUES)
    def put(self, key, value):
        kept = {**self.data, key: value}
        if len(repr(kept)) > 1000:
            kept = {key: "too much"}

        def oracle():
            self.data = deepcopy(kept)

        def view(session):
            for gone in [name for name in session if name not in kept]:
                del session[gone]
            session[key] = deepcopy(kept[key])

        self.change(view, oracle)

    @rule(key=KEYS)
    def put_what_is_there(self, key):
        def view(session):
            if key in session:
                session[key] = deepcopy(self.data[key])

        self.change(view, lambda: None)

    @rule(key=KEYS)
    def delete(self, key):
        self.change(lambda session: session.pop(key, None), lambda: self.data.pop(key, None))

    @rule(key=KEYS, value=st.integers(0, 9))
    def append(self, key, value):
        """Whatever stood there becomes a list in the first request, and grows from inside in later ones."""

        def apply(data):
            if type(data.get(key)) is not list or len(data[key]) >= MOST_ITEMS:
                data[key] = []
            data[key].append(value)

        self.change(apply, lambda: apply(self.data))

    @rule(key=KEYS)
    def append_and_take_back(self, key):
        def view(session):
            if type(session.get(key)) is list:
                session[key].append(1)
                session[key].pop()

        self.change(view, lambda: None)

    @rule(key=KEYS, value=st.integers(0, 9))
    def mutate(self, key, value):
        def apply(data):
            data[key] = value

        self.change(lambda session: session.mutate(apply), lambda: apply(self.data))

    @rule()
    def clear(self):
        self.change(lambda session: session.clear(), lambda: self.data.clear())

    @rule()
    def renew(self):
        self.change(lambda session: session.renew(), lambda: None, always=True)

    @rule(owner=OWNERS)
    def login(self, owner):
        existed = self.exists

        def oracle():
            if self.owner not in {None, owner}:
                self.data = {}
            self.owner = owner

        self.change(lambda session: session.login(owner), oracle, always=existed)
        self.ends_at = self.now + ABSOLUTE

    @rule()
    def invalidate(self):
        known = bool(self.browser.cookies)  # also of a session that has run out: somebody asked for it to be forgotten
        assert self.request(lambda session: session.invalidate()) == known
        self.forget()

    @rule(value=st.integers(0, 9))
    def invalidate_and_write(self, value):
        assert self.request(lambda session: [session.invalidate(), session.update(a=value)])
        self.forget()
        self.data = {"a": value}
        self.created_at = self.refreshed_at = self.now
        self.ends_at = self.now + ABSOLUTE

    @rule()
    def read(self):
        self.change(lambda session: [len(session), session.owner, list(session.values())], lambda: None)

    @rule()
    def touch_nothing(self):
        assert not self.request(repr)

    @rule()
    def rotate(self):
        """The next key is deployed; the last session of the old one has been refreshed or has run out by then."""
        if len(self.rings) == 1:
            self.clock.advance(REFRESH)
            self.end_what_has_run_out()
            self.read()
            if not self.exists:
                # One that has run out is still in the browser, and would be expired as nobody's from here on.
                self.browser.cookies.clear()
        if self.rings:
            self.browser.app = self.wrapped(self.rings.pop())

    @rule(seconds=st.sampled_from([1, 60, REFRESH - 1, REFRESH, ABSOLUTE // 2, IDLE - 1, IDLE]))
    def wait(self, seconds):
        self.clock.advance(seconds)
        self.end_what_has_run_out()

    def end_what_has_run_out(self):
        if self.exists and (self.now >= self.refreshed_at + IDLE or self.now >= self.ends_at):
            self.forget()

    @invariant()
    def the_next_request_reads_what_the_oracle_has(self):
        found = {}

        def view(session):
            found.update(data=exact(dict(session)), owner=session.owner, is_new=session.is_new)
            found["created_at"] = None if session.is_new else session.created_at

        # Its answer never reaches the browser, so that looking changes nothing.
        self.view = view
        self.browser.request().get_response(self.browser.app)
        assert found == {
            "data": exact(self.data),
            "owner": self.owner,
            "is_new": not self.exists,
            "created_at": self.created_at,
        }

    @invariant()
    def the_browser_holds_no_cookie_that_leads_nowhere_but_one_that_ran_out(self):
        if self.exists:
            assert NAME in self.browser.cookies


SessionMachine.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=30, deadline=None)
TestSessionMachine = SessionMachine.TestCase
