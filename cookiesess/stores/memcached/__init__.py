"""Sessions in Memcached, which keeps them only in memory, and may drop them early."""

from cookiesess.stores.memcached.store import MemcachedStore

__all__ = ["MemcachedStore"]
