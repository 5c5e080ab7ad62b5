"""The servers of all engines."""

from engines.mariadb_server import mariadb_database, mariadb_server, mariadb_store_url  # noqa: F401
from engines.memcached_server import make_memcached, memcached_pair, memcached_server, memcached_store  # noqa: F401
from engines.postgresql_server import postgresql_database, postgresql_server, postgresql_store_url  # noqa: F401
from engines.redis_server import guarded_redis, redis_pair, redis_store, shared_cluster, shared_redis  # noqa: F401
