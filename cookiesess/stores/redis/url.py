"""A Redis client from a URL: one server, Sentinels or a Cluster, with and without TLS.

==========================================  ========================================================================
``redis://user:password@host:6379/0``       one server, and the number of its database
``redis+sentinel://host,host/service/0``    the primary that Sentinels know under a service name; their port is 26379
``redis+cluster://host:6379,host:6379``     a Cluster, by one of its nodes or several
``redis+unix:///run/redis.sock``            one server on this machine, by its socket
``rediss://``, ``rediss+sentinel://``, …    the same by TLS
==========================================  ========================================================================

User and password may be left out and are percent-encoded. Parameters, as a query: ``connect_timeout`` and ``timeout``
in seconds (2 and 2), ``prefix`` (``cookiesess:``), ``max_connections`` (redis-py's own default), and for TLS
``ca_file``, the certificates to trust instead of the system's; for a socket ``database`` (0). Whoever needs more gives
`RedisStore` a client.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry
from redis.sentinel import Sentinel

from cookiesess.errors import ConfigurationError
from cookiesess.stores.parameters import COUNT, SECONDS, TEXT, read_parameters
from cookiesess.stores.redis.client import Client, Cluster, Server, set_up

_FORMS = {
    "": "://user:password@host:6379/0",
    "cluster": "://user:password@host:6379,host:6379",
    "sentinel": "://user:password@host:26379,host:26379/service/0",
    "unix": ":///run/redis.sock?database=0",
}
_READERS = {
    "connect_timeout": SECONDS,
    "timeout": SECONDS,
    "prefix": TEXT,
    "max_connections": COUNT,
    "ca_file": TEXT,
}
_DEFAULT = timedelta(seconds=2)


@dataclass(frozen=True)
class _Target:
    """What a URL names.

    Attributes:
        scheme: The whole of it, for error messages.
        kind: What stands behind its "+": nothing, ``cluster`` or ``sentinel``.
        addresses: Hosts and ports, at least one.
        path: Its parts that are not empty.
        options: What each connection is opened with.
    """

    scheme: str
    kind: str
    addresses: list[tuple[str, int]]
    path: list[str]
    options: dict[str, Any] = field(repr=False)

    @property
    def database(self) -> int:
        """The number at the end of the path; 0 where there is none."""
        text = (self.path[-1:] or ["0"])[0]
        return int(text) if text.isdecimal() else self.refuse()

    def refuse(self) -> NoReturn:
        """Raise for a URL whose form is another one."""
        # One that is not known may be anything, the end of a password too.
        scheme = self.scheme if self.kind in _FORMS else self.scheme.partition("+")[0]
        raise ConfigurationError(f"a {scheme}: URL is written as {scheme}{_FORMS.get(self.kind, _FORMS[''])}")


def client_of(parts: SplitResult) -> tuple[Client, dict[str, Any]]:
    """Return the client that a URL names, and the settings of the store in it.

    Raises:
        ConfigurationError: The URL is not written as it should be; the message holds nothing of it but the scheme.
        StoreUnavailable: A Cluster's nodes do not answer; the others are not asked yet.
    """
    tls, kind = parts.scheme.startswith("rediss"), parts.scheme.partition("+")[2]
    readers = _READERS | ({"database": COUNT} if kind == "unix" else {})
    parameters = read_parameters(parts, **readers)
    settings = {"prefix": parameters.pop("prefix")} if "prefix" in parameters else {}
    options = _options(parts, parameters, tls=tls)
    path = [unquote(part) for part in parts.path.split("/") if part]
    addresses = (
        [] if kind == "unix" and not parts.hostname else _addresses(parts, 26379 if kind == "sentinel" else 6379)
    )
    target = _Target(parts.scheme, kind, addresses, path, options)
    return _OPENERS.get(kind, _Target.refuse)(target), settings


def _options(parts: SplitResult, parameters: dict[str, Any], *, tls: bool) -> dict[str, Any]:
    """Return what each connection is opened with.

    One retry, at once: it bridges a connection that was dropped, by a restart, a failover or a proxy. What a server
    that hangs costs a request is bounded by two timeouts and two connects.
    """
    if "ca_file" in parameters and not tls:
        raise ConfigurationError("ca_file is for TLS; write the scheme as rediss: or leave ca_file out")
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    options = {
        "socket_connect_timeout": _positive(parameters, "connect_timeout"),
        "socket_timeout": _positive(parameters, "timeout"),
        "retry": Retry(NoBackoff(), 1),
        "max_connections": parameters.get("max_connections"),
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "ssl": tls or None,
        "ssl_ca_certs": parameters.get("ca_file"),
        "db": parameters.get("database"),
    }
    return {name: value for name, value in options.items() if value is not None}


def _positive(parameters: dict[str, Any], name: str) -> float:
    seconds: float = parameters.get(name, _DEFAULT).total_seconds()
    if seconds <= 0:
        raise ConfigurationError(f"{name} is {seconds} seconds; it must be above zero, such as 2")
    return seconds


def _addresses(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    addresses = []
    for text in parts.netloc.rpartition("@")[2].split(","):
        try:
            one = urlsplit(f"//{text}")
            addresses.append((one.hostname or "", one.port or port))
        except ValueError:
            # Not chained: the parser's own message quotes what may be the end of a password.
            raise ConfigurationError(f"a host in the {parts.scheme}: URL is not written as host:port") from None
    if not all(host for host, _ in addresses):
        raise ConfigurationError(
            f"the {parts.scheme}: URL names no host, or an empty one; a server's socket is redis+unix:///run/redis.sock"
        )
    return addresses


def _single(target: _Target) -> Client:
    if len(target.addresses) != 1 or len(target.path) > 1:
        target.refuse()
    host, port = target.addresses[0]
    return Server(host, port, target.database, **target.options)


def _unix(target: _Target) -> Client:
    if target.scheme != "redis+unix" or target.addresses or not target.path:
        target.refuse()
    return Server(unix_socket_path="/" + "/".join(target.path), **target.options)


def _cluster(target: _Target) -> Client:
    if target.path:
        target.refuse()
    nodes = [ClusterNode(host, port) for host, port in target.addresses]
    return set_up(lambda: Cluster(startup_nodes=nodes, **target.options))


def _sentinel(target: _Target) -> Client:
    if not 1 <= len(target.path) <= 2:
        target.refuse()
    service, *database = target.path
    number = target.database if database else 0
    # User and password are the server's: Sentinels have none, unless they are given their own.
    own = {name: value for name, value in target.options.items() if name.startswith(("socket_", "ssl"))}
    sentinel = Sentinel(target.addresses, sentinel_kwargs=own | {"retry": Retry(NoBackoff(), 0)})
    client: Server = sentinel.master_for(service, db=number, **target.options)
    return client


_OPENERS: dict[str, Callable[[_Target], Client]] = {
    "": _single,
    "cluster": _cluster,
    "sentinel": _sentinel,
    "unix": _unix,
}
