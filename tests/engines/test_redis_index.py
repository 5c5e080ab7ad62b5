"""RedisStore: what its owner index costs and keeps, on one server and in a Cluster."""

from base64 import urlsafe_b64encode
from contextlib import closing

import pytest
import redis

from cookiesess.stores.base import Record, Updated
from cookiesess.stores.redis import RedisStore
from cookiesess.stores.redis.scripts import LIST
from kit.constants import DAY
from kit.servers.redis import ANN, KEY, NOW, OTHER, client_of, prefix

BOB = b"b" * 32
TEXT = urlsafe_b64encode(KEY)[:-1]


def record(payload=b"payload", *, lives=3600, owner=None, summary=b"summary"):
    return Record(payload, NOW + lives, summary, owner)


def version(store, key=KEY):
    return store.load(key, now=NOW).version


@pytest.fixture
def store(redis_store):
    return redis_store


@pytest.fixture
def raw(shared_redis):
    """A plain client beside the store."""
    with closing(client_of(shared_redis.port)) as client:
        yield client


def owner_set(store, owner=ANN):
    return store._prefix.encode() + b"owner:" + urlsafe_b64encode(owner)[:-1]


def test_an_index_entry_outlasts_its_record_by_as_long_again_and_a_day(store, raw):
    store.create(KEY, record(lives=3600, owner=ANN), now=NOW)
    assert raw.zscore(owner_set(store), TEXT) == NOW + 2 * 3600 + DAY


def test_the_index_is_not_written_while_its_entry_lasts(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    raw.delete(owner_set(store))
    held = version(store)
    store.touch(KEY, expires_at=NOW + 2 * 3600 + DAY, expected_version=held, now=NOW)
    store.update(KEY, record(lives=2 * 3600 + DAY, owner=ANN), expected_version=held, now=NOW)
    assert not raw.exists(owner_set(store))


def test_a_touch_beyond_the_entry_lengthens_it(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    lives = 2 * 3600 + DAY + 1
    store.touch(KEY, expires_at=NOW + lives, expected_version=version(store), now=NOW)
    assert raw.zscore(owner_set(store), TEXT) == NOW + 2 * lives + DAY
    assert list(store.records_of(ANN, now=NOW + lives - 1)) == [KEY]


def test_an_update_beyond_the_entry_lengthens_it(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    lives = 2 * 3600 + DAY + 1
    outcome = store.update(KEY, record(lives=lives, owner=ANN), expected_version=version(store), now=NOW)
    assert raw.zscore(owner_set(store), TEXT) == NOW + 2 * lives + DAY
    assert outcome == Updated(version(store))


def test_an_entry_is_never_shortened(store, raw):
    store.create(KEY, record(lives=1000, owner=ANN), now=NOW)
    long = raw.zscore(owner_set(store), TEXT)
    store.update(KEY, record(owner=None), expected_version=version(store), now=NOW)
    raw.zadd(owner_set(store), {TEXT: long})
    store.update(KEY, record(lives=10, owner=ANN), expected_version=version(store), now=NOW)
    assert raw.zscore(owner_set(store), TEXT) == long


def test_the_index_of_an_owner_is_forgotten_with_its_last_entry(store, raw):
    store.create(KEY, record(lives=3600, owner=ANN), now=NOW)
    store.create(OTHER, record(lives=60, owner=ANN), now=NOW)
    assert 2 * 3600 + DAY - 10 < raw.ttl(owner_set(store)) <= 2 * 3600 + DAY


def test_writing_the_index_removes_entries_whose_deadline_has_passed(store, raw):
    store.create(KEY, record(lives=60, owner=ANN), now=NOW)
    store.create(OTHER, record(owner=ANN), now=NOW + 120 + DAY)
    assert raw.zrange(owner_set(store), 0, -1) == [urlsafe_b64encode(OTHER)[:-1]]


def test_listing_removes_entries_whose_record_is_gone(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    store.delete(KEY)
    assert raw.zcard(owner_set(store)) == 1
    assert store.records_of(ANN, now=NOW) == {}
    assert not raw.exists(owner_set(store))


def test_deleting_a_known_version_removes_its_entry_at_once(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    store.delete(KEY, expected_version=version(store))
    assert not raw.exists(owner_set(store))


def test_a_change_of_owner_removes_the_old_entry_at_once(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    store.update(KEY, record(owner=BOB), expected_version=version(store), now=NOW)
    assert not raw.exists(owner_set(store, ANN))
    store.update(KEY, record(owner=None), expected_version=version(store), now=NOW)
    assert not raw.exists(owner_set(store, BOB))


def test_listing_keeps_what_lives_and_hides_what_has_expired(store, raw):
    store.create(KEY, record(lives=60, owner=ANN), now=NOW)
    assert store.records_of(ANN, now=NOW + 60) == {}
    assert list(store.records_of(ANN, now=NOW + 59)) == [KEY]


def test_a_listing_carries_no_payload_over_the_wire(store, raw):
    store.create(KEY, record(b"x" * 1_000_000, owner=ANN, summary=b"s" * 1024), now=NOW)
    found = store._run(LIST, (owner_set(store),), (NOW, ANN, store._before_key))
    assert len(found[1]) == 28 + 32 + 1024


# In a Cluster


@pytest.fixture
def spread(shared_cluster):
    """A store in a Cluster."""
    with closing(RedisStore(shared_cluster.client(), prefix=prefix())) as opened:
        yield opened


def test_in_a_cluster_the_index_entry_is_there_before_the_record(spread):
    seen = []

    def execute(*command):
        seen.append(command[3])
        return spread._client.execute_command(*command)

    spread._execute = execute
    spread.create(KEY, record(owner=ANN), now=NOW)
    assert seen[0] == owner_set(spread)
    assert seen[-1] == b"%b{%b}" % (spread._prefix.encode(), TEXT)


def test_in_a_cluster_an_update_and_a_touch_with_an_owner_are_one_command(spread):
    spread.create(KEY, record(owner=ANN), now=NOW)
    held, seen = version(spread), []

    def execute(*command):
        seen.append(command[0])
        return spread._client.execute_command(*command)

    spread.touch(KEY, expires_at=NOW + 7200, expected_version=held, now=NOW)  # each node learns the scripts
    spread.update(KEY, record(owner=ANN), expected_version=held, now=NOW)
    held, spread._execute = version(spread), execute
    spread.touch(KEY, expires_at=NOW + 7200, expected_version=held, now=NOW)
    assert isinstance(spread.update(KEY, record(owner=ANN), expected_version=held, now=NOW), Updated)
    assert seen == ["EVALSHA", "EVALSHA"]


def test_in_a_cluster_a_delete_removes_the_index_entry(spread):
    spread.create(KEY, record(owner=ANN), now=NOW)
    spread.delete(KEY)
    assert spread._client.zcard(owner_set(spread)) == 0


def test_in_a_cluster_a_session_ends_though_its_index_cannot_be_written(spread):
    def execute(*command):
        if command[0] == "ZREM":
            raise redis.ConnectionError
        return spread._client.execute_command(*command)

    spread.create(KEY, record(owner=ANN), now=NOW)
    spread._execute = execute
    assert spread.delete(KEY) is True
    assert spread.records_of(ANN, now=NOW) == {}


def test_in_a_cluster_listing_leaves_an_entry_whose_record_is_about_to_be_written(spread):
    """Or the record would be written and never be listed: no end_all would find it."""
    spread._listed(ANN, TEXT, NOW + DAY, NOW)
    assert spread.records_of(ANN, now=NOW) == {}
    assert spread._client.zcard(owner_set(spread)) == 1


def test_in_a_cluster_a_change_of_owner_leaves_an_entry_that_listing_sees_through(spread):
    spread.create(KEY, record(owner=ANN), now=NOW)
    spread.update(KEY, record(owner=BOB), expected_version=version(spread), now=NOW)
    assert (list(spread.records_of(ANN, now=NOW)), list(spread.records_of(BOB, now=NOW))) == ([], [KEY])


def test_in_a_cluster_what_belongs_to_a_record_lies_in_one_slot(spread):
    name, mark = spread._names(TEXT, b"{12345}8")
    assert spread._client.keyslot(name) == spread._client.keyslot(mark)


def test_a_closed_store_in_a_cluster_still_finds_the_right_node_at_once(spread):
    spread.create(KEY, record(), now=NOW)
    spread.close()
    assert spread.load(KEY, now=NOW).payload == b"payload"
    assert spread._client.get_default_node() is not None


def test_the_repr_says_that_it_is_a_cluster(spread):
    assert repr(spread) == f"<RedisStore in a Cluster, prefix={spread._prefix!r}>"
