"""How `RedisStore` checks a client and its server before it uses them, and what their errors mean."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar

from cookiesess.errors import ConfigurationError, MissingDependency, StoreUnavailable
from cookiesess.stores.redis.scripts import Script

try:
    import redis
    from redis import exceptions
    from redis.sentinel import MasterNotFoundError
except ImportError as error:
    raise MissingDependency("redis", extra="redis") from error

Server = redis.Redis
Cluster = redis.RedisCluster
Client = Server | Cluster
# Each is a client by its class, and no client by what it does.
_PIPELINES: Final = (redis.client.Pipeline, redis.cluster.ClusterPipeline)
T = TypeVar("T")

# GETRANGE, ZADD GT and the rest are there since; Valkey and Redis 7 name a later one.
_OLDEST: Final = (6, 2)

# redis-py has two roots, and neither is the other's. The third: while a primary fails, its Cluster client before 7.4
# closes connections that another thread is reading from, which then finds None where its parser was.
_ERRORS: Final = (exceptions.RedisError, exceptions.RedisClusterException, AttributeError)

# What an error means and what to do about it, in words for whoever runs the app; the first that fits.
_REMEDIES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        exceptions.AuthenticationError,
        "Redis refused the user name or the password; set both in the client, or percent-encoded in the URL",
    ),
    (
        exceptions.NoPermissionError,
        "this Redis user lacks rights: it needs +@read +@write +@scripting +@connection +info +cluster +command on ~*",
    ),
    (
        exceptions.ReadOnlyError,
        "this Redis server has become a replica; give the primary's address, or follow it by Sentinel or Cluster",
    ),
    (
        exceptions.OutOfMemoryError,
        "the Redis server's memory is full and it evicts nothing; raise its maxmemory, or shorten the idle timeout",
    ),
    (exceptions.BusyLoadingError, "the Redis server has just started and is loading its data; it answers afterwards"),
    (
        exceptions.ClusterDownError,
        "a part of the Redis Cluster has no primary; see CLUSTER INFO, and whether each primary has a replica",
    ),
    (
        exceptions.MaxConnectionsError,
        "all connections that the Redis client may open are in use; raise its max_connections to the number of threads",
    ),
    (MasterNotFoundError, "no Sentinel answered, or none knows a primary under the service name"),
    (exceptions.TimeoutError, "Redis did not answer within the client's timeout; see whether the server is overloaded"),
    (exceptions.ConnectionError, "there is no connection to Redis; see whether it runs and the address is right"),
)
_REFUSED: Final = "Redis refused a command; its own words are in the cause of this error"

# What will not mend by itself, and so is a matter of the set-up where it is met at construction.
_NO_DATABASE: Final = "DB index"  # the server's words; they have no code
_SETUP_ERRORS: Final = (exceptions.AuthenticationError, exceptions.NoPermissionError)


def run(execute: Callable[..., Any], *command: Any) -> Any:
    """Run one command.

    Raises:
        StoreUnavailable: Whatever the client raised is its cause.
    """
    try:
        return execute(*command)
    except _ERRORS as error:
        raise unavailable(error) from error


def run_script(
    execute: Callable[..., Any], script: Script, *, keys: tuple[bytes, ...], arguments: tuple[Any, ...]
) -> Any:
    """Run a script by its name; where the server does not know it (any more), once by its text, which teaches it.

    A server forgets its scripts by a restart or SCRIPT FLUSH, and the replica that takes over has never known them.

    Raises:
        StoreUnavailable: Whatever the client raised is its cause.
    """
    try:
        try:
            return execute("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except exceptions.NoScriptError:
            return execute("EVAL", script.text, len(keys), *keys, *arguments)
        except exceptions.ClusterError as error:
            # The client gives up like this, after half a second, on a slot that is being moved to another node.
            if isinstance(error, exceptions.ClusterDownError):
                raise
            return execute("EVAL", script.text, 1, keys[0], *arguments)
    except _ERRORS as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> StoreUnavailable:
    """Return what a client's error means."""
    told = _told(error)
    return StoreUnavailable(next((remedy for kind, remedy in _REMEDIES if isinstance(told, kind)), _REFUSED))


def set_up(action: Callable[[], T]) -> T:
    """Do something with a server for the first time.

    Raises:
        ConfigurationError: The server does not let this user in, or do what a store does.
        StoreUnavailable: It does not answer, or not now.
    """
    try:
        return action()
    except _ERRORS as error:
        if _NO_DATABASE in str(error):
            raise ConfigurationError(
                "this Redis server has no database of that number; take 0, or raise its `databases`"
            ) from error
        kind = ConfigurationError if isinstance(_told(error), _SETUP_ERRORS) else StoreUnavailable
        raise kind(str(unavailable(error))) from error


def evicts(client: Client) -> bool:
    """Examine a client and its server; return whether the server may drop records that have not expired.

    Raises:
        ConfigurationError: See `RedisStore`.
        StoreUnavailable: The server does not answer.
    """
    _check_kind(client)
    infos = set_up(lambda: _infos(client))
    for info in infos:
        _check_server(info, cluster=isinstance(client, Cluster))
    set_up(lambda: _try_script(client))
    return any(_evicts(info) for info in infos)


def _told(error: Exception) -> BaseException:
    """Return the error that says most: a Cluster client wraps what the last node said."""
    wrapped = isinstance(error, exceptions.RedisClusterException) and error.__cause__
    return wrapped or error


def _check_kind(client: Client) -> None:
    if isinstance(client, _PIPELINES) or not isinstance(client, Client):
        _refuse_kind(client)
    if client.get_encoder().decode_responses:
        raise ConfigurationError("the client has decode_responses=True, and records are bytes; give one without it")
    server = _one_server(client)
    retry = server.get_retry()
    if retry is not None and retry.get_retries() < 0:
        _refuse_endless("retry")
    if server.get_cache() is not None:
        raise ConfigurationError("the client caches what it reads, also sessions that have ended; leave the cache out")
    if isinstance(client, Cluster):
        replicas = client.read_from_replicas or client.load_balancing_strategy is not None
    else:
        replicas = not getattr(client.connection_pool, "is_master", True)
    if replicas:
        raise ConfigurationError(
            "the client reads from replicas, which lag behind: a session that was ended would live there for longer;"
            " leave read_from_replicas, load_balancing_strategy and slave_for out"
        )


def _refuse_kind(client: object) -> NoReturn:
    kind = type(client)
    came, remedy = f"a {kind.__name__}", "give a redis.Redis or a redis.RedisCluster"
    if ".asyncio" in kind.__module__:
        came = f"an asynchronous {kind.__name__}, and the store is synchronous"
    elif isinstance(client, _PIPELINES):
        remedy = "it collects commands instead of running them; give the client that it is from"
    elif isinstance(client, str):
        remedy = "a URL's store is made with open_store(URL)"
    raise ConfigurationError(f"client is {came}; {remedy}")


def _infos(client: Client) -> list[Mapping[str, Any]]:
    """Check how long the client waits, and ask the server, or each primary, what it is."""
    _check_waiting(_one_server(client))
    if not isinstance(client, Cluster):
        return [client.execute_command("INFO")]
    return [client.execute_command("INFO", target_nodes=node) for node in client.get_primaries()]


def _try_script(client: Client) -> None:
    """See that the server runs scripts, which every write is."""
    command = ("EVAL", "return 1", 0)
    try:
        if isinstance(client, Cluster):
            client.execute_command(*command, target_nodes=client.get_default_node())
        else:
            client.execute_command(*command)
    except exceptions.NoPermissionError:
        raise  # its own message says what the user needs
    except exceptions.ResponseError as error:
        raise ConfigurationError(
            "this Redis server runs no scripts, and every write of the store is one; allow EVAL and EVALSHA"
            " (rename-command, or what the provider calls scripting)"
        ) from error


def _one_server(client: Client) -> Server:
    """Return the client, or of a Cluster's clients one: they are all set up alike."""
    return client.get_redis_connection(client.get_default_node()) if isinstance(client, Cluster) else client


def _check_waiting(client: Server) -> None:
    # Read off a connection, since what a client leaves out its connections fill in, each version in its way.
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        if connection.socket_timeout is None:  # which is also what a connect waits for, unless it has its own
            _refuse_endless("socket_timeout")
        if getattr(pool, "timeout", 0) is None:
            _refuse_endless("blocking pool's timeout")
    finally:
        pool.release(connection)


def _refuse_endless(settings: str) -> None:
    raise ConfigurationError(
        f"the client waits for ever if Redis does not answer; set its {settings}, such as to 2 seconds and one retry"
    )


def _check_server(info: Mapping[str, Any], *, cluster: bool) -> None:
    mode, role = info.get("redis_mode"), info.get("role")
    version = str(info.get("redis_version", ""))
    if mode == "sentinel":
        raise ConfigurationError(
            "this is a Redis Sentinel; give the client of Sentinel.master_for, or a redis+sentinel: URL"
        )
    if mode == "cluster" and not cluster:
        raise ConfigurationError(
            "this Redis server is part of a Cluster; give a redis.RedisCluster, or a redis+cluster: URL"
        )
    if role == "slave":
        raise ConfigurationError(
            "this Redis server is a replica, and a store writes; give the primary's address, or follow it by Sentinel"
        )
    if version and tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise ConfigurationError(f"the Redis server has version {version}; upgrade it to 6.2 or newer")


def _evicts(info: Mapping[str, Any]) -> bool:
    # Hosted servers may hide the limit, but hardly have none.
    return info.get("maxmemory") != 0 and info.get("maxmemory_policy", "noeviction") != "noeviction"
