"""From a request's cookies, its session and its events to what the page shows. Pure functions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from pprint import pformat
from typing import Any, Final

from cookiesess import CookiePolicy, Lifetime, Session, events
from cookiesess.events import Event
from cookiesess.http.envelope import NEAR_PER_CENT
from cookiesess.session.state import Origin
from examples.inspector.glass import Glass, Sight
from examples.inspector.model import Cookie, Inside, Moment, Timeline, Value
from examples.inspector.notes import Notes
from examples.inspector.visits import Visit

# A value in the page is cut here; a cookie's much earlier, since whoever has it has the session.
_LONGEST_TEXT, _LONGEST_INNER_TEXT, _LONGEST_COOKIE, _SHOWN = 120, 40, 24, (10, 4)
_MOST_KEYS: Final = 3
_EMPTY: Final = "A new, empty session takes its place."

_UNBOUND = "It is bound to a device, and no proof came that this is the one. It reads as empty; it still lives there."


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the page shows it: its name, its fields in words, and what to do about it."""

    name: str
    details: str
    advice: str


# What the browser holds


def cookies_of(
    header: str, *, policy: CookiePolicy, notes: Notes, own: Mapping[str, str], near: Callable[[int], bool]
) -> Iterator[Cookie]:
    """Yield the cookies of a Cookie header, the session's first; `near` judges the size of all its pieces together."""
    pieces = [name for name in policy.chunk_names if name in own]
    piece_bytes = sum(_size_bytes(name, own[name], notes) for name in pieces)
    for name, value in sorted(_pairs(header), key=lambda pair: pair[0] not in own):
        suffix, size_bytes = notes.suffixes.get(name), _size_bytes(name, value, notes)
        yield Cookie(
            name=_utf8(name),
            value=shortened(_utf8(value)),
            length=len(value),
            role=_role(name, own, policy),
            own=name in own,
            attributes=None if suffix is None else tuple(suffix.removeprefix("; ").split("; ")),
            size_bytes=size_bytes,
            limit_bytes=policy.max_bytes,
            near=near(piece_bytes) if name in pieces else size_bytes * 100 > policy.max_bytes * NEAR_PER_CENT,
        )


def _size_bytes(name: str, value: str, notes: Notes) -> int:
    # A WSGI header's characters are bytes (PEP 3333).
    return len(name) + 1 + len(value) + len(notes.suffixes.get(name, ""))


def shortened(value: str) -> str:
    """Return a cookie's value, of a long one only the ends: enough to tell two apart, too little to use."""
    if len(value) <= _LONGEST_COOKIE:
        return value
    first, last = _SHOWN
    return f"{value[:first]}…{value[-last:]}"


def _pairs(header: str) -> Iterator[tuple[str, str]]:
    for pair in header.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals and name:
            yield name, value


def _utf8(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "replace")


def _role(name: str, own: Mapping[str, str], policy: CookiePolicy) -> str:
    if name == policy.reference_name:
        return "the session's reference"
    if name == policy.bound_name:
        return "the proof of this device"
    if name not in own:
        return "this page's own, sealed" if name == "inspector" else "a plain cookie"
    pieces = [each for each in policy.chunk_names if each in own]
    return f"the session, piece {pieces.index(name) + 1} of {len(pieces)}" if len(pieces) > 1 else "the session"


# What the server sees


def inside(
    session: Session, *, sight: Sight | None, visit: Visit, glass: Glass, lifetime: Lifetime, now: int
) -> Inside:
    """Return what the server sees in the session's cookies. Looking at the session is what opens it."""
    alive = not session.is_new
    values = [
        Value(_cut_key(key), _text(value), type(value).__name__, glass.encoded_bytes(value))
        for key, value in session.items()
    ]
    return Inside(
        verdict=_UNBOUND if session.origin is Origin.UNBOUND else _verdict(sight, visit, alive=alive),
        alive=alive,
        stored=sight is not None and sight.record_bytes is not None,
        facts=tuple(_facts(sight)),
        values=tuple(values),
        timeline=None if sight is None else _timeline(sight, lifetime, now),
    )


def _verdict(sight: Sight | None, visit: Visit, *, alive: bool) -> str:
    if alive:
        return "The cookie opens, and this request goes on with its session."
    for event in visit.events:
        match event:
            case events.SessionRejected(reason=reason):
                return f"The cookie does not open ({reason}). {_EMPTY}"
            case events.SessionRevoked():
                return f"This session was ended before, and this is a copy of its cookie. {_EMPTY}"
            case events.SessionExpired(deadline="unknown"):
                return f"The store has no record for this cookie, or not any more. {_EMPTY}"
            case events.SessionExpired(deadline=deadline):
                return f"The session's time is over ({deadline} timeout). {_EMPTY}"
    if sight is None:
        return "No session came with this request."
    return f"This session was ended, or has another ID by now, and the old one is dead. {_EMPTY}"


def _facts(sight: Sight | None) -> Iterator[tuple[str, str]]:
    if sight is None:
        return
    readable = "encrypted and authenticated" if sight.protection == "sealed" else "authenticated; anybody can read it"
    yield "Where it is", sight.kind
    yield "Protection", f"{sight.protection}: {readable}"
    yield "Key", " · ".join(filter(None, [sight.kid, f"{sight.key} key" if sight.key else "did not open it"]))
    if sight.record_bytes is not None:
        yield "Record", f"{sight.record_bytes:,} bytes in the store"
    if sight.state is not None:
        yield "Owner", sight.state.owner or "nobody: not logged in"
        yield "Label", sight.label or "none"
        if sight.binding is not None:
            yield "Bound to a device", sight.binding
        yield "Flags", ", ".join(sight.flags) or "none"


def _timeline(sight: Sight, lifetime: Lifetime, now: int) -> Timeline | None:
    state = sight.state
    if state is None:
        return None
    times = [
        ("created", "created", state.created_at),
        ("authenticated", "logged in", state.authenticated_at),
        ("refreshed", "refreshed", state.refreshed_at),
        ("now", "now", now),
        ("idle", "ends if nobody comes", lifetime.deadline(state)),
        ("absolute", "ends at the latest", lifetime.deadlines(state)[1]),
    ]
    moments = [Moment(marker, says, at) for marker, says, at in times if at is not None]
    moments.sort(key=lambda moment: moment.at)
    return Timeline(tuple(moments), state.created_at, max(moment.at for moment in moments if moment.marker != "now"))


def _cut_key(key: str) -> str:
    return key if len(key) <= _LONGEST_INNER_TEXT else f"{key[:_LONGEST_INNER_TEXT]}…"


def _text(value: object) -> str:
    if type(value) is str:
        return _quoted(value, _LONGEST_TEXT)
    return pformat(_cut(value), width=60, sort_dicts=False)


def _quoted(text: str, longest: int) -> str:
    return repr(text) if len(text) <= longest else f"{text[:longest]!r}… {len(text):,} characters"


def _cut(value: Any) -> Any:
    """Return `value` with long texts cut, in what containers they may be."""
    if type(value) is str and len(value) > _LONGEST_INNER_TEXT:
        return f"{value[:_LONGEST_INNER_TEXT]}…"
    if type(value) is dict:
        return {key: _cut(each) for key, each in value.items()}
    return [_cut(each) for each in value] if type(value) is list else value


# What happened


def happening(event: Event) -> Happening:
    """Return an event as the page shows it."""
    details = [f"{field.name.replace('_', ' ')}: {getattr(event, field.name)}" for field in fields(event)]
    return Happening(event.name, ", ".join(details), event.advice)


def summary(session: Session) -> str:
    """Return in a few words what a session is, for the list of kept cookies."""
    keys = ", ".join(_cut_key(key) for key in islice(session, _MOST_KEYS)) or "no data"
    more = f" and {len(session) - _MOST_KEYS} more" if len(session) > _MOST_KEYS else ""
    return f"{session.owner or 'nobody'}: {keys}{more}"


def shown(seen: Inside, cookies: Iterable[Cookie]) -> dict[str, str]:
    """Return what the page shows, by what it is about, so that two looks can be compared."""
    return {
        **{f"cookie {cookie.name}": f"{cookie.value} {cookie.length}" for cookie in cookies},
        **{f"fact {name}": text for name, text in seen.facts},
        **{f"value {value.key}": f"{value.text} {value.type} {value.size_bytes}" for value in seen.values},
    }
