"""What nobody could leave out: the raw client's commands, and opening and sealing a token and a record.

The commands are the store's own, on a record of a real session's size, sent by the client or driver without anything
around it. The token and the record are written here once more, rather than called, so that their cost cannot grow along
with what it is compared to; only the token's `Sealer` is the library's own.
"""

import hmac
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from secrets import token_bytes
from typing import Any, NamedTuple

from benchmarks.apps import SECRET
from benchmarks.harness import TYPICAL, Cell
from benchmarks.stores_contestants import MARIADB, MEMCACHED, POSTGRESQL, PURE_REDIS, REDIS, pure_python_redis
from benchmarks.stores_servers import Servers
from cookiesess.stores.base import Record, Store, Updated

_IDLE_SECONDS = 14 * 24 * 3600


class Pair(NamedTuple):
    """What a request that reads cannot leave out, and one that writes: it reads first."""

    read: Cell
    write: Cell


def pairs(servers: Servers, cleanup: ExitStack) -> dict[str, Pair]:
    """Return the raw commands' cells, by the contestant that they are the floor of."""
    builders: list[tuple[str, int | None, Callable[[Any, ExitStack], Pair]]] = [
        (REDIS, servers.redis, _redis),
        (PURE_REDIS, servers.redis, _pure_redis),
        (POSTGRESQL, servers.postgresql, _postgresql),
        (MARIADB, servers.mariadb, _mariadb),
        (MEMCACHED, servers.memcached, _memcached),
    ]
    urls = servers.urls()
    return {name: build((port, urls), cleanup) for name, port, build in builders if port is not None}


def together(one: Pair, other: Pair) -> Pair:
    """Return the cells that do both, one after the other.

    That takes longer than the two do by themselves: what runs after a round trip finds the processor's caches cold. So
    it does in all applications.
    """

    def both(first: Cell, second: Cell) -> Cell:
        return _cell(lambda: (first.app({}, None), second.app({}, None)))

    return Pair(both(one.read, other.read), both(one.write, other.write))


def typical_record(*, owner: str | None = None) -> Record:
    """Return the record that the typical session becomes: payload, summary, and a hash of the owner if it has one."""
    from cookiesess import SessionManager
    from cookiesess.stores.memory import MemoryStore

    written: list[Record] = []

    class Seen(MemoryStore):
        def create(self, key: bytes, record: Record, *, now: int) -> None:
            written.append(record)

    manager = SessionManager(SECRET, store=Seen())
    session = manager.open("")
    session.update(TYPICAL)
    if owner is not None:
        session.login(owner)
    manager.commit(session)
    return written[-1]


def calls(servers: Servers, cleanup: ExitStack) -> dict[str, Pair]:
    """Return the cells of the stores' own calls, without a session around them, by contestant."""
    from cookiesess.stores.redis import RedisStore
    from cookiesess.stores.urls import open_store

    names = {"redis": REDIS, "postgresql": POSTGRESQL, "mariadb": MARIADB, "memcached": MEMCACHED}
    stores = {names[engine]: open_store(url) for engine, url in servers.urls().items()}
    if servers.redis is not None:
        stores[PURE_REDIS] = RedisStore(pure_python_redis(servers.redis))
    for store in stores.values():
        cleanup.callback(store.close)
    return {name: _call_pair(store) for name, store in stores.items()}


def _call_pair(store: Store) -> Pair:
    key, fresh = _record_in(store), typical_record()

    def read() -> Record:
        found = store.load(key, now=int(time.time()))
        assert found is not None
        return found

    def write() -> None:
        now, version = int(time.time()), read().version
        moved = fresh._replace(expires_at=now + _IDLE_SECONDS)
        assert isinstance(store.update(key, moved, expected_version=version, now=now), Updated)

    return Pair(_cell(read), _cell(write))


def token_and_record() -> Pair:
    """Return the cells that open a token and a record, and that seal the record as well."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from cookiesess.tokens.keys import Keyring
    from cookiesess.tokens.sealing import Sealer

    sealer, server_key = Sealer(Keyring.parse(SECRET)), token_bytes(32)

    def seal(key: bytes, cipher: AESGCM, plaintext: bytes) -> bytes:
        nonce = token_bytes(12)
        return nonce + cipher.encrypt(nonce, plaintext, key)

    def cipher_of(session_id: bytes) -> AESGCM:
        return AESGCM(hmac.digest(server_key, session_id, "sha256"))

    session_id = token_bytes(32)
    token = sealer.seal(session_id, b"session")
    payload = seal(sha256(session_id).digest(), cipher_of(session_id), token_bytes(len(typical_record().payload) - 28))

    def read() -> tuple[bytes, AESGCM, bytes]:
        session_id, _ = sealer.unseal(token, b"session")
        key, cipher = sha256(session_id).digest(), cipher_of(session_id)
        return key, cipher, cipher.decrypt(payload[:12], payload[12:], key)

    def write() -> None:
        seal(*read())

    return Pair(_cell(read), _cell(write))


def _redis(place: tuple[int, dict[str, str]], cleanup: ExitStack) -> Pair:
    import redis

    return _redis_pair(redis.Redis("127.0.0.1", place[0]), cleanup)


def _pure_redis(place: tuple[int, dict[str, str]], cleanup: ExitStack) -> Pair:
    return _redis_pair(pure_python_redis(place[0]), cleanup)


def _redis_pair(client: Any, cleanup: ExitStack) -> Pair:
    """A GET, and an EVALSHA of the store's own script."""
    from cookiesess.stores.redis import RedisStore
    from cookiesess.stores.redis.record import text_of
    from cookiesess.stores.redis.scripts import UPDATE

    cleanup.callback(client.close)
    member = text_of(_record_in(RedisStore(client)))
    name = b"cookiesess:{%b}" % member
    client.script_load(UPDATE.text)
    run = client.execute_command

    def read() -> bytes:
        value: bytes = run("GET", name)
        return value

    def write() -> None:
        value, drawn, now = read(), os.urandom(8), int(time.time())
        new = value[:1] + drawn + value[9:]
        keys = (name, b"%b:%b" % (name, drawn))
        assert run("EVALSHA", UPDATE.sha, 2, *keys, now, new, _IDLE_SECONDS, value[1:9], member, 0) == 1

    return Pair(_cell(read), _cell(write))


def _memcached(place: tuple[int, dict[str, str]], cleanup: ExitStack) -> Pair:
    """A gets, and a cas."""
    from base64 import urlsafe_b64encode

    from pymemcache import PooledClient

    from cookiesess.stores.memcached import MemcachedStore

    client = PooledClient(("127.0.0.1", place[0]), connect_timeout=2, timeout=2)
    cleanup.callback(client.close)
    key = _record_in(MemcachedStore(client))
    name = "cookiesess:" + urlsafe_b64encode(key).rstrip(b"=").decode()

    def read() -> tuple[bytes, bytes]:
        found: tuple[bytes, bytes] = client.gets(name)
        assert found[0]
        return found

    def write() -> None:
        value, token = read()
        assert client.cas(name, value, token, expire=_IDLE_SECONDS, noreply=False)

    return Pair(_cell(read), _cell(write))


def _postgresql(place: tuple[int, dict[str, str]], cleanup: ExitStack) -> Pair:
    import psycopg

    connection = psycopg.connect(place[1]["postgresql"], autocommit=True)
    return _sql_pair(connection, "postgresql+psycopg://", place[1]["postgresql"], cleanup)


def _mariadb(place: tuple[int, dict[str, str]], cleanup: ExitStack) -> Pair:
    import pymysql

    connection = pymysql.connect(
        host="127.0.0.1", port=place[0], user="cookiesess", password="hunter2", database="mysql", autocommit=True
    )
    return _sql_pair(connection, "mariadb+pymysql://", place[1]["mariadb"], cleanup)


def _sql_pair(connection: Any, dialect: str, url: str, cleanup: ExitStack) -> Pair:
    """The store's own SELECT and UPDATE, on a plain connection of the driver."""
    import sqlalchemy as sa

    from cookiesess.stores.sql.schema import sessions_table
    from cookiesess.stores.sql.statements import Statements
    from cookiesess.stores.urls import open_store

    store = open_store(url)
    key = _record_in(store)
    store.close()
    cleanup.callback(connection.close)
    statements = Statements(sessions_table(sa.MetaData()), sa.create_engine(dialect).dialect)

    def execute(statement: Any, values: dict[str, object]) -> Any:
        cursor = connection.cursor()
        cursor.execute(statement.text, statement.arrange(values))
        return cursor

    def read() -> Any:
        cursor = execute(statements.load, {"key": key, "now": int(time.time())})
        (row,) = cursor.fetchall()
        cursor.close()
        return row

    def write() -> None:
        payload, _, summary, owner, version, *_ = read()
        now = int(time.time())
        # The expiry moves with each write, as a session's does; the database has it in an index.
        expires_at = now + _IDLE_SECONDS
        new = {"new_payload": payload, "new_expires_at": expires_at, "new_summary": summary, "new_owner": owner}
        cursor = execute(statements.update, new | {"key": key, "version": version, "now": now})
        assert cursor.rowcount == 1
        cursor.close()

    return Pair(_cell(read), _cell(write))


def _record_in(store: Any) -> bytes:
    """Write the typical session's record, and return its key."""
    key = token_bytes(32)
    store.create(key, typical_record(), now=int(time.time()))
    return key


def _cell(work: Callable[[], object]) -> Cell:
    def app(environ: object, start_response: object) -> tuple[()]:
        work()
        return ()

    return Cell(app, {})
