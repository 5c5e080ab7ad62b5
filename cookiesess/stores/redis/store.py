"""The store: each method of the contract as one command or script."""

from binascii import hexlify
from collections.abc import Hashable, Iterable
from contextlib import suppress
from os import urandom
from typing import Any, Final, NamedTuple, cast
from urllib.parse import SplitResult
from weakref import finalize

from cookiesess.errors import ConfigurationError, RecordExists, StoreUnavailable
from cookiesess.stores.base import Conflict, Gone, Page, Record, Store, Updated
from cookiesess.stores.cursors import Cursors
from cookiesess.stores.redis.client import Client, Cluster, evicts, run, run_script
from cookiesess.stores.redis.record import (
    EXPIRES_AT,
    index_deadline,
    key_of,
    pack,
    text_of,
    unpack,
    version_of,
)
from cookiesess.stores.redis.scripts import (
    CREATE,
    DELETE,
    ENTRIES,
    INDEX,
    LIST,
    MOST_COUNTED,
    MOST_ENTRIES,
    OLDEST,
    TOUCH,
    UPDATE,
    Script,
)
from cookiesess.stores.redis.url import client_of

# The position before all entries, which are a score and a member with a space between.
_BEGINNING: Final = b" "

# Of versions and of marks. Two that are drawn for one record are the same once in 10^19 times.
_DRAWN_BYTES: Final = 8


class _Entry(NamedTuple):
    """Of an owner's index: a record's name, when it leaves the index, the record, and whether the entry stays."""

    text: bytes
    score: bytes
    record: Record | None
    stays: bool


class RedisStore(Store):
    """Sessions in Redis (6.2 or newer) or Valkey, for any number of processes and machines.

    Each method is one round trip: a GET for a load, a script for the others. In a Cluster, a session with an owner
    sometimes costs a second one, because the owner's index lies on another node: at create, delete, a change of owner,
    and about once in a day and an idle timeout at a touch or update. In a Cluster, `load_many` asks all nodes at the
    same time, and `records_of` costs one more round trip.

    The server's settings decide what a crash loses. ``appendonly yes`` with ``appendfsync always``: nothing; with
    ``everysec``: about a second; without an append-only file: all writes since the last snapshot. Danger: replicas
    follow a moment later, and a failover to a replica loses that moment. A new session may then be missing, a change
    may be undone, a session may be missing in its owner's list, *and an ended session may be back*.
    ``min-replicas-to-write 1`` with a short ``min-replicas-max-lag`` limits this. While a Cluster moves a slot to
    another node, writes to its sessions take half a second longer.

    With a ``maxmemory`` and another ``maxmemory-policy`` than ``noeviction``, the server drops sessions that have not
    expired, and the store's `evicts` is True. The store asks for this once, when it is made. With ``noeviction`` a full
    server refuses new and growing sessions, but sessions can still be read, kept alive and ended. Do not put sessions
    and a cache on the same server.

    Threads and greenlets share the store, because the client keeps a pool of connections. You may load the app first
    and fork afterwards: the pool notices, and opens new connections.

    Args:
        client: A `redis.Redis` (also the client that ``Sentinel.master_for`` returns) or a `redis.RedisCluster`. It
            must have timeouts. A request may wait that long at each try of the client: with redis-py's defaults, ten
            retries of five seconds, a minute in all. `open_store` sets ``socket_timeout=2, retry=Retry(NoBackoff(),
            1)``. The store itself repeats nothing.
        prefix: The text with which the names of all keys begin: ASCII, without braces. Give each app that shares a
            database another one.

    Attributes:
        evicts: Whether the server may drop sessions that have not expired; see above.

    Raises:
        ConfigurationError: The client decodes responses, caches, reads from replicas or may wait for ever; the server
            is a replica, a Sentinel, part of a Cluster although the client is not a Cluster's, older than 6.2, or
            refuses the user, the password or a command; `prefix` has braces or is not ASCII.
        StoreUnavailable: The server does not answer.
    """

    indexes_owners = True

    def __init__(self, client: Client, *, prefix: str = "cookiesess:") -> None:
        if not prefix.isascii() or "{" in prefix or "}" in prefix:
            raise ConfigurationError(f"prefix is {prefix!r}; it must be ASCII without braces, which a Cluster reads")
        self.evicts = evicts(client)
        self._client = client
        self._execute = client.execute_command
        self._cluster = isinstance(client, Cluster)
        self._prefix = prefix
        self._before_key = f"{prefix}{{".encode()
        self._before_owner = f"{prefix}owner:".encode()
        self._cursors = Cursors(f"redis {prefix}")

    def __repr__(self) -> str:
        return f"<RedisStore {'in a Cluster, ' if self._cluster else ''}prefix={self._prefix!r}>"

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """See `Store.create`."""
        text, drawn = text_of(key), urandom(_DRAWN_BYTES)
        until = 0 if record.owner is None else index_deadline(record.expires_at, now)
        value = pack(record, drawn, until)
        sets = self._listed(record.owner, text, until, now)
        arguments = (now, value, _seconds(record.expires_at, now), text, until)
        if not self._run(CREATE, (*self._names(text, drawn), *sets), arguments):
            raise RecordExists("there is a record under this key already, and it was left as it is")

    def load(self, key: bytes, *, now: int) -> Record | None:
        """See `Store.load`."""
        value = run(self._execute, "GET", b"%b%b}" % (self._before_key, text_of(key)))
        return None if value is None else _alive(value, now)

    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """See `Store.load_many`."""
        keys = list(keys)
        values = self._values([b"%b%b}" % (self._before_key, text_of(key)) for key in keys])
        records = ((key, _alive(value, now)) for key, value in zip(keys, values, strict=True) if value is not None)
        return {key: record for key, record in records if record is not None}

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """See `Store.update`. A conflict's record comes with the same answer."""
        drawn_then, owner_then, until = version_of(expected_version)
        text, drawn, owner = text_of(key), urandom(_DRAWN_BYTES), record.owner
        lists = owner is not None and (owner != owner_then or record.expires_at > until)
        if owner is None:
            until = 0
        elif lists:
            until = index_deadline(record.expires_at, now)
        sets = self._listed(owner if lists else None, text, until, now)
        listing = until if sets else 0
        if owner != owner_then:
            sets += self._unlisted(owner_then)
        value = pack(record, drawn, until)
        arguments = (now, value, _seconds(record.expires_at, now), drawn_then, text, listing)
        outcome = self._run(UPDATE, (*self._names(text, drawn), *sets), arguments)
        if outcome == 1:
            return Updated((drawn, owner, until))
        return Gone() if outcome is None else Conflict(unpack(outcome))

    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """See `Store.touch`."""
        drawn_then, owner, until = version_of(expected_version)
        text, deadline = text_of(key), index_deadline(expires_at, now)
        sets = self._listed(owner if expires_at > until else None, text, deadline, now)
        arguments = (now, EXPIRES_AT.pack(expires_at), _seconds(expires_at, now), drawn_then, text, deadline)
        return bool(self._run(TOUCH, (b"%b%b}" % (self._before_key, text), *sets), arguments))

    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """See `Store.delete`. Outside of a Cluster the record leaves its owner's index in the same step."""
        drawn_then, owner, _ = (b"", None, 0) if expected_version is None else version_of(expected_version)
        text = text_of(key)
        names = self._names(text, urandom(_DRAWN_BYTES))
        before_owner = b"" if self._cluster else self._before_owner
        outcome = self._run(DELETE, (*names, *self._unlisted(owner)), (drawn_then, text, before_owner))
        if self._cluster and isinstance(outcome, bytes) and outcome:
            # The session has ended. Where this fails, the entry stays until its deadline, and listing sees through it.
            with suppress(StoreUnavailable):
                run(self._execute, "ZREM", self._set_of(outcome), text)
        return outcome is not None

    def delete_expired(self, *, now: int, limit: int) -> int:  # noqa: ARG002 (Redis does it by itself)
        """See `Store.delete_expired`."""
        return 0

    def records_of(self, owner: bytes, *, now: int, limit: int, cursor: bytes | None = None) -> Page:
        """See `Store.records_of`. Roughly in the order of their last use, and at most 100 records a page.

        Redis does nothing else while it lists a page: half a millisecond for 100 records.
        """
        position = self._cursors.position(owner, limit, cursor) or _BEGINNING
        asked = min(limit, MOST_ENTRIES)
        entries = (self._entries_in_cluster if self._cluster else self._entries)(owner, position, asked, now)
        for entry in entries:
            if entry.stays:
                position = b"%b %b" % (entry.score, entry.text)
        records = {key_of(entry.text): entry.record for entry in entries if entry.record is not None}
        return Page(records, self._cursors.after(owner, position) if len(entries) == asked else None)

    def count_of(self, owner: bytes, *, now: int, most: int) -> int:
        """See `Store.count_of`. One script, if `most` is at most 1,000. In a Cluster the records are listed."""
        if self._cluster or most > MOST_COUNTED:
            return super().count_of(owner, now=now, most=most)
        return cast("int", self._oldest(owner, now, most, 0)[0])

    def oldest_of(self, owner: bytes, *, now: int, limit: int, among: int) -> dict[bytes, Record]:
        """See `Store.oldest_of`. `among` is at most 1,000. In a Cluster the records are listed."""
        if self._cluster:
            return super().oldest_of(owner, now=now, limit=limit, among=among)
        found = self._oldest(owner, now, min(among, MOST_COUNTED), limit)
        return {key_of(text): unpack(head) for text, head in zip(found[1::2], found[2::2], strict=True)}

    def _oldest(self, owner: bytes, now: int, among: int, limit: int) -> list[Any]:
        found: list[Any] = self._run(OLDEST, (self._set_of(owner),), (now, among, limit, owner, self._before_key))
        return found

    def close(self) -> None:
        """Close the client's idle connections; a later call opens new ones."""
        _disconnect(self._client)

    def _run(self, script: Script, keys: tuple[bytes, ...], arguments: tuple[Any, ...]) -> Any:
        return run_script(self._execute, script, keys=keys, arguments=arguments)

    def _names(self, text: bytes, drawn: bytes) -> tuple[bytes, bytes]:
        """Return the names of a record and of the mark of one write to it."""
        name = b"%b%b}" % (self._before_key, text)
        return name, b"%b:%b" % (name, hexlify(drawn))

    def _set_of(self, owner: bytes) -> bytes:
        return self._before_owner + text_of(owner)

    def _listed(self, owner: bytes | None, text: bytes, until: int, now: int) -> tuple[bytes, ...]:
        """Return the set that a script is to list a record in; in a Cluster list it now, before the record is there."""
        if owner is None:
            return ()
        if self._cluster:
            self._run(INDEX, (self._set_of(owner),), (now, text, until))
            return ()
        return (self._set_of(owner),)

    def _unlisted(self, owner: bytes | None) -> tuple[bytes, ...]:
        """Return the set that a script is to take a record from; a Cluster's outlasts it, and listing checks."""
        return () if owner is None or self._cluster else (self._set_of(owner),)

    def _values(self, names: list[bytes]) -> Iterable[bytes | None]:
        if not names:
            return ()
        if not isinstance(self._client, Cluster):
            return cast("list[bytes | None]", run(self._execute, "MGET", *names))
        pipeline = self._client.pipeline()
        for name in names:
            pipeline.execute_command("GET", name)
        return cast("list[bytes | None]", run(pipeline.execute))

    def _entries(self, owner: bytes, position: bytes, asked: int, now: int) -> list[_Entry]:
        score, _, member = position.partition(b" ")
        arguments = (now, asked, score, member, owner, self._before_key)
        found = self._run(LIST, (self._set_of(owner),), arguments)
        entries = zip(found[::3], found[1::3], found[2::3], strict=True)
        return [_Entry(text, at, _alive(head, now) if head else None, bool(head)) for text, at, head in entries]

    def _entries_in_cluster(self, owner: bytes, position: bytes, asked: int, now: int) -> list[_Entry]:
        score, _, member = position.partition(b" ")
        found = self._run(ENTRIES, (self._set_of(owner),), (now, asked, score, member))
        records = self.load_many([key_of(text) for text in found[::2]], now=now)
        entries = ((text, at, records.get(key_of(text))) for text, at in zip(found[::2], found[1::2], strict=True))
        # What is listed and not there is left alone: it may be a record that is about to be written.
        return [
            _Entry(text, at, record._replace(payload=b"") if record and record.owner == owner else None, stays=True)
            for text, at, record in entries
        ]


def open_url(parts: SplitResult, must_exist: bool) -> Store:  # noqa: ARG001 (a database is always there)
    """Open the store that a URL names; see `cookiesess.stores.urls.open_store`."""
    client, settings = client_of(parts)
    store = RedisStore(client, **settings)
    finalize(store, _disconnect, client)  # nobody else has it, and of a Cluster's sockets a warning would come
    return store


def _disconnect(client: Client) -> None:
    """Close a client's idle connections; in a forked child, where they are the parent's, the pools notice."""
    if isinstance(client, Cluster):
        clients = [client.get_redis_connection(node) for node in client.get_nodes()]
    else:
        clients = [client]
    for each in clients:
        each.connection_pool.disconnect(inuse_connections=False)


def _seconds(expires_at: int, now: int) -> int:
    """Return for how long Redis is to keep a record; it refuses less than a second, and `_alive` has the last word."""
    return max(expires_at - now, 1)


def _alive(value: bytes, now: int) -> Record | None:
    record = unpack(value)
    return record if record.expires_at > now else None
