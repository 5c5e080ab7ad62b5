"""A limit on how long psycopg waits for a PostgreSQL server that hangs. Neither of them has one.

The server itself enforces ``statement_timeout``, so a server that hangs does not. Its machine's kernel still
acknowledges packets, so ``tcp_user_timeout`` does not run out either.
"""

from datetime import timedelta
from typing import Any, Final, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.abc import PQGen

from cookiesess.errors import MissingDependency

__all__ = ["limit_silence"]

# Until 3.2.9 its compiled half goes on waiting through a silence without asking anybody.
_OLDEST: Final = [3, 3]

_T = TypeVar("_T")


class _Connection(psycopg.Connection[Any]):
    """A connection that is closed where the server is silent for too long."""

    silence_seconds: float

    def wait(self, gen: PQGen[_T], *_: Any, **__: Any) -> _T:
        # All of psycopg's I/O passes through here. Its interval is after how long a silence it asks `gen` whether to
        # go on waiting, 0.1 s for its own purposes; here the first silence of that length is the last.
        return super().wait(self._unless_silent(gen), interval=self.silence_seconds)

    def _unless_silent(self, gen: PQGen[_T]) -> PQGen[_T]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready:
                    # The answer may still come, and must not be taken for that of the next statement.
                    self.close()
                    raise psycopg.OperationalError(f"the server has been silent for {self.silence_seconds} seconds")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: _T = done.value
            return result


def limit_silence(engine: sa.Engine, timeout: timedelta) -> None:
    """Let an engine's connections fail, and close them, when the server has been silent for `timeout`.

    For a ``postgresql+psycopg`` engine of your own that you give to `SQLStore` (`open_store` calls it by itself). The
    limit holds for all uses of the engine. Call it before the engine connects for the first time.

    Args:
        engine: An engine from `sqlalchemy.create_engine`, without a ``creator``.
        timeout: How long the server may be silent; above zero.

    Raises:
        MissingDependency: psycopg is older than 3.3.
    """
    if [int(part) for part in psycopg.__version__.split(".")[:2]] < _OLDEST:
        raise MissingDependency("psycopg 3.3 (or a newer one)", extra="postgresql")

    @sa.event.listens_for(engine, "do_connect")
    def connect(_: object, __: object, arguments: Any, settings: Any) -> psycopg.Connection[Any]:
        connection = _Connection.connect(*arguments, **settings)
        connection.silence_seconds = timeout.total_seconds()
        return connection
