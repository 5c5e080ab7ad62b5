"""Beaker's methods, for apps written for Beaker: ``SessionMiddleware(app, keys, environ_key="beaker.session")``.

Your app does not change: ``environ["beaker.session"]`` is a `Session` that also has Beaker's methods. Changes are
saved, whether you call ``session.save()`` or not. A method of Beaker's that has no counterpart raises an error that
says what to use instead.
"""

from typing import Any, Final, NoReturn

from cookiesess.errors import SessionError
from cookiesess.session.session import Session

__all__ = ["BeakerSession"]

# Where Beaker's own client-side sessions keep it, so that one which a reader has opened keeps its ID.
_ID: Final = "_id"
_ID_BYTES: Final = 16
_CREATED, _ACCESSED = "_creation_time", "_accessed_time"


class _Instead:
    """An attribute of Beaker's that is a setting here; reading or assigning it says so."""

    def __init__(self, instead: str) -> None:
        self._instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else self._refuse()

    def __set__(self, instance: object, value: object) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        # An AttributeError, so that hasattr() tells the truth.
        raise AttributeError(f"session.{self._name} is Beaker's; here it is {self._instead}")


class BeakerSession(Session):
    """A `Session` that also has the methods of a Beaker session.

    All methods of `Session` work too: ``session.login(owner)``, ``.flash(…)``, ``.mutate(…)``… As in Beaker, you can
    read ``session["_creation_time"]`` and ``session["_accessed_time"]``, and an empty session is true. Use ``len(…)``
    to find out whether a session is empty.
    """

    __slots__ = ()

    cookie_expires = _Instead("session.persistent for this session, CookiePolicy(persistent=…) for all")
    timeout = _Instead("session.idle for this session, Lifetime(idle=…) for all")
    domain = _Instead("CookiePolicy(domain=…), for all sessions")
    path = _Instead("CookiePolicy(path=…), for all sessions")

    def __bool__(self) -> bool:
        """True, also for an empty session: as in Beaker, ``if session:`` asks whether there is a session object."""
        return True

    def __getitem__(self, key: str) -> Any:
        """Return the value under `key`."""
        try:
            return super().__getitem__(key)
        except KeyError:
            if key == _CREATED:
                return self.created
            if key == _ACCESSED:
                return float(int(self._context.clock()))
            raise

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under `key`, or `default`."""
        try:
            return self[key]
        except KeyError:
            return default

    # What it is

    @property
    def id(self) -> str:
        """A name for the session: 32 hex digits, the same until the session ends, logs in or is renewed.

        Use it in logs, or as a key of your own tables. The cookie does not hold it, and nobody can open a session with
        it. The first use makes the name and keeps it in the session, so a visitor without a session gets one.
        """
        name: str | None = super().get(_ID)
        if name is None:
            name = self[_ID] = self._context.random_bytes(_ID_BYTES).hex()
        return name

    @property
    def created(self) -> float:
        """When the session began, in Unix seconds."""
        return float(self.created_at)

    @property
    def last_accessed(self) -> float | None:
        """When the session was used last before this request, in Unix seconds, to within ``Lifetime.refresh_after``.

        None for a new session.
        """
        return None if self.is_new else float(self.refreshed_at)

    def accessed(self) -> bool:
        """Whether this request has looked at the session, or changed it."""
        return self.touched

    def dirty(self) -> bool:
        """The same as `modified`. (In Beaker it says whether ``save()`` was called.)"""
        return self.modified

    def has_key(self, name: str) -> bool:
        """Whether there is a value under `name`."""
        return name in self

    def copy(self) -> dict[str, Any]:
        """Return the values in a new dict: a shallow copy."""
        return dict(self)

    # The verbs

    def save(self, accessed_only: bool = False) -> None:
        """Do nothing, because changes are saved with the response.

        You may call it after each change, and after the response has begun. `check` does what `Session.save` does.

        Args:
            accessed_only: As in Beaker; it has no effect.
        """

    def persist(self) -> None:
        """Do nothing, as `save` does."""

    def check(self) -> None:
        """Encode the session and check its size now; server-side, also write it now. As `Session.save` does.

        Raises:
            CookieTooLarge, RecordTooLarge, NotSerializable, SessionConflict: As in `Session.save`.
        """
        super().save()

    def delete(self) -> None:
        """End the session, as `invalidate` does."""
        self.invalidate()

    def regenerate_id(self) -> None:
        """Give the session a new ID and keep its data, as `cycle` does. The old ID is dead. For logins."""
        self.cycle()

    def login(self, owner: str, *, label: str | None = None) -> None:
        """As `Session.login`. Afterwards `id` is another one."""
        super().login(owner, label=label)
        self.pop(_ID, None)

    def renew(self) -> None:
        """As `Session.renew`. Afterwards `id` is another one."""
        super().renew()
        self.pop(_ID, None)

    def cycle(self) -> None:
        """As `Session.cycle`. Afterwards `id` is another one."""
        super().cycle()
        self.pop(_ID, None)

    def revert(self) -> None:
        """Undo the changes of this request. After `invalidate` in this request: the changes since then."""
        super().revert()
        if self.renewed:
            self.pop(_ID, None)

    # What has no counterpart

    def get_by_id(self, id: str) -> NoReturn:  # noqa: A002, ARG002 (Beaker's)
        """Raise `SessionError`: no session opens without its cookie."""
        raise SessionError(
            "get_by_id() is Beaker's: here a session opens with its cookie alone, not by an ID that others may learn;"
            " to list and end a user's sessions, log in with session.login(owner) and take sessions_of(owner) and"
            " end(owner, handle) of the manager that get_manager(environ, 'beaker.session.manager') returns"
        )

    def load(self) -> NoReturn:
        """Raise `SessionError`: loading is automatic."""
        raise SessionError(
            "load() is Beaker's: here the session is loaded at the first touch; session.mutate(function) works on the"
            " newest data"
        )

    def lock(self) -> NoReturn:
        """Raise `SessionError`: nobody waits for a session."""
        raise SessionError(
            "lock() is Beaker's: here parallel requests are merged, and no session is locked; for a value that depends"
            " on the old one, take session.mutate(function) with store="
        )

    unlock = lock
