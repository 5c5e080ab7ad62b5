"""Sessions in Redis or Valkey: one server, a primary that Sentinels watch over, or a Cluster."""

from cookiesess.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
