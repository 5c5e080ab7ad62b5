"""What a reader of sessions is that another library keeps in a store, behind an ID in its cookie.

`cookiesess.backends.takeover` asks such a reader where no token of ours opened, moves what it finds, and has it delete
the rest. The store's client is opened at the first such cookie, so that a reader costs nothing before.
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
    """Looks up what one other library keeps in a store. Thread-safe. A subclass says how, in four methods.

    Args:
        cookie_name: The cookie that the other library set.
        until: From this moment on the reader opens nothing, and leads nowhere; aware. Until then the old cookie leads
            to the session, unless that has ended or somebody has logged in. Default None: for as long as the reader is
            listed. (A session in a store can be ended, which is why this reader can do without.)
        **common: See `Reader`.

    Attributes:
        needs_store: There is nothing to look up: see `cookiesess.readers.ImportedSessions`.
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
        """Return what the store has under an ID, without an owner; None where it has nothing.

        Raises:
            InvalidToken: What it has is not what the other library wrote.
            StoreUnavailable: It does not answer.
        """

    @abstractmethod
    def delete(self, session_id: str) -> None:
        """Delete what the store has under an ID; where it has nothing, that is fine.

        Raises:
            StoreUnavailable: It does not answer.
        """

    @abstractmethod
    def shorten(self, session_id: str, *, now: int) -> None:
        """Have what the store has under an ID end `FADING_SECONDS` after `now`, if not sooner.

        Raises:
            StoreUnavailable: It does not answer.
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
        """Delete what the store has under a value that `identify` takes.

        Raises:
            StoreUnavailable: It does not answer.
        """
        self.delete(self.id_of(value))

    def fade(self, value: str, *, now: int) -> None:
        """Have it end in ten minutes, if not sooner.

        Raises:
            StoreUnavailable: It does not answer.
        """
        self.shorten(self.id_of(value), now=now)
