"""What sessions in cookies and their overflow should do: the model of the state machine of this folder.

A token never changes, so the model of one is a `Content` that does not either, or a `Reference` to one that does: a
record. Which of those that a request brings counts, what it may see of it, and what becomes of the browser's two
cookies follows from the design's tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from kit.constants import ABSOLUTE, BIG, IDLE, NAME, REF, REFRESH

CLOSED_SECONDS: Final = 600
"""How long a closed ID answers; the machine waits for its end, since other tests are about what it answers."""


@dataclass(eq=False)
class Life:
    """What has one ID: it ends at once, wherever it stands."""

    ended: bool = False
    records: dict[Any, Content] = field(default_factory=dict)
    """Where it has moved to, by the cookie that it moved from."""


@dataclass(eq=False)
class Content:
    """What a cookie holds, which never changes, or a record, which does."""

    life: Life
    data: dict[str, Any]
    owner: str | None
    ends_at: int
    authenticated_at: int = 0
    written_at: int = 0
    key: int = 0
    generation: int = 0
    is_record: bool = False
    removed: bool = False
    dead: bool = False  # its owner's sessions were ended

    @property
    def fits(self) -> bool:
        return BIG not in self.data.values()

    @property
    def plaintext(self) -> Any:
        """What the ID of its record derives from, if it moves."""
        data = tuple(self.data.items())
        return data, self.owner, self.ends_at, self.authenticated_at, self.written_at, self.generation

    def has_run_out(self, now: int) -> bool:
        return now >= min(self.written_at + IDLE, self.ends_at)

    def lives(self, now: int, ring: Sequence[int]) -> bool:
        known = not self.is_record or self.key in ring
        return known and not (self.removed or self.life.ended or self.dead or self.has_run_out(now))

    def end(self) -> None:
        self.life.ended = True
        self.removed = self.is_record


@dataclass(frozen=True, eq=False)
class Reference:
    """What leads to a record."""

    record: Content
    key: int


Token: TypeAlias = Content | Reference


@dataclass(frozen=True)
class Candidate:
    """A token that opened, and what it is of."""

    token: Token

    @property
    def content(self) -> Content:
        return self.token.record if isinstance(self.token, Reference) else self.token

    @property
    def name(self) -> str:
        return REF if isinstance(self.token, Reference) else NAME

    def rank(self, now: int, ring: Sequence[int]) -> tuple[int, int, int]:
        """By which of several counts: logged in, then the last login, then the last use; dead ones last."""
        content = self.content
        if not content.lives(now, ring):
            return 0, 0, 0
        return 1 + (content.owner is not None), content.authenticated_at, content.written_at


@dataclass
class Met:
    """What a request finds.

    Attributes:
        brought: The names of the cookies that came, behind a comma too.
        opened: What of them opened.
        chosen: What counts, if it lives.
        anything: Whether a cookie of the session came at all.
    """

    brought: set[str]
    opened: list[Candidate]
    chosen: Candidate | None
    anything: bool

    @property
    def content(self) -> Content | None:
        return None if self.chosen is None else self.chosen.content


def arrive(sent: Iterable[Token], *, hidden: bool, now: int, ring: Sequence[int]) -> Met:
    """Return what a request with these tokens finds, in the header's order; `hidden`: a comma hides the first."""
    tokens = list(sent)
    counting = tokens[1:] if hidden else tokens
    opened = [Candidate(token) for token in counting if token.key in ring]
    moved = {each.content.life for each in opened if each.name == REF}
    found = [each for each in opened if each.name == REF or each.content.life not in moved]
    best = max(range(len(found)), key=lambda at: (*found[at].rank(now, ring), at), default=None)
    chosen = None if best is None or not found[best].content.lives(now, ring) else found[best]
    return Met({Candidate(token).name for token in tokens}, opened, chosen, bool(tokens))


def changed(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (data | changes).items() if value is not None}


class Answer:
    """What a request does, in the model; and to the two cookies of its browser.

    Args:
        jar: The browser's cookies by name, changed in place.
        met: What the request found.
        now: Of the host that answers.
        ring: Its keys, the current one first.
        written: Gets each content that is written.
    """

    def __init__(
        self, jar: dict[str, Token], met: Met, *, now: int, ring: Sequence[int], written: list[Content]
    ) -> None:
        self.jar, self.met, self.now, self.ring, self.written = jar, met, now, ring, written

    def give(self, changes: dict[str, Any], verb: str | None, owner: str) -> None:
        """Do what the request asked for."""
        old, now = self.met.content, self.now
        owned_by = owner if verb == "login" else None if old is None else old.owner
        before = {} if old is None or (verb == "login" and old.owner not in {None, owner}) else old.data
        data = changed(before, changes)
        if verb == "logout":
            self.log_out()
        elif old is None:
            if data or owned_by:
                self.begin(data, owned_by, verb, changes)
        elif owned_by is None and not data:
            old.removed = old.is_record  # a visitor who leaves nothing leaves nothing: no revocation either
            self.forget(self.opened_names)
        elif verb in {"login", "renew"}:
            self.give_new_id(old, data, owned_by, verb, changes)
        elif data != old.data or now - old.written_at >= REFRESH:
            self.update(old, data, changes)

    @property
    def opened_names(self) -> set[str]:
        return {each.name for each in self.met.opened}

    def log_out(self) -> None:
        for each in self.met.opened:
            if each.content.lives(self.now, self.ring):
                each.content.end()
        self.forget(self.met.brought)

    def begin(self, data: dict[str, Any], owner: str | None, verb: str | None, changes: dict[str, Any]) -> None:
        authenticated_at = self.now if verb == "login" else 0
        self.write(None, Content(Life(), data, owner, self.now + ABSOLUTE, authenticated_at), changes)

    def give_new_id(
        self, old: Content, data: dict[str, Any], owner: str | None, verb: str, changes: dict[str, Any]
    ) -> None:
        by_login = verb == "login"
        ends_at = self.now + ABSOLUTE if by_login else old.ends_at
        authenticated_at = self.now if by_login else old.authenticated_at
        generation = max([each.generation for each in self.written if each.owner == owner], default=0)
        new = Content(
            Life(), data, owner, ends_at, authenticated_at, generation=generation if by_login else old.generation
        )
        new.is_record = old.is_record and not by_login
        for each in self.met.opened if by_login else [self.met.chosen]:
            if each is not None and each.content.lives(self.now, self.ring):
                each.content.end()
        self.write(old, new, changes)

    def update(self, old: Content, data: dict[str, Any], changes: dict[str, Any]) -> None:
        self.go_on(old, _replace(old, data=data), changes)

    def go_on(self, old: Content, new: Content, changes: dict[str, Any]) -> None:
        """The same session with other content: a record that the current key has sealed takes it without a line."""
        chosen = self.met.chosen
        assert chosen is not None
        if old.is_record and chosen.token.key == old.key == self.ring[0]:
            new.written_at = self.now
            old.__dict__.update(new.__dict__)
        else:
            self.write(old, new, changes)

    def write(self, old: Content | None, new: Content, changes: dict[str, Any]) -> None:
        """What becomes of the jar when `new` is written where `old` was."""
        new.written_at, new.key = self.now, self.ring[0]
        self.written.append(new)
        if old is not None and old.is_record and old.life is new.life:
            old.__dict__.update(new.__dict__)
            self.issue(Reference(old, self.ring[0]))
        elif new.fits and not new.is_record:
            self.issue(new)
        else:
            self.move(old, new, changes)

    def move(self, old: Content | None, new: Content, changes: dict[str, Any]) -> None:
        """Into a record of its own, or into the one that another request has made of the same cookie."""
        place = None if old is None or old.is_record else old.plaintext
        there = new.life.records.get(place)
        if new.is_record or there is None or there.removed or self.now >= there.written_at + IDLE:
            new.is_record, new.life.records[place], there = True, new, new
        elif there.key not in self.ring:
            return  # nobody can read it any more, so nothing can be merged into it
        else:
            before = {} if old is None else old.data
            made = {key: value for key, value in changes.items() if before.get(key) != value}  # an equal one is none
            there.data = changed(there.data, made)
            there.written_at, there.key = self.now, self.ring[0]
        self.issue(Reference(there, self.ring[0]))

    def issue(self, token: Token) -> None:
        """Set one cookie; what opened under the other name is forgotten with it."""
        name = Candidate(token).name
        self.forget((self.opened_names & self.met.brought) - {name})
        self.jar[name] = token

    def forget(self, names: set[str]) -> None:
        for name in names:
            self.jar.pop(name, None)


def _replace(content: Content, **fields: Any) -> Content:
    return Content(**{**content.__dict__, **fields})
