"""RedisStore: what its owner index costs and keeps, on one server and in a Cluster."""

from base64 import urlsafe_b64encode
from contextlib import closing

import pytest
import redis

from cookiesess.stores.base import Record, Updated
from cookiesess.stores.redis import RedisStore
from cookiesess.stores.redis.record import index_deadline, pack, text_of
from cookiesess.stores.redis.scripts import LIST
from kit.constants import DAY
from kit.listing import listed
from kit.servers.redis import ANN, KEY, NOW, OTHER, client_of, prefix

BOB = b"b" * 32
# A page, and of each of its hundred entries the head of the record, and the entry where the record is gone.
MOST_COMMANDS = 1 + 100 + 100
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
    assert list(listed(store, ANN, now=NOW + lives - 1)) == [KEY]


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
    raw.delete(store._names(TEXT, b"")[0])
    assert listed(store, ANN, now=NOW) == {}
    assert not raw.exists(owner_set(store))


def test_deleting_whatever_the_version_removes_the_entry_at_once(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    store.delete(KEY)
    assert not raw.exists(owner_set(store))


@pytest.mark.parametrize("owner", [bytes(32), b"\xff" * 32, bytes(range(32)), bytes(range(224, 256))])
def test_the_entry_of_any_owner_is_found_by_what_the_record_says(store, raw, owner):
    store.create(KEY, record(owner=owner), now=NOW)
    assert raw.zcard(owner_set(store, owner)) == 1
    store.delete(KEY)
    assert not raw.exists(owner_set(store, owner))


def many(raw, store, count: int, *, lives: int = 3600, owner: bytes = ANN) -> list[bytes]:
    """Write records as the store would, by the thousand; all entries have one score, as those of one second have."""
    until = index_deadline(NOW + lives, NOW)
    value = pack(record(lives=lives, owner=owner), b"8 bytes.", until)
    keys = [number.to_bytes(32) for number in range(count)]
    pipeline = raw.pipeline(transaction=False)
    for key in keys:
        pipeline.set(store._names(text_of(key), b"")[0], value)
        pipeline.zadd(owner_set(store, owner), {text_of(key): until})
    pipeline.execute()
    return keys


def commands_in_a_script(raw, action) -> float:
    """How many commands a script has run while `action` ran, on average: Redis does nothing else until it has."""
    raw.config_resetstat()
    action()
    calls = {name: each["calls"] for name, each in raw.info("commandstats").items()}
    scripts = sum(calls.get(f"cmdstat_{name}", 0) for name in ("eval", "evalsha"))
    return sum(calls.get(f"cmdstat_{name}", 0) for name in ("getrange", "zrange", "zrem")) / scripts


def test_a_page_holds_redis_no_longer_where_an_owner_has_thousands(store, raw):
    keys = many(raw, store, 10_000)
    found = {}
    commands = commands_in_a_script(raw, lambda: found.update(listed(store, ANN, now=NOW, limit=500)))
    assert found.keys() == set(keys)
    assert commands <= MOST_COMMANDS


def test_a_page_where_thousands_of_records_are_gone_holds_redis_no_longer_either(store, raw):
    for key in many(raw, store, 10_000)[:-1]:
        raw.delete(store._names(text_of(key), b"")[0])
    assert commands_in_a_script(raw, lambda: listed(store, ANN, now=NOW)) <= MOST_COMMANDS
    assert raw.zcard(owner_set(store)) == 1


def test_writes_remove_entries_that_have_run_out_a_hundred_at_a_time(store, raw):
    many(raw, store, 1000, lives=60)
    later = NOW + 120 + DAY
    store.create(b"n" * 32, record(lives=later - NOW + 3600, owner=ANN), now=later)
    assert raw.zcard(owner_set(store)) == 901
    assert listed(store, ANN, now=later).keys() == {b"n" * 32}
    assert raw.zcard(owner_set(store)) < 901


def test_a_page_goes_on_where_the_record_before_it_has_ended_meanwhile(store, raw):
    keys = set(many(raw, store, 10))
    page = store.records_of(ANN, now=NOW, limit=4)
    for key in page.records:
        store.delete(key)
    rest = store.records_of(ANN, now=NOW, limit=100, cursor=page.cursor)
    assert rest.records.keys() == keys - page.records.keys()


def test_a_page_goes_on_where_the_record_before_it_was_listed_for_longer_meanwhile(store, raw):
    keys = set(many(raw, store, 10))
    page = store.records_of(ANN, now=NOW, limit=4)
    last = list(page.records)[-1]
    raw.zadd(owner_set(store), {text_of(last): NOW + 30 * DAY})
    rest = store.records_of(ANN, now=NOW, limit=100, cursor=page.cursor)
    assert page.records.keys() | rest.records.keys() == keys


def test_a_page_of_nothing_but_entries_whose_records_are_gone_leads_on(store, raw):
    keys = many(raw, store, 10)
    for key in keys[:6]:
        raw.delete(store._names(text_of(key), b"")[0])
    page = store.records_of(ANN, now=NOW, limit=3)
    assert page.records == {}
    assert store.records_of(ANN, now=NOW, limit=3, cursor=page.cursor).cursor is not None
    assert listed(store, ANN, now=NOW, limit=3).keys() == set(keys[6:])


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
    assert listed(store, ANN, now=NOW + 60) == {}
    assert list(listed(store, ANN, now=NOW + 59)) == [KEY]


def test_a_listing_carries_no_payload_over_the_wire(store, raw):
    store.create(KEY, record(b"x" * 1_000_000, owner=ANN, summary=b"s" * 1024), now=NOW)
    found = store._run(LIST, (owner_set(store),), (NOW, 1, b"", b"", ANN, store._before_key))
    assert len(found[2]) == 28 + 32 + 1024


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
    assert listed(spread, ANN, now=NOW) == {}


def test_in_a_cluster_listing_leaves_an_entry_whose_record_is_about_to_be_written(spread):
    """Or the record would be written and never be listed: no end_all would find it."""
    spread._listed(ANN, TEXT, NOW + DAY, NOW)
    assert listed(spread, ANN, now=NOW) == {}
    assert spread._client.zcard(owner_set(spread)) == 1


def test_in_a_cluster_a_change_of_owner_leaves_an_entry_that_listing_sees_through(spread):
    spread.create(KEY, record(owner=ANN), now=NOW)
    spread.update(KEY, record(owner=BOB), expected_version=version(spread), now=NOW)
    assert (list(listed(spread, ANN, now=NOW)), list(listed(spread, BOB, now=NOW))) == ([], [KEY])


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
