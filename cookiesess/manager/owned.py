"""The sessions of one owner, listed and ended: "show my devices", "log out everywhere"."""

from cookiesess.backends.owners import Owners, SessionList
from cookiesess.errors import ConfigurationError
from cookiesess.manager.operations import Operations
from cookiesess.session.session import Session


class OwnedSessions:
    """Lists and ends the sessions of one user, also from another user's request: a part of `SessionManager`.

    Attributes:
        operations: Opens and commits with the present keys.
    """

    operations: Operations

    def sessions_of(self, owner: str, *, current: Session | None = None, limit: int = 500) -> SessionList:
        """Return the live sessions of `owner`, the most recently used first: for a page that lists devices.

        Args:
            owner: The user, as given to `Session.login`.
            current: The session of this request; its ``current`` is True in the list. In the request of a login the new
                session is not stored yet, so the list does not have it.
            limit: The most sessions in the list, from 1. The list's ``more`` is True if the user has further ones.

        Raises:
            ConfigurationError: Sessions are client-side, or the store does not index owners.
            StoreUnavailable: The store did not answer.
            ValueError: `limit` is below 1.
        """
        index, now = self._index(), self._now()
        return index.sessions_of(owner, now=now, limit=limit, current=self._key_of(current, now=now))

    def handle_of(self, session: Session) -> str | None:
        """Return the handle of `session`, as in the list of `sessions_of`; None if the session is not stored (yet)."""
        key = self._key_of(session, now=self._now())
        return None if key is None else key.hex()

    def _key_of(self, session: Session | None, *, now: int) -> bytes | None:
        if session is None:
            return None
        return self.operations.parts.backend.record_key(session._working or session._load(), now=now)

    def end(self, owner: str, handle: str) -> bool:
        """End one session of `owner`: one row of a list of devices. A request that is using it does not keep it alive.

        Args:
            owner: The user, as given to `Session.login`. With the handle of another user's session nothing ends.
            handle: The `SessionInfo.handle` from `sessions_of`.

        Returns:
            True if a session was ended. False if there is none under that handle, because it has ended or has got
            a new ID. Then list the sessions again.

        Raises:
            ConfigurationError, StoreUnavailable: As in `sessions_of`.
        """
        return self._index().end(owner, handle, now=self._now())

    def end_all(self, owner: str, *, keep: Session | None = None) -> int | None:
        """End all sessions of `owner` except `keep`: log out everywhere else.

        A session that another request is renewing at this moment ends too. If that session is `keep`, the user has to
        log in again. Client-side (with ``revocations=``) the response of this request carries a new cookie for `keep`;
        if the response never arrives, `keep` has ended with the others.

        Returns:
            How many sessions were ended. None client-side, because nobody can count them.

        Raises:
            SessionConflict: The user logged in again and again meanwhile.
            SessionCommitted: Client-side: the headers of this response have gone out, so `keep` can get no new cookie.
            ConfigurationError, StoreUnavailable: As in `sessions_of`.
        """
        now = self._now()
        parts = self.operations.parts
        if parts.revoking is not None:
            parts.revoking.end_all(owner, keep=None if keep is None else keep._writable(), now=now)
            return None
        working, record_key = None if keep is None else keep._working or keep._load(), parts.backend.record_key
        return self._index().end_all(
            owner, keep=lambda: None if working is None else record_key(working, now=now), now=now
        )

    def _now(self) -> int:
        return int(self.operations.clock())

    def _index(self) -> Owners:
        owners = self.operations.parts.owners
        if owners is None or not owners.indexed:
            raise ConfigurationError(
                "a user's sessions can be listed and ended only in a store that indexes owners; give such a store as"
                " store= (client-side, end_all() works with revocations=)"
            )
        return owners
