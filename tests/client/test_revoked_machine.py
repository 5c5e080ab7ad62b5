"""Overlapping requests of client-side sessions with `revocations=`, on two hosts, in any order, against a model.

The rules are those of server-side sessions, `server.machine`; what differs is in `client.revoked_oracle`: a cookie is a
snapshot, and what was written under an old ID is merged into nothing.
"""

from typing import Any

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from client.revoked_oracle import Request, Token, arrive
from kit.probe import Probe
from kit.selection import examples
from kit.world import World
from server.exchanges import LIFETIME
from server.machine import Requests
from server.oracle import Life


class RevokedRequests(Requests):
    """The same rules, in front of a store that remembers which sessions have ended."""

    interruptible = ("create",)

    def __init__(self) -> None:
        self.generations: dict[str | None, int] = {}
        super().__init__()

    def make_world(self) -> World:
        return World(lifetime=LIFETIME).with_revocations()

    @property
    def probe(self) -> Probe:
        return self.world.revocations

    def identified(self, life: Life) -> Token:
        return Token(life, written_at=life.created_at)

    def model(self, at: Any, host: int) -> Request:
        return Request(at, self.now(host), self.generations)

    def met(self, at: Any, host: int) -> Any:
        return arrive(at, self.now(host), self.generations)

    def end_in_the_model(self, owner: str) -> None:
        self.generations[owner] = self.generations.get(owner, 0) + 1


def test_overlapping_requests_do_what_the_model_says():
    run_state_machine_as_test(
        RevokedRequests, settings=settings(max_examples=examples(100), stateful_step_count=40, deadline=None)
    )
