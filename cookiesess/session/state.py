"""The state of a session between two requests, and its bytes.

Plaintext, version 1, the same in a cookie and in a record. The first byte is the kind::

    0x00  inline               the state, as below
    0x01  reference            the 32-byte ID of a record
    0x02  inline, compressed   the same, as `cookiesess.session.compression` has it
    0x03  moved                a closed record of the first version: the 32-byte ID that it leads on to, and 8 bytes of
                               Unix seconds, up to when requests may go on with the old one
    0x04  replaced             the same, which leads nowhere: the 32-byte key of the record in its place
    0x05  closed               a closed record, as `cookiesess.session.closing` has it

and a state is one msgpack array (types as in `cookiesess.tokens.values`), trailing nils cut off, further elements
ignored::

    [created_at, ends_at - created_at or nil, refreshed_at - created_at, authenticated_at or nil, owner or nil,
     data, sid16 or nil, extras or nil]

Differences instead of times save bytes in every cookie. `extras` is a map with these keys, each left out where unset::

    "c"  CSRF secret, 32 bytes                      "l"  label, text
    "f"  flashes, array of [message, category]      "e"  records only: the idle seconds in the record's expiry
    "i"  the session's own idle timeout, seconds    "w"  records only: marks of the last eight writes, 8 bytes each
    "a"  the session's own absolute timeout, seconds, counted from the last login, else from the creation
    "p"  the session's own `persistent`, bool              "g"  the owner's generation at login, where it is not 0
    "n"  when the present ID was given, Unix seconds, where IDs are renewed periodically
    "x"  the epoch of the store of revocations, 8 bytes
    "r"  records only, where an owner's sessions are limited: 16 bytes of the key of the record whose place it took
    "b"  where sessions are bound to devices, since a login: 57 bytes, as `cookiesess.session.binding` has them
"""

from dataclasses import dataclass, field
from typing import Any

from cookiesess.errors import InvalidToken
from cookiesess.session.binding import in_effect
from cookiesess.session.lifetime import ABSOLUTE, CLOCK_SKEW_SECONDS, Lifetime
from cookiesess.session.member import Member
from cookiesess.tokens.values import ValueCodec

INLINE, REFERENCE, COMPRESSED, MOVED, REPLACED = b"\x00", b"\x01", b"\x02", b"\x03", b"\x04"

CSRF, FLASHES, PERSISTENT, LABEL, COUNTED_IDLE, MARKS, GENERATION, EPOCH = "c", "f", "p", "l", "e", "w", "g", "x"
REPLACES, BINDING = "r", "b"

Description = tuple[int | str | bytes | None, ...]
"""What a record's summary says: created, authenticated, absolute deadline, idle seconds, label, what it replaced,
its own absolute timeout, whether it is bound to a device."""


class Origin(Member):
    """Where a session came from, as far as the decision at commit depends on it."""

    NONE = "there was no cookie"
    REJECTED = "there were bytes that never opened"
    GONE = "it opened, but has timed out, was revoked or has no record"
    REPLACED = "another ID has taken its place"
    UNAVAILABLE = "the store is down"
    LOADED = "it opened"
    FOREIGN = "a reader opened another library's cookie"
    UNBOUND = "it opened, and came without the proof that this is the device that it is bound to"
    ENDED = "it was loaded and then ended by invalidate()"


# How many of a session's keys an error about its size names: enough to find the culprit, few enough to read.
_NAMED_KEYS = 5


@dataclass(slots=True)
class State:
    """A session's content. All times are Unix seconds.

    Attributes:
        created_at: When the session began.
        refreshed_at: From when the idle timeout counts.
        ends_at: The latest end that any copy of it was given: fixed at creation and at login, or later where it has a
            longer absolute timeout of its own; None: it has no absolute end.
        authenticated_at: When ``login()`` was called last, or None.
        owner: The user it belongs to, or None.
        data: What the app stored.
        sid: 16 bytes that name a client-side session for revocation, or None.
        extras: See the module's table.
    """

    created_at: int
    refreshed_at: int
    ends_at: int | None = None
    authenticated_at: int | None = None
    owner: str | None = field(default=None, repr=False)
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    sid: bytes | None = field(default=None, repr=False)
    extras: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def empty(self) -> bool:
        """No data, no owner, no flashes and no CSRF secret: nothing that would be worth a cookie or a record."""
        return not (self.data or self.owner is not None or self.extras.get(FLASHES) or self.extras.get(CSRF))

    def cover_own_end(self) -> None:
        """Have `ends_at` be no earlier than where the session's own absolute timeout ends.

        It never goes back where that timeout is shortened: copies of older cookies go on until then, and what ends the
        session must be remembered for as long.
        """
        own_seconds = self.extras.get(ABSOLUTE)
        if own_seconds is not None and self.ends_at is not None:
            self.ends_at = max(self.ends_at, (self.authenticated_at or self.created_at) + own_seconds)


def fresh(*, now: int, lifetime: Lifetime) -> State:
    """Return the empty state of a session that begins now."""
    return State(created_at=now, refreshed_at=now, ends_at=lifetime.ends_at(now))


def largest_keys(state: State, codec: ValueCodec) -> list[tuple[str, int]]:
    """Return the keys that take most room, largest first, each with the bytes of its value's encoding; for errors."""
    sizes = ((key, len(codec.pack(value))) for key, value in state.data.items())
    return sorted(sizes, key=lambda item: -item[1])[:_NAMED_KEYS]


def pack(state: State, codec: ValueCodec) -> bytes:
    """Return the plaintext, kind byte included."""
    start = state.created_at
    array: list[object] = [
        start,
        None if state.ends_at is None else state.ends_at - start,
        state.refreshed_at - start,
        state.authenticated_at,
        state.owner,
        state.data,
    ]
    if state.extras:
        array += (state.sid, state.extras)
    elif state.sid is not None:
        array.append(state.sid)
    return INLINE + codec.pack(array)


def unpack(plaintext: bytes, codec: ValueCodec, *, now: int) -> State:
    """Return the state that `pack` took.

    Raises:
        InvalidToken: Another kind or form (``"plaintext"``), or from the future (``"future"``).
    """
    if plaintext[:1] != INLINE:
        raise InvalidToken("plaintext")
    array = codec.loads(plaintext[1:])
    try:
        if len(array) == 6:
            start, ends_after, refreshed_after, authenticated_at, owner, data = array
            sid, extras = None, {}
        else:
            start, ends_after, refreshed_after, authenticated_at, owner, data, sid, extras = (*array, None)[:8]
        refreshed_at = start + refreshed_after
        ends_at = None if ends_after is None else start + ends_after
        latest = now + CLOCK_SKEW_SECONDS
        future = start > latest or refreshed_at > latest or (authenticated_at or 0) > latest
    except (TypeError, ValueError) as error:
        raise InvalidToken("plaintext") from error
    if type(data) is not dict or (extras and type(extras) is not dict):
        raise InvalidToken("plaintext")
    if future:
        raise InvalidToken("future")
    return State(start, refreshed_at, ends_at, authenticated_at, owner, data, sid, extras or {})


def describe(state: State) -> Description:
    """Return what the summary of `state` says."""
    extras = state.extras
    said = (state.created_at, state.authenticated_at, state.ends_at, extras.get(COUNTED_IDLE, 0), extras.get(LABEL))
    if BINDING in extras and in_effect(extras[BINDING]):
        return (*said, extras.get(REPLACES), extras.get(ABSOLUTE), True)
    if ABSOLUTE in extras:
        return (*said, extras.get(REPLACES), extras[ABSOLUTE])
    return (*said, extras[REPLACES]) if REPLACES in extras else said
