"""Sessions in one SQLite file: the embedded default for one machine."""

from cookiesess.stores.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
