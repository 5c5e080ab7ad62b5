"""The store: each method of the contract by compare-and-set."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Hashable, Iterable
from datetime import timedelta
from os import urandom
from typing import Final, cast
from urllib.parse import SplitResult
from weakref import finalize

from cookiesess.errors import ConfigurationError, RecordExists, StoreUnavailable
from cookiesess.stores.base import Conflict, Gone, Record, Store, Updated
from cookiesess.stores.memcached.nodes import Nodes, client_of, close_all
from cookiesess.stores.memcached.value import NUMBER_BYTES, Version, exptime, moved, pack, unpack
from cookiesess.stores.parameters import SECONDS, TEXT, read_parameters, refuse_form

# The longest key of the protocol, and what 32 bytes are in base64url.
_MAX_KEY_BYTES: Final = 250
_KEY_BYTES: Final = 43
# How often a write is tried again when the item is changed while it is looked at, but not the record's version (which
# would be a conflict): by touches. More in a row than there can be requests at once means that something is wrong.
_MAX_TRIES: Final = 64
# What `gets` says of every item where the server runs without tokens.
_NO_TOKEN: Final = b"0"
# An expiry that has passed: the item is gone in the same step that compares its token.
_AT_ONCE: Final = -1


class MemcachedStore(Store):
    """Sessions in Memcached, for any number of processes and machines.

    **Memcached loses sessions.** When its memory is full, it drops the sessions that were used longest ago (`evicts`).
    When a server restarts, all its sessions end. Memcached cannot list its records, so there is no `sessions_of`, no
    `end_all` and no limit of sessions for each user. It does not say when it drops sessions: watch ``evictions`` in its
    ``stats``. It has no password: whoever can connect to it can end sessions, but can neither read nor forge them. Keep
    it in a private network.

    An ended session stays ended, also when servers fail and come back. If a server does not answer, only its own keys
    raise `StoreUnavailable`; they are never sent to another server. Therefore all processes must have the same list of
    servers, written alike. If you add or remove a server, some sessions belong to another server afterwards, and their
    users have to log in again. Danger: restart a server that you had removed before you add it again. Otherwise
    sessions that have ended meanwhile live again.

    A load, a create, a touch, a delete, and an update of a loaded record take one round trip. A second update in the
    same request takes two, because Memcached does not return the token of the first one.

    If the server has closed a connection, the store opens it again and repeats the command once; after a timeout it
    does not repeat it. The store takes only the servers, their settings and the hasher of a `HashClient`, once, when it
    is made. ``retry_attempts``, ``retry_timeout`` and ``dead_timeout`` have no effect here.

    Args:
        client: pymemcache's `PooledClient` for one server, or ``HashClient(..., use_pooling=True)`` for several, with
            ``connect_timeout`` and ``timeout`` (seconds, for each send and each receive), and without a serde.
        prefix: The text with which each key begins. Give each app that shares a server another one: printable ASCII
            without spaces; together with the client's own ``key_prefix`` at most 207 characters.

    Raises:
        ConfigurationError: The client would wait for ever, hide errors or unpickle, or is not safe among threads; or
            `prefix` cannot be part of a key. The servers are not asked, so an app can start while one is down.
    """

    evicts = True

    def __init__(self, client: object, *, prefix: str = "cookiesess:") -> None:
        self._nodes = Nodes(client)
        if not (prefix.isascii() and prefix.isprintable() and " " not in prefix):
            raise ConfigurationError(f"prefix is {prefix!r}; it may hold printable ASCII characters except the space")
        limit = _MAX_KEY_BYTES - _KEY_BYTES - self._nodes.key_prefix_bytes
        if len(prefix) > limit:
            raise ConfigurationError(f"prefix has {len(prefix)} characters, and there is room for {limit} in a key")
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"<MemcachedStore {self._nodes}>"

    def create(self, key: bytes, record: Record, *, now: int) -> None:
        """See `Store.create`."""
        name, number = self._name(key), urandom(NUMBER_BYTES)
        value, expire = pack(record, number), exptime(record.expires_at, now)
        for _ in range(_MAX_TRIES):
            if self._nodes.ask("add", name, value, expire=expire, noreply=False)[0]:
                return
            current = self._read(name)
            if current is None:
                continue
            found = _version_of(current)
            if found.number == number:
                return  # the answer to an `add` was lost, and it was repeated
            if current.expires_at > now:
                raise RecordExists("there is a record under this key already, and it was left as it is")
            if self._replace(name, value, found, expire)[0]:
                return
        raise _too_busy()

    def load(self, key: bytes, *, now: int) -> Record | None:
        """See `Store.load`."""
        record = self._read(self._name(key))
        return record if record is not None and record.expires_at > now else None

    def load_many(self, keys: Iterable[bytes], *, now: int) -> dict[bytes, Record]:
        """See `Store.load_many`. One round trip to each server that holds some of the keys, one after the other."""
        names = {self._name(key): key for key in keys}
        found = self._nodes.read_many(names)
        records = {names[name]: _record(*item) for name, item in found.items()}
        return {key: record for key, record in records.items() if record.expires_at > now}

    def update(self, key: bytes, record: Record, *, expected_version: Hashable, now: int) -> Updated | Conflict | Gone:
        """See `Store.update`. Two round trips if `expected_version` came from an update, not from a load."""
        name, number = self._name(key), urandom(NUMBER_BYTES)
        value, expire = pack(record, number), exptime(record.expires_at, now)
        seen = _seen(expected_version, now)
        for _ in range(_MAX_TRIES):
            if seen is None:
                current = self._read(name)
                if current is None:
                    return Gone()
                seen = _version_of(current)
                if seen.number == number:
                    return Updated(seen)  # the answer to a `cas` was lost, and it was repeated
                if current.expires_at <= now:
                    return Gone()
                if seen != expected_version:
                    return Conflict(current)
            if self._replace(name, value, seen, expire)[0]:
                return Updated(Version(number))
            seen = None
        raise _too_busy()

    def touch(self, key: bytes, *, expires_at: int, expected_version: Hashable, now: int) -> bool:
        """See `Store.touch`."""
        name, expire = self._name(key), exptime(expires_at, now)
        seen = _seen(expected_version, now)
        for _ in range(_MAX_TRIES):
            if seen is None:
                current = self._read(name)
                if current is None or current.expires_at <= now or current.version != expected_version:
                    return False
                seen = _version_of(current)
            if self._replace(name, moved(seen.value, expires_at), seen, expire)[0]:
                return True
            seen = None
        raise _too_busy()

    def delete(self, key: bytes, *, expected_version: Hashable = None) -> bool:
        """See `Store.delete`.

        Also True if the record is gone, and an earlier try of this call, whose answer was lost, may have deleted it.
        """
        name = self._name(key)
        if expected_version is None:
            return any(self._nodes.ask("delete", name, noreply=False))
        seen = _seen(expected_version)
        for _ in range(_MAX_TRIES):
            if seen is None:
                current = self._read(name)
                if current is None or current.version != expected_version:
                    return False
                seen = _version_of(current)
            stored, repeated = self._replace(name, b"", seen, _AT_ONCE)
            if stored or (stored is None and repeated):
                return True
            seen = None
        raise _too_busy()

    def delete_expired(self, *, now: int, limit: int) -> int:  # noqa: ARG002 (Memcached does it by itself)
        """Return 0: Memcached drops expired records by itself."""
        return 0

    def close(self) -> None:
        """Close the idle connections; a later call opens a new one."""
        self._nodes.close_idle()

    def check(self) -> None:
        """Check that every server answers, and leave no connection open.

        Raises:
            StoreUnavailable: A server does not answer.
        """
        self._nodes.check()

    def _name(self, key: bytes) -> str:
        return self._prefix + urlsafe_b64encode(key).rstrip(b"=").decode()

    def _read(self, name: str) -> Record | None:
        """Return the record, expired or not, with a version that knows its token."""
        value, token = self._nodes.ask("gets", name)[0]
        return None if token is None else _record(value, token)

    def _replace(self, name: str, value: bytes, seen: Version, expire: int) -> tuple[bool | None, bool]:
        """Return True, False for another token, None for no item; and whether it was repeated. Never creates."""
        return self._nodes.ask("cas", name, value, seen.token, expire=expire, noreply=False)


def open_url(parts: SplitResult, must_exist: bool) -> MemcachedStore:
    """Open ``memcached://host:port,host:port``.

    Parameters: ``connect_timeout`` and ``timeout`` in seconds, 2 each by default; ``prefix``.

    Args:
        parts: The URL. The port is 11211 where none is given; an IPv6 address stands in brackets.
        must_exist: Ask every server now; otherwise the first request does.

    Raises:
        ConfigurationError: The URL or a parameter cannot be read, or a server is named twice.
        StoreUnavailable: With `must_exist`, a server does not answer.
    """
    if parts.scheme != "memcached" or parts.path not in ("", "/"):
        refuse_form(parts, _FORM)
    settings = read_parameters(parts, connect_timeout=SECONDS, timeout=SECONDS, prefix=TEXT)
    timeouts = {name: settings.pop(name, _TIMEOUT).total_seconds() for name in ("connect_timeout", "timeout")}
    client = client_of(_addresses(parts), **timeouts)
    store = MemcachedStore(client, **settings)
    finalize(store, close_all, client)  # nobody else has it, and the garbage collector would warn of each socket
    if must_exist:
        store.check()
    return store


_FORM: Final = "memcached://host:port,host:port"
_TIMEOUT: Final = timedelta(seconds=2)
_PORT: Final = 11211
_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@\s]+))(?::([0-9]{1,5}))?")


def _addresses(parts: SplitResult) -> list[tuple[str, int]]:
    found = [_ADDRESS.fullmatch(text) for text in parts.netloc.split(",")]
    addresses = [(match[1] or match[2], int(match[3] or _PORT)) for match in found if match]
    if len(addresses) < len(found) or not all(0 < port < 1 << 16 for _, port in addresses):
        refuse_form(parts, f"{_FORM}, without a user or password, and with an IPv6 address in brackets")
    if len(set(addresses)) < len(addresses):
        raise ConfigurationError("a memcached: URL names a server twice; name each once")
    return addresses


def _record(value: bytes, token: bytes) -> Record:
    if token == _NO_TOKEN:
        raise StoreUnavailable(
            "memcached runs without tokens (-C), so that two requests could overwrite each other; start it without -C"
        )
    return unpack(value, token)


def _version_of(record: Record) -> Version:
    return cast("Version", record.version)


def _seen(version: Hashable, now: int | None = None) -> Version | None:
    """Return the version if it can be written by at once: it knows a token, and the record under that lives."""
    if isinstance(version, Version) and version.token is not None and (now is None or version.expires_at > now):
        return version
    return None


def _too_busy() -> StoreUnavailable:
    return StoreUnavailable(
        f"a session's item changed {_MAX_TRIES} times in a row while it was written, and its version did not; too many"
        " requests refresh it: lengthen Lifetime.refresh_after"
    )
