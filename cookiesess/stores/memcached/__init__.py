"""Sessions in Memcached: on servers that keep nothing but memory, and forget by themselves."""

from cookiesess.stores.memcached.store import MemcachedStore

__all__ = ["MemcachedStore"]
