"""What the vault returns: a session that it has found, and what a merge has made."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from cookiesess.errors import SessionConflict
from cookiesess.session.csrf import Secrets
from cookiesess.session.located import Located
from cookiesess.session.state import State
from cookiesess.stores.base import Record
from cookiesess.tokens.sealing import record_key_of

# How often a write is tried again on what a faster request left. Sixteen workers that push one counter without a pause
# need less than half of it; more means that something is wrong, and an error says more than a wait.
MAX_TRIES: Final = 64


@dataclass(slots=True)
class Found:
    """A live session: its content, its record, and its `Loaded.until_at`."""

    state: State
    located: Located
    until_at: int | None


class Merged(NamedTuple):
    """What a merge has made.

    Attributes:
        state: What another request left, with this one's changes.
        located: The record that it left it in.
        overwritten: How many keys both had assigned.
        forms: What the other's forms are made of.
    """

    state: State
    located: Located
    overwritten: int = 0
    forms: Secrets = Secrets(None)

    def __repr__(self) -> str:
        return f"<Merged, {self.overwritten} overwritten>"  # never the secret: a repr ends up in error reports


_NO_RECORD: Final = Record(b"", expires_at=0)


def unknown(session_id: bytes) -> Located:
    """Return the place of a record under an ID, of which it is not known yet whether it exists."""
    return Located(session_id, record_key_of(session_id), _NO_RECORD)


def conflict() -> SessionConflict:
    """Return the error of the last try."""
    return SessionConflict(
        f"other requests changed the session {MAX_TRIES} times in a row before this one could; keep a value that"
        " changes so often outside of the session"
    )
