"""Browsers of two owners, with overflow and revocations, in any order, against a plain model.

After every step each browser, and each copy of its cookies that somebody ever took, shows exactly what the model says:
what has moved is shared, what was replayed is as old as it was, and what was ended never opens again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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

from cookiesess import Keyring
from kit.browser import Browser
from kit.constants import ABSOLUTE, BIG, GRACE, IDLE, NAME, REF, REFRESH, SMALL
from kit.selection import examples
from kit.views import login
from kit.world import World

CLOSED_SECONDS = 60
BROWSERS = 3
COPIES = 8
WORKS = st.lists(
    st.sampled_from([("a", 1), ("a", 2), ("b", 1), ("big", BIG), ("a", None), ("b", None), ("big", None)]), max_size=3
)
NUMBERS = st.integers(0, BROWSERS - 1)
OWNERS = st.sampled_from(["ann", "bob"])


@dataclass(eq=False)
class Life:
    """What has one ID: it ends at once, wherever it stands. `record` is where it would move to."""

    ended: bool = False
    record: Content | None = None


@dataclass(eq=False)
class Content:
    """What a cookie holds, which never changes, or a record, which does."""

    life: Life
    data: dict[str, Any]
    owner: str | None
    ends_at: int
    written_at: int
    key: int
    is_record: bool = False
    removed: bool = False
    dead: bool = False  # its owner's sessions were ended

    @property
    def fits(self) -> bool:
        return BIG not in self.data.values()

    def timed_out(self, now: int) -> bool:
        return now >= min(self.written_at + IDLE, self.ends_at)


@dataclass(frozen=True)
class Reference:
    record: Content
    key: int


@dataclass
class Jar:
    """What the browser's two cookies are in the model."""

    inline: Content | None = None
    reference: Reference | None = None

    @property
    def names(self) -> set[str]:
        return {name for name, held in ((NAME, self.inline), (REF, self.reference)) if held is not None}


@dataclass
class Person:
    """A browser, and what the model knows of it."""

    browser: Browser
    jar: Jar = field(default_factory=Jar)

    def copy(self) -> Person:
        return Person(self.browser.copy(), replace(self.jar))


class Requests(RuleBasedStateMachine):
    """The rules and the model."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(cookie=SMALL).with_both()
        self.people = [Person(Browser(self.world)) for _ in range(BROWSERS)]
        self.copies: list[Person] = []
        self.contents: list[Content] = []
        self.ring = [0]
        self.use_ring()

    def use_ring(self) -> None:
        current, *accepted = (f"key number {key} of the ring which is long enough" for key in self.ring)
        self.world.use(Keyring(current, accepted=accepted))

    @initialize(owner=OWNERS)
    def begin(self, owner: str) -> None:
        self.visit(0, [("a", 1)], "login", owner)

    # The model

    @property
    def now(self) -> int:
        return self.world.now

    def look(self, jar: Jar) -> tuple[str, Content | None]:
        """Return how a request finds a session, and the content that it sees."""
        origin, content = self.find(jar)
        if content is not None and (content.life.ended or content.dead):
            return "gone", None
        return origin, content

    def find(self, jar: Jar) -> tuple[str, Content | None]:
        reference = jar.reference
        if reference is None or reference.key not in self.ring:
            return ("rejected", None) if reference is not None and jar.inline is None else self.find_inline(jar)
        record = reference.record
        if not (record.removed or record.timed_out(self.now) or record.key not in self.ring):
            return "loaded", record
        if jar.inline is None:
            return "gone", None
        origin, content = self.find_inline(jar)
        of_the_same = content is not None and content.life.record is record
        return ("gone", None) if of_the_same else (origin, content)

    def find_inline(self, jar: Jar) -> tuple[str, Content | None]:
        inline = jar.inline
        if inline is None:
            return "none", None
        if inline.key not in self.ring:
            return "rejected", None
        return ("gone", None) if inline.timed_out(self.now) else ("loaded", inline)

    def write(self, person: Person, old: Content | None, new: Content, changes: dict[str, Any]) -> None:
        """What becomes of the jar when `new` is written where `old` was."""
        new.written_at, new.key = self.now, self.ring[0]
        self.contents.append(new)
        if old is not None and old.is_record and old.life is new.life:
            reissue = person.jar.reference.key != self.ring[0] or old.key != self.ring[0]
            old.__dict__.update(new.__dict__)
            if reissue:
                person.jar = Jar(self.unopened_inline(person.jar), Reference(old, self.ring[0]))
        elif new.fits and not new.is_record:
            reference = person.jar.reference
            unopened = reference is not None and reference.key not in self.ring
            person.jar = Jar(new, reference if unopened else None)
        else:
            self.move(person, new, changes)

    def move(self, person: Person, new: Content, changes: dict[str, Any]) -> None:
        there = new.life.record
        if new.is_record:
            there = new
        elif there is None or there.removed or self.now >= there.written_at + IDLE:
            new.is_record, new.life.record, there = True, new, new
        elif there.key not in self.ring:
            return  # nobody can read it any more, so nothing can be merged into it
        else:
            there.data = _changed(there.data, changes)
            there.written_at, there.key = self.now, self.ring[0]
        person.jar = Jar(self.unopened_inline(person.jar), Reference(there, self.ring[0]))

    def unopened_inline(self, jar: Jar) -> Content | None:
        """The cookie that is there and did not open: it stays when another one is set."""
        return jar.inline if jar.inline is not None and jar.inline.key not in self.ring else None

    def end(self, content: Content) -> None:
        content.life.ended = True
        content.removed = content.is_record

    # The rules

    @rule(
        number=NUMBERS,
        works=WORKS,
        verb=st.sampled_from([None, None, None, None, "login", "renew", "logout"]),
        owner=OWNERS,
    )
    def visit(self, number: int, works: list[Any], verb: str | None, owner: str) -> None:
        person = self.people[number]
        origin, old = self.look(person.jar)
        changes = dict(works)
        request = person.browser.open()
        if verb == "logout":
            changes = {}
            request.session.invalidate()
        elif verb == "login":
            login(owner)(request.session)
        elif verb == "renew":
            request.session.renew()
        for key, value in changes.items():
            if value is None:
                request.session.pop(key, None)
            else:
                request.session[key] = value
        request.finish()
        self.follow(person, origin, old, changes, verb, owner)
        if verb in {"login", "renew"}:
            # A closed record leads on for a while, which other tests are about.
            self.world.clock.advance(GRACE + CLOSED_SECONDS)

    def follow(
        self, person: Person, origin: str, old: Content | None, changes: dict[str, Any], verb: str | None, owner: str
    ) -> None:
        """Do in the model what the request did."""
        now = self.now
        owned_by = owner if verb == "login" else None if old is None else old.owner
        before = {} if old is None or (verb == "login" and old.owner not in {None, owner}) else old.data
        data = _changed(before, changes)
        if old is None:
            if data or owned_by:
                self.write(person, None, Content(Life(), data, owned_by, now + ABSOLUTE, now, 0), changes)
            elif verb == "logout" and origin != "none":
                person.jar = Jar()  # somebody asked for it; what does not open stays otherwise
        elif verb == "logout":
            self.end(old)
            person.jar = Jar()
        elif owned_by is None and not data:
            old.removed = old.is_record  # a visitor who leaves nothing leaves nothing: no revocation either
            person.jar = Jar()
        elif verb in {"login", "renew"}:
            ends_at = now + ABSOLUTE if verb == "login" else old.ends_at
            new = Content(Life(), data, owned_by, ends_at, now, 0, is_record=old.is_record and verb == "renew")
            self.end(old)
            self.write(person, old, new, changes)
            if verb == "login" and not new.fits:
                new.life.record = new
        elif data != old.data or now - old.written_at >= REFRESH:
            if data == old.data and old.is_record and old.key == person.jar.reference.key == self.ring[0]:
                old.written_at = now  # touched
            else:
                self.write(person, old, replace(old, data=data), changes)

    @rule(owner=OWNERS, keep=st.none() | NUMBERS)
    def end_all(self, owner: str, keep: int | None) -> None:
        if keep is None:
            self.world.manager.end_all(owner)
            self.kill(owner)
            return
        person = self.people[keep]
        origin, old = self.look(person.jar)
        request = person.browser.open()
        request.manager.end_all(owner, keep=request.session)
        request.finish()
        self.kill(owner)
        if old is not None and old.owner == owner:
            self.write(person, old, replace(old, dead=False), {})
        else:
            self.follow(person, origin, old, {}, None, owner)

    def kill(self, owner: str) -> None:
        for content in self.contents:
            content.dead = content.dead or content.owner == owner

    @rule(number=NUMBERS)
    def copy(self, number: int) -> None:
        self.copies = [*self.copies[1 - COPIES :], self.people[number].copy()]

    @precondition(lambda self: self.copies)
    @rule(number=NUMBERS, which=st.integers(0, COPIES - 1))
    def replay(self, number: int, which: int) -> None:
        self.people[number] = self.copies[which % len(self.copies)].copy()

    @precondition(lambda self: self.copies)
    @rule(number=NUMBERS, which=st.integers(0, COPIES - 1))
    def mix(self, number: int, which: int) -> None:
        """The cookies that a copy has and the browser does not come back beside those that it has."""
        person, other = self.people[number], self.copies[which % len(self.copies)]
        person.browser.cookies = other.browser.cookies | person.browser.cookies
        person.jar = Jar(person.jar.inline or other.jar.inline, person.jar.reference or other.jar.reference)

    @rule()
    def rotate(self) -> None:
        """One step of a rotation: the next key is added, then current, then the old one is left out."""
        if len(self.ring) == 1:
            self.ring = [self.ring[0], self.ring[0] + 1]
        elif self.ring[0] < self.ring[1]:
            self.ring = self.ring[::-1]
        else:
            self.ring = self.ring[:1]
        self.use_ring()

    @rule(seconds=st.sampled_from([1, REFRESH, REFRESH, IDLE // 2, IDLE]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @invariant()
    def everybody_sees_what_the_model_says(self) -> None:
        for person in (*self.people, *self.copies):
            assert set(person.browser.cookies) == person.jar.names
            _, content = self.look(person.jar)
            session = self.world.manager.open(person.browser.header)
            expected = ({}, None) if content is None else (content.data, content.owner)
            assert (dict(session), session.owner) == expected


def _changed(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (data | changes).items() if value is not None}


def test_browsers_see_what_the_model_says():
    run_state_machine_as_test(
        Requests, settings=settings(max_examples=examples(80), stateful_step_count=40, deadline=None)
    )
