"""The owner index: which sessions a user has, after everything that can happen to one."""

# ruff: noqa: S101 (a test suite asserts)

from collections.abc import Hashable
from unittest import SkipTest

from cookiesess.testing.contract_base import ContractBase


class OwnerCases(ContractBase):
    """The cases of `records_of`; skipped where the store does not index owners."""

    def test_records_of_returns_every_record_of_the_owner(self) -> None:
        self.need_owner_index()
        for name in "ab":
            self.created(self.key(name), self.record(owner=self.owner()))
        assert self._keys_of("ann") == {self.key("a"), self.key("b")}

    def test_records_of_leaves_out_other_owners_and_records_without_one(self) -> None:
        self.need_owner_index()
        self.created(self.key("a"), self.record(owner=self.owner("bob")))
        self.created(self.key("b"), self.record(owner=None))
        assert self._keys_of("ann") == set()

    def test_records_of_returns_all_but_the_payload(self) -> None:
        self.need_owner_index()
        self.created(record=self.record(summary=b"a phone", owner=self.owner()))
        listed = self.listed()
        assert listed == {self.key(): self.loaded()._replace(payload=b"")}

    def test_the_version_that_records_of_returns_can_be_used(self) -> None:
        self.need_owner_index()
        self.created(record=self.record(owner=self.owner()))
        listed = self.listed()[self.key()]
        assert self.store.delete(self.key(), expected_version=listed.version)

    def test_an_update_gives_a_record_its_owner(self) -> None:
        self.need_owner_index()
        self._update_owner(self.created(), "ann")
        assert self._keys_of("ann") == {self.key()}

    def test_an_update_gives_a_record_another_owner(self) -> None:
        self.need_owner_index()
        self._update_owner(self.created(record=self.record(owner=self.owner("ann"))), "bob")
        assert (self._keys_of("ann"), self._keys_of("bob")) == (set(), {self.key()})

    def test_an_update_takes_the_owner_from_a_record(self) -> None:
        self.need_owner_index()
        self._update_owner(self.created(record=self.record(owner=self.owner())), None)
        assert self._keys_of("ann") == set()

    def test_an_update_that_failed_leaves_the_owner(self) -> None:
        self.need_owner_index()
        stale = self.created(record=self.record(owner=self.owner("ann")))
        self._update_owner(stale, "ann")
        self._update_owner(stale, "bob")
        assert (self._keys_of("ann"), self._keys_of("bob")) == ({self.key()}, set())

    def test_an_update_with_the_same_owner_keeps_the_record_listed_once(self) -> None:
        self.need_owner_index()
        self._update_owner(self.created(record=self.record(owner=self.owner())), "ann")
        listed = self.listed()
        assert listed == {self.key(): self.loaded()._replace(payload=b"")}

    def test_a_touched_record_is_listed_with_its_new_expiry(self) -> None:
        self.need_owner_index()
        version = self.created(record=self.record(owner=self.owner()))
        self.store.touch(self.key(), expires_at=self.now + 7200, expected_version=version, now=self.now)
        assert self.listed(now=self.now + 7199)[self.key()].expires_at == self.now + 7200

    def test_a_deleted_record_is_not_listed(self) -> None:
        self.need_owner_index()
        self.created(record=self.record(owner=self.owner()))
        self.store.delete(self.key())
        assert self._keys_of("ann") == set()

    def test_deleting_one_record_leaves_the_others_listed(self) -> None:
        self.need_owner_index()
        for name in "ab":
            self.created(self.key(name), self.record(owner=self.owner()))
        self.store.delete(self.key("a"))
        assert self._keys_of("ann") == {self.key("b")}

    def test_an_expired_record_is_not_listed(self) -> None:
        self.need_owner_index()
        self.created(record=self.record(lives=60, owner=self.owner()))
        assert list(self.listed(now=self.now + 59)) == [self.key()]
        assert self.listed(now=self.now + 60) == {}

    def test_a_swept_record_is_not_listed(self) -> None:
        self.need_owner_index()
        self.created(record=self.record(lives=60, owner=self.owner()))
        self.store.delete_expired(now=self.now + 60, limit=100)
        assert self.listed(now=self.now + 60) == {}

    def test_a_key_that_is_created_again_has_only_its_new_owner(self) -> None:
        self.need_owner_index()
        self.created(record=self.record(lives=60, owner=self.owner("ann")))
        self.store.create(self.key(), self.record(owner=self.owner("bob")), now=self.now + 60)
        assert self.listed("ann", now=self.now + 60) == {}
        assert list(self.listed("bob", now=self.now + 60)) == [self.key()]

    def test_the_records_of_an_owner_that_live_are_counted(self) -> None:
        self.need_owner_index()
        for number in range(3):
            self.created(self.key(f"a{number}"), self.record(lives=60 + number, owner=self.owner()))
        self.created(self.key("b"), self.record(owner=self.owner("bob")))
        counts = [self.store.count_of(self.owner(), now=self.now + later, most=10) for later in (0, 60, 62)]
        assert counts == [3, 2, 0]

    def test_no_more_are_counted_than_were_asked_for(self) -> None:
        self.need_owner_index()
        for number in range(5):
            self.created(self.key(str(number)), self.record(owner=self.owner()))
        assert [self.store.count_of(self.owner(), now=self.now, most=most) for most in (4, 5)] == [4, 5]

    def test_the_oldest_are_those_that_expire_first(self) -> None:
        self.need_owner_index()
        for number, lives in enumerate((300, 100, 400, 200)):
            self.created(self.key(str(number)), self.record(lives=lives, owner=self.owner()))
        self.created(self.key("b"), self.record(lives=1, owner=self.owner("bob")))
        assert self._oldest(limit=2) == {self.key("1"), self.key("3")}
        assert self._oldest(limit=2, now=self.now + 100) == {self.key("3"), self.key("0")}

    def test_a_record_that_is_touched_is_not_the_oldest_any_more(self) -> None:
        self.need_owner_index()
        version = self.created(self.key("0"), self.record(lives=100, owner=self.owner()))
        self.created(self.key("1"), self.record(lives=200, owner=self.owner()))
        self.touch(version, lives=300, key=self.key("0"))
        assert self._oldest(limit=1) == {self.key("1")}

    def test_the_oldest_come_as_records_of_has_them(self) -> None:
        self.need_owner_index()
        self.created(record=self.record(summary=b"a phone", owner=self.owner()))
        assert self.store.oldest_of(self.owner(), now=self.now, limit=9, among=9) == self.listed()

    def test_the_oldest_are_looked_for_among_as_many_as_were_asked_for(self) -> None:
        self.need_owner_index()
        for number in range(9):
            self.created(self.key(str(number)), self.record(owner=self.owner()))
        assert len(self.store.oldest_of(self.owner(), now=self.now, limit=9, among=4)) == 4

    def test_an_unknown_owner_has_no_records(self) -> None:
        self.need_owner_index()
        assert self._keys_of("nobody") == set()

    def test_a_store_without_an_owner_index_says_so(self) -> None:
        if self.store.indexes_owners:
            raise SkipTest(f"{type(self.store).__name__} indexes owners")
        try:
            self.store.records_of(self.owner(), now=self.now, limit=1)
        except NotImplementedError:
            return
        raise AssertionError("indexes_owners is False, and records_of did not raise NotImplementedError")

    def _oldest(self, *, limit: int, now: int | None = None) -> set[bytes]:
        now = self.now if now is None else now
        return set(self.store.oldest_of(self.owner(), now=now, limit=limit, among=100))

    def _keys_of(self, name: str) -> set[bytes]:
        return set(self.listed(name))

    def _update_owner(self, version: Hashable, name: str | None) -> None:
        owner = None if name is None else self.owner(name)
        self.store.update(self.key(), self.record(owner=owner), expected_version=version, now=self.now)
