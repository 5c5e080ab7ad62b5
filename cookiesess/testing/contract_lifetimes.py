"""Expiry to the second, on a clock that is an argument; and sweeping."""

# ruff: noqa: S101 (a test suite asserts)

from collections.abc import Hashable

from cookiesess.stores.base import Conflict, Gone, Updated
from cookiesess.testing.contract_base import ContractBase

# The last second of the year 9999, beyond what 32 bits and what most engines' own timeouts hold.
_FAR = 253_402_300_799


class LifetimeCases(ContractBase):
    """The cases of expiry. Every record here lives for a minute unless it says otherwise."""

    def test_a_record_lives_to_the_second_before_its_expiry(self) -> None:
        self._create_for_a_minute()
        assert self.loaded(now=self.now + 59).expires_at == self.now + 60

    def test_a_record_is_not_handed_out_from_its_expiry_on(self) -> None:
        self._create_for_a_minute()
        assert [self.store.load(self.key(), now=self.now + late) for late in (60, 61, 86_400)] == [None, None, None]

    def test_load_many_leaves_expired_records_out(self) -> None:
        self._create_for_a_minute("a")
        self.created(self.key("b"))
        assert list(self.store.load_many([self.key("a"), self.key("b")], now=self.now + 60)) == [self.key("b")]

    def test_a_far_expiry_is_kept(self) -> None:
        self.store.create(self.key(), self.record(lives=_FAR - self.now), now=self.now)
        assert self.loaded(now=_FAR - 1).expires_at == _FAR
        assert self.store.load(self.key(), now=_FAR) is None

    def test_create_over_an_expired_record_works(self) -> None:
        self._create_for_a_minute()
        self.store.create(self.key(), self.record(b"second"), now=self.now + 60)
        assert self.loaded(now=self.now + 60).payload == b"second"

    def test_a_version_from_before_the_expiry_does_not_fit_the_new_record(self) -> None:
        old = self._create_for_a_minute()
        self.store.create(self.key(), self.record(b"second"), now=self.now + 60)
        assert isinstance(self.update(old, b"late", now=self.now + 60), Conflict)
        assert self.loaded(now=self.now + 60).payload == b"second"

    def test_update_of_an_expired_record_is_gone_and_does_not_revive_it(self) -> None:
        version = self._create_for_a_minute()
        late = self.now + 60
        assert isinstance(self.update(version, now=late), Gone)
        assert self.store.load(self.key(), now=late) is None

    def test_update_in_the_last_second_works(self) -> None:
        version = self._create_for_a_minute()
        assert isinstance(self.update(version, now=self.now + 59), Updated)
        assert self.loaded(now=self.now + 60).payload == b"updated"

    def test_touch_of_an_expired_record_is_false_and_does_not_revive_it(self) -> None:
        version = self._create_for_a_minute()
        assert not self.touch(version, lives=3600, now=self.now + 60)
        assert self.store.load(self.key(), now=self.now + 60) is None

    def test_touch_moves_the_expiry_out(self) -> None:
        version = self._create_for_a_minute()
        assert self.touch(version, lives=120, now=self.now + 59)
        assert self.loaded(now=self.now + 119).expires_at == self.now + 120

    def test_touch_moves_the_expiry_in(self) -> None:
        version = self._create_for_a_minute()
        assert self.touch(version, lives=30)
        assert self.store.load(self.key(), now=self.now + 30) is None

    def test_a_record_can_be_read_when_the_clock_goes_back(self) -> None:
        self._create_for_a_minute()
        assert self.loaded(now=self.now - 5).payload == b"payload"

    def test_a_record_can_be_updated_when_the_clock_goes_back(self) -> None:
        version = self._create_for_a_minute()
        assert isinstance(self.update(version, b"new", now=self.now - 5), Updated)
        assert self.loaded().payload == b"new"

    def test_a_record_written_in_the_past_still_expires_when_it_says(self) -> None:
        self.store.create(self.key(), self.record(lives=60), now=self.now - 5)
        assert self.loaded(now=self.now + 59).expires_at == self.now + 60
        assert self.store.load(self.key(), now=self.now + 60) is None

    def test_delete_expired_returns_how_many_it_deleted(self) -> None:
        self.need_sweeping()
        for name in "abc":
            self._create_for_a_minute(name)
        assert self.store.delete_expired(now=self.now + 60, limit=100) == 3

    def test_delete_expired_does_it_once(self) -> None:
        self._create_for_a_minute()
        self.store.delete_expired(now=self.now + 60, limit=100)
        assert self.store.delete_expired(now=self.now + 60, limit=100) == 0

    def test_delete_expired_keeps_to_its_limit(self) -> None:
        self.need_sweeping()
        for name in "abc":
            self._create_for_a_minute(name)
        assert [self.store.delete_expired(now=self.now + 60, limit=2) for _ in range(3)] == [2, 1, 0]

    def test_delete_expired_leaves_living_records(self) -> None:
        self._create_for_a_minute("a")
        self.created(self.key("b"))
        self.store.delete_expired(now=self.now + 60, limit=100)
        assert self.loaded(self.key("b"), now=self.now + 60).payload == b"payload"

    def test_delete_expired_spares_the_last_second(self) -> None:
        self._create_for_a_minute()
        assert self.store.delete_expired(now=self.now + 59, limit=100) == 0
        assert self.loaded(now=self.now + 59).payload == b"payload"

    def test_delete_expired_follows_touch_and_update(self) -> None:
        self.touch(self._create_for_a_minute("a"), lives=3600)
        self.update(self._create_for_a_minute("b"), key=self.key("b"))
        assert self.store.delete_expired(now=self.now + 60, limit=100) == 0
        assert len(self.store.load_many([self.key("a"), self.key("b")], now=self.now + 60)) == 2

    def test_delete_expired_on_an_empty_store_is_zero(self) -> None:
        assert self.store.delete_expired(now=self.now, limit=100) == 0

    def _create_for_a_minute(self, name: str = "a") -> Hashable:
        return self.created(self.key(name), self.record(lives=60))
