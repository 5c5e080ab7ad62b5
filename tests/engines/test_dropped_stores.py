"""A store that is dropped, or still there at the end of the process, closes what it has opened: nothing warns."""

from __future__ import annotations

import gc
import subprocess
import sys
import warnings

import pytest
import sqlalchemy as sa

from cookiesess.stores.sql import SQLStore, migrate
from cookiesess.stores.urls import open_store
from kit.constants import NOW
from kit.servers.process import free_port
from kit.servers.sql import PATIENT, Database, create, key
from kit.threads import until

SQL = ["postgresql", "mariadb"]
ENGINES = [*SQL, "redis", "redis cluster", "memcached", "memcached pair"]


@pytest.fixture
def url(request):
    """Of a store of that engine."""
    kind, get = request.param, request.getfixturevalue
    if kind in SQL:
        found = Database(kind, get(f"{kind}_server"), get(f"{kind}_database")).url(PATIENT)
        migrate(found)
        return found
    if kind == "redis cluster":
        return f"redis+cluster://127.0.0.1:{get('shared_cluster').ports[0]}?prefix=dropped:"
    if kind == "redis":
        return f"redis://127.0.0.1:{get('shared_redis').port}?prefix=dropped:"
    servers = get("memcached_pair") if kind == "memcached pair" else [get("memcached_server")]
    return f"memcached://{','.join(f'127.0.0.1:{server.port}' for server in servers)}?prefix=dropped:"


each_engine = pytest.mark.parametrize("url", ENGINES, indirect=True)


def used(store):
    for number in range(64):  # so that each server of several holds some of the keys
        store.load(key(number), now=NOW)
    return store


@each_engine
def test_a_store_that_is_dropped_without_being_closed_warns_of_nothing(url):
    gc.collect()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        store = used(open_store(url))
        del store
        gc.collect()
    assert [str(warning.message) for warning in said] == []


@each_engine
def test_a_store_that_is_there_at_the_end_of_the_process_warns_of_nothing(url):
    code = f"from cookiesess.stores.urls import open_store; s = open_store({url!r}); s.load(bytes(32), now=0)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.fixture(params=SQL)
def database(request):
    get = request.getfixturevalue
    found = Database(request.param, get(f"{request.param}_server"), get(f"{request.param}_database"))
    migrate(found.url(PATIENT))
    return found


def test_a_store_on_the_apps_engine_closes_its_own_connections_and_leaves_the_engines_alone(database):
    engine = sa.create_engine(database.store_url.replace("mariadb:", "mariadb+pymysql:"))
    with engine.connect() as connection:
        store = SQLStore(engine)
        create(store, 1)
        assert database.connections() == 2
        del store
        gc.collect()
        until(lambda: database.connections() == 1)
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_a_store_that_was_closed_and_used_again_is_closed_when_dropped(database):
    store = database.open()
    create(store, 1)
    store.close()
    create(store, 2)
    del store
    gc.collect()
    until(lambda: database.connections() == 0)


def test_a_store_whose_server_was_never_reached_is_dropped_in_silence():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        open_store(f"memcached://127.0.0.1:{free_port()}")
        gc.collect()
    assert said == []
