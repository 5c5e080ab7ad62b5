"""Other libraries' cookies: what a reader of them is, and what it returns."""

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


class Accepted(NamedTuple):
    """A session that a reader has opened.

    Attributes:
        reader: The reader's class.
        state: What it holds.
    """

    reader: str
    state: State
