"""The settings: their table, from which all else follows, their types, their defaults, and their checks.

To add a setting of `SessionManager`, write

1. its row in `SETTINGS`;
2. its line in `Settings`, which editors show;
3. its field of `Configuration`, with the default;
4. its paragraph in the docstring of `SessionManager`: what it does, its unit, its danger.

A field of `CookiePolicy`, `Lifetime` or `DeviceBinding` is written there, with its paragraph, and has its row here.
Then ``make tables`` writes docs/settings.md, out of the rows, the types and the paragraphs. From the row follow the
check of keywords and what a wrong one may have meant, the check of the value, how it is read from text, its environment
variable, its name in an ini file, and that Django's ``COOKIESESS_OPTIONS`` may hold it.
tests/edge/test_settings_table.py fails for what was forgotten.

The kind of a setting says how its value is checked (`_RULES`, below) and how it is read from text (`_KINDS` in
`flat_settings`). A setting that takes more or less than its kind (a number from 1; a switch or ``auto``) has a line
there under its own name.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, NamedTuple, TypedDict, get_args, get_origin

from cookiesess.backends.owners import DefaultLimit, OnOwnerLimit
from cookiesess.backends.revoking import OnLostRevocations
from cookiesess.errors import ConfigurationError
from cookiesess.events import Event
from cookiesess.http.binding import DeviceBinding
from cookiesess.http.foreign import ForeignReader, ForeignStore
from cookiesess.http.policy import CookiePolicy
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.base import Store
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.values import ValueType

OnStoreError = Literal["raise", "anonymous"]
# The type of what is allowed, or what is true of it; and what is said of something else.
Rule = tuple[type | UnionType | Callable[[Any], bool], str]
_TYPES: Final = "{name} must be a list of ValueType(tag, type, encode=…, decode=…);"

GROUPS: Final[dict[str, type[Any]]] = {"cookie": CookiePolicy, "lifetime": Lifetime, "binding": DeviceBinding}
"""The settings whose fields are settings as well."""


class Setting(NamedTuple):
    """A row of the table.

    Attributes:
        name: The keyword argument; of a field ``cookie.name``. Ini files have the same.
        kind: What its value is; in text, what it may be read as. None counts where text can say it.
        scope: What it is for, where it is not for every session.
    """

    name: str
    kind: object
    scope: Literal["", "client-side", "server-side", "stores", "records", "revocations", "limit", "middleware"] = ""


SETTINGS: Final = (
    Setting("keys", Keyring),
    Setting("keys_file", Path),  # in text alone
    Setting("store", Store),
    Setting("overflow", Store, "client-side"),
    Setting("revocations", Store, "client-side"),
    Setting("revocation_cache_seconds", int, "revocations"),
    Setting("on_lost_revocations", OnLostRevocations, "revocations"),
    Setting("binding", DeviceBinding),
    Setting("compress", bool, "client-side"),
    Setting("accept", list),
    Setting("cookie", CookiePolicy),
    Setting("lifetime", Lifetime),
    Setting("encrypt", bool),
    Setting("on_store_error", OnStoreError, "stores"),
    Setting("max_record_bytes", int, "records"),
    Setting("max_sessions_per_owner", int, "server-side"),
    Setting("on_owner_limit", OnOwnerLimit, "limit"),
    Setting("login_label", Callable, "server-side"),
    Setting("types", list),
    Setting("on_event", Callable),
    Setting("environ_key", str, "middleware"),
    Setting("session_class", type, "middleware"),
    Setting("clock", Callable),
    Setting("random_bytes", Callable),
    Setting("sleep", Callable),
    Setting("cookie.name", str),
    Setting("cookie.path", str),
    Setting("cookie.domain", str),
    Setting("cookie.secure", bool),
    Setting("cookie.httponly", bool),
    Setting("cookie.samesite", Literal["Strict", "Lax", "None"]),
    Setting("cookie.partitioned", bool),
    Setting("cookie.persistent", bool),
    Setting("cookie.cross_site_posts", Literal["withhold", "issue"]),
    Setting("cookie.clear_on_logout", list),
    Setting("cookie.max_bytes", int),
    Setting("cookie.chunks", int),
    Setting("lifetime.idle", timedelta),
    Setting("lifetime.absolute", timedelta | None),
    Setting("lifetime.refresh_after", timedelta),
    Setting("lifetime.renew_after", timedelta | None),
    Setting("lifetime.renew_grace", timedelta | None),
    Setting("binding.bound_for", timedelta),
    Setting("binding.registration_within", timedelta),
    Setting("binding.path", str),
    Setting("binding.required", bool),
    Setting("binding.testing", bool),
)


class Settings(TypedDict, total=False):
    """The keyword arguments of `SessionManager`, which the middleware and the adapters take too."""

    store: Store | str | None
    overflow: Store | str | None
    revocations: Store | str | None
    revocation_cache_seconds: int
    on_lost_revocations: OnLostRevocations
    binding: DeviceBinding | None
    accept: Sequence[ForeignReader]
    cookie: CookiePolicy
    lifetime: Lifetime
    on_store_error: OnStoreError
    max_record_bytes: int
    max_sessions_per_owner: int | None
    on_owner_limit: OnOwnerLimit
    login_label: Callable[[dict[str, Any]], str | None] | None
    encrypt: bool
    compress: bool
    types: Iterable[ValueType[Any]]
    on_event: Callable[[Event], object] | None
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    sleep: Callable[[float], object]


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
    on_lost_revocations: OnLostRevocations = "log_out"
    binding: DeviceBinding | None = None
    accept: Sequence[ForeignReader] = ()
    cookie: CookiePolicy = CookiePolicy()  # noqa: RUF009 (frozen)
    lifetime: Lifetime = Lifetime()  # noqa: RUF009 (frozen)
    on_store_error: OnStoreError = "raise"
    max_record_bytes: int = 1 << 20
    max_sessions_per_owner: int | None = DefaultLimit(500)
    on_owner_limit: OnOwnerLimit = "end_oldest"
    login_label: Callable[[dict[str, Any]], str | None] | None = None
    encrypt: bool = True
    compress: bool = False
    types: Iterable[ValueType[Any]] = ()
    on_event: Callable[[Event], object] | None = None
    clock: Callable[[], float] = time.time
    random_bytes: Callable[[int], bytes] = os.urandom
    sleep: Callable[[float], object] = time.sleep

    def __post_init__(self) -> None:
        if isinstance(self.types, Iterable):  # a generator can be read once
            object.__setattr__(self, "types", tuple(self.types))
        useful = {
            "client-side": self.store is None,
            "server-side": self.store is not None,
            "stores": (self.store, self.overflow, self.revocations) != (None, None, None) or _takes_over(self.accept),
            "records": (self.store, self.overflow) != (None, None),
            "revocations": self.revocations is not None,
            "limit": type(self.max_sessions_per_owner) is int,
        }
        for name, kind, scope in SETTINGS:
            if name in _DEFAULTS:
                value = getattr(self, name)
                _check(_RULES[name if name in _RULES else kind], name, value)
                for item in value if name in _ITEMS else ():
                    _check(_ITEMS[name], name, item)
                if value is not None and value != _DEFAULTS[name] and not useful.get(scope, True):
                    raise ConfigurationError(_USELESS[scope].format(name=name, value=value))
        if self.revocations is not None and self.revocations.evicts:
            raise ConfigurationError(
                f"revocations needs a store that keeps records until they expire, and {self.revocations!r} evicts some"
                " before: ended sessions would live again; use SQLiteStore, or another store that does not evict"
            )
        if self.revocations is not None and self.lifetime.absolute_seconds is None:
            raise ConfigurationError(
                "revocations= remembers ended sessions until their absolute timeout: Lifetime(absolute=None) has none;"
                " set absolute="
            )
        if self.binding is not None:
            self._check_binding()

    def _check_binding(self) -> None:
        """Raise where sessions could not be bound to devices."""
        if (self.store, self.revocations) == (None, None):
            raise ConfigurationError(
                "binding= ends copies of a cookie, which needs a store; give store= or revocations= as well"
            )
        if self.cookie.domain is not None:
            raise ConfigurationError(
                f"with binding= a browser proves itself to one host only; the cookie's domain {self.cookie.domain!r}"
                " sends the session to other hosts too, where it would read as empty; leave domain= out"
            )


def _takes_over(accept: object) -> bool:
    """Whether sessions move here out of a store."""
    return isinstance(accept, list | tuple) and any(isinstance(each, ForeignStore) for each in accept)


_DEFAULTS: Final[dict[str, object]] = {field.name: field.default for field in fields(Configuration)}
# What is said of a setting that has nothing to do, by its scope.
_USELESS: Final = {
    "client-side": "{name} is for sessions in cookies, and store= keeps them on the server; leave one out",
    "server-side": "{name} is for sessions on the server; give store= as well, or leave it out",
    "stores": "{name} is about a store; give store=, overflow= or revocations= as well",
    "records": "{name} is about sessions in a store; give store= or overflow= as well",
    "revocations": "{name} is about revocations; give revocations= as well",
    "limit": "{name}={value!r} needs a limit; give max_sessions_per_owner as well",
}
# By a setting's name or its kind. A value is shown only where it cannot be a key in the wrong place.
_RULES: Final[dict[object, Rule]] = {
    bool: (bool, "{name} must be True or False, not of type {type}; write True or False"),
    DeviceBinding: (DeviceBinding | None, "{name} must be a DeviceBinding, not a {type}; write {name}=DeviceBinding()"),
    CookiePolicy: (
        CookiePolicy,
        "{name} must be a CookiePolicy, not of type {type}; write {name}=CookiePolicy(…), with its ()",
    ),
    Lifetime: (Lifetime, "{name} must be a Lifetime, not of type {type}; write {name}=Lifetime(…)"),
    Store: (
        Store | None,
        "{name} is a {type}; write {name}=SQLiteStore(path), or a URL such as {name}='sqlite:///sessions.db'",
    ),
    Callable: (callable, "{name} must be a function, not of type {type}"),
    **dict.fromkeys(
        ("on_event", "login_label"),
        (lambda value: not value or callable(value), "{name} must be a function, not of type {type}"),
    ),
    "types": (tuple, f"{_TYPES} it is of type {{type}}; write {{name}}=[…]"),
    "accept": (list | tuple, "{name} must be a list of readers, not a {type}; write {name}=[…]"),
    "revocation_cache_seconds": (
        lambda value: type(value) is int and value >= 0,
        "{name} is {value!r}; write a whole number of seconds; with 0 each request asks the store",
    ),
    "max_record_bytes": (
        lambda value: type(value) is int and value >= 1,
        "{name} is {value!r}; write a whole number of bytes, from 1",
    ),
    "max_sessions_per_owner": (
        lambda value: value is None or (type(value) in {int, DefaultLimit} and value >= 1),
        "{name} is {value!r}; write a whole number from 1, or None for no limit",
    ),
    **{
        kind: (get_args(kind).__contains__, f"{{name}} is {{value!r}}; choose {' or '.join(map(repr, get_args(kind)))}")
        for _, kind, _ in SETTINGS
        if get_origin(kind) is Literal
    },
}
# The same, of each item of a list.
_ITEMS: Final[dict[str, Rule]] = {
    "types": (ValueType, f"{_TYPES} one of them is {{came}}; write a ValueType for it, or leave it out"),
    "accept": (
        lambda item: isinstance(item, ForeignReader) and not isinstance(item, type),
        "{name} must be a list of readers; one is of type {type}; write {name}=[FlaskCookie(secret_key, until=…)]",
    ),
}


def _check(rule: Rule, name: str, value: object) -> None:
    allowed, problem = rule
    if not (isinstance(value, allowed) if isinstance(allowed, type | UnionType) else allowed(value)):
        came = f"the class {value.__name__}" if isinstance(value, type) else f"of type {type(value).__name__}"
        raise ConfigurationError(problem.format(name=name, value=value, type=type(value).__name__, came=came))


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Have an error say in which `place` what it is about was written: for a block, or a function that this decorates.

    Raises:
        ConfigurationError: Instead of any ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(f"{place}: {error}") from error
