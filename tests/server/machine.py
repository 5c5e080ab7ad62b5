"""The state machine of overlapping requests: the rules, for server-side sessions and for the client-side ones too.

After every step each cookie that was ever handed out, also by an answer that was lost, must show exactly what the model
says: whose session it is, what is in it, and which forms are valid. A session that was ended never answers again,
nothing that was acknowledged is lost, and every login succeeds. The cookie lines and the dropped writes of each commit
are predicted as well. `server.oracle` knows the design's tables.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, precondition, rule

from cookiesess.testing import ManualClock
from server.exchanges import Exchanges, Underway
from server.oracle import GRACE, Life

SKEW = 300
# Together less than a closed record lasts by any clock, or more by every clock: between them nobody could tell.
DUE = 1000
WAITS = st.sampled_from([1, GRACE, 50, DUE])
WORKS = st.tuples(
    st.sampled_from(["put", "put", "drop", "clear", "count", "form"]), st.sampled_from("abc"), st.integers(0, 3)
)
WORK_LISTS = st.lists(WORKS, max_size=3)
OWNERS = st.sampled_from(["ann", "bob"])
VERBS = st.sampled_from([None, None, "renew", "cycle", "ann", "bob", "invalidate"])
BACK, HOSTS = st.integers(0, 3), st.sampled_from([0, 1])
TOKENS = 4
"""How many of the tokens that were rendered last are tried with every cookie after every step."""


class Requests(Exchanges):
    """The rules, of which each does the same to the library and to the model."""

    requests = Bundle("requests")

    @initialize(value=st.integers(0, 3), skew=st.sampled_from([0, SKEW, -SKEW]))
    def begin(self, value: int, skew: int) -> None:
        self.clocks = [self.world.clock, ManualClock(self.world.clock() + skew)]
        self.hosts = [self.world.manager, self.world.make_manager(clock=self.clocks[1])]
        browser = self.world.browser(lambda session: session.update(a=value))
        self.keep(browser.header, self.identified(Life({"a": value}, None, None, self.now(0))))

    # The rules

    @rule(target=requests, back=BACK, host=HOSTS, works=WORK_LISTS)
    def open(self, back: int, host: int, works: list[Any]) -> Underway:
        request = self.load(self.header(back), host)
        for work in works:
            self.do(request, work)
        return request

    @rule(request=requests, work=WORKS)
    def work(self, request: Underway, work: Any) -> None:
        self.do(request, work)

    @rule(request=consumes(requests), verb=VERBS, page=st.booleans(), lost=st.sampled_from([False, False, True]))
    def finish(self, request: Underway, verb: str | None, page: bool, lost: bool) -> None:
        self.end(request, verb, page=page, lost=lost)

    @rule(slow=consumes(requests), fast=consumes(requests), verb=VERBS, other=VERBS)
    def finish_in_the_middle_of_another(
        self, slow: Underway, fast: Underway, verb: str | None, other: str | None
    ) -> None:
        """The fast one runs between the steps of the slow one, just before that takes its effect at the store."""
        if slow is fast or verb == "invalidate":
            self.end(slow, verb)
            if fast is not slow:
                self.end(fast, other)
            return
        before = self.probe.before

        def interrupt() -> None:
            before.clear()
            self.end(fast, other)

        def prepare() -> Callable[[], object]:
            for step in self.interruptible:
                self.probe.once_before(step, interrupt)
            return settle

        def settle() -> None:
            self.interrupted = not before
            before.clear()

        self.end(slow, verb, prepare=prepare)
        if not self.interrupted:
            self.end(fast, other)

    @rule(
        back=BACK,
        hosts=st.tuples(HOSTS, HOSTS),
        works=st.tuples(WORK_LISTS, WORK_LISTS),
        verbs=st.tuples(VERBS, VERBS),
        page=st.booleans(),
        due=st.booleans(),
    )
    def race(self, back: int, hosts: Any, works: Any, verbs: Any, page: bool, due: bool) -> None:
        """Two requests of one browser load the same session, which may be due for a new ID."""
        if due and self.events_left:
            self.wait(DUE)
        requests = [self.load(self.header(back), host) for host in hosts]
        for request, steps, verb in zip(requests, works, verbs, strict=True):
            for work in steps:
                self.do(request, work)
            self.end(request, verb, page=page)

    @rule(back=BACK, hosts=st.tuples(HOSTS, HOSTS), works=WORK_LISTS, owner=OWNERS, lost=st.booleans())
    def double_click(self, back: int, hosts: tuple[int, int], works: list[Any], owner: str, lost: bool) -> None:
        """Both POSTs have loaded the session before either is committed; each logs the visitor in."""
        requests = [self.load(self.header(back), host) for host in hosts]
        for request, last in zip(requests, (False, True), strict=True):
            for work in works:
                self.do(request, work)
            header = self.end(request, owner, page=True, lost=lost and not last)
            assert header is not None
            assert self.hosts[request.host].open(header).owner == owner

    @rule(back=BACK, host=HOSTS, owner=OWNERS, times=st.integers(1, 3), seconds=WAITS)
    def lose_the_answer_of_a_login_and_try_again(
        self, back: int, host: int, owner: str, times: int, seconds: int
    ) -> None:
        header = self.header(back)
        for _ in range(times):
            assert self.end(self.load(header, host), owner, lost=True) is not None
        if self.events_left:
            self.wait(seconds)
        form = self.load(header, host)
        self.render(form)
        self.end(form, None)
        request = self.load(header, host)
        assert request.session.check_csrf(self.tokens[-1][0]) or request.model.met.origin != "replaced"
        assert self.end(request, owner) is not None

    @rule(back=BACK, host=HOSTS, owner=OWNERS, early=WORK_LISTS, late=VERBS, again=VERBS)
    def plant_an_id(
        self, back: int, host: int, owner: str, early: list[Any], late: str | None, again: str | None
    ) -> None:
        """Whoever planted an ID has requests underway while the victim logs in with it, and makes another one then."""
        header = self.header(back)
        planter, victim = self.load(header, host), self.load(header, host)
        leads_on = victim.model.loaded.owner == owner
        first = self.load(header, host)
        for work in early:
            self.do(first, work)
        self.end(first, None)
        self.do(planter, ("put", "b", 3))
        self.do(planter, ("form", "", 0))
        kept = self.end(victim, owner, page=True)
        assert kept is not None
        before = dict(self.hosts[host].open(kept))
        self.end(planter, late)
        second = self.load(header, host)
        self.do(second, ("put", "c", 3))
        self.end(second, again)
        session = self.hosts[host].open(kept)
        ended = leads_on and "invalidate" in (late, again)
        assert (session.owner, dict(session)) == ((None, {}) if ended else (owner, before))

    @precondition(lambda self: self.events_left)
    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.events_left -= 1
        for clock in dict.fromkeys(self.clocks):
            clock.advance(seconds)

    @precondition(lambda self: self.events_left)
    @rule(owner=OWNERS, host=HOSTS)
    def end_all(self, owner: str, host: int) -> None:
        self.events_left -= 1
        assert self.hosts[host].end_all(owner) == self.end_in_the_model(owner)

    @invariant()
    def each_cookie_shows_what_the_model_says(self) -> None:
        self.steps += 1
        host = self.steps % 2
        for header, at in self.ids.items():
            met = self.met(at, host)
            session = self.hosts[host].open(header)
            loaded = met.at.life if met.origin == "loaded" else Life({}, None, None, 0)
            assert (dict(session), session.owner) == (loaded.data, loaded.owner)
            for token, secret in self.tokens[-TOKENS:]:
                assert session.check_csrf(token) is (met.secret is secret)
        self.world.forget()
