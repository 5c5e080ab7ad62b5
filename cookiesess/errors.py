"""Every error of the library, sorted by who can mend it.

::

    CookiesessError
    ├── ConfigurationError(ValueError)   the app's set-up; raised where a setting is given
    │   └── MissingDependency            its message has the pip line; an ImportError as well
    ├── InvalidToken                     the browser's bytes; never leaves the manager
    ├── SessionError(RuntimeError)       the app's code, at run time
    │   ├── ResponseStarted              a cookie was set after the headers had gone out
    │   │   └── SessionCommitted         a session was changed after the headers had gone out
    │   ├── SessionReadOnly              a write while the store is down; a StoreUnavailable too
    │   ├── TooManySessions              a login that max_sessions_per_owner refuses
    │   ├── NotSerializable              a value of a type that sessions do not carry
    │   ├── RecordTooLarge               a session outgrew max_record_bytes, or its store
    │   └── CookieTooLarge               the browser would have dropped the cookie silently
    └── StoreError                       the infrastructure; __cause__ has the engine's error
        ├── RecordExists                 a new record's key is taken
        ├── SessionConflict              other requests were faster, too many times in a row
        └── StoreUnavailable             the engine did not answer, or refused

A message says what came, what is allowed and what to do. It never holds a secret, a session ID, a token, or
unauthenticated bytes from the browser. Error collectors also print local variables, and those may hold a Cookie header
or a key: `drop_locals` and `without_locals` empty the local variables of this library's own frames.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


class CookiesessError(Exception):
    """The root of the tree above. Catch it to catch every error that this library raises on purpose."""


class ConfigurationError(CookiesessError, ValueError):
    """A setting is wrong or contradicts another one. Raised as soon as you give it, mostly when the app starts."""


class MissingDependency(ConfigurationError, ImportError):
    """An optional package is not installed. The message holds the ``pip install`` line to type.

    It is an ImportError as well, so that ``except ImportError`` around an optional store or adapter keeps working.
    """

    def __init__(self, *packages: str, extra: str) -> None:
        missing = f"packages {' and '.join(packages)} are" if len(packages) > 1 else f"package {packages[0]} is"
        super().__init__(
            f'the {missing} not installed; type: pip install "cookiesess[{extra}]"'
            f' (in a checkout: pip install ".[{extra}]")'
        )


class InvalidToken(CookiesessError):
    """A token did not open. The manager turns it into an empty session; an app never sees it.

    Attributes:
        reason: One of the library's own short words, safe to log: ``"malformed"``, ``"unknown-key"``, ``"forged"``,
            ``"version"``, ``"future"``, ``"plaintext"``, ``"joined"``, or one of `cookiesess.readers.base`.
        kid: The key id that the token names, as eight hex digits, or None. It is the sender's claim, and no secret.
    """

    def __init__(self, reason: str, kid: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kid = kid

    def unraised(self) -> "InvalidToken":
        """Return the same without its traceback and causes, to be kept: they hold the frames it went through.

        A frame that keeps it is held by it in turn, so that each request with a bad cookie would leave a cycle behind.
        """
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self


class SessionError(CookiesessError, RuntimeError):
    """The app used a session in a way that cannot work."""


class ResponseStarted(SessionError):
    """A cookie was set or deleted after the response's headers had gone out. Do it before the body's first byte."""


class SessionCommitted(ResponseStarted):
    """The session was changed after the headers had gone out, and the change would have needed a cookie."""


class TooManySessions(SessionError):
    """A login was refused: the user has ``max_sessions_per_owner`` sessions, and ``on_owner_limit="refuse"`` is set."""


class NotSerializable(SessionError):
    """A value cannot be stored in a session.

    Attributes:
        path: Where the value stands, as an expression: ``session["cart"][2]["price"]``.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path


class RecordTooLarge(SessionError):
    """A session in a store is larger than ``max_record_bytes`` allows, or than the store itself takes.

    Nothing was written. Catching the error is not enough: it is raised again until the session holds less.

    Attributes:
        size_bytes: How large the session is, in encoded bytes.
        limit_bytes: How large it may be, in encoded bytes; None if the store has not said.
        largest_keys: Up to five ``(key, encoded bytes)`` of the session, the largest first; empty if a store raised it.
        remedy: How to raise the limit, in words.
    """

    def __init__(
        self,
        size_bytes: int,
        limit_bytes: int | None,
        largest_keys: Sequence[tuple[str, int]] = (),
        *,
        remedy: str = "raise max_record_bytes",
    ) -> None:
        keys = ", ".join(f"{key!r} ({size} bytes)" for key, size in largest_keys)
        largest = f" (largest keys: {keys})" if keys else ""
        allowed = "more than the store takes" if limit_bytes is None else f"and at most {limit_bytes} are allowed"
        super().__init__(f"the session is {size_bytes} bytes, {allowed}; store less{largest}, or {remedy}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        self.largest_keys: tuple[tuple[str, int], ...] = tuple(largest_keys)
        self.remedy = remedy

    def naming(self, largest_keys: Sequence[tuple[str, int]]) -> "RecordTooLarge":
        """Return the same error with the session's largest keys, which no store knows."""
        return RecordTooLarge(self.size_bytes, self.limit_bytes, largest_keys, remedy=self.remedy)


class CookieTooLarge(SessionError):
    """The Set-Cookie line is longer than browsers keep (RFC 6265bis section 5.6: 4,096 bytes of name and value).

    Attributes:
        name: The cookie's name.
        size_bytes: The length of the Set-Cookie line that would have been sent; with chunks, of all lines together.
        limit_bytes: How long the line, or all lines together, may be.
        largest_keys: Up to five ``(key, encoded bytes)`` of the session, the largest first; empty for a plain cookie.
    """

    def __init__(
        self, name: str, *, size_bytes: int, limit_bytes: int, largest_keys: Sequence[tuple[str, int]] = ()
    ) -> None:
        keys = ", ".join(f"{key!r} ({size} bytes)" for key, size in largest_keys)
        super().__init__(
            f"the Set-Cookie line of {name!r} is {size_bytes} bytes, and at most {limit_bytes} are allowed, since"
            " browsers drop longer ones silently; store less"
            + (
                f" (largest keys: {keys}), or let it move to a store with overflow=, or spread it with"
                " CookiePolicy(chunks=…), or compress=True"
                if keys
                else ""
            )
        )
        self.name = name
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        self.largest_keys: tuple[tuple[str, int], ...] = tuple(largest_keys)


class StoreError(CookiesessError):
    """The store of server-side sessions failed. ``__cause__`` is the database's own error, if there was one."""


class RecordExists(StoreError):
    """`Store.create` found a record under the same key, and left it as it was."""


class SessionConflict(StoreError):
    """Other requests changed the same session again and again, and the manager has stopped trying."""


class StoreUnavailable(StoreError):
    """The store did not answer in time, refused, or broke. Nobody knows whether a write was done."""


class SessionReadOnly(SessionError, StoreUnavailable):
    """The app wrote to the empty session that ``on_store_error="anonymous"`` gives while the store is down."""


def drop_locals(error: BaseException) -> None:
    """Empty the local variables of this library's frames in the traceback of `error`; files and lines stay.

    The app's own frames keep their variables, and so do frames that still run. Causes and contexts of the error are
    treated alike.
    """
    errors, seen = [error], set[int]()
    while errors:
        each = errors.pop()
        if id(each) not in seen:
            seen.add(id(each))
            _drop_frames(each)
            errors += [other for other in (each.__cause__, each.__context__) if other is not None]


def _drop_frames(error: BaseException) -> None:
    trace = error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] == "cookiesess":
            with suppress(RuntimeError):  # a frame that still runs
                trace.tb_frame.clear()
        trace = trace.tb_next


def without_locals(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return `function`, whose errors then show no local variables of this library: for code that takes keys."""

    @wraps(function)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            del args, kwargs
            drop_locals(error)
            raise

    return called
