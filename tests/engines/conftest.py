"""The servers of all engines."""

from kit.servers.mariadb import mariadb_database, mariadb_server, mariadb_store_url  # noqa: F401
from kit.servers.memcached import make_memcached, memcached_pair, memcached_server, memcached_store  # noqa: F401
from kit.servers.postgresql import postgresql_database, postgresql_server, postgresql_store_url  # noqa: F401
from kit.servers.redis import guarded_redis, redis_pair, redis_store, shared_cluster, shared_redis  # noqa: F401
