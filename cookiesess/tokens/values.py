"""Values that come back equal and of the same type: msgpack, with extension types for what msgpack has no word for.

Extension codes (0 to 63 are the user's, `ValueType.tag`)::

    64  tuple       array of the items
    65  set         array of the items, sorted by their encodings (a set's own order changes from load to load)
    66  frozenset   the same
    67  dict        whose keys are not all text: array of key, value, key, value, …
    68  int         beyond 64 bits: big-endian two's complement
    69  datetime    array [microseconds of the wall clock since 1970-01-01, fold, zone …]
    70  date        proleptic ordinal (int)
    71  time        array [microseconds since midnight, fold, zone …]
    72  timedelta   array [days, seconds, microseconds]
    73  UUID        its 16 bytes
    74  Decimal     its text

    zone …          nothing (naive), or the ZoneInfo's key, or the fixed offset in microseconds [and its name]

Exact types count: a subclass (enum, namedtuple, a str or dict of one's own) would silently come back as its base, so it
is refused unless registered. Nothing here can run code that is not in this file or registered by the app: never pickle.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import ormsgpack

from cookiesess.errors import ConfigurationError, InvalidToken, NotSerializable
from cookiesess.tokens.encoding import is_utf8
from cookiesess.tokens.extensions import ROWS
from cookiesess.tokens.plain import instead_of

# Far beyond any real session, far below where the C encoder and Python's own recursion give up.
MAX_DEPTH = 64

_OPTIONS: Final = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)

_NATIVE = frozenset({type(None), bool, int, float, str, bytes})
ALWAYS_STORABLE: Final[frozenset[type]] = _NATIVE - {str}
"""Types of which every value can be stored. (Text may hold half a surrogate pair.)"""
_CONTAINERS: frozenset[type] = frozenset({list, dict, tuple, set, frozenset})
SCALARS: Final[frozenset[type]] = frozenset(_NATIVE | {datetime, date, time, timedelta, UUID, Decimal})
"""Types whose values cannot change: handed out without being watched."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ValueType(Generic[T]):
    """A type of your own that sessions may carry.

    Args:
        tag: A number from 0 to 63, unique among your types. Do not give it to another type while old sessions live.
        cls: The exact class; subclasses need a `ValueType` of their own.
        encode: Turns a value into one that sessions already carry. Equal values must become equal.
        decode: Turns that back into a `cls`. It gets only what `encode` made, because tokens are authenticated.

    Raises:
        ConfigurationError: The tag is out of range, or sessions carry the class already.
    """

    tag: int
    cls: type[T]
    encode: Callable[[T], Any]
    decode: Callable[[Any], T]

    def __post_init__(self) -> None:
        if type(self.tag) is not int or not 0 <= self.tag < 64:
            raise ConfigurationError(f"ValueType tag {self.tag!r} is not allowed; choose a whole number from 0 to 63")
        if self.cls in SCALARS or self.cls in _CONTAINERS:
            raise ConfigurationError(f"sessions carry {self.cls.__name__} already; ValueType is for other types")


class ValueCodec:
    """Turns values into bytes and back. Thread-safe.

    Args:
        types: The app's own types.

    Raises:
        ConfigurationError: Two types share a tag or a class.
    """

    def __init__(self, types: Iterable[ValueType[Any]] = ()) -> None:
        rows = [(kind.tag, kind.cls, kind.encode, kind.decode) for kind in types]
        rows += [*ROWS, (65, set, self._members, set), (66, frozenset, self._members, frozenset)]
        self._encoders: dict[type, tuple[int, Callable[[Any], Any]]] = {cls: (tag, enc) for tag, cls, enc, _ in rows}
        decoders: dict[int, Callable[[Any], Any]] = {tag: dec for tag, _, _, dec in rows}
        if not len(self._encoders) == len(decoders) == len(rows):
            raise ConfigurationError("two of types= share a tag or a class; give each ValueType its own")
        self._unhook = _unhook(decoders)

    def carries(self, cls: type) -> bool:
        """Whether values of exactly this class come back as they are, but for what is in them."""
        return cls in _NATIVE or cls in _CONTAINERS or cls in self._encoders

    def dumps(self, value: object, path: str = "session") -> bytes:
        """Return `value` as bytes; the same value always gives the same bytes.

        Args:
            value: Anything the module's table or `types` name, at most 64 levels deep.
            path: How an error calls the value.

        Raises:
            NotSerializable: A type, depth or text that cannot be stored, with the path to it.
        """
        self._check(value, (path, None))
        return self.pack(value)

    def check(self, key: str, value: object) -> None:
        """Raise `NotSerializable` where `value` cannot be stored under `key` of a session."""
        if type(value) not in ALWAYS_STORABLE and not _is_plain(value, MAX_DEPTH):
            self._check(value, ("session", (key,)))

    def pack(self, value: object) -> bytes:
        """As `dumps`, for what has passed `dumps` before or came from `loads`: no check, several times faster."""
        try:
            return ormsgpack.packb(value, self._hook, _OPTIONS)
        except ormsgpack.MsgpackEncodeError:
            # The encoder calls no hook for a dict's keys, and fails at those that are no text. Then the whole value is
            # turned into what msgpack knows, at once: to try at each level again would double the work with each.
            return ormsgpack.packb(self._lower(value))

    def loads(self, data: bytes) -> Any:
        """Return the value that `dumps` made `data` of.

        Raises:
            InvalidToken: Not ours, or it holds a type that is no longer registered (reason ``"plaintext"``).
        """
        try:
            return ormsgpack.unpackb(data, ext_hook=self._unhook)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise InvalidToken("plaintext") from error

    def _hook(self, value: object) -> ormsgpack.Ext:
        tag, encode = self._encoders[type(value)]
        return ormsgpack.Ext(tag, ormsgpack.packb(encode(value), self._hook, _OPTIONS))

    def _members(self, items: Iterable[Any]) -> list[ormsgpack.Fragment]:
        return _sorted(ormsgpack.packb(item, self._hook, _OPTIONS) for item in items)

    def _lower(self, value: Any) -> Any:
        """Return `value` in what msgpack knows: natives, lists, dicts with text keys, and extensions already packed."""
        if type(value) in _NATIVE and not (type(value) is int and _is_big(value)):
            return value
        if type(value) is list:
            return [self._lower(item) for item in value]
        if type(value) is dict and all(type(key) is str for key in value):
            return {key: self._lower(item) for key, item in value.items()}
        tag, encode = self._encoders[type(value)]
        if isinstance(value, set | frozenset):
            body: Any = _sorted(ormsgpack.packb(self._lower(item)) for item in value)
        else:
            body = self._lower(encode(value))
        return ormsgpack.Ext(tag, ormsgpack.packb(body))

    def _check(self, value: Any, trail: tuple[object, ...]) -> None:
        """Walk through `value` and raise at the first thing that would not come back as it is."""
        cls = type(value)
        # A trail begins with the value's name and its key in the session, which are no levels of the value itself.
        if len(trail) > MAX_DEPTH + 1 + (cls not in _CONTAINERS):
            raise NotSerializable(_path(trail[:4]) + "…", f"nested more than {MAX_DEPTH} levels deep")
        if cls in _CONTAINERS:
            for step, item in _items(value):
                if type(item) not in ALWAYS_STORABLE:
                    self._check(item, (*trail, step))
        elif cls is str:
            if not value.isascii() and not is_utf8(value):
                raise NotSerializable(_path(trail), "the text holds half a surrogate pair, which no encoding carries")
        elif cls not in _NATIVE:
            self._check_encoder(value, trail)

    def _check_encoder(self, value: Any, trail: tuple[object, ...]) -> None:
        _, encode = self._encoders.get(type(value), (0, None))
        if encode is None:
            raise NotSerializable(
                _path(trail),
                f"{type(value).__name__} is not supported; store {instead_of(value)}, or register it:"
                " types=[ValueType(…)]",
            )
        try:
            body = encode(value)
        except (ValueError, TypeError) as error:
            raise NotSerializable(_path(trail), f"{type(value).__name__} cannot be encoded: {error}") from error
        self._check(body, (*trail, None))


def _unhook(decoders: dict[int, Callable[[Any], Any]]) -> Callable[[int, bytes], Any]:
    """Return what makes a value of an extension's body."""
    unpack = ormsgpack.unpackb

    def unhook(tag: int, data: bytes) -> Any:
        # A closure, since it runs once a value, and would look up four attributes as a method.
        return decoders[tag](unpack(data, ext_hook=unhook))

    return unhook


def _is_plain(value: Any, depth: int) -> bool:
    """Whether `value` is text, or lists and dicts of what JSON has, at most `depth` levels deep; then it is storable.

    The exact check keeps a trail for its error; nearly all values need none, and this walk costs a fifth of it. False
    says nothing. A test has both agree.
    """
    cls = type(value)
    if cls is str:
        return bool(value.isascii()) or is_utf8(value)
    if depth == 0:
        return False
    if cls is dict:
        items = value.values()
        for key in value:
            if type(key) is not str or not key.isascii():
                return False
    elif cls is list:
        items = value
    else:
        return False
    for item in items:
        kind = type(item)
        if kind not in ALWAYS_STORABLE and not (kind is str and item.isascii()) and not _is_plain(item, depth - 1):
            return False
    return True


def _sorted(encodings: Iterable[bytes]) -> list[ormsgpack.Fragment]:
    return [ormsgpack.Fragment(encoding) for encoding in sorted(encodings)]


def _is_big(value: int) -> bool:
    return not -(1 << 63) <= value < 1 << 64


def _items(container: Any) -> Iterator[tuple[object, Any]]:
    """Yield (step of the path, item) for everything in a container, the keys of a dict included."""
    if isinstance(container, dict):
        for key, item in container.items():
            yield ("key", key)
            yield ((key,), item)
    elif isinstance(container, list | tuple):
        yield from enumerate(container)
    else:
        for item in container:
            yield ("member", item)


def _path(trail: tuple[object, ...]) -> str:
    """Return a trail as an expression: a name, then each int as an index, 1-tuple as a key, text as a remark."""
    steps = [str(trail[0])]
    for step in trail[1:]:
        if isinstance(step, str):
            steps.append(f" ({step})")
        elif step is not None:
            steps.append(_subscript(step[0] if isinstance(step, tuple) else step))
    return "".join(steps)


def _subscript(key: object) -> str:
    return f'["{key}"]' if isinstance(key, str) else f"[{key!r}]"
