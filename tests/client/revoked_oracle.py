"""What client-side sessions with `revocations=` should do under old IDs: the design's tables, where nothing merges.

A token never changes, so the model of one is a snapshot of a session's life under an ID. What an ID was closed by, or
that it has ended, counts for all tokens with that ID. What a request sees and asks for is as with a store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from server import oracle
from server.oracle import CLOSED_SECONDS, GRACE, HOWS, LEADS_ON, MERGES, RENEW_AFTER, Life, Outcome


@dataclass(eq=False)
class Sid:
    """The ID in a token: whether it has ended, or how it was closed, and the secret of forms under it then."""

    ended: bool = False
    closing: Closing | None = None
    derived: object = field(default_factory=object)

    def known(self, now: float) -> Closing | str | None:
        """What its record says, if it has one."""
        if self.ended or (self.closing is not None and now >= self.closing.at + CLOSED_SECONDS):
            return "ended"
        return self.closing

    def judged(self, now: float) -> Closing | str | None:
        """The same, where within the grace of a renewal in time it counts as the ID in its place does."""
        known = self.known(now)
        while isinstance(known, Closing) and known.within_grace(now):
            target = known.target
            assert target is not None
            following = target.known(now)
            if following is None:
                break
            known = following
        return known

    def write(self, closing: Closing | None, now: float) -> Closing | str | None:
        """Close or end it, if nobody has done either; else return what was there."""
        known = self.known(now)
        if known is None:
            self.ended, self.closing = closing is None, closing
        return known


class Closing(NamedTuple):
    """Why and when an ID was closed, and what took its place, if it leads on."""

    how: str
    at: float
    target: Sid | None

    def within_grace(self, now: float) -> bool:
        return self.how == "in time" and now < self.at + GRACE


@dataclass(eq=False)
class Token(oracle.Id):
    """What a cookie holds."""

    sid: Sid = field(default_factory=Sid)
    generation: int = 0
    written_at: float = 0


Generations = dict[str | None, int]


class Met(NamedTuple):
    """What a request meets, by the names of the other oracle's."""

    origin: str
    at: Token | None = None
    moved: bool = False

    @property
    def secret(self) -> object | None:
        if self.at is None or self.origin == "gone":
            return None
        return self.at.life.csrf or (self.at.sid.derived if self.origin == "replaced" else None)


def arrive(at: Token | None, now: float, generations: Generations) -> Met:
    """A request arrives with a token (None: without one), at a host where it is `now`."""
    if at is None:
        return Met("none")
    judged = at.sid.judged(now)
    if judged == "ended" or at.generation < generations.get(at.life.owner, 0):
        return Met("gone", at)
    if isinstance(judged, Closing) and not judged.within_grace(now):
        return Met("replaced", at)
    return Met("loaded", at, judged is not None)


class Request(oracle.Request):
    """A request that has loaded its session at a host where it is `now`."""

    met: Met

    def __init__(self, at: Token | None, now: float, generations: Generations) -> None:
        super().__init__(None, now)
        self.met, self.generations = arrive(at, now, generations), generations
        if self.met.origin == "loaded":
            life = self.met.at.life
            self._begin(dict(life.data), life.owner, life.csrf, life.created_at)
            self.loaded.authenticated_at = life.authenticated_at
            self.named_at = self.met.at.named_at

    def invalidate(self, now: float) -> Outcome:
        """End the session, under every ID that leads on."""
        if self.met.origin in {"loaded", "replaced"}:
            sid: Sid | None = self.met.at.sid
            while sid is not None:
                known = sid.write(None, now)
                sid = known.target if isinstance(known, Closing) else None
        return Outcome(None if self.met.origin == "none" else "expiry")

    def _commit(self, now: float) -> Outcome:
        if self.met.origin != "loaded":
            return super()._commit(now)
        issues = self._authenticates and not self.empty
        due = not self.met.moved and now - self.named_at >= RENEW_AFTER
        how = self.how or ("in time" if due else None)
        if not (self.modified or how):
            return self._refresh(now)
        refused = "replaced" if self.met.moved else self._refused(now)
        if refused and not issues:
            return self._dropped(refused)
        if self.empty and not issues:
            return Outcome("expiry")
        if how is None:
            return Outcome(self._token(self.met.at.sid, self.met.at.noted_at, now))
        return self._move(how, now)

    def _refresh(self, now: float) -> Outcome:
        at = self.met.at
        if self.met.moved or now - at.written_at < RENEW_AFTER or self._refused(now):
            return Outcome()
        return Outcome(self._token(at.sid, at.noted_at, now))

    def _refused(self, now: float) -> str | None:
        met = arrive(self.met.at, now, self.generations)
        if met.origin == "gone":
            return "ended"
        return "replaced" if self.met.at.sid.judged(now) else None

    def _move(self, how: str, now: float) -> Outcome:
        if self._authenticates and self._is_overtaken(now):
            self._keep_own()
            if self.empty:
                return Outcome(dropped=("ended",))
        old, new = self.met.at.sid, self._token(Sid(), now, now)
        if self.login_as is not None:
            new.life.authenticated_at, new.generation = now, self.generations.get(self.owner, 0)
        closing = Closing(how, now, new.sid if how in LEADS_ON else None)
        known = old.write(closing, now)
        while how not in MERGES and isinstance(known, Closing) and known.how in MERGES:
            assert known.target is not None
            known = known.target.write(closing, now)
        return Outcome(new)

    def _is_overtaken(self, now: float) -> bool:
        judged = self.met.at.sid.judged(now)
        if judged == "ended" or (isinstance(judged, Closing) and judged.how not in MERGES):
            return True
        ended = self.met.at.generation < self.generations.get(self.loaded.owner, 0)
        return ended and self.loaded.owner == self.owner

    def _keep_own(self) -> None:
        """What this request has set itself stays, and nothing else."""
        self.data = {key: value for key, value in self.data.items() if self.loaded.data.get(key) != value}
        self.csrf = None if self.csrf is self.loaded.csrf else self.csrf
        self.owner = self.login_as
        self.loaded.authenticated_at = None

    def _token(self, sid: Sid, noted_at: float, now: float) -> Token:
        life = Life(dict(self.data), self.owner, self.csrf, self.created_at, self.loaded.authenticated_at)
        return Token(life, noted_at, sid=sid, generation=self.met.at.generation, written_at=now)

    def _create(self, data: dict[str, object], owner: str | None, now: float) -> Token:
        life = super()._create(data, owner, now).life
        generation = self.generations.get(owner, 0) if self.login_as is not None else 0
        return Token(life, generation=generation, written_at=now)


assert HOWS[-1] not in LEADS_ON
