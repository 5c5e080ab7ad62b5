"""The base class of readers of sessions that another library keeps in a store, behind an ID in its cookie.

If no token of this library opened, `cookiesess.backends.takeover` asks such a reader, moves the session that it finds,
and lets it delete the old one. The reader opens the store's client when the first such cookie comes.
"""

from abc import abstractmethod
from datetime import UTC, datetime
from typing import ClassVar, Final, Unpack

from cookiesess.errors import InvalidToken
from cookiesess.readers.base import Common, Foreign, Reader

FADING_SECONDS: Final = 600
"""How long an answer with our cookie may be on its way, or lost and asked for again: as long as for an ID of ours."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class StoredReader(Reader):
    """Finds the sessions that one other library keeps in a store. Thread-safe. A subclass implements four methods.

    Args:
        cookie_name: The name of the other library's cookie.
        until: An aware datetime. Until then the old cookie leads to the session, unless the session has ended or
            somebody has logged in. From then on the reader opens nothing. Default None: as long as you list the reader.
            (It may be None because, unlike a cookie, a session in a store can be ended.)
        **common: See `Reader`.

    Attributes:
        needs_store: True if there is no other store to look into: see `cookiesess.readers.ImportedSessions`.
    """

    needs_store: ClassVar[bool] = False

    def __init__(self, *, cookie_name: str, until: datetime | None = None, **common: Unpack[Common]) -> None:
        super().__init__(cookie_name=cookie_name, until=_NEVER if until is None else until, **common)

    @abstractmethod
    def id_of(self, value: str) -> str:
        """Return the ID in a cookie's value, without asking the store.

        Raises:
            InvalidToken: The other library made no such value.
        """

    @abstractmethod
    def look_up(self, session_id: str) -> Foreign | None:
        """Return the session that the store has under an ID, without an owner; None if it has none.

        Raises:
            InvalidToken: The store's text under the ID was not written by the other library.
            StoreUnavailable: The store does not answer.
        """

    @abstractmethod
    def delete(self, session_id: str) -> None:
        """Delete the session that the store has under an ID. If it has none, do nothing.

        Raises:
            StoreUnavailable: The store does not answer.
        """

    @abstractmethod
    def shorten(self, session_id: str, *, now: int) -> None:
        """Let the session that the store has under an ID end `FADING_SECONDS` after `now`, if not sooner.

        Raises:
            StoreUnavailable: The store does not answer.
        """

    def read(self, value: str) -> Foreign:
        """See `Reader.read`.

        Raises:
            InvalidToken: ``"missing"``, or as `id_of` and `look_up`.
            StoreUnavailable: The store does not answer.
        """
        session_id = self.id_of(value)
        try:
            found = self.look_up(session_id)
        except InvalidToken as error:
            raise InvalidToken(f"stored-{error.reason}") from None
        if found is None:
            raise InvalidToken("missing")
        return found

    def identify(self, value: str, *, now: int) -> str:
        """Return the ID in a cookie's value, without asking the store.

        Raises:
            InvalidToken: The other library made no such value, or `until` has passed.
        """
        self.check(value, now=now)
        return self.id_of(value)

    def forget(self, value: str) -> None:
        """Delete the session of a cookie's value that `identify` accepts.

        Raises:
            StoreUnavailable: The store does not answer.
        """
        self.delete(self.id_of(value))

    def fade(self, value: str, *, now: int) -> None:
        """Let the session of a cookie's value end in ten minutes, if not sooner.

        Raises:
            StoreUnavailable: The store does not answer.
        """
        self.shorten(self.id_of(value), now=now)
