"""Sessions in an SQL database that is there already: PostgreSQL, MySQL, MariaDB, or SQLite through SQLAlchemy."""

from cookiesess.stores.sql.schema import create_schema, sessions_table
from cookiesess.stores.sql.store import SQLStore, migrate

__all__ = ["SQLStore", "create_schema", "migrate", "sessions_table"]
