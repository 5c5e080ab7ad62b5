"""The statements of `SQLStore`, for any of its databases, and compiled once for the one at hand.

What SQLAlchemy spends on the execution of a statement, its cache included, is as much as a database on the same machine
takes to answer it. So its language is used, its connections and their pool are, and its execution is not.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

# What is true, or not "OFF", on a server that takes no writes.
_READ_ONLY = {
    "postgresql": "(pg_is_in_recovery() OR CAST(current_setting('transaction_read_only') AS boolean))",
    "mysql": "@@global.read_only",
    "mariadb": "@@global.read_only",
}


class Statement:
    """A compiled statement.

    Attributes:
        text: As the driver takes it.
    """

    __slots__ = ("_order", "text")

    def __init__(self, clause: sa.ClauseElement, dialect: sa.Dialect) -> None:
        compiled = clause.compile(dialect=dialect)
        self.text = str(compiled)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)

    def arrange(self, values: dict[str, object]) -> Any:
        """Return the parameters as the driver takes them: by name, or in the order of the text."""
        return values if self._order is None else tuple([values[name] for name in self._order])


class Statements:
    """All statements on one table.

    Those that read have in their last column whether the server is read-only, so that nobody need ask.

    Their parameters are ``key``, ``version`` (the expected one), ``now``, ``since`` (an expiry), ``owner_is``,
    ``after`` (a key), ``at_most``, ``among``, ``key_0`` and so on, and the new values of columns: ``new_key``, ….

    Args:
        table: Of `sessions_table`.
        dialect: Of the engine.
    """

    def __init__(self, table: sa.Table, dialect: sa.Dialect) -> None:
        self._table, self._dialect = table, dialect
        at = table.c
        same_key = at.key == sa.bindparam("key")
        same_version = at.version == sa.bindparam("version")
        alive, expired = at.expires_at > sa.bindparam("now"), at.expires_at <= sa.bindparam("now")
        listed = [at.expires_at, at.summary, at.owner, at.version]
        self._columns = [at.payload, *listed]  # in the order of Record's fields
        record = _new("expires_at", "owner", "summary", "payload")

        self.insert = self._compiled(sa.insert(table).values(record | _new("key", "version")))
        self.replace_expired = self._compiled(
            sa.update(table).where(same_key, expired).values(record | _new("version"))
        )
        self._read_only: sa.ColumnElement[Any] = sa.literal_column(_READ_ONLY.get(dialect.name, "0"))
        self.load = self._compiled(sa.select(*self._columns, self._read_only).where(same_key, alive))
        self._list_owners()
        # Counted up by the database: what is sent is what is expected, once.
        self.update = self._compiled(
            sa.update(table)
            .where(same_key, same_version, alive)
            .values(record | {"version": at.version + sa.literal_column("1")})
        )
        self.touch = self._compiled(sa.update(table).where(same_key, same_version, alive).values(_new("expires_at")))
        self.delete = self._compiled(sa.delete(table).where(same_key))
        self.delete_version = self._compiled(sa.delete(table).where(same_key, same_version))
        self.expired = self._compiled(
            sa.select(at.key, at.expires_at, self._read_only)
            .where(expired, at.expires_at >= sa.bindparam("since"))
            .order_by(at.expires_at)
            .limit(sa.bindparam("at_most"))
            .offset(sa.literal_column("0"))  # SQLite gets one in any case, and otherwise as a further parameter
            .with_for_update(skip_locked=True)
        )
        # One text for each number of keys; a sweep has mostly the same one.
        self.load_many = lru_cache(maxsize=32)(self._load_many)
        self.delete_expired = lru_cache(maxsize=32)(self._delete_expired)
        self.delete_many = lru_cache(maxsize=32)(self._delete_many)

    def _list_owners(self) -> None:
        """Make the statements that look at an owner's sessions."""
        at, same_owner = self._table.c, self._table.c.owner == sa.bindparam("owner_is")
        listed = [at.expires_at, at.summary, at.owner, at.version]
        # What has expired is left out by the caller: the statement would look for others in its place, without a limit.
        self.records_of = self._compiled(
            sa.select(at.key, *listed, self._read_only)
            .where(same_owner, at.key > sa.bindparam("after"))
            .order_by(at.key)
            .limit(sa.bindparam("at_most"))
            .offset(sa.literal_column("0"))
        )
        # The inner statement bounds what is looked at: a plain ORDER BY would look at all that the owner has.
        alive = at.expires_at > sa.bindparam("now")
        among = sa.select(at.key, *listed).where(same_owner, alive)
        few = among.limit(sa.bindparam("among")).offset(sa.literal_column("0")).subquery()
        self.count_of = self._compiled(sa.select(sa.func.count(), self._read_only).select_from(few))
        self.oldest_of = self._compiled(
            sa.select(few, self._read_only)
            .order_by(few.c.expires_at)
            .limit(sa.bindparam("at_most"))
            .offset(sa.literal_column("0"))
        )

    def _load_many(self, count: int) -> Statement:
        at = self._table.c
        alive = at.expires_at > sa.bindparam("now")
        columns = [at.key, *self._columns, self._read_only]
        return self._compiled(sa.select(*columns).where(at.key.in_(_numbered(count)), alive))

    def _delete_many(self, count: int) -> Statement:
        at = self._table.c
        pairs = [
            sa.and_(at.key == key, at.version == sa.bindparam(f"version_{number}"))
            for number, key in enumerate(_numbered(count))
        ]
        return self._compiled(sa.delete(self._table).where(sa.or_(*pairs)))

    def _delete_expired(self, count: int) -> Statement:
        at = self._table.c
        # Once more by expiry: one of them may have been created again since it was found.
        expired = at.expires_at <= sa.bindparam("now")
        return self._compiled(sa.delete(self._table).where(at.key.in_(_numbered(count)), expired))

    def _compiled(self, clause: sa.ClauseElement) -> Statement:
        return Statement(clause, self._dialect)


def by_number(keys: Sequence[bytes]) -> dict[str, object]:
    """Return the parameters of `Statements.load_many` and its like for these keys."""
    return {f"key_{number}": key for number, key in enumerate(keys)}


def _numbered(count: int) -> list[sa.BindParameter[bytes]]:
    return [sa.bindparam(f"key_{number}", type_=sa.LargeBinary) for number in range(count)]


def _new(*columns: str) -> dict[str, Any]:
    return {column: sa.bindparam(f"new_{column}") for column in columns}
