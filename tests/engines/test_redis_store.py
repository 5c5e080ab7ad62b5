"""RedisStore: its round trips, and its keys and values byte by byte."""

from base64 import urlsafe_b64encode
from contextlib import closing, contextmanager

import pytest
import redis

from cookiesess.errors import StoreUnavailable
from cookiesess.stores.base import Conflict, Record
from cookiesess.stores.redis import RedisStore
from kit.constants import DAY
from kit.listing import listed
from kit.servers.proxy import Proxy
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


def names(raw, store):
    """The names of all keys of a store, without its prefix and without marks."""
    before = store._prefix.encode()
    found = (name.removeprefix(before) for name in raw.scan_iter(before + b"*", count=1000))
    return sorted(name for name in found if b"}:" not in name)


@contextmanager
def counted(shared_redis):
    """A store behind a proxy whose connection is warm and whose scripts are loaded."""
    with Proxy(shared_redis.port) as proxy, closing(RedisStore(client_of(proxy.port), prefix=prefix())) as store:
        for script_of in (ANN, None):
            store.create(OTHER, record(owner=script_of), now=NOW)
            store.touch(OTHER, expires_at=NOW + 60, expected_version=version(store, OTHER), now=NOW)
            store.update(OTHER, record(owner=script_of), expected_version=version(store, OTHER), now=NOW)
            listed(store, ANN, now=NOW)
            store.delete(OTHER)
        yield store, proxy


@pytest.mark.parametrize("owner", [None, ANN], ids=["without an owner", "with an owner"])
def test_each_verb_is_one_round_trip(shared_redis, owner):
    with counted(shared_redis) as (store, proxy):

        def cost(action):
            before = proxy.round_trips
            action()
            return proxy.round_trips - before

        assert cost(lambda: store.create(KEY, record(owner=owner), now=NOW)) == 1
        found = store.load(KEY, now=NOW)
        assert cost(lambda: store.load(KEY, now=NOW)) == 1
        assert cost(lambda: store.load_many([KEY, OTHER], now=NOW)) == 1
        assert cost(lambda: store.touch(KEY, expires_at=NOW + 60, expected_version=found.version, now=NOW)) == 1
        assert cost(lambda: store.update(KEY, record(owner=owner), expected_version=found.version, now=NOW)) == 1
        assert cost(lambda: store.update(KEY, record(owner=owner), expected_version=found.version, now=NOW)) == 1
        assert cost(lambda: listed(store, ANN, now=NOW)) == 1
        assert cost(lambda: store.delete(KEY)) == 1


def test_a_change_of_owner_is_one_round_trip(shared_redis):
    with counted(shared_redis) as (store, proxy):
        store.create(KEY, record(owner=ANN), now=NOW)
        before, held = proxy.round_trips + 1, version(store)
        store.update(KEY, record(owner=BOB), expected_version=held, now=NOW)
        assert proxy.round_trips - before == 1


def test_a_value_is_the_header_and_then_owner_summary_and_payload(store, raw):
    store.create(KEY, record(b"the payload", lives=60, owner=ANN, summary=b"sum"), now=NOW)
    drawn, _, _ = version(store)
    until = NOW + 2 * 60 + DAY
    expected = b"\x01" + drawn + (NOW + 60).to_bytes(8, "big") + until.to_bytes(8, "big") + b"\x20\x00\x03"
    assert raw.get(b"%b{%b}" % (store._prefix.encode(), TEXT)) == expected + ANN + b"sum" + b"the payload"


def test_a_value_that_was_written_once_is_read_for_ever(store, raw):
    header = bytes.fromhex("01 0102030405060708 00000000ffffffff 0000000000000000 00 0003")
    raw.set(b"%b{%b}" % (store._prefix.encode(), TEXT), header + b"sumpayload")
    assert store.load(KEY, now=NOW) == Record(b"payload", 0xFFFF_FFFF, b"sum", None, (b"\1\2\3\4\5\6\7\x08", None, 0))


def test_a_record_without_an_owner_is_one_key(store, raw):
    store.create(KEY, record(), now=NOW)
    assert names(raw, store) == [b"{%b}" % TEXT]


def test_the_names_of_all_keys_are_text(store, raw):
    store.create(KEY, record(owner=ANN), now=NOW)
    found = list(raw.scan_iter(store._prefix.encode() + b"*", count=1000))
    assert len(found) == 3
    assert all(name.isascii() and name.decode().isprintable() for name in found)


def test_redis_forgets_a_record_by_itself_when_it_has_expired(store, raw):
    store.create(KEY, record(lives=60), now=NOW)
    name = b"%b{%b}" % (store._prefix.encode(), TEXT)
    assert 50 < raw.ttl(name) <= 60
    store.touch(KEY, expires_at=NOW + 600, expected_version=version(store), now=NOW)
    assert 590 < raw.ttl(name) <= 600
    store.update(KEY, record(lives=6000), expected_version=version(store), now=NOW)
    assert 5990 < raw.ttl(name) <= 6000


def test_the_marks_of_writes_are_forgotten_in_two_minutes(store, raw):
    store.create(KEY, record(), now=NOW)
    store.update(KEY, record(), expected_version=version(store), now=NOW)
    store.delete(KEY)
    marks = list(raw.scan_iter(b"%b{*}:*" % store._prefix.encode(), count=1000))
    assert len(marks) == 3
    assert all(60 < raw.ttl(mark) <= 120 for mark in marks)


def test_what_expired_in_the_meantime_is_written_for_a_second_and_never_handed_out(store):
    store.create(KEY, record(lives=-5), now=NOW)
    assert store.load(KEY, now=NOW) is None


@pytest.mark.parametrize("stranger", [None, 7, "text", b"bytes"])
def test_a_version_of_another_store_fits_nothing(store, stranger):
    store.create(KEY, record(), now=NOW)
    assert isinstance(store.update(KEY, record(), expected_version=stranger, now=NOW), Conflict)


@pytest.mark.parametrize("stranger", [7, "text", b"", b"bytes"])
def test_a_version_of_another_store_deletes_nothing(store, stranger):
    store.create(KEY, record(), now=NOW)
    assert not store.delete(KEY, expected_version=stranger)


@pytest.mark.parametrize("value", [b"", b"short", b"\x02" + bytes(100)])
def test_a_value_of_another_program_or_a_newer_version_is_an_error_that_says_so(store, raw, value):
    raw.set(b"%b{%b}" % (store._prefix.encode(), TEXT), value)
    with pytest.raises(StoreUnavailable, match="prefix of its own"):
        store.load(KEY, now=NOW)


def test_a_key_of_another_type_is_an_error_with_its_cause(store, raw):
    raw.rpush(b"%b{%b}" % (store._prefix.encode(), TEXT), "x")
    with pytest.raises(StoreUnavailable, match="in the cause") as caught:
        store.load(KEY, now=NOW)
    assert isinstance(caught.value.__cause__, redis.ResponseError)


def test_two_prefixes_are_two_stores(shared_redis):
    one, other = (RedisStore(client_of(shared_redis.port), prefix=prefix()) for _ in range(2))
    one.create(KEY, record(), now=NOW)
    assert other.load(KEY, now=NOW) is None
    one.close()
    other.close()


def test_close_leaves_no_connection_open(shared_redis):
    with Proxy(shared_redis.port) as proxy:
        store = RedisStore(client_of(proxy.port), prefix=prefix())
        store.load(KEY, now=NOW)
        opened = proxy.connections
        store.close()
        store.load(KEY, now=NOW)
        assert proxy.connections == opened + 1
        store.close()


def test_the_repr_names_the_prefix_and_no_password(shared_redis):
    with closing(RedisStore(client_of(shared_redis.port), prefix="app:")) as store:
        assert repr(store) == "<RedisStore prefix='app:'>"


def test_what_another_program_wrote_is_not_deleted(store, raw):
    name = b"%b{%b}" % (store._prefix.encode(), TEXT)
    raw.set(name, b"short")
    with pytest.raises(StoreUnavailable):
        store.delete(KEY)
    assert raw.get(name) == b"short"
