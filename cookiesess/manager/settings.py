"""Every setting of a manager, its default, and the combinations that cannot be built."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Final, Literal, TypedDict

from cookiesess.backends.owners import OnOwnerLimit
from cookiesess.errors import ConfigurationError
from cookiesess.events import Event
from cookiesess.http.foreign import ForeignReader
from cookiesess.http.policy import CookiePolicy
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.base import Store
from cookiesess.tokens.values import ValueType

OnStoreError = Literal["raise", "anonymous"]


class Settings(TypedDict, total=False):
    """The keyword arguments of `SessionManager`, which the middleware and the adapters take too."""

    store: Store | None
    overflow: Store | None
    revocations: Store | None
    revocation_cache_seconds: int
    accept: Sequence[ForeignReader]
    cookie: CookiePolicy
    lifetime: Lifetime
    on_store_error: OnStoreError
    max_sessions_per_owner: int | None
    on_owner_limit: OnOwnerLimit
    encrypt: bool
    compress: bool
    types: Iterable[ValueType[Any]]
    on_event: Callable[[Event], object] | None
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings with their defaults, checked; as `SessionManager` describes them.

    Raises:
        ConfigurationError: A setting that is wrong or contradicts another.
    """

    store: Store | None = None
    overflow: Store | None = None
    revocations: Store | None = None
    revocation_cache_seconds: int = 0
    accept: Sequence[ForeignReader] = ()
    cookie: CookiePolicy = CookiePolicy()  # noqa: RUF009 (frozen)
    lifetime: Lifetime = Lifetime()  # noqa: RUF009 (frozen)
    on_store_error: OnStoreError = "raise"
    max_sessions_per_owner: int | None = None
    on_owner_limit: OnOwnerLimit = "end_oldest"
    encrypt: bool = True
    compress: bool = False
    types: Iterable[ValueType[Any]] = ()
    on_event: Callable[[Event], object] | None = None
    clock: Callable[[], float] = time.time
    random_bytes: Callable[[int], bytes] = os.urandom

    def __post_init__(self) -> None:
        for name, cls in (("cookie", CookiePolicy), ("lifetime", Lifetime), ("encrypt", bool), ("compress", bool)):
            _check_type(name, getattr(self, name), cls)
        object.__setattr__(self, "types", _value_types(self.types))
        _check_callable(on_event=self.on_event or str, clock=self.clock, random_bytes=self.random_bytes)
        _check_limit(self.max_sessions_per_owner, self.on_owner_limit)
        if self.on_store_error not in ("raise", "anonymous"):
            raise ConfigurationError(f"on_store_error is {self.on_store_error!r}; choose 'raise' or 'anonymous'")
        stores = {name: store for name in _STORES if (store := getattr(self, name)) is not None}
        for name, store in stores.items():
            _check_store(name, store)
        if self.store is not None:
            self._refuse("is for sessions in cookies, and store= keeps them on the server; leave one out", *_CLIENT)
        else:
            self._refuse("is for sessions on the server; give store= as well, or leave it out", *_SERVER)
        if not stores:
            self._refuse("is about a store; give store=, overflow= or revocations= as well", "on_store_error")
        self._check_revocations()
        if not isinstance(self.accept, list | tuple):
            raise ConfigurationError(
                f"accept is a list of readers, not a {type(self.accept).__name__}; write accept=[…]"
            )
        for reader in self.accept:
            if isinstance(reader, type) or not isinstance(reader, ForeignReader):
                raise ConfigurationError(
                    f"accept is a list of readers, and one is of type {type(reader).__name__}; write"
                    " accept=[FlaskCookie(secret_key, until=…)]"
                )

    def _refuse(self, why: str, *names: str) -> None:
        """Raise for the first of `names` that is not at its default."""
        for name in names:
            if getattr(self, name) != _DEFAULTS[name]:
                raise ConfigurationError(f"{name} {why}")

    def _check_revocations(self) -> None:
        seconds = self.revocation_cache_seconds
        if type(seconds) is not int or seconds < 0:
            raise ConfigurationError(
                f"revocation_cache_seconds is {seconds!r}; it is a whole number of seconds, 0 for exactness"
            )
        if self.revocations is None:
            self._refuse("is about revocations; give revocations= as well", "revocation_cache_seconds")
            return
        if self.revocations.evicts:
            raise ConfigurationError(
                f"revocations needs a store that forgets nothing before its time, and {self.revocations!r} evicts: what"
                " it drops would live again; use SQLiteStore, or another store that does not evict"
            )
        if self.lifetime.absolute_seconds is None:
            raise ConfigurationError(
                "revocations are kept until a session's absolute deadline, and Lifetime(absolute=None) has none; set"
                " absolute="
            )


_STORES: Final = ("store", "overflow", "revocations")
_CLIENT: Final = ("overflow", "revocations", "compress")
_SERVER: Final = ("max_sessions_per_owner",)
_DEFAULTS: Final[dict[str, object]] = {field.name: field.default for field in fields(Configuration)}

_MIDDLEWARE: Final = ("environ_key", "session_class")
_GROUPS: Final = {"cookie": CookiePolicy, "lifetime": Lifetime}
_PLACES: Final = (
    "keys",
    *(name for name in (*_DEFAULTS, *_MIDDLEWARE) if name not in _GROUPS),
    *(f"{group}.{field.name}" for group, cls in _GROUPS.items() for field in fields(cls) if field.init),
)
# What other libraries call them, in the spelling of `_word`.
_ALIASES: Final = {
    **dict.fromkeys(("secret", "secretkey", "key"), "keys"),
    **dict.fromkeys(("lifetime", "timeout", "maxage", "expires", "ttl"), "lifetime.idle"),
    "cookie": "cookie.name",
}


def check_names(call: str, names: Iterable[str], *, others: Iterable[str] = ()) -> None:
    """Raise for the first of `names` that is not a setting, with what to write instead.

    Args:
        call: What was called, up to its keys: ``"SessionManager(keys"``.
        names: The keywords that it was given.
        others: Further names that it knows.

    Raises:
        ConfigurationError: There is no such setting.
    """
    for name in names:
        if name not in _DEFAULTS and name not in others:
            raise ConfigurationError(f"there is no setting {name!r} of {call.partition('(')[0]}; {_remedy(name, call)}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return which setting is meant by `name`: what other libraries call so, or one that is spelled like it, or None.

    Args:
        name: A name that is none, with ``_`` or ``.`` in it.
        known: All names, as an ini file has them: ``store``, ``cookie.name``, ``lifetime.idle``.
    """
    words = {_word(place): place for place in known}
    words |= {alias: place for alias, place in _ALIASES.items() if place in words.values()}
    return next((words[word] for word in get_close_matches(_word(name), words, n=1)), None)


def _remedy(name: str, call: str) -> str:
    if name in _MIDDLEWARE:
        return "it is an argument of SessionMiddleware alone"
    place, every = nearest(name, _PLACES), "help(cookiesess.SessionManager) lists them"
    return every if place is None else f"did you mean {_form(place, call)}? {every}"


def _word(name: str) -> str:
    name = name.lower().replace(".", "_")
    for prefix in ("session_", "cookie_", "lifetime_"):
        name = name.removeprefix(prefix)
    return name.replace("_", "")


def _form(place: str, call: str) -> str:
    """Return how the setting at `place` is written in `call`."""
    group, _, field = place.partition(".")
    if field:
        value = "timedelta(…)" if group == "lifetime" else "…"
        return f"{group}={_GROUPS[group].__name__}({field}={value})"
    return f"{call}, …)" if place == "keys" else f"{place}=…"


def _value_types(types: object) -> tuple[ValueType[Any], ...]:
    """Return the app's own types, which may come from a generator, as a tuple."""
    wanted = "types is a list of ValueType(tag, type, encode=…, decode=…)"
    if not isinstance(types, Iterable):
        raise ConfigurationError(f"{wanted}, and what came is of type {type(types).__name__}; write types=[…]")
    kinds = tuple(types)
    for kind in kinds:
        if not isinstance(kind, ValueType):
            came = f"the class {kind.__name__}" if isinstance(kind, type) else f"of type {type(kind).__name__}"
            raise ConfigurationError(f"{wanted}, and one of them is {came}; write a ValueType for it, or leave it out")
    return kinds


def _check_type(name: str, value: object, cls: type) -> None:
    if not isinstance(value, cls):
        # Without the value: it may be a key that stands in the wrong place.
        remedy, came = "True or False" if cls is bool else f"{name}={cls.__name__}(…)", type(value).__name__
        raise ConfigurationError(f"{name} is a {cls.__name__}, and what came is of type {came}; write {remedy}")


def _check_callable(**settings: object) -> None:
    for name, value in settings.items():
        if not callable(value):
            raise ConfigurationError(f"{name} is a function, and what came is of type {type(value).__name__}")


def _check_limit(limit: int | None, on_limit: OnOwnerLimit) -> None:
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ConfigurationError(f"max_sessions_per_owner is {limit!r}; it is a whole number from 1, or None: no limit")
    if on_limit not in ("end_oldest", "refuse"):
        raise ConfigurationError(f"on_owner_limit is {on_limit!r}; choose 'end_oldest' or 'refuse'")
    if on_limit == "refuse" and limit is None:
        raise ConfigurationError("on_owner_limit='refuse' needs a limit; give max_sessions_per_owner as well")


def _check_store(name: str, store: object) -> None:
    if not isinstance(store, Store):
        raise ConfigurationError(
            f"{name} is a {type(store).__name__}; write {name}=SQLiteStore(path), or {name}=open_store(url)"
        )
