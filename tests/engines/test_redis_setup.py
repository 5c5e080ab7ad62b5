"""What RedisStore refuses when it is built, what its URLs open, and that no message holds a password."""

import runpy
import subprocess
import sys
from contextlib import closing

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.cache import CacheConfig
from redis.cluster import LoadBalancingStrategy
from redis.retry import Retry
from redis.sentinel import Sentinel

from cookiesess.errors import ConfigurationError, MissingDependency, StoreUnavailable
from cookiesess.stores.redis import RedisStore
from cookiesess.stores.redis import client as redis_client
from kit.servers.process import free_port
from kit.servers.redis import KEY, NOW, PASSWORD, client_of, prefix, roundtrip, running


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"decode_responses": True}, "decode_responses"),
        ({"protocol": 3, "cache_config": CacheConfig()}, "leave the cache out"),
        ({"socket_timeout": None}, "waits for ever.*socket_timeout"),
        ({"retry": Retry(NoBackoff(), -1)}, "waits for ever.*retry"),
    ],
)
def test_a_client_with_a_dangerous_setting_is_refused(shared_redis, options, remedy):
    client = redis.Redis("127.0.0.1", shared_redis.port, **options)
    with closing(client), pytest.raises(ConfigurationError, match=remedy):
        RedisStore(client)


def test_a_blocking_pool_that_waits_for_ever_is_refused(shared_redis):
    pool = redis.BlockingConnectionPool(host="127.0.0.1", port=shared_redis.port, timeout=None)
    with closing(pool), pytest.raises(ConfigurationError, match="waits for ever"):
        RedisStore(redis.Redis(connection_pool=pool))


def test_a_client_with_redis_py_s_own_defaults_is_taken(shared_redis):
    with closing(redis.Redis("127.0.0.1", shared_redis.port)) as client:
        roundtrip(RedisStore(client, prefix=prefix()))


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"load_balancing_strategy": LoadBalancingStrategy.ROUND_ROBIN}, "reads from replicas"),
        ({"socket_timeout": None}, "waits for ever"),
        ({"decode_responses": True}, "decode_responses"),
    ],
)
def test_a_cluster_client_with_a_dangerous_setting_is_refused(shared_cluster, options, remedy):
    client = redis.RedisCluster("127.0.0.1", shared_cluster.ports[0], **options)
    with closing(client), pytest.raises(ConfigurationError, match=remedy):
        RedisStore(client)


def test_a_client_of_the_sentinels_replicas_is_refused(shared_redis):
    replicas = Sentinel([("127.0.0.1", shared_redis.port)]).slave_for("service")
    with pytest.raises(ConfigurationError, match="slave_for"):
        RedisStore(replicas)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda port: redis.asyncio.Redis(port=port),
            r"an asynchronous Redis, and .* synchronous; give a redis\.Redis",
        ),
        (lambda port: redis.Redis(port=port).pipeline(), "a Pipeline; it collects commands .* give the client"),
        (lambda port: f"redis://127.0.0.1:{port}", r"a str; a URL's store is made with open_store\(URL\)"),
        (lambda port: None, r"a NoneType; give a redis\.Redis or a redis\.RedisCluster"),
    ],
    ids=["asynchronous", "pipeline", "url", "nothing"],
)
def test_another_kind_of_client_is_refused_and_the_error_says_what_to_give(shared_redis, make, words):
    with pytest.raises(ConfigurationError, match=f"client is {words}"):
        RedisStore(make(shared_redis.port))


def test_a_pipeline_of_a_cluster_is_refused(shared_cluster):
    with (
        closing(redis.RedisCluster("127.0.0.1", shared_cluster.ports[0])) as client,
        pytest.raises(ConfigurationError, match="a ClusterPipeline; it collects commands"),
    ):
        RedisStore(client.pipeline())


def test_a_server_that_runs_no_scripts_is_refused():
    with (
        running("--rename-command", "EVAL", "", "--rename-command", "EVALSHA", "") as server,
        closing(client_of(server.port)) as client,
        pytest.raises(ConfigurationError, match=r"runs no scripts.*allow EVAL and EVALSHA"),
    ):
        RedisStore(client)


def test_a_user_who_may_not_run_scripts_is_refused(guarded_redis):
    with closing(client_of(guarded_redis.port, password=PASSWORD)) as admin:
        admin.acl_setuser("bare", enabled=True, passwords=["+bare"], categories=["+@all", "-@scripting"], keys=["*"])
    client = client_of(guarded_redis.port, username="bare", password="bare")
    with closing(client), pytest.raises(ConfigurationError, match="@scripting"):
        RedisStore(client)


def test_a_database_that_is_not_there_is_refused(shared_redis):
    client = client_of(shared_redis.port, db=99)
    with closing(client), pytest.raises(ConfigurationError, match="no database of that number"):
        RedisStore(client)


@pytest.mark.parametrize("text", ["{app}:", "app}", "äpp:"])
def test_a_prefix_that_would_not_work_is_refused(shared_redis, text):
    with closing(client_of(shared_redis.port)) as client, pytest.raises(ConfigurationError, match="prefix is"):
        RedisStore(client, prefix=text)


def test_a_replica_is_refused(redis_pair):
    with closing(client_of(redis_pair[1].port)) as client, pytest.raises(ConfigurationError, match="is a replica"):
        RedisStore(client)


def test_a_node_of_a_cluster_is_refused_without_a_cluster_client(shared_cluster):
    client = client_of(shared_cluster.ports[0])
    with closing(client), pytest.raises(ConfigurationError, match="part of a Cluster"):
        RedisStore(client)


@pytest.mark.parametrize(
    ("info", "refused"),
    [
        ({"redis_version": "6.0.16"}, True),
        ({"redis_version": "5.9"}, True),
        ({"redis_version": "6.2.0"}, False),
        ({"redis_version": "7.2.4"}, False),
        ({"redis_version": 10.0}, False),
        ({}, False),
    ],
)
def test_a_server_without_what_the_scripts_need_is_refused(info, refused):
    if refused:
        with pytest.raises(ConfigurationError, match=r"upgrade it to 6\.2"):
            redis_client._check_server(info, cluster=False)
    else:
        redis_client._check_server(info, cluster=False)


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_password_is_refused(guarded_redis, password):
    client = client_of(guarded_redis.port, password=password)
    with closing(client), pytest.raises(ConfigurationError, match="user name or the password") as caught:
        RedisStore(client)
    assert isinstance(caught.value.__cause__, redis.AuthenticationError)


def test_a_user_who_may_not_even_look_is_refused(guarded_redis):
    client = client_of(guarded_redis.port, username="reader", password="reader")
    with closing(client), pytest.raises(ConfigurationError, match="@scripting"):
        RedisStore(client)


def test_a_user_with_the_rights_that_the_message_names_is_enough(guarded_redis):
    with closing(client_of(guarded_redis.port, username="app", password="app")) as client:
        roundtrip(RedisStore(client, prefix=prefix()))


def test_a_password_that_is_changed_later_is_unavailable(guarded_redis):
    store = RedisStore(client_of(guarded_redis.port, username="app", password="app"), prefix=prefix())
    with closing(store), closing(client_of(guarded_redis.port, password=PASSWORD)) as admin:
        admin.acl_setuser("app", enabled=False)
        admin.client_kill_filter(user="app")
        try:
            with pytest.raises(StoreUnavailable, match="user name or the password"):
                store.load(KEY, now=NOW)
        finally:
            admin.acl_setuser("app", enabled=True)


def test_nobody_who_listens_is_unavailable():
    with pytest.raises(StoreUnavailable, match="no connection") as caught:
        RedisStore(client_of(free_port(), timeout=1))
    assert isinstance(caught.value.__cause__, redis.ConnectionError)


def test_without_the_package_the_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[redis\]"'):
        runpy.run_path(redis_client.__file__)


_FORK = """
import os, sys, time
from cookiesess.stores.base import Record
from cookiesess.stores.urls import open_store

store, now = open_store(sys.argv[1]), int(time.time())
store.create(bytes(32), Record(b"parent's", now + 60), now=now)
child = os.fork()
name = b"child" if child == 0 else b"parent"
for number in range(200):
    key = (name + b"%d" % number).ljust(32)
    store.create(key, Record(key, now + 60), now=now)
    assert store.load(key, now=now).payload == key
assert store.load(bytes(32), now=now).payload == b"parent's"
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_store_that_was_opened_before_a_fork_serves_parent_and_child(shared_redis):
    url = f"redis://127.0.0.1:{shared_redis.port}?prefix={prefix()}&timeout=10"
    subprocess.run([sys.executable, "-c", _FORK, url], check=True, timeout=60)
