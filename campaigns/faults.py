"""What happens in a campaign, again and again until its time is over.

Each fault leaves the engine as it was: whoever looks afterwards finds it running.
"""

import os
import random
import signal
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from campaigns.engines import Engine, kit


@dataclass
class Scene:
    """Where a fault happens.

    Attributes:
        engine: What keeps the sessions.
        master: The process id of gunicorn, whose children are its workers.
        over: Set when the time is over.
    """

    engine: Engine
    master: int
    over: Event

    def goes_on(self, seconds: float) -> bool:
        """Wait so long, and return whether there is time left."""
        return not self.over.wait(seconds)

    def workers(self) -> list[int]:
        """The process ids of gunicorn's workers."""
        return [int(pid) for pid in Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()]


def nothing(scene: Scene) -> None:
    """No fault, for comparison."""
    scene.over.wait()


def kill_worker(scene: Scene) -> None:
    """A worker of the app is killed (SIGKILL) each second."""
    while scene.goes_on(1):
        workers = scene.workers()
        if workers:
            with suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)


def reload_app(scene: Scene) -> None:
    """The app is deployed anew (SIGHUP) every three seconds."""
    while scene.goes_on(3):
        os.kill(scene.master, signal.SIGHUP)


def stall(scene: Scene) -> None:
    """The engine hangs (SIGSTOP) for three seconds of every five."""
    while scene.goes_on(2):
        scene.engine.server.stall()
        scene.goes_on(3)
        scene.engine.server.resume()


def kill(scene: Scene) -> None:
    """The engine is killed (SIGKILL) every three seconds, and started again."""
    while scene.goes_on(3):
        scene.engine.server.kill()
        scene.engine.server.start()


def restart(scene: Scene) -> None:
    """The engine is stopped (SIGTERM) every three seconds, and started again."""
    while scene.goes_on(3):
        scene.engine.server.stop()
        scene.engine.server.start()


def cut(scene: Scene) -> None:
    """All connections to the engine are cut, five times a second."""
    while scene.goes_on(0.2):
        scene.engine.proxy.cut()


def lose_answers(scene: Scene) -> None:
    """The engine does what it is asked, and one answer in each tenth of a second is lost with its connection."""
    while scene.goes_on(0.1):
        scene.engine.proxy.drop("after")


def swallow(scene: Scene) -> None:
    """The network lets nothing through, and closes nothing, for three seconds of every five."""
    while scene.goes_on(2):
        scene.engine.proxy.hold()
        scene.goes_on(3)
        scene.engine.proxy.release()


def fill_memory(scene: Scene) -> None:
    """Redis is full, and refuses writes, for one second of every three."""
    client_of = kit("servers.redis").client_of
    with closing(client_of(scene.engine.server.port)) as client:
        while scene.goes_on(2):
            client.config_set("maxmemory", 1)
            scene.goes_on(1)
            client.config_set("maxmemory", 0)


def fill_disk(scene: Scene) -> None:
    """The disk is full for one second of every three."""
    ballast = scene.engine.folder / "ballast"
    while scene.goes_on(2):
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(64 * 1024)):
                pass
        scene.goes_on(1)
        ballast.unlink(missing_ok=True)


def fail_over(scene: Scene) -> None:
    """A primary of the Cluster is killed every six seconds; its replica takes over, and it comes back as one."""
    servers = scene.engine.server.servers
    redis = kit("servers.redis")
    while scene.goes_on(3):
        port = random.choice([port for port in servers if _is_primary(redis, port)])
        servers[port].kill()
        scene.goes_on(3)
        servers[port].start()


def _is_primary(redis: object, port: int) -> bool:
    with closing(redis.client_of(port)) as client:  # type: ignore[attr-defined]
        return bool(client.info("replication")["role"] == "master")


@dataclass(frozen=True)
class Fault:
    """One campaign.

    Attributes:
        engine: Which engine it is about.
        name: As the table has it.
        inject: What does it.
        promised: False where docs/scaling.md says that something may be lost.
        small_disk: Needs a disk of its own.
    """

    engine: str
    name: str
    inject: Callable[[Scene], None]
    promised: bool = True
    small_disk: bool = False


_SERVERS = ("redis", "postgresql", "mariadb", "memcached")
_KEEP = ("redis", "postgresql", "mariadb")
FAULTS = (
    *(Fault(engine, "none", nothing) for engine in ("sqlite", *_SERVERS)),
    *(Fault(engine, "a worker killed", kill_worker) for engine in ("sqlite", "redis", "postgresql")),
    *(Fault(engine, "the app reloaded", reload_app) for engine in ("sqlite", "redis", "postgresql")),
    Fault("sqlite", "disk full", fill_disk, small_disk=True),
    Fault("redis", "memory full", fill_memory),
    *(Fault(engine, "stalled", stall) for engine in _SERVERS),
    *(Fault(engine, "killed", kill, promised=engine in _KEEP) for engine in _SERVERS),
    *(Fault(engine, "restarted", restart, promised=engine in _KEEP) for engine in _SERVERS),
    *(Fault(engine, "connections cut", cut) for engine in _SERVERS),
    *(Fault(engine, "answers lost", lose_answers) for engine in _SERVERS),
    *(Fault(engine, "network silent", swallow) for engine in _SERVERS),
    Fault("cluster", "none", nothing),
    Fault("cluster", "a primary killed", fail_over, promised=False),
)
"""All campaigns, in the table's order."""
