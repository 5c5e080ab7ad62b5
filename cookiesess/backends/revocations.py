"""Remembers which client-side sessions have ended, so that a logout ends the copies of a cookie as well.

Three things are asked of the store, in one round trip, by each request that brings a session:

- the record of the session itself, where it has ended (`cookiesess.backends.endings`);
- the generation of its owner, where it has one (`cookiesess.backends.ledgers`);
- the store's epoch, which tells whether the store has lost either of them (`cookiesess.backends.epochs`).

They grow with nothing: a request reads as much after a thousand logouts as after none. (Only an old ID within the grace
of a periodic renewal has the one in its place asked for as well.) What is read when a session is loaded may be held for
a while (``revocation_cache_seconds``). What is read before a cookie is issued never is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from cookiesess.backends.endings import ENDED, Endings, Ticket, name_of
from cookiesess.backends.epochs import EPOCH_NAME, Epoch, Epochs
from cookiesess.backends.held import HeldStore
from cookiesess.backends.ledgers import NO_LEDGER, Copies, Ledgers
from cookiesess.session.closing import Closed
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import EPOCH, GENERATION, State
from cookiesess.stores.base import Record, Store
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.values import ValueCodec


class Verdict(NamedTuple):
    """What the store knows of a session.

    Attributes:
        reason: Why it has ended: ``"ended"`` or ``"generation"``; else None.
        closed: How another ID took its place, as long as that counts; else None.
        lost: The token is of another epoch: the store may have forgotten that it had ended.
        epoch: The store's, for the next token; None before the first write.
        ledger: Its owner's.
    """

    reason: str | None
    closed: Closed | None
    lost: bool
    epoch: bytes | None
    ledger: Copies


class Revocations:
    """The ended sessions, in a store. Thread-safe.

    Args:
        store: One that forgets nothing before its time.
        keyring: Its keys name and seal what is remembered.
        codec: Encodes it.
        lifetime: One with an absolute timeout.
        random_bytes: For the store's epoch.
        cache_seconds: For how long an answer may be held.
    """

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        *,
        codec: ValueCodec,
        lifetime: Lifetime,
        random_bytes: Callable[[int], bytes],
        cache_seconds: int,
    ) -> None:
        self._store = HeldStore(store, seconds=cache_seconds)
        self._lifetime = lifetime
        self._endings = Endings(self._store, keyring, codec=codec, grace_seconds=lifetime.grace_seconds)
        self._ledgers = Ledgers(self._store, keyring, codec=codec, lifetime=lifetime)
        self._epochs = Epochs(self._store, random_bytes=random_bytes)

    @property
    def epoch_seen(self) -> bytes | None:
        """The store's epoch as this process saw it last, or None."""
        return self._epochs.seen

    def ask(self, states: Sequence[State], *, now: int, exactly: bool = False) -> list[Verdict]:
        """Return what is known of each session, in one round trip; `exactly`, or as it may be held.

        Raises:
            StoreUnavailable: It cannot be known.
        """
        questions = [self._question(state) for state in states]
        names = list(dict.fromkeys([EPOCH_NAME, *(name for question in questions for name in question.names)]))
        records = (self._store.ask_exactly if exactly else self._store.ask)(names, now=now)
        tokens = [each.epoch for each in questions]
        epoch = self._epochs.settle(records.get(EPOCH_NAME), tokens, begin=exactly, now=now)
        return [self._verdict(question, records, epoch, now) for question in questions]

    def end(self, sid: bytes, *, until_at: int | None, now: int) -> bool:
        """End a session for good, under every ID that leads on, as `Endings.end` does.

        Args:
            sid: Its ID.
            until_at: Its absolute deadline, in Unix seconds; None where it is not known.
            now: Unix seconds.
        """
        return self._endings.end(self._ticket(sid, until_at, now), now=now)

    def close(self, sid: bytes, closed: Closed, *, until_at: int | None, now: int) -> Closed | None:
        """End a session because another ID takes its place, as `Endings.close` does; with the arguments of `end`."""
        return self._endings.close(self._ticket(sid, until_at, now), closed, now=now)

    def generation(self, state: State, verdict: Verdict, *, now: int) -> int:
        """Return the generation that a token of a session that has just logged in is sealed with."""
        return self._ledgers.remember(state.owner or "", verdict.ledger, until_at=state.ends_at or 0, now=now)

    def carry_over(self, owner: str, verdict: Verdict, *, now: int) -> None:
        """Have an owner's generation last as long as the key that a token is sealed with from now on."""
        self._ledgers.carry_over(owner, verdict.ledger, now=now)

    def end_all(self, owner: str, *, now: int) -> int:
        """End all of an owner's sessions; return the generation that those of from now on are sealed with."""
        return self._ledgers.raise_(owner, now=now)

    def _ticket(self, sid: bytes, until_at: int | None, now: int) -> Ticket:
        return Ticket(sid, until_at or self._lifetime.ends_at(now) or now)

    def _question(self, state: State) -> "_Question":
        owners = [] if state.owner is None else self._ledgers.names(state.owner)
        ended = None if state.sid is None else name_of(state.sid)
        extras = state.extras
        return _Question(state.sid, ended, owners, extras.get(GENERATION, 0), extras.get(EPOCH))

    def _verdict(
        self, question: "_Question", records: Mapping[bytes, Record | None], epoch: Epoch | None, now: int
    ) -> Verdict:
        copies = self._ledgers.read(question.owners, records) if question.owners else NO_LEDGER
        name, closed = question.ended, None
        record = None if name is None else records.get(name)
        if name is not None and record is not None:
            closed = self._endings.followed(self._endings.read(name, record, now=now), now=now)
        reason = None
        if closed is ENDED or question.sid in copies.ledger.ended:
            reason, closed = "ended", None
        elif question.generation < copies.ledger.generation and now < copies.ledger.until_at:
            reason = "generation"
        if epoch is None:
            return Verdict(reason, closed, lost=False, epoch=None, ledger=copies)
        return Verdict(reason, closed, not epoch.counts(question.epoch), epoch.value, copies)


class _Question(NamedTuple):
    """What is asked of a session: the names of its records, and what its token says."""

    sid: bytes | None
    ended: bytes | None
    owners: list[bytes]
    generation: int
    epoch: bytes | None

    @property
    def names(self) -> list[bytes]:
        return self.owners if self.ended is None else [self.ended, *self.owners]
