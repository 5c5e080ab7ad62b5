"""Sessions in an SQL database that you already have: PostgreSQL, MySQL, MariaDB, or SQLite through SQLAlchemy."""

from cookiesess.errors import MissingDependency

try:
    import sqlalchemy as _  # noqa: F401 (before the modules below, which all need it)
except ImportError as error:
    raise MissingDependency("sqlalchemy", extra="sql") from error

from cookiesess.stores.sql.schema import create_schema, sessions_table
from cookiesess.stores.sql.store import SQLStore, migrate

__all__ = ["SQLStore", "create_schema", "migrate", "sessions_table"]
