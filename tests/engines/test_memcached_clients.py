"""What a MemcachedStore is built from, and what it refuses: clients that would lose sessions, URLs, prefixes."""

import contextlib
import math
import sys
from functools import partial

import pytest
from pymemcache import Client, HashClient, PooledClient
from pymemcache.client.rendezvous import RendezvousHash
from pymemcache.client.retrying import RetryingClient
from pymemcache.serde import pickle_serde

from cookiesess import SessionManager
from cookiesess.errors import ConfigurationError, MissingDependency, StoreUnavailable
from cookiesess.stores.base import Record
from cookiesess.stores.memcached import MemcachedStore
from cookiesess.stores.urls import open_store
from kit.constants import KEY, NOW
from kit.servers.memcached import SHORT, hashed, key, name_of, own_prefix, pooled, stat
from kit.servers.process import free_port

PORT = 11211  # of servers that no test asks
TWO = {"connect_timeout": 2, "timeout": 2}


class TestClients:
    @pytest.mark.parametrize(
        "client",
        [
            None,
            "127.0.0.1:11211",
            RetryingClient(pooled(PORT)),
            RetryingClient(hashed(PORT)),
        ],
    )
    def test_what_is_no_client_of_pymemcaches_is_refused(self, client):
        with pytest.raises(ConfigurationError, match="takes pymemcache's PooledClient"):
            MemcachedStore(client)

    @pytest.mark.parametrize("client", [Client(("localhost", PORT), **TWO), hashed(PORT, use_pooling=False)])
    def test_a_client_that_is_not_safe_among_threads_is_refused(self, client):
        with pytest.raises(ConfigurationError, match="use_pooling=True"):
            MemcachedStore(client)

    @pytest.mark.parametrize("make", [pooled, hashed])
    @pytest.mark.parametrize("name", ["connect_timeout", "timeout"])
    @pytest.mark.parametrize("seconds", [None, 0, -1, math.inf, math.nan, "2"])
    def test_a_client_that_could_wait_for_ever_is_refused(self, make, name, seconds):
        with pytest.raises(ConfigurationError, match=f"the client's {name} is {seconds!r}.* such as {name}=2"):
            MemcachedStore(make(PORT, **{name: seconds}))

    @pytest.mark.parametrize("make", [pooled, hashed])
    def test_a_client_that_hides_errors_is_refused(self, make):
        with pytest.raises(ConfigurationError, match="set ignore_exc=False"):
            MemcachedStore(make(PORT, ignore_exc=True))

    @pytest.mark.parametrize("make", [pooled, hashed])
    @pytest.mark.parametrize(
        "setting",
        [
            {"serde": pickle_serde},
            {"serializer": lambda key, value: (value, 0)},
            {"deserializer": lambda key, value, flags: value},
        ],
        ids=lambda setting: next(iter(setting)),
    )
    def test_a_client_with_a_serde_is_refused(self, make, setting):
        with pytest.raises(ConfigurationError, match="leave it out"):
            MemcachedStore(make(PORT, **setting))

    def test_a_hash_client_with_a_hasher_of_its_own_is_refused(self):
        class Modulo(RendezvousHash):
            pass

        MemcachedStore(hashed(PORT, hasher=Modulo))
        with pytest.raises(ConfigurationError, match="hasher is a Elsewhere; sessions are kept with RendezvousHash"):
            MemcachedStore(hashed(PORT, hasher=Elsewhere))

    def test_a_hash_client_without_servers_is_refused(self):
        with pytest.raises(ConfigurationError, match="at least one"):
            MemcachedStore(HashClient([], use_pooling=True, **TWO))

    def test_no_server_is_asked(self):
        assert repr(MemcachedStore(pooled(free_port()))).startswith("<MemcachedStore 127.0.0.1:")

    def test_repr_names_the_servers(self):
        assert repr(MemcachedStore(hashed(1, 2))) == "<MemcachedStore 127.0.0.1:1, 127.0.0.1:2>"

    def test_repr_names_a_socket(self):
        assert repr(MemcachedStore(PooledClient("unix:/run/m.sock", **TWO))) == "<MemcachedStore /run/m.sock>"

    @pytest.mark.parametrize("hasher", [RendezvousHash, partial(RendezvousHash, seed=7)])
    def test_a_key_stands_where_the_hash_client_itself_puts_it(self, memcached_pair, hasher):
        client = hashed(*(server.port for server in memcached_pair), hasher=hasher, key_prefix=b"theirs:")
        prefix = own_prefix()
        with contextlib.closing(MemcachedStore(client, prefix=prefix)) as store:
            names = [name_of(key(number), prefix) for number in range(20)]
            for number in range(20):
                store.create(key(number), Record(b"payload", NOW + 60), now=NOW)
            assert all(client.get(name) for name in names)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_server_that_the_hash_client_gives_up_is_asked_all_the_same(self, make_memcached, when):
        servers = [make_memcached(), make_memcached()]
        client = hashed(*(server.port for server in servers), retry_attempts=0)
        store = MemcachedStore(client) if when == "after" else None
        for server in servers:
            server.kill()
        with pytest.raises(ConnectionRefusedError):
            client.get("a")
        assert len(client.hasher.nodes) == 1
        for server in servers:
            server.start()
        with contextlib.closing(store or MemcachedStore(client)) as opened:
            for number in range(20):
                opened.create(key(number), Record(b"payload", NOW + 60), now=NOW)
        assert all(stat(server.port, "curr_items") for server in servers)


class Elsewhere:
    def add_node(self, node):
        pass


class TestPrefix:
    @pytest.mark.parametrize("prefix", ["a b", "ä", "\n", "\x00", "\x7f", " "])
    def test_what_cannot_be_part_of_a_key_is_refused(self, prefix):
        with pytest.raises(ConfigurationError, match="printable ASCII"):
            MemcachedStore(pooled(PORT), prefix=prefix)

    def test_a_key_may_be_as_long_as_the_protocol_allows(self, memcached_server):
        client = pooled(memcached_server.port, key_prefix=b"k" * 7)
        with contextlib.closing(MemcachedStore(client, prefix="p" * 200)) as store:
            store.create(key(1), Record(b"payload", NOW + 60), now=NOW)
            assert store.delete(key(1))

    @pytest.mark.parametrize(("theirs", "ours"), [(b"", 208), (b"k" * 8, 200)])
    def test_a_prefix_that_leaves_no_room_for_the_key_is_refused(self, theirs, ours):
        with pytest.raises(ConfigurationError, match=f"there is room for {207 - len(theirs)}"):
            MemcachedStore(pooled(PORT, key_prefix=theirs), prefix="p" * ours)

    def test_two_prefixes_do_not_see_each_other(self, memcached_server):
        stores = [MemcachedStore(pooled(memcached_server.port), prefix=own_prefix()) for _ in range(2)]
        stores[0].create(key(1), Record(b"payload", NOW + 60), now=NOW)
        assert stores[1].load(key(1), now=NOW) is None
        for store in stores:
            store.close()


class TestURLs:
    @pytest.mark.parametrize(
        ("url", "servers"),
        [
            ("memcached://a", "a:11211"),
            ("memcached://a:1", "a:1"),
            ("memcached://a:1/", "a:1"),
            ("memcached://[::1]", "::1:11211"),
            ("memcached://a,b:2,[::1]:3", "a:11211, b:2, ::1:3"),
        ],
    )
    def test_a_url_names_the_servers(self, url, servers):
        assert repr(open_store(url)) == f"<MemcachedStore {servers}>"

    @pytest.mark.parametrize("number", [1, 2])
    def test_a_url_opens_a_store_that_works(self, memcached_pair, number):
        addresses = ",".join(f"127.0.0.1:{server.port}" for server in memcached_pair[:number])
        url = f"memcached://{addresses}?prefix={own_prefix()}&timeout=10&connect_timeout=10"
        with contextlib.closing(open_store(url, must_exist=True)) as store:
            for each in range(10):
                store.create(key(each), Record(b"payload", NOW + 60), now=NOW)
            assert len(store.load_many(map(key, range(10)), now=NOW)) == 10

    @pytest.mark.parametrize(("query", "seconds"), [("", 2), ("?connect_timeout=0.5&timeout=0.5", 0.5)])
    def test_the_timeouts_are_finite_whatever_the_url_says(self, query, seconds):
        for url in ("memcached://a", "memcached://a,b"):
            (node, *_) = open_store(url + query)._nodes._nodes.values()
            assert (node.connect_timeout, node.timeout) == (seconds, seconds)

    @pytest.mark.parametrize(
        "url",
        [
            "memcached://",
            "memcached:a",
            "memcached:///a",
            "memcached://a/b",
            "memcached://a,",
            "memcached://a:0",
            "memcached://a:65536",
            "memcached://a:b",
            "memcached://::1",
            "memcached+tls://a",
            "memcached://ann:secret@a",
        ],
    )
    def test_a_url_that_cannot_be_read_is_refused_without_quoting_it(self, url):
        with pytest.raises(ConfigurationError, match="is written as memcached://host:port,host:port") as refused:
            open_store(url)
        assert "secret" not in str(refused.value)

    def test_a_server_that_is_named_twice_is_refused(self):
        with pytest.raises(ConfigurationError, match="twice"):
            open_store("memcached://a,a:11211")

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("timeout=0", "the client's timeout is 0.0"),
            ("connect_timeout=-1", "the client's connect_timeout is -1.0"),
            ("timeout=soon", "not a number of seconds"),
            ("retries=3", "it knows connect_timeout, timeout, prefix"),
            ("prefix=a%20b", "printable ASCII"),
        ],
    )
    def test_a_parameter_that_cannot_be_is_refused(self, query, words):
        with pytest.raises(ConfigurationError, match=words):
            open_store(f"memcached://a?{query}")

    def test_tools_learn_at_once_that_a_server_is_down(self, memcached_server):
        url = f"memcached://127.0.0.1:{memcached_server.port},127.0.0.1:{free_port()}?connect_timeout={SHORT}"
        with pytest.raises(StoreUnavailable, match="refused"):
            open_store(url, must_exist=True)
        open_store(url)

    def test_without_pymemcache_the_error_says_what_to_type(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pymemcache", None)
        for name in [name for name in sys.modules if name.startswith("cookiesess.stores.memcached")]:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[memcached\]"'):
            open_store("memcached://a")


class TestWhatItCannotDo:
    def test_a_limit_of_sessions_is_refused_at_construction(self):
        with pytest.raises(ConfigurationError, match="MemcachedStore does not"):
            SessionManager(KEY, store=MemcachedStore(pooled(PORT)), max_sessions_per_owner=3)

    @pytest.mark.parametrize(
        "ask", [lambda manager: manager.sessions_of("ann"), lambda manager: manager.end_all("ann")]
    )
    def test_asking_for_an_owners_sessions_says_that_there_is_no_index(self, ask):
        with pytest.raises(ConfigurationError, match="owner"):
            ask(SessionManager(KEY, store=MemcachedStore(pooled(PORT))))

    def test_it_says_that_it_evicts(self):
        assert (MemcachedStore.evicts, MemcachedStore.indexes_owners) == (True, False)
