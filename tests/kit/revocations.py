"""What a store of revocations holds, and what the tokens say that it is about."""

from __future__ import annotations

from typing import Any

from cookiesess import Keyring
from cookiesess.backends.epochs import EPOCH_NAME
from cookiesess.session.state import EPOCH, State, unpack
from cookiesess.stores.base import Record
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.values import ValueCodec
from kit.browser import Browser
from kit.constants import KEY, NAME
from kit.world import World


def records(world: World) -> dict[bytes, Record]:
    """All that the store of revocations in memory holds, but for its epoch: key to record."""
    held: dict[bytes, Record] = dict(world.revocations.inner._all())  # type: ignore[attr-defined]
    held.pop(EPOCH_NAME, None)
    return held


def state_of(world: World, browser: Browser, keys: Any = KEY) -> State:
    """What the session in a browser's own cookie holds."""
    plaintext, _ = Sealer(Keyring(keys)).unseal(browser.cookies[NAME], purpose("session", NAME))
    return unpack(plaintext, ValueCodec(), now=world.now)


def epoch_in(world: World, browser: Browser) -> bytes | None:
    """The epoch in a browser's cookie."""
    return state_of(world, browser).extras.get(EPOCH)


def epoch_of(world: World) -> bytes | None:
    """The epoch that the store has, or None."""
    record = world.revocations.inner.load(EPOCH_NAME, now=world.now)
    return None if record is None else record.payload[1:]


def lose_epoch(world: World) -> None:
    """What somebody does who empties the store, as far as its epoch goes."""
    world.revocations.inner.delete(EPOCH_NAME)


def sealed(body: bytes, key: bytes, *, what_for: str, keys: Any = KEY) -> bytes:
    """A payload for the record under `key`, as the holder of the ring would make it."""
    return Sealer(Keyring(keys)).seal_bytes(body, purpose(what_for) + key)


def replace(world: World, key: bytes, record: Record) -> None:
    """Put another record in the place of one, or where there is none."""
    world.revocations.inner.delete(key)
    world.revocations.inner.create(key, record, now=world.now)
