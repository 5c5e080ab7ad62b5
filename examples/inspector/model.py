"""What the page shows, as plain values: `reading` makes them, `sections` draws them."""

from dataclasses import dataclass
from typing import Final

from cookiesess import SessionInfo
from examples.inspector.notes import Changes, Kept
from examples.inspector.visits import Visit

# Per cent of the line: so far apart that no marker covers another one, on a phone too.
GAP: Final = 8


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that the browser sent.

    Attributes:
        name: Its name.
        value: Its beginning and end.
        length: Of the whole value, in characters.
        role: What it is here, in words.
        own: Whether the session travels in it.
        attributes: As this server set them last, or None where it did not.
        size_bytes: How long its Set-Cookie line is.
        limit_bytes: How long that may be.
        near: Whether that is near the limit; of a session in pieces, whether they are together.
    """

    name: str
    value: str
    length: int
    role: str
    own: bool
    attributes: tuple[str, ...] | None
    size_bytes: int
    limit_bytes: int
    near: bool


@dataclass(frozen=True, slots=True)
class Value:
    """A key of the session, its value as Python writes it, its type, and its size."""

    key: str
    text: str
    type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the session: a word for the marker, what it is, and when, in Unix seconds."""

    marker: str
    says: str
    at: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The session's times in their order, and the span that the line stands for."""

    moments: tuple[Moment, ...]
    starts_at: int
    ends_at: int

    @property
    def places(self) -> dict[str, float]:
        """Where the markers stand, in per cent of the line: as the times are, and at least `GAP` apart."""
        span = max(self.ends_at - self.starts_at, 1)
        places = [min(max((moment.at - self.starts_at) / span, 0), 1) * 100 for moment in self.moments]
        for index in range(1, len(places)):
            places[index] = max(places[index], places[index - 1] + GAP)
        room = 100.0
        for index in reversed(range(len(places))):
            places[index] = min(places[index], room)
            room = places[index] - GAP
        return {moment.marker: round(place, 2) for moment, place in zip(self.moments, places, strict=True)}


@dataclass(frozen=True, slots=True)
class Inside:
    """What the server sees in the session's cookies.

    Attributes:
        verdict: What became of the session, in a sentence.
        alive: Whether this request goes on with it.
        stored: Whether it is in a store, and the cookie holds only an ID.
        facts: Names and values.
        values: What the app stored.
        timeline: None where the token says no times.
    """

    verdict: str
    alive: bool
    stored: bool
    facts: tuple[tuple[str, str], ...]
    values: tuple[Value, ...]
    timeline: Timeline | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything on the page.

    Attributes:
        setup: How this server keeps sessions, in a few words each.
        now: Unix seconds.
        cookies: What the browser sent.
        inside: What the server sees in the session's.
        owner: The session's, or None.
        sessions: The owner's, and whether each is this one; None where nobody counts them.
        server_side: Whether sessions are in a store by themselves, and not in their cookies.
        can_end_others: Whether the others can be ended.
        kept: Cookies that can be replayed, newest first.
        visits: The last requests, newest first; this one too, as far as it has got.
        last_action: The button's request that this page follows, or None.
        changes: How this page differs from the one that this browser saw last.
        pressed: The buttons that have done something, by the names of their actions.
        flashes: Messages that were waiting for this page.
        csrf_token: For the forms.
    """

    setup: tuple[str, ...]
    now: int
    cookies: tuple[Cookie, ...]
    inside: Inside
    owner: str | None
    sessions: tuple[tuple[SessionInfo, bool], ...] | None
    server_side: bool
    can_end_others: bool
    kept: tuple[Kept, ...]
    visits: tuple[Visit, ...]
    last_action: Visit | None
    changes: Changes
    pressed: frozenset[str]
    flashes: tuple[str, ...]
    csrf_token: str
