"""The sessions of one owner, listed and ended: "show my devices", "log out everywhere"."""

from cookiesess.backends.owners import Owners, SessionList
from cookiesess.errors import ConfigurationError
from cookiesess.manager.operations import Operations
from cookiesess.session.session import Session


class OwnedSessions:
    """What a `SessionManager` can do for an owner, outside of that owner's own request.

    Attributes:
        operations: What it does to sessions with its present keys.
    """

    operations: Operations

    def sessions_of(self, owner: str, *, current: Session | None = None, limit: int = 500) -> SessionList:
        """Return the live sessions of `owner`, the one seen last first: for a page that lists devices.

        Args:
            owner: As given to `Session.login`.
            current: The asker's own session; in the list its ``current`` is True. A session that has not been stored
                yet, such as in the request of its login, is not in the list.
            limit: The most sessions in the list, from 1. Its ``more`` says whether there are others.

        Raises:
            ConfigurationError: Sessions are client-side, or the store does not index owners.
            StoreUnavailable: The store did not answer.
            ValueError: `limit` is below 1.
        """
        index, now = self._index(), self._now()
        return index.sessions_of(owner, now=now, limit=limit, current=self._key_of(current, now=now))

    def handle_of(self, session: Session) -> str | None:
        """Return the handle by which `sessions_of` lists `session`, or None where it is not stored (yet)."""
        key = self._key_of(session, now=self._now())
        return None if key is None else key.hex()

    def _key_of(self, session: Session | None, *, now: int) -> bytes | None:
        if session is None:
            return None
        return self.operations.parts.backend.record_key(session._working or session._load(), now=now)

    def end(self, owner: str, handle: str) -> bool:
        """End one session of `owner`: one row of a list of devices. A request that is using it does not keep it alive.

        Args:
            owner: As given to `Session.login`. A handle of somebody else's session ends nothing.
            handle: As `sessions_of` gave it.

        Returns:
            True where a session was ended; False where it was gone, or has been renewed: list again.

        Raises:
            As `sessions_of`.
        """
        return self._index().end(owner, handle, now=self._now())

    def end_all(self, owner: str, *, keep: Session | None = None) -> int | None:
        """End all sessions of `owner` except `keep`: log out everywhere else.

        A session that another request is renewing at this moment ends too. If that session is `keep`, the user has to
        log in again. Client-side (with ``revocations=``) the response of this request carries a new cookie for `keep`;
        if the response never arrives, `keep` has ended with the others.

        Returns:
            How many were ended; None client-side, where nobody counts them.

        Raises:
            SessionConflict: New ones appeared again and again.
            SessionCommitted: Client-side, after the headers of `keep`'s response have gone out.
            As `sessions_of`.
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
                "an owner's sessions can be listed and ended where they are kept in a store that indexes owners; give"
                " one as store= (client-side, revocations= lets end_all() end them)"
            )
        return owners
