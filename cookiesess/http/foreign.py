"""Other libraries' sessions: the interface of their readers, for cookies and for stores, and its result."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from cookiesess.session.state import State


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


@runtime_checkable
class ForeignStore(ForeignReader, Protocol):
    """A reader of sessions that another library keeps in a store: its cookie has no more than an ID."""

    needs_store: bool
    """It has nothing to read from: its sessions are in the manager's store already."""

    def identify(self, value: str, *, now: int) -> str:
        """Return the ID in a cookie's value without asking the store, or raise `InvalidToken`."""

    def forget(self, value: str) -> None:
        """Delete what the store has under a value that `identify` takes, or raise `StoreUnavailable`."""

    def fade(self, value: str, *, now: int) -> None:
        """Have it end in ten minutes, if not sooner, or raise `StoreUnavailable`."""


def parted(readers: Iterable[ForeignReader]) -> tuple[list[ForeignReader], list[ForeignStore]]:
    """Return the readers of cookies that hold a session, and those of stores."""
    cookies: list[ForeignReader] = []
    stores: list[ForeignStore] = []
    for reader in readers:
        if isinstance(reader, ForeignStore):
            stores.append(reader)
        else:
            cookies.append(reader)
    return cookies, stores


class Accepted(NamedTuple):
    """A session that a reader has opened.

    Attributes:
        reader: The reader's class.
        state: What it holds.
    """

    reader: str
    state: State
