"""By which command a record is read from Redis, and replaced: ``python -m benchmarks.redis_commands``.

Each is sent by the bare client on a record of a real session's size, all of them in turn, so that a machine that is
slower for a while is so for all. A read is GET and a write is EVALSHA of a script that compares and sets; beside them
stand what else could do it.
"""

import os
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter
from typing import Any, Final

from benchmarks.stores_raw import typical_record
from benchmarks.stores_servers import on_cores, running

_ROUNDS, _BATCH = 60, 50
_SECONDS: Final = 14 * 24 * 3600
_READ: Final = "return redis.call('GET', KEYS[1])"
_SWAP: Final = """
if string.sub(redis.call('GET', KEYS[1]), 2, 9) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""

Command = Callable[[], object]


def commands(client: Any) -> dict[str, dict[str, Command]]:
    """Return what is compared, by what it does and its name; the first of each is what the store sends."""
    run, name = client.execute_command, b"record"
    value = b"\x01" + os.urandom(8) + typical_record().payload
    run("SET", name, value)
    read, swap = run("SCRIPT", "LOAD", _READ), run("SCRIPT", "LOAD", _SWAP)

    def together(*parts: tuple[Any, ...]) -> Command:
        def send() -> object:
            pipeline = client.pipeline(transaction=False)
            for part in parts:
                pipeline.execute_command(*part)
            return pipeline.execute()

        return send

    def optimistic() -> object:
        with client.pipeline() as pipeline:
            pipeline.watch(name)
            assert pipeline.get(name)[1:9] == value[1:9]
            pipeline.multi()
            pipeline.set(name, value, ex=_SECONDS)
            return pipeline.execute()

    return {
        "read": {
            "GET": lambda: run("GET", name),
            "GETEX, which moves the deadline too": lambda: run("GETEX", name, "EX", _SECONDS),
            "EVALSHA of a GET": lambda: run("EVALSHA", read, 1, name),
            "GET and EXPIRE in a pipeline": together(("GET", name), ("EXPIRE", name, _SECONDS)),
        },
        "write": {
            "EVALSHA that compares and sets": lambda: run("EVALSHA", swap, 1, name, value[1:9], value, _SECONDS),
            "SET, which compares nothing": lambda: run("SET", name, value, "EX", _SECONDS),
            "GET and SET in a pipeline, which compare nothing": together(
                ("GET", name), ("SET", name, value, "EX", _SECONDS)
            ),
            "WATCH, GET, MULTI, SET, EXEC": optimistic,
        },
    }


def microseconds(kinds: dict[str, Command]) -> dict[str, float]:
    """Return the median of one call of each, all of them measured in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(_ROUNDS):
        for name, send in kinds.items():
            begin = perf_counter()
            for _ in range(_BATCH):
                send()
            seconds[name].append((perf_counter() - begin) / _BATCH)
    return {name: statistics.median(each) * 1e6 for name, each in seconds.items()}


def main() -> None:
    """Print a table for reading and one for writing."""
    import redis

    with ExitStack() as cleanup:
        started = cleanup.enter_context(running(["redis"]))
        if started.missing:
            raise SystemExit("; ".join(started.missing))
        client = redis.Redis(port=started.servers.redis or 0)
        cleanup.callback(client.close)
        cleanup.enter_context(on_cores("client"))
        for verb, kinds in commands(client).items():
            found = microseconds(kinds)
            first = next(iter(found.values()))
            print(f"\n| {verb} | × |\n|---|---:|")
            for name, us in found.items():
                print(f"| {name} | {us / first:.2f} |")


if __name__ == "__main__":
    main()
