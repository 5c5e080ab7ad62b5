"""Memcached's servers that stall, die and come back: nothing that was ended returns, no request hangs past its timeout,
and nothing that was acknowledged is lost, but what a server forgets when it restarts.
"""

import contextlib
import os

from cookiesess.stores.base import Gone
from cookiesess.stores.memcached import MemcachedStore
from kit.constants import NOW
from kit.servers.memcached import (
    SHORT,
    created,
    hashed,
    key,
    name_of,
    payload,
    plain,
    pooled,
    record,
    stat,
    unavailable,
)
from kit.threads import in_threads


class TestAStalledServer:
    def test_no_call_waits_longer_than_its_timeout(self, make_memcached):
        server = make_memcached()
        store = MemcachedStore(pooled(server.port, timeout=SHORT))
        version = created(store)
        server.stall()
        calls = [
            lambda: store.create(key(2), record(), now=NOW),
            lambda: store.load(key(1), now=NOW),
            lambda: store.load_many([key(1)], now=NOW),
            lambda: store.update(key(1), record(b"new"), expected_version=version, now=NOW),
            lambda: store.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW),
            lambda: store.delete(key(1)),
            lambda: store.check(),
        ]
        errors = in_threads(*[lambda call=call: unavailable(call) for call in calls])
        assert {type(error.__cause__) for error in errors} == {TimeoutError}
        server.resume()
        assert payload(store) in {None, b"payload", b"new"}  # none of that was acknowledged: each may be done or not
        store.close()

    def test_its_keys_are_unavailable_and_never_sent_to_the_other_server(self, make_memcached):
        stalled, other = make_memcached(), make_memcached()
        store = MemcachedStore(hashed(stalled.port, other.port, timeout=SHORT))
        theirs = keys_on(stalled, store)
        ours = keys_on(other, store)
        versions = {each: store.load(each, now=NOW).version for each in theirs}
        ended = theirs.pop()
        assert store.delete(ended)
        stalled.stall()
        items = stat(other.port, "curr_items")
        for _ in range(2):  # a HashClient of its own gives a server up after the second failure
            for each in theirs[:2]:
                assert isinstance(unavailable(lambda each=each: store.load(each, now=NOW)).__cause__, TimeoutError)
                unavailable(lambda each=each: store.delete(each))
        unavailable(lambda: store.load_many([theirs[0], ours[0]], now=NOW))
        assert stat(other.port, "curr_items") == items
        assert set(store.load_many(ours, now=NOW)) == set(ours)
        assert store.delete(ours[0])
        stalled.resume()
        # What was ended and acknowledged stays ended; whoever could not be ended was told so, and can be ended now.
        assert store.load(ended, now=NOW) is None
        assert store.load(theirs[2], now=NOW) == record()._replace(version=versions[theirs[2]])
        for each in theirs:
            store.delete(each)
            assert store.load(each, now=NOW) is None
        assert store.load(ours[0], now=NOW) is None
        store.close()

    def test_nothing_of_a_stalled_server_is_lost(self, make_memcached):
        server = make_memcached()
        store = MemcachedStore(pooled(server.port, timeout=SHORT))
        version = created(store)
        server.stall()
        unavailable(lambda: store.load(key(1), now=NOW))
        server.resume()
        assert store.load(key(1), now=NOW).version == version
        store.close()


def keys_on(server, store: MemcachedStore) -> list[bytes]:
    """Some keys that a server holds, of sessions that are made for it."""
    keys = [os.urandom(32) for _ in range(32)]
    for each in keys:
        store.create(each, record(), now=NOW)
    with contextlib.closing(plain(server.port)) as client:
        found = [each for each in keys if client.get(name_of(each))]
    assert 3 < len(found) < 32
    return found


class TestAKilledServer:
    def test_the_others_keys_work_on_and_its_own_sessions_do_not_return(self, make_memcached):
        killed, other = make_memcached(), make_memcached()
        store = MemcachedStore(hashed(killed.port, other.port))
        lost, kept = keys_on(killed, store), keys_on(other, store)
        versions = {each: store.load(each, now=NOW).version for each in lost}
        killed.kill()
        for each in lost:
            assert "refused" in str(unavailable(lambda each=each: store.load(each, now=NOW)))
        assert set(store.load_many(kept, now=NOW)) == set(kept)
        killed.start()
        for each, version in versions.items():
            assert isinstance(store.update(each, record(), expected_version=version, now=NOW), Gone)
            assert not store.touch(each, expires_at=NOW + 60, expected_version=version, now=NOW)
            assert not store.delete(each, expected_version=version)
        assert set(store.load_many(lost + kept, now=NOW)) == set(kept)
        store.close()

    def test_a_restart_fails_no_request(self, make_memcached):
        server = make_memcached()
        store = MemcachedStore(pooled(server.port))
        created(store)
        server.restart()
        assert payload(store) is None
        created(store)
        store.close()
