"""The oracle of the state machine: sessions, their IDs and the requests that know them, by the design's tables.

Plain dicts and times; nothing of the library is in it. A secret of CSRF tokens is an object that equals itself alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

GRACE, RENEW_AFTER, CLOSED_SECONDS = 10, 900, 600
# How an ID was closed. Later ones are stricter, and of two wishes in one request the stricter counts.
HOWS = ("renew", "in time", "again", "login")
LEADS_ON = HOWS[:3]
"""To a logout; after a login of somebody else the old ID leads nowhere."""
MERGES = HOWS[:2]
"""What a request writes that had loaded the session before."""
DELETED = object()


@dataclass(eq=False)
class Life:
    """One session, through all its IDs."""

    data: dict[str, Any]
    owner: str | None
    csrf: object | None
    created_at: float
    authenticated_at: float | None = None
    alive: bool = True

    @property
    def empty(self) -> bool:
        return not self.data and self.owner is None and self.csrf is None


@dataclass(eq=False)
class Id:
    """One ID, and how it was closed, if it was."""

    life: Life
    noted_at: float = 0
    closing: Closing | None = None
    derived: object = field(default_factory=object)

    @property
    def named_at(self) -> float:
        return max(self.noted_at, self.life.created_at, self.life.authenticated_at or 0)


class Closing(NamedTuple):
    """Why and when an ID was closed, by the clock of the host that did it; what took its place, and its secret."""

    how: str
    at: float
    target: Id
    csrf: object | None

    def gone(self, now: float) -> bool:
        return now >= self.at + CLOSED_SECONDS


class Met(NamedTuple):
    """What a request meets under an ID: where it ends up, and whether another ID has led it there."""

    origin: str
    at: Id | None = None
    moved: bool = False

    @property
    def secret(self) -> object | None:
        if self.at is None:
            return None
        if self.at.closing is not None:
            return self.at.closing.csrf or self.at.derived
        return self.at.life.csrf


def arrive(at: Id | None, now: float) -> Met:
    """A request arrives with an ID (None: without one), at a host where it is `now`."""
    moved = False
    while at is not None and at.closing is not None:
        if at.closing.gone(now):
            return Met("gone")
        if at.closing.how != "in time" or now >= at.closing.at + GRACE:
            return Met("replaced", at)
        at, moved = at.closing.target, True
    if at is None:
        return Met("none")
    return Met("loaded", at, moved) if at.life.alive else Met("gone")


def follow(at: Id, hows: tuple[str, ...], now: float) -> Id | str:
    """Return the ID that is open, through those that were closed in one of `hows`; else why there is none."""
    while at.closing is not None:
        if at.closing.gone(now):
            return "ended"
        if at.closing.how not in hows:
            return "replaced"
        at = at.closing.target
    return at if at.life.alive else "ended"


class Outcome(NamedTuple):
    """What a commit comes to: the line that is sent (``"expiry"``, none, or one with an ID), and what was dropped."""

    line: Id | str | None = None
    dropped: tuple[str, ...] = ()


class Request:
    """A request that has loaded its session at a host where it is `now`: what it sees, and what it asks for."""

    def __init__(self, at: Id | None, now: float) -> None:
        self.met = arrive(at, now)
        self.login_as: str | None = None
        self.how: str | None = None
        self.lost: tuple[str, ...] = ()
        if self.met.origin == "loaded":
            life = self.met.at.life
            self._begin(dict(life.data), life.owner, life.csrf, life.created_at)
            self.named_at = self.met.at.named_at
        else:
            self._begin({}, None, None, now)

    def _begin(self, data: dict[str, Any], owner: str | None, csrf: object | None, created_at: float) -> None:
        self.data, self.owner, self.csrf, self.created_at = data, owner, csrf, created_at
        self.loaded = Life(dict(data), owner, csrf, created_at)
        self.base, self.steps = dict(data), []

    # What the app does

    def count(self) -> None:
        self.steps += [self._changes(), increase]
        self.data = increase(self.data)
        self.base = dict(self.data)

    def token(self) -> object:
        """The secret of a token for a form."""
        if self.met.origin == "replaced" and not self._authenticates:
            return self.met.secret
        self.csrf = self.csrf or object()
        return self.csrf

    def ask(self, verb: str | None, now: float) -> None:
        """`verb` is ``"renew"``, ``"cycle"``, an owner's name, or none."""
        if verb == "renew":
            self.csrf = None if self.owner is None else self.csrf
            self._ask("renew")
        elif verb == "cycle":
            self.csrf = None
            self._ask("login")
        elif verb is not None:
            self._log_in(verb, now)

    def _log_in(self, owner: str, now: float) -> None:
        if self.met.origin in {"gone", "replaced"}:
            if self.modified:
                self.lost = ("ended" if self.met.origin == "gone" else "replaced",)
            self._begin({}, None, None, now)
        if self.owner not in {None, owner}:
            self.data = {}
        self._ask("again" if self.loaded.owner == owner else "login")
        self.csrf, self.owner, self.login_as = None, owner, owner

    def _ask(self, how: str) -> None:
        self.how = max(how, self.how or how, key=HOWS.index)

    @property
    def _authenticates(self) -> bool:
        return self.how in HOWS[2:]

    @property
    def modified(self) -> bool:
        return self.data != self.loaded.data or self.csrf is not self.loaded.csrf or self.login_as is not None

    @property
    def empty(self) -> bool:
        return not self.data and self.owner is None and self.csrf is None

    # What comes of it

    def invalidate(self, now: float) -> Outcome:
        """End the session, wherever it leads on to."""
        at = self.met.at
        if self.met.origin == "replaced":
            at = at.closing.target if at.closing.how in LEADS_ON else None
        found = None if at is None else follow(at, LEADS_ON, now)
        if isinstance(found, Id):
            found.life.alive = False
        return Outcome(None if self.met.origin == "none" else "expiry")

    def commit(self, now: float) -> Outcome:
        """The decision's table."""
        outcome = self._commit(now)
        return outcome._replace(dropped=self.lost + outcome.dropped)

    def _commit(self, now: float) -> Outcome:
        issues = self._authenticates and not self.empty
        if self.met.origin == "replaced" and not issues:
            return Outcome(dropped=("replaced",) if self.modified or not self.empty else ())
        if self.met.origin != "loaded":
            return Outcome(None if self.empty else self._create(self.data, self.owner, now))
        due = not self.met.moved and now - self.named_at >= RENEW_AFTER
        how = self.how or ("in time" if due else None)
        if not issues and self.empty and (self.modified or how):
            return self._update(now, delete=True)
        if how is not None:
            return self._move(how, now)
        return self._update(now) if self.modified else Outcome()

    def _create(self, data: dict[str, Any], owner: str | None, now: float) -> Id:
        authenticated_at = now if self.login_as is not None else None
        csrf = self.csrf if self.csrf is not self.loaded.csrf else None
        return Id(Life(dict(data), owner, csrf, self.created_at, authenticated_at))

    def _dropped(self, reason: str) -> Outcome:
        return Outcome(dropped=(reason,) if self.modified or self.how else ())

    def _update(self, now: float, *, delete: bool = False) -> Outcome:
        target = follow(self.met.at, MERGES, now)
        if not isinstance(target, Id):
            return self._dropped(target)
        moved = self.met.moved or target is not self.met.at
        self._merge(target.life, renewed=moved)
        if delete and target.life.empty:
            target.life.alive = False
            return Outcome(None if moved else "expiry")
        return Outcome()

    def _move(self, how: str, now: float) -> Outcome:
        target = follow(self.met.at, MERGES, now)
        if not isinstance(target, Id):
            return self._overtaken(target, now) if self._authenticates else self._dropped(target)
        if (self.met.moved or target is not self.met.at) and not self._authenticates:
            return self._update(now) if self.modified else Outcome()
        life, csrf = target.life, target.life.csrf
        if self.loaded.owner in {None, self.owner}:
            self._merge(life, renewed=False)
        else:
            life.data, life.csrf = dict(self.data), self.csrf
        life.owner = self.owner
        if self.login_as is not None:
            life.authenticated_at = now
        target.closing = Closing(how, now, Id(life, now), csrf)
        return Outcome(target.closing.target)

    def _overtaken(self, reason: str, now: float) -> Outcome:
        own = {key: value for key, value in self.data.items() if self.loaded.data.get(key, DELETED) != value}
        owner = self.login_as
        if not own and owner is None and (self.csrf is None or self.csrf is self.loaded.csrf):
            return Outcome(dropped=("ended",))
        created = self._create(own, owner, now)
        created.noted_at = now
        return Outcome(created)

    def _merge(self, life: Life, *, renewed: bool) -> None:
        """Make the changes again on what others have left. An existing secret wins, unless the ID is a new one."""
        for step in [*self.steps, self._changes()]:
            life.data = increase(life.data) if step is increase else life.data | step
            life.data = {key: value for key, value in life.data.items() if value is not DELETED}
        anew = self._authenticates or (self.how == "renew" and self.owner is None)
        if anew and not (renewed and not self._authenticates and life.csrf is not self.loaded.csrf):
            life.csrf = None
        if self.csrf is not self.loaded.csrf:
            life.csrf = life.csrf or self.csrf

    def _changes(self) -> dict[str, Any]:
        deleted = {key: DELETED for key in self.base if key not in self.data}
        return deleted | {key: value for key, value in self.data.items() if self.base.get(key, DELETED) != value}


def increase(data: dict[str, Any]) -> dict[str, Any]:
    """Count up."""
    return {**data, "n": data.get("n", 0) + 1}
