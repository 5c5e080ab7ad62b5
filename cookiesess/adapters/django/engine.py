"""Django's side: the `SessionStore` that its session middleware makes for each request."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase, UpdateError

from cookiesess.adapters.django import responses
from cookiesess.adapters.django.guesses import with_guesses
from cookiesess.adapters.django.session import DjangoSession
from cookiesess.adapters.django.shared import Shared
from cookiesess.errors import SessionCommitted, without_locals
from cookiesess.http.arrival import HTTPS_ARRIVAL, Arrival
from cookiesess.session.decision import READ_AS_EMPTY
from cookiesess.session.session import Session
from cookiesess.session.state import Origin

# How many expired records one statement of `clear_expired` deletes: other writers of an embedded store wait meanwhile.
_BATCH = 500
# Of these the browser keeps its cookie: it may be another session's by now, or good on another server, or later.
_SPARED = (Origin.REJECTED, Origin.GONE, Origin.REPLACED, Origin.UNAVAILABLE, Origin.UNBOUND)


@with_guesses
class SessionStore(SessionBase):  # type: ignore[misc]  # Django ships no types
    """One request's session, as Django's `SessionBase` describes it.

    Changes inside values are saved without ``modified = True``, and changes of parallel requests are merged key by key.

    Args:
        session_key: The text of the cookie, or None.

    Attributes:
        registers: The value of the response's ``Secure-Session-Registration``; empty: no such header.

    Raises:
        ConfigurationError: A setting is missing, is wrong, or contradicts another one.
    """

    _session_key: str | None

    def __init__(self, session_key: str | None = None) -> None:
        self._setup = Shared.get()
        self._arrival, self._shown, self.registers = HTTPS_ARRIVAL, "", ""
        # Whether the present key was made by this object, so that a login need not make another one.
        self._own_key = False
        self._marked = False
        # What `modified = False` has ruled out of saving, and whether there was something to save when Django looked.
        self._ruled_out: bytes | None = None
        self._left_unsaved = False
        super().__init__(session_key)

    def arrive(self, arrival: Arrival, *, shown: str) -> None:
        """Take from a middleware what the key alone does not tell.

        Args:
            arrival: How the request came.
            shown: The bound cookies that came with it, as a Cookie header has them, each after ``"; "``.
        """
        self._arrival, self._shown = arrival, shown

    @property
    def native(self) -> Session:
        """The `Session` underneath, such as for ``session_manager().end_all(owner, keep=request.session.native)``."""
        return self._get_session()

    @property
    def modified(self) -> bool:
        """Whether there is something to save: you set this, or the session differs from the one that was loaded.

        If you set it to False, the changes so far are not saved, unless another change follows.
        """
        return self._marked or self._changed

    @modified.setter
    def modified(self, value: bool) -> None:
        self._marked = value
        if not value and self._changed:
            self._ruled_out = self._get_session().packed()

    @property
    def _changed(self) -> bool:
        session = self._loaded
        if session is None or not session.modified:
            return False
        return self._ruled_out is None or session.packed() != self._ruled_out

    def is_empty(self) -> bool:
        """Whether the session is empty, so that the browser needs no cookie for it.

        If a login has replaced the session, or it is unbound, its changes are dropped here, with an event.
        """
        if self.session_key is not None and settings.SESSION_SAVE_EVERY_REQUEST:
            self._get_session()  # whether there is something to save
        self._left_unsaved = self.modified
        responses.await_end(self)
        session = self._loaded
        if self.session_key is not None or session is None:
            return self.session_key is None
        if session.origin in READ_AS_EMPTY:
            session.commit_and_go_on(self._setup.manager, self._arrival)
        elif session or session.origin not in _SPARED:
            return not session
        return cast("bool", responses.Neither())

    # Loading

    @property
    def _loaded(self) -> DjangoSession | None:
        return self.__dict__.get("_session_cache")

    def _get_session(self, no_load: bool = False) -> DjangoSession:
        """Return the session, loaded at the first access; Django's own methods all come here."""
        self.accessed = True
        # `_loaded`, spelled out: each key that is read or set comes by here.
        session: DjangoSession | None = self.__dict__.get("_session_cache")
        if session is None:
            session = self._session_cache = self._open(None if no_load else self.session_key)
            if self._setup.takes_over and session.refreshes:
                # Django saves what is marked, so that it moves now. A login that it has keeps its ID: the old cookie
                # must lead there until the answer has arrived.
                self._marked, self._own_key = True, SESSION_KEY in session
            if self._setup.manager.binding is not None and session.proves_first:
                self._marked = True
            if session.origin is not Origin.LOADED:
                self._session_key = None
        return session

    _session = property(_get_session)

    async def _aget_session(self, no_load: bool = False) -> DjangoSession:
        self.accessed = True
        session = self._loaded
        return await sync_to_async(self._get_session)(no_load) if session is None else session

    def _validate_session_key(self, key: str | None) -> bool:
        """Take what the browser sent as it is: of Django's own keys a short one is none, and its cookie is deleted."""
        return key is not None

    def _open(self, session_key: str | None) -> DjangoSession:
        header = "" if session_key is None else f"{self._setup.name}={session_key}{self._shown}"
        self._setup.manager.look_at_keys()
        session = self._setup.manager.open(header, session_class=DjangoSession)
        return self._open(None) if session.is_over else session

    def load(self) -> Mapping[str, Any]:
        """Return the data as they are stored now. If there are none, the session loses its key."""
        session = self._open(self.session_key)
        if session.origin is not Origin.LOADED:
            self._session_key = None
        return session

    @without_locals
    def exists(self, session_key: str | None) -> bool:
        """Whether there is a live session under `session_key`."""
        return bool(session_key) and self._open(session_key).origin is Origin.LOADED

    # Saving

    def create(self) -> None:
        """Copy this session's data into a new session with a new key, and save it."""
        loaded = self._loaded
        session = self._session_cache = self._open(None)
        session.update(loaded or {})
        self.save()
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Write the session. Its timeout counts from now.

        Args:
            must_create: True: write it under a new key.

        Raises:
            UpdateError: Another request ended the session, or a login replaced it. Nothing was written.
            NotSerializable: The session holds a value that sessions do not carry.
            CookieTooLarge: Without a store: the session is too large for a cookie.
        """
        if must_create:
            self.create()
            return
        session = self._get_session()
        session.keep_for(self.get_expiry_age(), usual=self._setup.idle_seconds)
        session.belong_to(session.get(SESSION_KEY), keep_id=self._own_key)
        self._write(session)

    def _write(self, session: DjangoSession) -> None:
        self._own_key = self._own_key or session.gets_new_id
        session_key, written, registers = session.commit_and_go_on(self._setup.manager, self._arrival)
        self.registers = registers or self.registers
        self._ruled_out, self._left_unsaved = None, False
        # A new deadline was not written where somebody was faster: with a change of the same session, or with its end.
        if session.origin is not Origin.LOADED or not (written or self.exists(self.session_key)):
            raise UpdateError
        self._session_key = session_key or self.session_key

    def cycle_key(self) -> None:
        """Give the session a new key at once. The old key is dead: changes of parallel requests under it are refused.

        If the session was ended or replaced meanwhile, an empty session takes its place: the old data does not come
        back, and a second click on "log in" still logs the user in.
        """
        session = self._get_session()
        session.cycle()
        self._write(session)
        self.modified = True

    def clear(self) -> None:
        """Remove all data; the key stays."""
        self._session.clear()
        self.modified = True

    def save_late(self) -> None:
        """Save the changes that a streamed body made after Django had saved the session.

        Changes from before, which Django did not save because of the response's status, stay unsaved.

        Raises:
            SessionCommitted: The change needs a cookie, and the headers have gone out.
        """
        if self._left_unsaved or not self._changed:
            return
        if self._setup.store is None or self.session_key is None or self._get_session().gets_new_id:
            raise SessionCommitted(
                "the session was changed after the headers had gone out, and only a cookie could have carried the"
                " change; change it before the response is returned, or set COOKIESESS_STORE"
            )
        with suppress(UpdateError):  # ended meanwhile, as the event says: nobody is left to be told
            self.save()

    # Ending

    @without_locals
    def delete(self, session_key: str | None = None) -> None:
        """End the session with this key (by default this session) in the store, at once."""
        session_key = self.session_key if session_key is None else session_key
        if session_key is not None:
            self._open(session_key).invalidate()

    def flush(self) -> None:
        """End the session at once, under every key that leads to it, and continue with an empty one without a key."""
        session = self._loaded
        if session is None:
            self.delete()
        else:
            session.invalidate()
        self._session_cache = self._open(None)
        self._session_key = None
        self.accessed = self.modified = True

    def confirm(self, user: object) -> None:
        """Note that the user whose session this is has just logged in once more."""
        self._get_session().confirm(str(user))

    async def acycle_key(self) -> None:
        """As `cycle_key`."""
        await sync_to_async(self.cycle_key)()

    async def aflush(self) -> None:
        """As `flush`."""
        await sync_to_async(self.flush)()

    @classmethod
    def clear_expired(cls) -> None:
        """Delete expired sessions from the store, in small batches: for ``manage.py clearsessions``."""
        setup = Shared.get()
        if setup.store is not None:
            while setup.store.delete_expired(now=int(setup.clock()), limit=_BATCH):
                pass


def _logged_in(*, request: Any, user: Any, **_: object) -> None:
    """Hear of a login: Django leaves the session of the same user as it is, and a new user's is noted at the save."""
    session = getattr(request, "session", None)
    if isinstance(session, SessionStore):
        session.confirm(user.pk)


user_logged_in.connect(_logged_in)
