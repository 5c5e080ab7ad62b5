"""Browsers of two owners, with overflow and revocations, on two hosts, in any order, against the model in `oracle`.

After every step each browser, and each copy of its cookies that somebody ever took, shows on each host exactly what the
model says: what has moved is shared, what was replayed is as old as it was, and what was ended never opens again.
Answers get lost, keys are not known everywhere yet, clocks differ, a proxy joins header fields, and other cookies of
the same name come along, as after a deploy or from a planter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from client.oracle import CLOSED_SECONDS, Answer, Content, Met, Token, _replace, arrive
from cookiesess import Keyring, SessionManager
from cookiesess.testing import ManualClock
from kit.browser import Browser
from kit.constants import ABSOLUTE, BIG, IDLE, REFRESH, SMALL
from kit.selection import examples
from kit.world import World

BROWSERS = 3
COPIES = 8
SKEW = 200
STEPS = 3
WORKS = st.lists(
    st.sampled_from([("a", 1), ("a", 2), ("b", 1), ("big", BIG), ("a", None), ("b", None), ("big", None)]), max_size=3
)
NUMBERS = st.integers(0, BROWSERS - 1)
HOSTS = st.sampled_from([0, 1])
OWNERS = st.sampled_from(["ann", "bob"])
VERBS = st.sampled_from([None, None, None, None, "login", "renew", "logout"])
FORMS = st.sampled_from(["plain", "plain", "plain", "quoted", "joined behind", "joined before"])
WHICH = st.integers(0, COPIES - 1)


@dataclass
class Person:
    """A browser, and what its cookies are in the model."""

    browser: Browser
    jar: dict[str, Token] = field(default_factory=dict)

    def copy(self) -> Person:
        return Person(self.browser.copy(), dict(self.jar))

    def sent(self) -> list[tuple[str, Token]]:
        """Each pair of its header, and the token in it."""
        cookies = self.browser.cookies
        assert cookies.keys() == self.jar.keys()
        return [(f"{name}={value}", self.jar[name]) for name, value in cookies.items()]


class Requests(RuleBasedStateMachine):
    """The rules, of which each does the same to the library and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(cookie=SMALL).with_both()
        self.people = [Person(Browser(self.world)) for _ in range(BROWSERS)]
        self.copies: list[Person] = []
        self.contents: list[Content] = []
        self.events_left = 5  # so that sessions do not run out all the time
        self.rings, self.steps = [[0], [0]], [0, 0]

    @initialize(owner=OWNERS, skew=st.sampled_from([0, SKEW, -SKEW]))
    def begin(self, owner: str, skew: int) -> None:
        self.clocks = [self.world.clock, ManualClock(self.world.clock() + skew)]
        self.hosts: list[SessionManager] = []
        self.deploy()
        self.visit(0, 0, [("a", 1)], "login", owner, "plain", False)

    def deploy(self) -> None:
        self.hosts = []
        for ring, clock in zip(self.rings, self.clocks, strict=True):
            current, *accepted = (f"key number {key} of the ring which is long enough" for key in ring)
            self.hosts.append(self.world.make_manager(Keyring(current, accepted=accepted), clock=clock))

    def now(self, host: int) -> int:
        return int(self.clocks[host]())

    def met(self, host: int, sent: list[tuple[str, Token]], form: str = "plain") -> Met:
        tokens = [token for _, token in sent]
        hidden = form == "joined before" and bool(sent)
        return arrive(tokens, hidden=hidden, now=self.now(host), ring=self.rings[host])

    # Requests

    def request(
        self,
        person: Person,
        host: int,
        sent: list[tuple[str, Token]],
        form: str,
        works: list[Any],
        verb: Any,
        owner: str,
    ) -> None:
        """Make a request of `person` with these cookies, by the library and by the model."""
        session = self.hosts[host].open(_header([pair for pair, _ in sent], form))
        met = self.met(host, sent, form)
        len(session)  # whatever follows: it was looked at
        if verb == "login":
            session.login(owner)
        elif verb is not None:
            {"renew": session.renew, "logout": session.invalidate}[verb]()
        changes = {} if verb == "logout" else dict(works)
        for key, value in changes.items():
            if value is None:
                session.pop(key, None)
            else:
                session[key] = value
        person.browser.keep(self.hosts[host].commit(session).cookies)
        answer = Answer(person.jar, met, now=self.now(host), ring=self.rings[host], written=self.contents)
        answer.give(changes, verb, owner)
        self.world.forget()
        if verb in {"login", "renew"} and met.opened:
            self.advance(CLOSED_SECONDS + 2 * SKEW)  # what a closed ID answers, other tests are about

    @rule(number=NUMBERS, host=HOSTS, works=WORKS, verb=VERBS, owner=OWNERS, form=FORMS, lost=st.booleans())
    def visit(self, number: int, host: int, works: Any, verb: Any, owner: str, form: str, lost: bool) -> None:
        person = self.people[number]
        self.request(person.copy() if lost else person, host, person.sent(), form, works, verb, owner)

    @precondition(lambda self: self.copies)
    @rule(number=NUMBERS, host=HOSTS, works=WORKS, verb=VERBS, owner=OWNERS, which=WHICH, first=st.booleans())
    def visit_with_others_beside(
        self, number: int, host: int, works: Any, verb: Any, owner: str, which: int, first: bool
    ) -> None:
        """Cookies of the same names come along: what a deploy left in another place, or somebody planted there."""
        person, others = self.people[number], self.copies[which % len(self.copies)].sent()
        sent = [*others, *person.sent()] if first else [*person.sent(), *others]
        self.request(person, host, sent, "plain", works, verb, owner)

    @rule(
        number=NUMBERS,
        host=HOSTS,
        works=WORKS,
        verb=VERBS,
        owner=OWNERS,
        planter=st.none() | OWNERS,
        size=st.sampled_from(["x", BIG]),
        first=st.booleans(),
    )
    def visit_with_a_planted_session_beside(
        self, number: int, host: int, works: Any, verb: Any, owner: str, planter: str | None, size: str, first: bool
    ) -> None:
        """The planter keeps a copy, which must show nothing of what becomes of the visitor's session."""
        stranger = Person(Browser(self.world))
        begin = None if planter is None else "login"
        self.request(stranger, host, [], "plain", [("planted", size)], begin, planter or "")
        self.copies = [*self.copies[1 - COPIES :], stranger]
        self.visit_with_others_beside(number, host, works, verb, owner, len(self.copies) - 1, first)

    @precondition(lambda self: self.events_left)
    @rule(owner=OWNERS, keep=st.none() | NUMBERS)
    def end_all(self, owner: str, keep: int | None) -> None:
        self.events_left -= 1
        host = self.hosts[0]
        if keep is None:
            host.end_all(owner)
            self.kill(owner)
            return
        person = self.people[keep]
        met = self.met(0, person.sent())
        session = host.open(person.browser.header)
        len(session)
        host.end_all(owner, keep=session)
        person.browser.keep(host.commit(session).cookies)
        self.kill(owner)
        answer = Answer(person.jar, met, now=self.now(0), ring=self.rings[0], written=self.contents)
        old = met.content if met.content is not None or met.chosen is None else met.chosen.content
        if old is not None and old.owner == owner:
            answer.go_on(old, _replace(old, dead=False, generation=old.generation + 1), {})
        else:
            answer.give({}, None, owner)

    def kill(self, owner: str) -> None:
        for content in self.contents:
            content.dead = content.dead or content.owner == owner

    # What happens between them

    @rule(number=NUMBERS)
    def copy(self, number: int) -> None:
        self.copies = [*self.copies[1 - COPIES :], self.people[number].copy()]

    @precondition(lambda self: self.copies)
    @rule(number=NUMBERS, which=WHICH)
    def replay(self, number: int, which: int) -> None:
        self.people[number] = self.copies[which % len(self.copies)].copy()

    @precondition(lambda self: self.copies)
    @rule(number=NUMBERS, which=WHICH)
    def mix(self, number: int, which: int) -> None:
        """The cookies that a copy has and the browser does not come back beside those that it has."""
        person, other = self.people[number], self.copies[which % len(self.copies)]
        person.browser.cookies = other.browser.cookies | person.browser.cookies
        person.jar = other.jar | person.jar

    @precondition(lambda self: self.events_left)
    @rule(host=HOSTS, hasty=st.booleans())
    def rotate(self, host: int, hasty: bool) -> None:
        """One step of a rotation, on one host: the next key is added, then current, then the old one is left out.

        The hasty make it current at once, which the other host may not know yet. Nobody leaves a key out before all
        know the next one, and what it sealed has run out.
        """
        step = self.steps[host]
        following = step + 1 + (hasty and step % STEPS == 0)
        leaves_out = following % STEPS == 0
        if following - self.steps[1 - host] > (1 if leaves_out else STEPS):
            return
        if leaves_out:
            self.events_left -= 1
            self.advance(ABSOLUTE + 2 * SKEW)
        self.steps[host] = following
        key = following // STEPS
        self.rings[host] = [[key], [key, key + 1], [key + 1, key]][following % STEPS]
        self.deploy()

    @precondition(lambda self: self.events_left)
    @rule(seconds=st.sampled_from([1, REFRESH, REFRESH, IDLE // 2, IDLE]))
    def wait(self, seconds: int) -> None:
        self.events_left -= 1
        self.advance(seconds)

    def advance(self, seconds: int) -> None:
        for clock in dict.fromkeys(self.clocks):
            clock.advance(seconds)

    @invariant()
    def everybody_sees_what_the_model_says(self) -> None:
        for host, manager in enumerate(self.hosts):
            for person in (*self.people, *self.copies):
                content = self.met(host, person.sent()).content
                session = manager.open(person.browser.header)
                expected = ({}, None) if content is None else (content.data, content.owner)
                assert (dict(session), session.owner) == expected
        self.world.forget()


def _header(pairs: list[str], form: str) -> str:
    if form == "quoted":
        pairs = [pair.replace("=", '="', 1) + '"' for pair in pairs]
    header = "; ".join(pairs)
    if not header or form in {"plain", "quoted"}:
        return header
    return f"{header}, theme=dark" if form == "joined behind" else f"theme=dark, {header}"


def test_browsers_see_what_the_model_says():
    run_state_machine_as_test(
        Requests, settings=settings(max_examples=examples(80), stateful_step_count=40, deadline=None)
    )
