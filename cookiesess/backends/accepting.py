"""Sessions that another library wrote into its cookie: read where the user listed them, and never written.

Our own token comes first; the readers are asked in their order where there is none that opens. What they open is a
session like any other (`Origin.FOREIGN`), and is written in our format at the next change, or when a refresh is due;
the response that does so has the browser forget the other library's cookie (`cookiesess.http.carrier`).
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

from cookiesess.backends.base import Accepted, Tokens
from cookiesess.errors import InvalidToken
from cookiesess.http.carrier import MAX_CANDIDATES
from cookiesess.http.cookies import values_of
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import State
from cookiesess.tokens.sealing import Opened


class Foreign(Protocol):
    """What a reader returns; `cookiesess.readers.base.Foreign` is one."""

    @property
    def data(self) -> dict[str, Any]:
        """The session."""

    @property
    def created_at(self) -> int | None:
        """Unix seconds, or None where the format does not say."""

    @property
    def refreshed_at(self) -> int | None:
        """The same, of when the cookie was written."""

    @property
    def owner(self) -> str | None:
        """The user it belongs to."""


@runtime_checkable
class ForeignReader(Protocol):
    """What ``accept=`` takes; the classes of `cookiesess.readers` are such."""

    cookie_name: str
    path: str
    domain: str | None
    partitioned: bool

    def open(self, value: str, *, now: int) -> Foreign:
        """Return the session in a cookie's value, or raise `InvalidToken`."""


class AcceptingTokens(Tokens):
    """Our own tokens, and what readers open.

    Args:
        name: As `Tokens` takes it, like `write`, `read` and `find`.
        readers: Asked in this order.
        lifetime: How long what they open may live.
    """

    def __init__(
        self,
        name: str,
        *,
        write: Callable[[bytes, bytes], str],
        read: Callable[[str, bytes], Opened],
        find: Callable[[str], list[str]],
        readers: Iterable[ForeignReader],
        lifetime: Lifetime,
    ) -> None:
        super().__init__(name, write=write, read=read, find=find)
        self._readers = tuple(readers)
        self._lifetime = lifetime

    def open(self, header: str, *, now: int) -> Opened | Accepted | InvalidToken | None:
        """Return what `Tokens.open` does, or a session that a reader has opened."""
        opened = super().open(header, now=now)
        if isinstance(opened, tuple):
            return opened
        failure = opened if isinstance(opened, InvalidToken) else None
        for reader in self._readers:
            for value in values_of(header, reader.cookie_name, limit=MAX_CANDIDATES):
                try:
                    return Accepted(type(reader).__name__, self._state(reader.open(value, now=now), now))
                except InvalidToken as error:
                    failure = failure or error
                    # Not ours to expire: it may be a cookie of an app that is still in use.
                    failure.alone = False
        return failure

    def _state(self, foreign: Foreign, now: int) -> State:
        """Return a foreign session as one of ours; where no time is known, a refresh is due at once."""
        written_at = foreign.refreshed_at
        if written_at is None:
            written_at = now - self._lifetime.refresh_seconds
        created_at = written_at if foreign.created_at is None else foreign.created_at
        authenticated_at = None if foreign.owner is None else created_at
        ends_at = self._lifetime.ends_at(created_at)
        return State(created_at, written_at, ends_at, authenticated_at, foreign.owner, foreign.data)
