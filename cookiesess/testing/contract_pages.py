"""The pages of the owner index: whole walks through thousands of records, whatever happens to them meanwhile."""

# ruff: noqa: S101 (a test suite asserts)

from unittest import SkipTest

from cookiesess.stores.base import Page
from cookiesess.testing.contract_base import ContractBase

# More than any store should look at in one step.
_THOUSANDS = 2000


class PageCases(ContractBase):
    """The cases of `records_of`'s limit and cursor; skipped where the store does not index owners."""

    def test_thousands_of_records_come_in_pages_each_of_them_once(self) -> None:
        keys = self._create_owned(_THOUSANDS)
        listed = [key for page in self.pages(limit=300) for key in page]
        assert sorted(listed) == sorted(keys)

    def test_thousands_of_records_can_be_ended_page_by_page(self) -> None:
        self._create_owned(_THOUSANDS)
        ended = 0
        for page in self.pages(limit=300):
            ended += sum(self.store.delete(key, expected_version=record.version) for key, record in page.items())
        assert (ended, self.listed()) == (_THOUSANDS, {})

    def test_a_limit_of_one_lists_every_record(self) -> None:
        keys = self._create_owned(5)
        assert self.listed(limit=1).keys() == set(keys)

    def test_a_limit_that_is_the_number_of_records_lists_every_record(self) -> None:
        keys = self._create_owned(5)
        assert self.listed(limit=5).keys() == set(keys)

    def test_an_owner_without_records_has_one_empty_page(self) -> None:
        self.need_owner_index()
        assert self._page() == Page({}, None)

    def test_pages_hold_the_lowest_and_the_highest_key(self) -> None:
        self.need_owner_index()
        keys = [bytes(32), b"\xff" * 32, bytes(31) + b"\x01"]
        for key in keys:
            self.created(key, self.record(owner=self.owner()))
        assert self.listed(limit=1).keys() == set(keys)

    def test_what_is_ended_behind_the_cursor_hides_no_other(self) -> None:
        keys = self._create_owned(20)
        seen: set[bytes] = set()
        for page in self.pages(limit=3):
            seen |= page.keys()
            for key in page:
                self.store.delete(key)
        assert seen == set(keys)

    def test_what_is_ended_before_its_page_is_not_listed(self) -> None:
        keys = self._create_owned(20)
        page = self._page()
        ended = [key for key in keys if key not in page.records]
        for key in ended:
            self.store.delete(key)
        assert page.cursor is not None
        assert not self._rest(page.cursor) & set(ended)

    def test_what_is_written_between_the_pages_is_not_passed_over(self) -> None:
        keys = self._create_owned(20)
        seen: set[bytes] = set()
        for page in self.pages(limit=3):
            seen |= page.keys()
            for key in keys:
                version = self.loaded(key).version
                self.store.touch(key, expires_at=self.now + 7200, expected_version=version, now=self.now)
        assert seen == set(keys)

    def test_what_has_expired_is_not_listed_and_hides_no_other(self) -> None:
        self._create_owned(20, lives=60)
        living = self._create_owned(3, name="living", lives=3600)
        assert self.listed(now=self.now + 60, limit=2).keys() == set(living)

    def test_other_owners_records_are_not_in_any_page(self) -> None:
        keys = self._create_owned(10)
        for number in range(10):
            self.created(self.key(f"b{number}"), self.record(owner=self.owner("bob")))
        assert self.listed(limit=2).keys() == set(keys)

    def test_a_cursor_can_be_used_again(self) -> None:
        self._create_owned(10)
        cursor = self._page().cursor
        assert cursor is not None
        assert self._rest(cursor) == self._rest(cursor)

    def test_a_cursor_goes_on_in_a_second_store_on_the_same_data(self) -> None:
        keys = self._create_owned(10)
        page = self._page()
        other = self.open_again(self.store)
        if other is None:
            raise SkipTest(f"{type(self.store).__name__} cannot be opened a second time")
        try:
            rest = other.records_of(self.owner(), now=self.now, limit=100, cursor=page.cursor)
        finally:
            self.close_store(other)
        assert page.records.keys() | rest.records.keys() == set(keys)

    def test_a_limit_below_one_is_refused_and_nothing_is_lost(self) -> None:
        keys = self._create_owned(3)
        for limit in (0, -1):
            assert self._refuses(limit=limit)
        assert self.listed().keys() == set(keys)

    def test_a_cursor_of_another_owner_is_refused_and_nothing_is_lost(self) -> None:
        keys = self._create_owned(10)
        cursor = self._page().cursor
        assert self._refuses(name="bob", cursor=cursor)
        assert self.listed().keys() == set(keys)

    def test_a_cursor_of_another_kind_of_store_is_refused_and_nothing_is_lost(self) -> None:
        keys = self._create_owned(3)
        for cursor in (b"", b"x", b"17", self.key(), self.owner() + self.key()):
            assert self._refuses(cursor=cursor)
        assert self.listed().keys() == set(keys)

    def _create_owned(self, count: int, *, name: str = "", lives: int = 3600) -> list[bytes]:
        self.need_owner_index()
        keys = [self.key(f"{name}{number}") for number in range(count)]
        record = self.record(lives=lives, owner=self.owner())
        for key in keys:
            self.store.create(key, record, now=self.now)
        return keys

    def _page(self, *, name: str = "ann", limit: int = 3, cursor: bytes | None = None) -> Page:
        return self.store.records_of(self.owner(name), now=self.now, limit=limit, cursor=cursor)

    def _rest(self, cursor: bytes | None) -> set[bytes]:
        keys: set[bytes] = set()
        while cursor is not None:
            page = self._page(limit=100, cursor=cursor)
            keys |= page.records.keys()
            cursor = page.cursor
        return keys

    def _refuses(self, *, name: str = "ann", limit: int = 3, cursor: bytes | None = None) -> bool:
        try:
            self._page(name=name, limit=limit, cursor=cursor)
        except ValueError:
            return True
        return False
