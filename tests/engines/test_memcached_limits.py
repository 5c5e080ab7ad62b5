"""Memcached's limits: full memory, 30 days, 1 MiB; and servers and values that a store cannot work with."""

import contextlib
import math
import socket
import threading
import time

import pytest

from cookiesess.errors import RecordTooLarge, StoreUnavailable
from cookiesess.stores.base import Gone, Record, Updated
from cookiesess.stores.memcached import MemcachedStore
from cookiesess.stores.memcached.value import Version
from kit.constants import DAY, NOW
from kit.servers.memcached import created, key, name_of, own_prefix, payload, plain, pooled, record, stat, unavailable


class TestMemoryThatIsFull:
    def test_what_is_evicted_is_gone_and_the_rest_whole(self, make_memcached):
        server = make_memcached("-m", "2")
        store = MemcachedStore(pooled(server.port))
        versions = []
        while stat(server.port, "evictions") < 50:
            for _ in range(100):
                number = len(versions)
                versions.append(created(store, number, b"%d " % number * 2000))
        survived = store.load_many(map(key, range(len(versions))), now=NOW)
        assert 0 < len(survived) < len(versions)
        for number, version in enumerate(versions):
            found = survived.get(key(number))
            if found is not None:
                assert found == record(b"%d " % number * 2000)._replace(version=version)
                continue
            assert isinstance(store.update(key(number), record(), expected_version=version, now=NOW), Gone)
            assert not store.touch(key(number), expires_at=NOW + 60, expected_version=version, now=NOW)
            assert not store.delete(key(number), expected_version=version)
            assert payload(store, number) is None
        store.close()

    def test_without_eviction_it_is_an_outage_and_the_old_records_stay(self, make_memcached):
        server = make_memcached("-m", "2", "-M")
        store = MemcachedStore(pooled(server.port))
        with pytest.raises(StoreUnavailable, match="out of memory storing object") as error:
            fill(store)
        assert error.value.__cause__ is not None
        assert payload(store, 0) == b"x" * 10_000
        assert store.delete(key(0))
        store.close()


def fill(store: MemcachedStore) -> None:
    for number in range(10_000):
        store.create(key(number), record(b"x" * 10_000), now=NOW)


class TestLimits:
    def test_a_record_above_the_limit_is_refused_and_the_old_one_stays_whole(self, make_memcached):
        server = make_memcached()
        store = MemcachedStore(pooled(server.port))
        version = created(store)
        large = record(b"x" * (1 << 20))
        with pytest.raises(RecordTooLarge, match="start memcached with a larger -I") as error:
            store.update(key(1), large, expected_version=version, now=NOW)
        assert (error.value.size_bytes, error.value.limit_bytes) == (20 + (1 << 20), None)
        # No outage: neither waiting nor an empty session would mend it.
        assert not isinstance(error.value, StoreUnavailable)
        assert error.value.__cause__ is not None
        with pytest.raises(RecordTooLarge, match="a larger -I"):
            store.create(key(2), large, now=NOW)
        assert store.load(key(1), now=NOW) == record()._replace(version=version)
        assert isinstance(store.update(key(1), record(b"new"), expected_version=version, now=NOW), Updated)
        assert payload(store, 2) is None
        store.close()

    @pytest.mark.parametrize("days", [1, 29, 31, 400])
    def test_an_item_lives_a_little_longer_than_its_record(self, memcached_server, days):
        now, prefix = int(time.time()), own_prefix()
        with contextlib.closing(MemcachedStore(pooled(memcached_server.port), prefix=prefix)) as store:
            store.create(key(1), Record(b"payload", now + days * DAY), now=now)
            (seconds,) = ttls(memcached_server.port, prefix)
            assert 0 < seconds - days * DAY <= 61 + lag(memcached_server.port)
            version = store.load(key(1), now=now).version
            store.touch(key(1), expires_at=now + days * DAY + 600, expected_version=version, now=now)
            (seconds,) = ttls(memcached_server.port, prefix)
            assert 600 < seconds - days * DAY <= 661 + lag(memcached_server.port)
            store.update(key(1), Record(b"new", now + days * DAY), expected_version=version, now=now)
            (seconds,) = ttls(memcached_server.port, prefix)
            assert 0 < seconds - days * DAY <= 61 + lag(memcached_server.port)

    def test_a_record_on_either_side_of_30_days_is_kept(self, memcached_store):
        now = int(time.time())
        for number in range(-100, 100):
            memcached_store.create(key(number + 200), Record(b"payload", now + 30 * DAY + number), now=now)
        keys = [key(number + 200) for number in range(-100, 100)]
        assert set(memcached_store.load_many(keys, now=now)) == set(keys)

    def test_an_expiry_that_the_protocol_cannot_say_is_left_to_the_record(self, memcached_server):
        prefix = own_prefix()
        with contextlib.closing(MemcachedStore(pooled(memcached_server.port), prefix=prefix)) as store:
            store.create(key(1), Record(b"payload", 1 << 31), now=NOW)
            assert ttls(memcached_server.port, prefix) == [-1]
            assert store.load(key(1), now=(1 << 31) - 1).payload == b"payload"
            assert store.load(key(1), now=1 << 31) is None

    @pytest.mark.parametrize("lives", [-600, -60, -1, 0])  # with the margin of a minute, -60 would be 0: for ever
    def test_a_record_that_has_expired_already_does_not_stay_for_ever(self, memcached_server, lives):
        prefix = own_prefix()
        with contextlib.closing(MemcachedStore(pooled(memcached_server.port), prefix=prefix)) as store:
            store.create(key(1), record(lives=lives), now=NOW)
            assert all(0 <= seconds <= 60 for seconds in ttls(memcached_server.port, prefix))
            assert store.load(key(1), now=NOW) is None


def ttls(port: int, prefix: str) -> list[int]:
    """What the server itself says of how long the first key's item has left; -1 is for ever."""
    name = name_of(key(1), prefix)
    with contextlib.closing(plain(port)) as client:
        answer = client.raw_command(f"mg {name} t")
    return [int(answer.removeprefix(b"HD t"))] if answer.startswith(b"HD") else []


def lag(port: int) -> int:
    """By how many seconds the server's clock is behind, which ticks once a second, and later on a busy machine."""
    with contextlib.closing(plain(port)) as client:
        return max(math.ceil(time.time()) - int(client.stats()[b"time"]), 0)


class TestWhatDoesNotBelongThere:
    def test_a_server_without_tokens_is_refused_at_the_first_load(self, make_memcached):
        server = make_memcached("-C")
        store = MemcachedStore(pooled(server.port))
        store.create(key(1), record(), now=NOW)
        with pytest.raises(StoreUnavailable, match="start it without -C"):
            store.load(key(1), now=NOW)
        store.close()

    @pytest.mark.parametrize("value", [b"", b"x", b"\x02" + bytes(30), b"\x01" + bytes(16) + b"\x20" + bytes(30)])
    def test_a_value_that_is_no_record_is_neither_read_nor_overwritten(self, memcached_server, value):
        prefix = own_prefix()
        name = name_of(key(1), prefix)
        with (
            contextlib.closing(plain(memcached_server.port)) as client,
            contextlib.closing(MemcachedStore(pooled(memcached_server.port), prefix=prefix)) as store,
        ):
            client.set(name, value)
            for call in (
                lambda: store.load(key(1), now=NOW),
                lambda: store.load_many([key(1)], now=NOW),
                lambda: store.create(key(1), record(), now=NOW),
                lambda: store.update(key(1), record(), expected_version=Version(b"12345678"), now=NOW),
            ):
                with pytest.raises(StoreUnavailable, match="give each its own prefix="):
                    call()
            assert client.get(name) == value

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (b"SERVER_ERROR out of order\r\n", "failed: out of order"),
            (b"CLIENT_ERROR unauthenticated\r\n", "failed: unauthenticated"),
            (b"HTTP/1.1 400 secret bytes\r\n", "failed: MemcacheUnknownError"),
            (b"ERROR\r\n", "failed: MemcacheUnknownCommandError"),
            (b"VALUE secret\r\n", "failed: ValueError"),
            (b"VALUE another 0 1 1\r\nx\r\nEND\r\n", "failed: KeyError"),
        ],
    )
    def test_an_answer_that_says_nothing_is_an_outage_that_quotes_no_bytes(self, answer, words):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=_answer_once, args=(listener, answer), daemon=True).start()
            store = MemcachedStore(pooled(listener.getsockname()[1]))
            error = unavailable(lambda: store.load(key(1), now=NOW))
        assert words in str(error)
        assert "secret" not in str(error)
        store.close()


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1 << 10)
        connection.sendall(answer)
        connection.recv(1 << 10)  # until the client has closed it
