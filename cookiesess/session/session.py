"""The mapping that the app sees."""

from contextlib import suppress
from typing import Any, ClassVar

from cookiesess.errors import NotSerializable, without_locals
from cookiesess.session import csrf, flash
from cookiesess.session.changes import Mutation
from cookiesess.session.flash import Flash
from cookiesess.session.guesses import answer_guesses, let_others_answer
from cookiesess.session.properties import SessionProperties, check_label
from cookiesess.session.state import CSRF, FLASHES
from cookiesess.tokens.encoding import is_utf8


@answer_guesses
class Session(SessionProperties):
    """A dict that survives from request to request, and the verbs of a login.

    Keys are text; values are None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset, datetime, date,
    time, timedelta, UUID and Decimal, nested at will, and come back equal and of the same type; other types are
    registered with ``types=[ValueType(…)]``. Nothing is read before the first method that has to look, and nothing is
    written unless something changed.

    Not for two threads of one request at once. Made by `SessionManager.open`; an app gets it with `get_session`.

    Errors that any method may raise:
        NotSerializable: On assignment, of a value that cannot be stored.
        SessionCommitted: On a write after the response's headers have gone out, where a cookie would be needed.
        StoreUnavailable: Server-side, when the store does not answer (`SessionReadOnly` on a write where
            ``on_store_error="anonymous"``).
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        let_others_answer(cls)  # another base may have a user, an id, a timeout

    # The verbs

    def login(self, owner: str, *, label: str | None = None) -> None:
        """Make the session `owner`'s: new ID, new CSRF secret, absolute timeout counted from now.

        Call it after every successful authentication, re-authentication included: keeping the ID would let whoever
        planted it share the login (session fixation; OWASP Session Management Cheat Sheet, "Renew the Session ID After
        Any Privilege Level Change"). An anonymous visitor's data is kept; another owner's is dropped.

        Args:
            owner: Any text that names the user for good, such as a primary key; not a name that can change hands.
            label: A name for lists of the owner's sessions, such as the device, as `label` takes it. None (the
                default): it stays as it is; or, with the setting ``login_label``, that makes one where there is none.

        Raises:
            ValueError: `owner` is empty, or not text; or `label` is not what it may be.
            TooManySessions: Server-side, with ``on_owner_limit="refuse"``.
        """
        if type(owner) is not str or not owner or not is_utf8(owner):
            raise ValueError(f"an owner is text that names the user, not {owner!r}; use str(user.id)")
        check_label(label)
        working = self._writable(new_id=True)
        self._context.admit(owner, working)
        if working.login(owner, now=int(self._context.clock()), lifetime=self._context.lifetime):
            self._context.lost(working)
        self._context.logged_in(working)
        if label is not None:
            self.label = label

    def renew(self) -> None:
        """Give the session a new ID and keep everything else: for a change of privileges without a login.

        The old ID is dead at once; a logout under it still ends the session. Where nobody is logged in, CSRF tokens
        from before are worth nothing afterwards.
        """
        self._writable(new_id=True).renew()

    def cycle(self) -> None:
        """Give the session a new ID as a login does, for code that logs users in without `login`.

        The data stays. The old ID is worth nothing: whoever planted it can neither read the session nor end it (session
        fixation). CSRF tokens from before are worth nothing either. Prefer `login`.
        """
        self._writable(new_id=True).cycle()

    def invalidate(self) -> None:
        """End the session (log out). Server-side it leaves the store at once, even if the app raises afterwards.

        Afterwards this object is an empty, new session; writing to it makes another one. A session that was renewed
        meanwhile ends under its new ID. The browser forgets its cookie, if it sent one.
        """
        working = self._writable()
        self._context.end(working)
        working.restart(now=int(self._context.clock()), lifetime=self._context.lifetime)

    def save(self) -> None:
        """Serialise and check the size now, and server-side write now, so that a view can catch what goes wrong.

        After ``login()`` or ``renew()``, the old ID is dead from this moment. If the app then fails before it answers,
        the browser never gets the new ID, and the visitor has to log in again.

        Raises:
            CookieTooLarge: The cookie would be dropped by browsers.
            RecordTooLarge: The store does not take as much.
            NotSerializable: A nested value cannot be stored.
            SessionConflict: Other requests were faster, too many times.
        """
        self._context.save(self._writable())

    def refresh(self) -> None:
        """Count the idle timeout from now, even if it was put off a moment ago. An empty session stays as it is."""
        (self._working or self._load()).refresh()

    def revert(self) -> None:
        """Make the values what they were when the request began, or when the session was last ended in it."""
        self._writable().revert()

    def mutate(self, function: Mutation) -> None:
        """Apply `function` to the session's dict now, and again on the newest data if another request was faster.

        For values that depend on the old one, such as counters: ``session.mutate(lambda data:
        data.update(n=data.get("n", 0) + 1))``. `function` may run several times, each time on other data, so it must do
        nothing but change the dict it is given, and not rely on what was in it before. If it raises, nothing has
        changed; where it does so at commit, on newer data, the error comes out of the commit.
        """
        self._writable().data.mutate(function)

    # Flash messages and CSRF

    def flash(self, message: Any, category: str = "message") -> None:
        """Keep `message` for the next page that calls `pop_flashes`; the newest 50 wait.

        Text of a class of its own is kept as plain text, unless that class is registered with ``types=``: no message
        needs to be more. So are texts that are translated late, where an adapter knows them; in the language of now.

        Args:
            message: Text, or anything that sessions carry.
            category: What `pop_flashes` selects by.

        Raises:
            NotSerializable: `message` is neither.
        """
        extras = self._writable().extras
        message = self._message(message)
        if type(category) is not str:
            category = flash.plain(category, self._text_of)
        extras.set(FLASHES, [*extras.data.get(FLASHES, ()), [message, category]][-flash.MOST :])

    def pop_flashes(self, category: str | None = None) -> list[Flash]:
        """Return the waiting messages, oldest first, and forget them; with `category`, only those of that one."""
        flashes = (self._working or self._load()).state.extras.get(FLASHES)
        if not flashes:
            return []
        taken, rest = flash.take(flashes, category)
        if taken:
            self._set_extra(FLASHES, rest or None)
        return taken

    def peek_flashes(self, category: str | None = None) -> list[Flash]:
        """Return what `pop_flashes` would, and keep it."""
        flashes = (self._working or self._load()).state.extras.get(FLASHES, [])
        return flash.take(flashes, category)[0]

    def csrf_token(self) -> str:
        """Return a token for a form: 86 characters, different each time, good until the session ends or logs in.

        For a visitor without a session this starts one.
        """
        return csrf.mask(self._csrf_secret(), self._context.random_bytes(csrf.SECRET_BYTES))

    @without_locals
    def check_csrf(self, token: str | None) -> bool:
        """Whether `token` came from this session's `csrf_token`; compared in constant time."""
        secret = (self._working or self._load()).csrf
        return secret is not None and type(token) is str and csrf.matches(secret, token)

    # Inside

    def _message(self, message: Any) -> Any:
        """Return what is kept of a message; raise `NotSerializable` where nothing can be."""
        dumps = self._context.codec.dumps
        with suppress(NotSerializable):
            dumps(message, "flash message")
            return message
        message = flash.plain(message, self._text_of)
        dumps(message, "flash message")
        return message

    _lazy_texts: ClassVar[frozenset[str]] = frozenset()

    def _text_of(self, value: Any) -> str | None:
        """Return the text that a value stands for which sessions do not carry; None where it is no text.

        The names of the classes of lazy texts are those of `_lazy_texts`, with or without their module's: an adapter
        names them, so that none of their packages need be installed.
        """
        cls = type(value)
        if issubclass(cls, str):
            return None if self._context.codec.carries(cls) else str.__str__(value)
        names = (name for each in cls.__mro__ for name in (each.__name__, f"{each.__module__}.{each.__name__}"))
        return None if self._lazy_texts.isdisjoint(names) else str(value)

    def _csrf_secret(self, *, anew: bool = False) -> bytes:
        """Return what CSRF tokens are made of, made at the first call; for subclasses with tokens of another form."""
        secret = None if anew else (self._working or self._load()).csrf
        if secret is None:
            secret = self._context.random_bytes(csrf.SECRET_BYTES)
            self._set_extra(CSRF, secret)
        return secret
