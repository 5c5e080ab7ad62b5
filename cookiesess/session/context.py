"""What stands around a session: how far its request is, and what it may ask of the world."""

from enum import Enum
from typing import Protocol

from cookiesess.session.draft import Draft
from cookiesess.session.lifetime import Lifetime
from cookiesess.tokens.values import ValueCodec


class Stage(Enum):
    """How far the request is."""

    OPEN = "the app may change what it likes"
    STREAMING = "the headers have gone out, and the body follows"
    OVER = "the response is complete"
    ABANDONED = "the app raised, and nothing is saved"


class SessionContext(Protocol):
    """What a session needs from the world: the manager gives it, a test can too."""

    lifetime: Lifetime
    codec: ValueCodec

    def load(self, source: str) -> Draft:
        """Open what the request carried."""

    def now(self) -> int:
        """The time, in Unix seconds."""

    def random_bytes(self, count: int, /) -> bytes:
        """Bytes that nobody can guess."""

    def save(self, draft: Draft) -> None:
        """Check that `draft` can be stored and, server-side, store it."""

    def end(self, draft: Draft) -> bool:
        """End what `draft` was loaded from; False where somebody else has ended or replaced it already."""

    def admit(self, owner: str, draft: Draft) -> None:
        """Raise where `owner` may not log in."""

    def touched_late(self, draft: Draft, stage: Stage) -> None:
        """Decide what a session that was first touched after the headers went out may still do."""
