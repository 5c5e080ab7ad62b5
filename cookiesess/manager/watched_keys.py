"""Looks again at a file of keys while the process runs, so that a key rotation needs no restart.

The processes of a site do not look at the same moment. So a key that is new to a running process opens at once, and
seals only when every other process must have seen it too. A key that has been taken out of the file stops at once: it
may have leaked. If it was the one that seals, there is nothing to wait for, and the new one seals at once.

A process that starts takes the file as it is.
"""

import os
from threading import Lock
from typing import Final

from cookiesess.errors import ConfigurationError
from cookiesess.events import KeysChanged, KeysFileRejected
from cookiesess.events.base import Emitter
from cookiesess.tokens.keys import Key, Keyring

# A look costs a system call or three; keys are changed a few times a year.
LOOK_SECONDS: Final = 60
# Twice as long as two looks of another process can be apart.
SEAL_AFTER_SECONDS: Final = 120


class WatchedKeys:
    """The keys in a file, and when to look at it again. Thread-safe.

    Args:
        keyring: What was read from the file.
        path: The file.
        emit: Is told of changes.
        now: When it was read, in Unix seconds.
    """

    def __init__(self, keyring: Keyring, path: "str | os.PathLike[str]", *, emit: Emitter, now: int) -> None:
        self._keyring = keyring
        self._path = path
        self._emit = emit
        self._next_at = now + LOOK_SECONDS
        # Since when this process has opened with a key; those that it began with are not in here.
        self._since: dict[bytes, int] = {}
        self._lock = Lock()

    def look(self, now: int) -> Keyring | None:
        """Return the keys from now on, where they have changed; None where they have not, or it is not time to look."""
        # A clock that was set back must not have it look away until the time that it showed before.
        waiting = self._next_at - LOOK_SECONDS <= now < self._next_at
        if waiting or not self._lock.acquire(blocking=False):
            return None
        try:
            self._next_at = now + LOOK_SECONDS
            return self._changed(now)
        finally:
            self._lock.release()

    def _changed(self, now: int) -> Keyring | None:
        try:
            written = Keyring.from_file(self._path)
        except ConfigurationError as error:
            self._emit(KeysFileRejected(str(error)))
            return None
        ring = self._usable(written, now)
        kids, before = [key.kid for key in ring.keys], [key.kid for key in self._keyring.keys]
        if kids == before:
            return None
        added, removed = (len(set(one) - set(other)) for one, other in ((kids, before), (before, kids)))
        waiting = ring.current.kid != written.current.kid
        self._keyring = ring
        self._emit(KeysChanged(ring.current.kid.hex(), added=added, removed=removed, waiting=waiting))
        return ring

    def _usable(self, written: Keyring, now: int) -> Keyring:
        """Return the ring to use, of what is written: the new key seals once every process can open it."""
        known = {key.kid for key in self._keyring.keys}
        kids = {key.kid for key in written.keys}
        self._since = {kid: at for kid, at in self._since.items() if kid in kids}
        self._since |= dict.fromkeys(kids - known, now)
        current, present = written.current, self._keyring.current
        waits = now < self._since.get(current.kid, 0) + SEAL_AFTER_SECONDS
        if not waits or present.kid not in kids:
            return written
        return _led_by(present, written)


def _led_by(current: Key, ring: Keyring) -> Keyring:
    return Keyring(current, [key for key in ring.keys if key.kid != current.kid])
