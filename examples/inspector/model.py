"""What the page shows, as plain values: `reading` makes them, `sections` draws them."""

from dataclasses import dataclass

from cookiesess import SessionInfo
from examples.inspector.visits import Kept, Visit


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
    """The session's times in their order, and where on the line each of them stands (0 to 100)."""

    moments: tuple[Moment, ...]
    starts_at: int
    ends_at: int

    def place(self, at: int) -> float:
        """Return where `at` stands, in per cent of the line."""
        span = max(self.ends_at - self.starts_at, 1)
        return round(min(max((at - self.starts_at) / span, 0), 1) * 100, 2)

    def at(self, marker: str) -> int | None:
        """Return when the moment of `marker` is, or None."""
        return next((moment.at for moment in self.moments if moment.marker == marker), None)


@dataclass(frozen=True, slots=True)
class Inside:
    """What the server sees in the session's cookies.

    Attributes:
        verdict: What became of the session, in a sentence.
        alive: Whether this request goes on with it.
        facts: Names and values.
        values: What the app stored.
        timeline: None where the token says no times.
    """

    verdict: str
    alive: bool
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
        can_end_others: Whether the others can be ended.
        kept: Cookies that can be replayed, newest first.
        visits: The last requests, newest first; this one too, as far as it has got.
        last_action: The button's request that this page follows, or None.
        flashes: Messages that were waiting for this page.
        csrf_token: For the forms.
    """

    setup: tuple[str, ...]
    now: int
    cookies: tuple[Cookie, ...]
    inside: Inside
    owner: str | None
    sessions: tuple[tuple[SessionInfo, bool], ...] | None
    can_end_others: bool
    kept: tuple[Kept, ...]
    visits: tuple[Visit, ...]
    last_action: Visit | None
    flashes: tuple[str, ...]
    csrf_token: str
