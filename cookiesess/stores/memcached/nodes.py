"""The servers behind a pymemcache client: which of them holds a key, and what their errors mean."""

import math
import os
from collections.abc import Iterable
from contextlib import suppress
from copy import copy
from typing import Any, Final
from weakref import WeakSet

from cookiesess.errors import ConfigurationError, MissingDependency, RecordTooLarge, StoreUnavailable

try:
    # pymemcache is annotated in part, and does not say so (it has no py.typed).
    from pymemcache import Client, HashClient, PooledClient  # type: ignore[import-untyped]
    from pymemcache.client.rendezvous import RendezvousHash  # type: ignore[import-untyped]
    from pymemcache.exceptions import (  # type: ignore[import-untyped]
        MemcacheClientError,
        MemcacheError,
        MemcacheServerError,
        MemcacheUnexpectedCloseError,
    )
    from pymemcache.serde import LegacyWrappingSerde  # type: ignore[import-untyped]
except ImportError as error:
    raise MissingDependency("pymemcache", extra="memcached") from error

# The connection was closed by the other side; not a timeout, after which the server may still be about to do it.
_CLOSED: Final = (ConnectionError, MemcacheUnexpectedCloseError)
# What the client raises when the server, the network or the pool fails; the last three are a pool that is exhausted and
# answers that cannot be read.
_FAILURES: Final = (OSError, MemcacheError, RuntimeError, ValueError, LookupError)
_TOO_LARGE: Final = b"object too large for cache"
_LARGER_ITEMS: Final = "start memcached with a larger -I: it takes 1 MiB by default, its own header included"
_PLAIN: Final = LegacyWrappingSerde(None, None)
# Firewalls forget idle connections without a word, most after some minutes; what is sent over one then runs into the
# timeout.
_IDLE_SECONDS: Final = 60


class Nodes:
    """Asks the server that holds a key. Thread-safe.

    Never another one: `HashClient` takes a server that fails out of the ring, and sends its keys to the others. What
    was ended there would live again as soon as the server is back, and what is written meanwhile would be lost. So its
    commands are not used, but its servers and its hasher, as they were at the start: a key stands where the
    `HashClient` itself would put it, and its server answers or the call fails.

    Args:
        client: A `PooledClient`, or a `HashClient` with ``use_pooling=True``.

    Raises:
        ConfigurationError: It is neither, or set up in a way that sessions cannot be kept with.
    """

    def __init__(self, client: object) -> None:
        self._nodes = _nodes_of(client)
        self._hasher = _own_hasher(client) if isinstance(client, HashClient) else None
        for node in self._nodes.values():
            _check(node)
        _all.add(self)

    def __str__(self) -> str:
        return ", ".join(self._nodes)

    @property
    def key_prefix_bytes(self) -> int:
        """The length of what the client itself puts before each key."""
        return max(len(node.key_prefix) for node in self._nodes.values())

    def ask(self, verb: str, name: str, *arguments: object, **options: object) -> tuple[Any, bool]:
        """Run a client's command on the server of the key `name`.

        Returns:
            The answer; and whether the command was repeated, so that the server may have done it twice.

        Raises:
            StoreUnavailable: It failed; the client's error is the cause. It may have been done all the same.
            RecordTooLarge: The value is too large for the server. It was not done.
        """
        return self._ask(self._of(name), verb, name, *arguments, **options)

    def read_many(self, names: Iterable[str]) -> dict[str, tuple[bytes, bytes]]:
        """Return value and token of each key that exists; one command to each server that holds some of them."""
        by_node: dict[str, list[str]] = {}
        for name in names:
            by_node.setdefault(self._of(name), []).append(name)
        found: dict[str, tuple[bytes, bytes]] = {}
        for address, those in by_node.items():
            found.update(self._ask(address, "gets_many", those)[0])
        return found

    def check(self) -> None:
        """Raise `StoreUnavailable` unless every server answers; leaves no connection open."""
        try:
            for address in self._nodes:
                self._ask(address, "version")
        finally:
            self.close_idle()

    def close_idle(self) -> None:
        """Close the connections that nobody is using."""
        for node in self._nodes.values():
            _close_idle(node)

    def leave_to_parent(self) -> None:
        """Close this process's copies of connections that a fork has duplicated."""
        _close_all(self._nodes)

    def _of(self, name: str) -> str:
        if self._hasher is None:
            return next(iter(self._nodes))
        address: str = self._hasher.get_node(name)
        return address

    def _ask(self, address: str, verb: str, *arguments: Any, **options: object) -> tuple[Any, bool]:
        node = self._nodes[address]
        command = getattr(node, verb)
        try:
            try:
                return command(*arguments, **options), False
            except _CLOSED:
                # Most often the server restarted, or closed what was idle: then all idle connections are stale, and
                # the client, which repeats nothing itself, would fail one request for each. Repeating is harmless, also
                # if the first try was done or comes late: what compares tokens does nothing twice, and whether what
                # stands there is one's own can be seen from its version.
                _close_idle(node)
                return command(*arguments, **options), True
        except _FAILURES as error:
            if isinstance(error, MemcacheServerError) and _TOO_LARGE in error.args:
                raise RecordTooLarge(len(arguments[1]), None, remedy=_LARGER_ITEMS) from error
            raise StoreUnavailable(f"memcached at {address} failed: {_words(error)}") from error


def client_of(addresses: list[tuple[str, int]], *, connect_timeout: float, timeout: float) -> Any:
    """Return a client of servers by host and port, as `Nodes` takes it; timeouts in seconds."""
    settings: dict[str, Any] = {
        "connect_timeout": connect_timeout,
        "timeout": timeout,
        "no_delay": True,
        "pool_idle_timeout": _IDLE_SECONDS,
        "default_noreply": False,
    }
    if len(addresses) == 1:
        return PooledClient(addresses[0], **settings)
    return HashClient(addresses, use_pooling=True, **settings)


def close_all(client: object) -> None:
    """Close all connections of a client that nobody uses any more."""
    _close_all(_nodes_of(client))


def _nodes_of(client: Any) -> dict[str, Any]:
    return dict(client.clients) if isinstance(client, HashClient) else {_address(client): client}


def _own_hasher(client: Any) -> Any:
    if client.ignore_exc:
        raise _swallows()
    if not isinstance(client.hasher, RendezvousHash):
        raise ConfigurationError(
            f"the HashClient's hasher is a {type(client.hasher).__name__}; sessions are kept with RendezvousHash, its"
            " default"
        )
    if not client.clients:
        raise ConfigurationError("the HashClient has no servers; give it at least one")
    hasher = copy(client.hasher)
    # All of them: those that the client has just marked as dead are not in its own list.
    hasher.nodes = list(client.clients)
    return hasher


def _check(client: Any) -> None:
    if isinstance(client, Client):
        raise ConfigurationError(
            "a pymemcache Client is not safe among threads; use PooledClient, or HashClient(..., use_pooling=True)"
        )
    if not isinstance(client, PooledClient):
        raise ConfigurationError(
            f"client is a {type(client).__name__}; MemcachedStore takes pymemcache's PooledClient for one server, or"
            " HashClient(..., use_pooling=True) for several (without a RetryingClient around it)"
        )
    if client.ignore_exc:
        raise _swallows()
    for name in ("connect_timeout", "timeout"):
        seconds = getattr(client, name)
        if not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
            raise ConfigurationError(
                f"the client's {name} is {seconds!r}, and a request could wait for ever; give it seconds above zero,"
                f" such as {name}=2"
            )
    if not _is_plain(client.serde):
        raise ConfigurationError(
            "the client has a serde, serializer or deserializer; records are bytes already, and one that unpickles"
            " would run what anybody writes into Memcached: leave it out"
        )


def _swallows() -> ConfigurationError:
    return ConfigurationError(
        "the client has ignore_exc=True, so that a server which is down would look like sessions which are gone; set"
        " ignore_exc=False"
    )


def _is_plain(serde: Any) -> bool:
    """Whether it is what a client has without one: it hands bytes through, and nothing else."""
    return all(
        getattr(getattr(serde, name), "__func__", None) is getattr(_PLAIN, name).__func__
        for name in ("serialize", "deserialize")
    )


def _address(client: Any) -> str:
    server = getattr(client, "server", "")
    return "{}:{}".format(*server) if isinstance(server, tuple) else server


def _close_idle(node: Any) -> None:
    # Not node.close(), which also closes those that other threads are using.
    pool = node.client_pool
    with suppress(RuntimeError):  # the pool is at its limit: by now there is nothing idle
        for _ in pool.free:
            pool.destroy(pool.get())


def _close_all(nodes: dict[str, Any]) -> None:
    # Without the pool's lock, which a thread may have held that a fork has left behind.
    for node in nodes.values():
        for connection in (*node.client_pool.free, *node.client_pool.used):
            connection.close()


def _words(error: Exception) -> str:
    """What the error says, if it is the system's or the server's own word; other texts may hold bytes of a record."""
    if type(error) in (MemcacheClientError, MemcacheServerError):  # not those derived from them
        return str(error.args[0], "ascii", "replace")
    if isinstance(error, RuntimeError):
        return "all connections that the client's max_pool_size allows are in use"
    return str(error) if isinstance(error, OSError) and str(error) else type(error).__name__


# Two processes on one connection would read each other's answers: other people's sessions.
_all: WeakSet[Nodes] = WeakSet()


def _after_fork_in_child() -> None:
    for nodes in list(_all):
        nodes.leave_to_parent()


if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows has no fork)
    os.register_at_fork(after_in_child=_after_fork_in_child)
