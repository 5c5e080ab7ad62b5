"""The store: each method of the contract as one command or script."""

from binascii import hexlify
from collections.abc import Hashable, Iterable
from contextlib import suppress
from os import urandom
from typing import Any, Final, cast
from urllib.parse import SplitResult

from cookiesess.errors import ConfigurationError, RecordExists, StoreUnavailable
from cookiesess.stores.base import Conflict, Gone, Record, Store, Updated
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
from cookiesess.stores.redis.scripts import CREATE, DELETE, INDEX, LIST, TOUCH, UPDATE, Script
from cookiesess.stores.redis.url import client_of

# Of versions and of marks. Two that are drawn for one record are the same once in 10^19 times.
_DRAWN_BYTES: Final = 8


class RedisStore(Store):
    """Sessions in Redis (6.2 or newer) or Valkey, for any number of processes and machines.

    Each verb is one round trip: a load a GET, the others a script. In a Cluster the owner's index lies on another node
    than the record. So there, and only for a session with an owner, these cost a second one: create, delete, a change
    of owner, and a touch or update when the index entry runs out, which is a day and an idle timeout after it was
    written. `load_many` is there one round trip to each node, at the same time, and `records_of` one more.

    What a server has acknowledged it keeps as well as it is told to: with ``appendonly yes`` and ``appendfsync always``
    a crash loses nothing, with ``everysec`` about a second, without a log all that came after the last snapshot.
    Replicas follow a moment later. A failover to one loses that moment: a new session may be missing, a change undone,
    an entry missing in an owner's index, *and a session that was ended be back*. ``min-replicas-to-write 1`` and a
    short ``min-replicas-max-lag`` bound it. While a Cluster moves a slot to another node, writes to the sessions in it
    take half a second longer.

    With a ``maxmemory`` and a ``maxmemory-policy`` other than ``noeviction`` the server drops sessions that have not
    expired; the store then has `evicts` True. That is looked up once, at construction. With ``noeviction`` a full
    server refuses what needs memory, and sessions can still be read, kept alive and ended. Sessions should not share a
    server with a cache.

    Threads and greenlets share the store: the client keeps a pool of connections. The app may be loaded first and
    forked then: the pool notices, and opens new ones.

    Args:
        client: A `redis.Redis` (also what ``Sentinel.master_for`` returns) or a `redis.RedisCluster`. It must have
            timeouts, and a request waits for up to that long at each of its tries: a minute in all by redis-py's
            defaults, which are ten retries of five seconds. ``socket_timeout=2, retry=Retry(NoBackoff(), 1)`` is
            what `open_store` gives. The store does not repeat anything by itself.
        prefix: What the names of all keys begin with: ASCII, without braces. Apps that share a database need one each.

    Attributes:
        evicts: See above.

    Raises:
        ConfigurationError: The client decodes responses, caches, reads from replicas or may wait for ever; the server
            is a replica, a Sentinel, part of a Cluster without the client being one, older than 6.2, or refuses the
            user, the password or a command; the prefix has braces or is not ASCII.
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
        """See `Store.delete`.

        A server that is not part of a Cluster takes the record from its owner's index in the same step if a version is
        given, which names the owner; else the entry stays, harmless, until the index is listed or its deadline.
        """
        drawn_then, owner, _ = (b"", None, 0) if expected_version is None else version_of(expected_version)
        text = text_of(key)
        names = self._names(text, urandom(_DRAWN_BYTES))
        outcome = self._run(DELETE, (*names, *self._unlisted(owner)), (drawn_then, text))
        if self._cluster and isinstance(outcome, bytes) and outcome:
            # The session has ended. Where this fails, the entry stays until its deadline, and listing sees through it.
            with suppress(StoreUnavailable):
                run(self._execute, "ZREM", self._set_of(outcome), text)
        return outcome is not None

    def delete_expired(self, *, now: int, limit: int) -> int:  # noqa: ARG002 (Redis does it by itself)
        """See `Store.delete_expired`."""
        return 0

    def records_of(self, owner: bytes, *, now: int) -> dict[bytes, Record]:
        """See `Store.records_of`."""
        if self._cluster:
            return self._records_in_cluster(owner, now)
        found = self._run(LIST, (self._set_of(owner),), (now, owner, self._before_key))
        heads = zip(found[::2], found[1::2], strict=True)
        records = ((key_of(text), _alive(head, now)) for text, head in heads)
        return {key: record for key, record in records if record is not None}

    def close(self) -> None:
        """Close the client's idle connections; a later call opens new ones."""
        if isinstance(self._client, Cluster):
            clients = [self._client.get_redis_connection(node) for node in self._client.get_nodes()]
        else:
            clients = [self._client]
        for client in clients:
            client.connection_pool.disconnect(inuse_connections=False)

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

    def _records_in_cluster(self, owner: bytes, now: int) -> dict[bytes, Record]:
        # What is listed and not there is left alone: it may be a record that is about to be written.
        texts = run(self._execute, "ZRANGEBYSCORE", self._set_of(owner), f"({now}", "+inf")
        records = self.load_many([key_of(text) for text in texts], now=now)
        return {key: record._replace(payload=b"") for key, record in records.items() if record.owner == owner}


def open_url(parts: SplitResult, must_exist: bool) -> Store:  # noqa: ARG001 (a database is always there)
    """Open the store that a URL names; see `cookiesess.stores.urls.open_store`."""
    client, settings = client_of(parts)
    return RedisStore(client, **settings)


def _seconds(expires_at: int, now: int) -> int:
    """Return for how long Redis is to keep a record; it refuses less than a second, and `_alive` has the last word."""
    return max(expires_at - now, 1)


def _alive(value: bytes, now: int) -> Record | None:
    record = unpack(value)
    return record if record.expires_at > now else None
