"""What no server-side session on SQLite could leave out: the statements, and opening and sealing token and record.

No serialising, no lifetime, no change detection, no headers: the distance to this is the price of everything else. It
is written here once more, rather than called, so that it cannot grow along with what it is compared to; only the
token's `Sealer` is the library's own.
"""

import hmac
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import Any, NamedTuple

from benchmarks.apps import SECRET
from benchmarks.harness import Cell

# The typical session and its times, as msgpack.
_PAYLOAD_BYTES = 300
_NOW, _LATER = 1_763_877_600, 1_765_087_200

_CREATE = "CREATE TABLE s (key BLOB PRIMARY KEY, version INT, expires_at INT, summary BLOB, payload BLOB) WITHOUT ROWID"
_INSERT = "INSERT INTO s VALUES (?, 1, ?, ?, ?)"
_SELECT = "SELECT payload, expires_at, summary, version FROM s WHERE key = ? AND expires_at > ?"
_UPDATE = """UPDATE s SET version = version + 1, expires_at = ?, summary = ?, payload = ?
WHERE key = ? AND version = ? AND expires_at > ?"""


class Floor(NamedTuple):
    """The two cells to be timed beside the contestants'."""

    read: Cell
    write: Cell


def build(directory: Path, cleanup: ExitStack) -> Floor:
    """Return the floor's cells, over a file of their own with one session in it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from cookiesess.tokens.keys import Keyring
    from cookiesess.tokens.sealing import Sealer

    sealer, server_key, summary = Sealer(Keyring.parse(SECRET)), token_bytes(32), token_bytes(60)
    connection = sqlite3.connect(directory / "floor.db", isolation_level=None)
    cleanup.callback(connection.close)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", _CREATE):
        connection.execute(statement)

    def seal(key: bytes, cipher: Any, payload: bytes) -> bytes:
        nonce = token_bytes(12)
        return nonce + cipher.encrypt(nonce, payload, key)

    def open_both(token: str) -> tuple[bytes, Any, bytes, int]:
        session_id, _ = sealer.unseal(token, b"session")
        key = sha256(session_id).digest()
        payload, _, _, version = connection.execute(_SELECT, (key, _NOW)).fetchone()
        cipher = AESGCM(hmac.digest(server_key, session_id, "sha256"))
        return key, cipher, cipher.decrypt(payload[:12], payload[12:], key), version

    def read(token: str) -> None:
        open_both(token)

    def write(token: str) -> None:
        key, cipher, payload, version = open_both(token)
        values = (_LATER, summary, seal(key, cipher, payload), key, version, _NOW)
        assert connection.execute(_UPDATE, values).rowcount == 1

    session_id = token_bytes(32)
    key = sha256(session_id).digest()
    cipher = AESGCM(hmac.digest(server_key, session_id, "sha256"))
    connection.execute(_INSERT, (key, _LATER, summary, seal(key, cipher, token_bytes(_PAYLOAD_BYTES))))
    token = sealer.seal(session_id, b"session")
    return Floor(_cell(read, token), _cell(write, token))


def _cell(work: Callable[[str], None], token: str) -> Cell:
    def app(environ: Any, start_response: Any) -> tuple[()]:
        work(token)
        return ()

    return Cell(app, {})
