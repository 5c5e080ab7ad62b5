"""The session underneath Django's: what its engine needs, which commits several times in one request."""

from datetime import datetime, timedelta
from typing import NoReturn

from cookiesess.errors import SessionError
from cookiesess.http.arrival import Arrival
from cookiesess.manager.manager import SessionManager
from cookiesess.session.session import Session
from cookiesess.session.state import Origin, pack

# Where Django keeps what `set_expiry` was given: seconds, or the time as ISO text.
_EXPIRY = "_session_expiry"


class DjangoSession(Session):
    """A `Session` that goes on after a commit, since Django writes at ``cycle_key()`` and again with the response."""

    __slots__ = ()

    _lazy_texts = frozenset({"django.utils.functional.Promise"})

    @property
    def gets_new_id(self) -> bool:
        """Whether the next commit makes a new ID."""
        return self.origin is not Origin.LOADED or self.renewed

    def cycle(self) -> None:
        """As `Session.cycle`; with a secret of its own, so that there is something to keep even if all else ended."""
        super().cycle()
        self._csrf_secret(anew=True)

    @property
    def is_over(self) -> bool:
        """Whether `set_expiry` has put its end into the past: it was written, and nobody gets to see it again."""
        expiry = self.get(_EXPIRY)
        if isinstance(expiry, str):
            expiry = datetime.fromisoformat(expiry)
        if isinstance(expiry, datetime):
            return expiry <= datetime.fromtimestamp(self._context.clock(), expiry.tzinfo)
        return expiry is not None and expiry < 0

    def remember(self, duration: timedelta) -> NoReturn:
        """Nothing: Django decides how long a session lives, and its cookie with it.

        Raises:
            SessionError: Always, since Django's next save would undo it without a word.
        """
        raise SessionError(
            f"in Django write request.session.set_expiry({duration!r}), which sets the cookie's life as well"
        )

    def packed(self) -> bytes:
        """Return all that a save would write, to compare with what it would write later."""
        return pack(self._writable().state, self._context.codec)

    def keep_for(self, seconds: int, *, usual: int) -> None:
        """Have the session end `seconds` from the next commit on; `usual` is what the settings say.

        Where that is beyond the absolute timeout, this takes its place, counted from the login.
        """
        idle = None if seconds == usual else timedelta(seconds=max(seconds, 1))  # what is over ends as soon as can be
        if self.idle == idle:
            return
        most = self._context.lifetime.absolute
        absolute = idle if idle is not None and most is not None and idle > most else None
        if self.absolute != absolute:
            self.absolute = absolute
        self.idle = idle

    def belong_to(self, user: object, *, keep_id: bool) -> None:
        """Have the owner be the user whom `django.contrib.auth` has noted in the data, or nobody.

        Args:
            user: The noted primary key, or None.
            keep_id: The ID was made in this request, so nobody can have planted it.
        """
        owner = str(user) if user else None
        if owner == self.owner:
            return
        if self.owner is not None:
            # The app has put another user, or none, in place of the one before: that one's session ends, and what the
            # app has left in it goes along.
            data = dict(self)
            self.invalidate()
            self.update(data)
        if owner is not None:
            self.login(owner)
            if keep_id:
                self._writable().keep_id()

    def confirm(self, user: str) -> None:
        """Count the login of `user` from now, if the session is theirs already.

        It keeps its ID, as in Django's own engines: with another one the second click of a double click, which comes
        with the present one, would log the user out.
        """
        if self.owner == user:
            self.login(user)
            self._writable().keep_id()

    def commit_and_go_on(self, manager: SessionManager, arrival: Arrival) -> tuple[str | None, bool, str]:
        """Write the session, an empty one as well.

        Returns:
            The cookie's new value, if it needs one; whether anything was written; and `Commit.registers`.
        """
        if not self and self.owner is None and self.origin is not Origin.UNBOUND:
            # Django keeps empty sessions too; with a secret in it there is something to keep. A session that a login
            # has replaced has the secret of the one before, and gets one of its own where it is to be another.
            self._csrf_secret(anew=self.origin is Origin.REPLACED and self.renewed)
        commit = manager.commit(self, arrival=arrival)
        manager.reopen(self)
        name = manager.cookie.name
        values = (cookie.value for cookie in commit.cookies if cookie.name == name and cookie.value)
        return next(values, None), commit.written, commit.registers
