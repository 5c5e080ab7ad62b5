"""`Session`, the dict that the app uses, with the methods for logins."""

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

    Keys are text. Values are None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset, datetime, date,
    time, timedelta, UUID and Decimal, nested as you like. They come back equal and of the same type. Register other
    types with ``types=[ValueType(…)]``. The session is read when you first use it, and written only if something
    changed.

    An app gets its session with `get_session`. Two threads of one request must not use it at the same time.

    Errors that any method may raise:
        NotSerializable: You assigned a value that cannot be stored.
        SessionCommitted: You changed the session after the response's headers had gone out, and the change needs a
            cookie.
        StoreUnavailable: Server-side: the store does not answer. With ``on_store_error="anonymous"`` a write raises
            `SessionReadOnly` instead.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        let_others_answer(cls)  # another base may have a user, an id, a timeout

    # The verbs

    def login(self, owner: str, *, label: str | None = None) -> None:
        """Log a user in: the session belongs to `owner` from now on.

        The session gets a new ID and a new CSRF secret, and its absolute timeout counts from now. The data of an
        anonymous visitor is kept; the data of another user is dropped. Call it after every successful authentication,
        also when a user enters the password again. With the old ID, whoever had planted it would share the login
        (session fixation; OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level
        Change").

        Args:
            owner: Text that names the user for ever, such as a primary key. Not a name that another user can get later.
            label: A name for this session in lists of devices, at most 200 characters. None (the default): the label
                stays as it is; a session without one gets the label that the setting ``login_label`` makes, if set.

        Raises:
            ValueError: `owner` is empty or not text, or `label` is not text or too long.
            TooManySessions: Server-side, with ``on_owner_limit="refuse"``: the user has too many sessions.
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

        The old ID is dead at once. A logout that still comes with the old ID ends the session. If nobody is logged in,
        the CSRF tokens in older pages are worth nothing afterwards.
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

        Afterwards this object is an empty, new session; if you write to it, the visitor gets another session. If
        another request has renewed the session meanwhile, it ends under its new ID too. The browser deletes its cookie,
        if it sent one.
        """
        working = self._writable()
        self._context.end(working)
        working.restart(now=int(self._context.clock()), lifetime=self._context.lifetime)

    def save(self) -> None:
        """Encode the session and check its size now; server-side, also write it now. So a view can catch the errors.

        After ``login()`` or ``renew()``, the old ID is dead from this moment. If the app then fails before it answers,
        the browser never gets the new ID, and the visitor has to log in again.

        Raises:
            CookieTooLarge: Browsers would drop the cookie.
            RecordTooLarge: The session is larger than the store takes.
            NotSerializable: A nested value cannot be stored.
            SessionConflict: Other requests were faster, too many times.
        """
        self._context.save(self._writable())

    def refresh(self) -> None:
        """Count the idle timeout from now, even if it was put off a moment ago. An empty session stays as it is."""
        (self._working or self._load()).refresh()

    def revert(self) -> None:
        """Undo the changes of this request. After `invalidate` in this request: the changes since then."""
        self._writable().revert()

    def mutate(self, function: Mutation) -> None:
        """Apply `function` to the session's dict now, and again on the newest data if another request was faster.

        For values that depend on the old one, such as counters: ``session.mutate(lambda data:
        data.update(n=data.get("n", 0) + 1))``. `function` may run several times, each time on other data. So it must do
        nothing but change the dict that it is given. If it raises, the session stays as it was. If it raises at the
        commit, on newer data, the commit raises that error.
        """
        self._writable().data.mutate(function)

    # Flash messages and CSRF

    def flash(self, message: Any, category: str = "message") -> None:
        """Keep `message` for the next page that calls `pop_flashes`. At most 50 messages wait; the newest are kept.

        Text of a class of its own, such as ``Markup``, is kept as plain text, unless you have registered that class
        with ``types=``. A lazily translated text that the adapter knows is translated now.

        Args:
            message: Text, or any other value that sessions carry.
            category: A word by which `pop_flashes` can select.

        Raises:
            NotSerializable: Sessions cannot carry `message`.
        """
        extras = self._writable().extras
        message = self._message(message)
        if type(category) is not str:
            category = flash.plain(category, self._text_of)
        extras.set(FLASHES, [*extras.data.get(FLASHES, ()), [message, category]][-flash.MOST :])

    def pop_flashes(self, category: str | None = None) -> list[Flash]:
        """Return the waiting messages, oldest first, and forget them. With `category`: only those of that category."""
        flashes = (self._working or self._load()).state.extras.get(FLASHES)
        if not flashes:
            return []
        taken, rest = flash.take(flashes, category)
        if taken:
            self._set_extra(FLASHES, rest or None)
        return taken

    def peek_flashes(self, category: str | None = None) -> list[Flash]:
        """Return the messages that `pop_flashes` would return, and keep them."""
        flashes = (self._working or self._load()).state.extras.get(FLASHES, [])
        return flash.take(flashes, category)[0]

    def csrf_token(self) -> str:
        """Return a token for a form: 86 characters, different each time.

        The token is valid until the session ends or the user logs in. A visitor without a session gets one.
        """
        return csrf.mask(self._csrf_secret(), self._context.random_bytes(csrf.SECRET_BYTES))

    @without_locals
    def check_csrf(self, token: str | None) -> bool:
        """Whether this session's `csrf_token` made `token`. The comparison takes constant time."""
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
