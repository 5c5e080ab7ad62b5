"""Create, load, update, touch and delete: what each does, and what it must not do."""

# ruff: noqa: S101 (a test suite asserts)

from cookiesess.errors import RecordExists
from cookiesess.stores.base import Conflict, Gone, Updated
from cookiesess.testing.contract_base import ContractBase

# Every byte value, and zeros where a C string would end.
_ALL_BYTES = bytes(range(256)) + b"\x00\x00" + bytes(range(255, -1, -1))


class VerbCases(ContractBase):
    """The cases of the six verbs on one clock reading."""

    def test_load_returns_what_was_created(self) -> None:
        record = self.record(b"payload", summary=b"summary", owner=self.owner())
        self.store.create(self.key(), record, now=self.now)
        assert self.loaded()._replace(version=None) == record

    def test_load_of_an_unknown_key_is_none(self) -> None:
        self.created(self.key("a"))
        assert self.store.load(self.key("b"), now=self.now) is None

    def test_loading_does_not_change_the_version(self) -> None:
        version = self.created()
        assert self.loaded().version == version

    def test_create_never_overwrites(self) -> None:
        self.created(record=self.record(b"first", owner=self.owner()))
        before = self.loaded()
        self._refuse_create()
        assert self.loaded() == before

    def test_create_after_a_delete_works(self) -> None:
        self.created()
        self.store.delete(self.key())
        self.created(record=self.record(b"second"))
        assert self.loaded().payload == b"second"

    def test_a_version_from_before_a_delete_does_not_fit_the_new_record(self) -> None:
        old = self.created()
        self.store.delete(self.key())
        self.created(record=self.record(b"second"))
        outcome = self.store.update(self.key(), self.record(b"late"), expected_version=old, now=self.now)
        assert isinstance(outcome, Conflict)
        assert self.loaded().payload == b"second"

    def test_create_ignores_the_version_in_the_record(self) -> None:
        first = self.created(self.key("a"))
        version = self.created(self.key("b"), self.record()._replace(version=first))
        assert isinstance(self.update(version, key=self.key("b")), Updated)

    def test_an_empty_payload_comes_back(self) -> None:
        self.created(record=self.record(b"", summary=b""))
        assert (self.loaded().payload, self.loaded().summary) == (b"", b"")

    def test_a_payload_of_one_mebibyte_comes_back(self) -> None:
        payload = (_ALL_BYTES * 2049)[: 1 << 20]
        self.created(record=self.record(payload))
        assert self.loaded().payload == payload

    def test_every_byte_value_comes_back(self) -> None:
        self.created(record=self.record(_ALL_BYTES, summary=_ALL_BYTES))
        assert (self.loaded().payload, self.loaded().summary) == (_ALL_BYTES, _ALL_BYTES)

    def test_bytes_that_are_not_text_make_a_key(self) -> None:
        keys = [bytes(32), b"\xff" * 32, bytes(31) + b"\x01", b"\n\r \x00%?*[" * 4]
        for key in keys:
            self.created(key, self.record(b"of " + key))
        assert [self.loaded(key).payload for key in keys] == [b"of " + key for key in keys]

    def test_update_replaces_every_field(self) -> None:
        version = self.created()
        new = self.record(b"new", lives=60, summary=b"new too", owner=self.owner())
        self.store.update(self.key(), new, expected_version=version, now=self.now)
        assert self.loaded()._replace(version=None) == new

    def test_update_returns_the_version_that_load_returns(self) -> None:
        outcome = self.update(self.created())
        assert isinstance(outcome, Updated)
        assert outcome.version == self.loaded().version

    def test_update_changes_the_version(self) -> None:
        version = self.created()
        self.update(version)
        assert self.loaded().version != version

    def test_update_changes_the_version_even_if_nothing_else(self) -> None:
        version = self.created()
        self.store.update(self.key(), self.record(), expected_version=version, now=self.now)
        assert self.loaded().version != version

    def test_the_version_of_one_update_fits_the_next(self) -> None:
        first = self.update(self.created())
        assert isinstance(first, Updated)
        assert isinstance(self.update(first.version), Updated)

    def test_a_stale_version_never_wins(self) -> None:
        stale = self.created()
        self.update(stale, b"theirs")
        assert isinstance(self.update(stale, b"mine"), Conflict)
        assert self.loaded().payload == b"theirs"

    def test_no_earlier_version_ever_wins(self) -> None:
        versions = [self.created()]
        for _ in range(20):
            outcome = self.update(versions[-1])
            assert isinstance(outcome, Updated)
            versions.append(outcome.version)
        assert len(set(versions)) == len(versions)
        assert all(isinstance(self.update(version), Conflict) for version in versions[:-1])

    def test_a_conflict_holds_the_current_record(self) -> None:
        stale = self.created()
        self.update(stale, b"theirs")
        outcome = self.update(stale, b"mine")
        assert isinstance(outcome, Conflict)
        assert outcome.current == self.loaded()

    def test_the_version_in_a_conflict_fits_the_next_try(self) -> None:
        stale = self.created()
        self.update(stale, b"theirs")
        outcome = self.update(stale, b"mine")
        assert isinstance(outcome, Conflict)
        assert isinstance(self.update(outcome.current.version, b"merged"), Updated)
        assert self.loaded().payload == b"merged"

    def test_update_of_a_deleted_record_is_gone_and_creates_nothing(self) -> None:
        version = self.created()
        self.store.delete(self.key())
        assert isinstance(self.update(version), Gone)
        assert self.store.load(self.key(), now=self.now) is None

    def test_update_of_an_unknown_key_is_gone_and_creates_nothing(self) -> None:
        version = self.created(self.key("a"))
        assert isinstance(self.update(version, key=self.key("b")), Gone)
        assert self.store.load(self.key("b"), now=self.now) is None

    def test_update_leaves_other_records_alone(self) -> None:
        version = self.created(self.key("a"))
        self.created(self.key("b"))
        before = self.loaded(self.key("b"))
        self.update(version, key=self.key("a"))
        assert self.loaded(self.key("b")) == before

    def test_touch_changes_the_expiry_alone(self) -> None:
        self.created(record=self.record(owner=self.owner()))
        before = self.loaded()
        assert self.touch(before.version, lives=7200)
        assert self.loaded() == before._replace(expires_at=self.now + 7200)

    def test_touch_does_not_change_the_version(self) -> None:
        version = self.created()
        self.touch(version)
        assert self.loaded().version == version
        assert isinstance(self.update(version), Updated)

    def test_touch_of_a_deleted_record_is_false_and_creates_nothing(self) -> None:
        version = self.created()
        self.store.delete(self.key())
        assert not self.touch(version)
        assert self.store.load(self.key(), now=self.now) is None

    def test_touch_of_an_updated_record_is_false_and_leaves_its_expiry(self) -> None:
        version = self.created()
        self.update(version)
        before = self.loaded()
        assert not self.touch(version, lives=7200)
        assert self.loaded() == before

    def test_delete_whatever_the_version(self) -> None:
        self.update(self.created())
        assert self.store.delete(self.key())
        assert self.store.load(self.key(), now=self.now) is None

    def test_delete_twice_is_fine_and_false(self) -> None:
        self.created()
        self.store.delete(self.key())
        assert not self.store.delete(self.key())

    def test_delete_with_the_current_version(self) -> None:
        version = self.created()
        assert self.store.delete(self.key(), expected_version=version)
        assert self.store.load(self.key(), now=self.now) is None

    def test_delete_with_a_stale_version_leaves_the_record(self) -> None:
        stale = self.created()
        self.update(stale)
        assert not self.store.delete(self.key(), expected_version=stale)
        assert self.loaded().payload == b"updated"

    def test_delete_leaves_other_records_alone(self) -> None:
        self.created(self.key("a"))
        self.created(self.key("b"))
        self.store.delete(self.key("a"))
        assert self.loaded(self.key("b")).payload == b"payload"

    def test_delete_many_deletes_what_still_has_the_version_and_counts_it(self) -> None:
        keys = [self.key(str(number)) for number in range(100)]
        versions = {key: self.created(key) for key in keys}
        for key in keys[:10]:
            self.update(versions[key], key=key)
        self.store.delete(keys[10])
        assert self.store.delete_many(versions) == 89
        assert self.store.load_many(keys, now=self.now).keys() == set(keys[:10])

    def test_delete_many_leaves_other_records_alone(self) -> None:
        self.created(self.key("b"))
        assert self.store.delete_many({self.key("a"): self.created(self.key("a"))}) == 1
        assert self.loaded(self.key("b")).payload == b"payload"

    def test_delete_many_of_nothing_is_fine_and_zero(self) -> None:
        self.created()
        assert self.store.delete_many({}) == 0
        assert self.loaded().payload == b"payload"

    def test_load_many_returns_those_that_exist(self) -> None:
        keys = [self.key(name) for name in "abc"]
        for key in keys[:2]:
            self.created(key)
        assert self.store.load_many(keys, now=self.now) == {key: self.loaded(key) for key in keys[:2]}

    def test_load_many_of_no_keys_is_empty(self) -> None:
        self.created()
        assert self.store.load_many([], now=self.now) == {}

    def test_load_many_takes_a_thousand_keys_from_an_iterator(self) -> None:
        self.created(self.key("999"))
        found = self.store.load_many((self.key(str(number)) for number in range(1000)), now=self.now)
        assert list(found) == [self.key("999")]

    def test_a_store_can_be_used_after_it_was_closed(self) -> None:
        self.store.close()
        self.created()
        assert self.loaded().payload == b"payload"

    def _refuse_create(self) -> None:
        try:
            self.store.create(self.key(), self.record(b"second"), now=self.now)
        except RecordExists:
            return
        raise AssertionError("create did not raise RecordExists")
