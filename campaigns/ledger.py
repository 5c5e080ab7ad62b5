"""What visitors have been told, against which everything is held that they see later.

A visitor counts upwards in a session of their own. A number whose request was answered is *acknowledged*: from then on
the session holds it, or a later one. A number whose request failed may have been written or not, and both are right.
A logout that was answered is acknowledged as well: its cookie opens nothing any more.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Account:
    """What one visitor was told about the present session.

    Attributes:
        acknowledged: The last number whose request was answered; None: no login was, so that nothing is promised.
        attempted: The last number that was asked for, answered or not.
    """

    acknowledged: int | None = None
    attempted: int = 0

    def allows(self, seen: int | None) -> bool:
        """Whether the session may hold `seen`; None: there is no session."""
        if self.acknowledged is None:
            return True
        return seen is not None and self.acknowledged <= seen <= self.attempted


@dataclass
class Ledger:
    """The figures of one campaign. Thread-safe.

    Attributes:
        requests: How many were made, those of the last look included.
        acknowledged: How many changes, logins and logouts were answered.
        lost: What had been acknowledged, and was not there when somebody looked.
        came_back: Sessions whose logout had been acknowledged, and which opened all the same.
        errors: What requests failed by, and how often.
        longest_seconds: How long the longest request took.
        ended: The Cookie headers of sessions whose logout was acknowledged.
    """

    requests: int = 0
    acknowledged: int = 0
    lost: int = 0
    came_back: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0
    ended: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, seconds: float, error: str | None = None) -> None:
        """Note a request, and what it failed by."""
        with self._lock:
            self.requests += 1
            self.longest_seconds = max(self.longest_seconds, seconds)
            if error is not None:
                self.errors[error] += 1

    def begun(self, account: Account) -> None:
        """A login was answered: `account` begins at 0."""
        with self._lock:
            self.acknowledged += 1
            account.acknowledged = account.attempted = 0

    def attempt(self, account: Account) -> int:
        """Return the next number to write."""
        account.attempted += 1
        return account.attempted

    def written(self, account: Account, number: int) -> None:
        """The request that wrote `number` was answered."""
        with self._lock:
            self.acknowledged += 1
            account.acknowledged = number

    def ended_by(self, account: Account, cookie: str) -> None:
        """A logout was answered: `cookie` opens nothing from now on."""
        with self._lock:
            self.acknowledged += 1
            self.ended.append(cookie)
            account.acknowledged = None

    def doubt(self, account: Account) -> None:
        """A login or a logout was not answered: nothing is promised until the next login."""
        account.acknowledged = None

    def seen(self, account: Account, number: int | None) -> None:
        """Hold what a visitor sees, None for no session, against what they were told."""
        if account.allows(number):
            return
        with self._lock:
            self.lost += 1
        # Counted once: they go on from what is there.
        account.acknowledged = number

    def seen_after_logout(self, number: int | None) -> None:
        """Hold what the cookie of an ended session shows against its end."""
        if number is not None:
            with self._lock:
                self.came_back += 1
