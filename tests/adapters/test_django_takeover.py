"""Django's engine, with sessions that Django has kept in its database: they move at the first request."""

import json
import time

import pytest
from django.test import Client

from adapters.django_project import Site, project
from cookiesess.stores.memory import MemoryStore
from kit.constants import DAY, KEY
from kit.django_rows import OLD_ID, DjangoFile


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


@pytest.fixture
def old(tmp_path):
    return DjangoFile(tmp_path)


def site_of(store, old):
    """A site, and in Django's table the session of ann, who has logged in there."""
    site = Site(store, accept=[old.reader(secret_key=KEY)])
    del site.options["clock"]
    with site.running(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        before = Client()
        before.get("/log_in", {"name": "ann", "password": "correct"})
        data = dict(before.session.items())
    old.put(int(time.time()) + DAY, json.dumps(data).encode(), secret=KEY)
    return site


@pytest.fixture(params=[True, False], ids=["store", "cookie"])
def site(request, old):
    with site_of(MemoryStore() if request.param else None, old).running() as site:
        yield site


def visitor():
    client = Client()
    client.cookies["sessionid"] = OLD_ID
    return client


def test_a_user_stays_logged_in_and_gets_our_cookie_at_a_page_that_only_reads(site):
    client = visitor()
    assert [client.get("/who").content for _ in range(2)] == [b"ann", b"ann"]
    assert client.cookies["sessionid"].value != OLD_ID
    assert "session.accepted" in site.names()


def test_the_row_is_looked_up_once(site, old):
    client = visitor()
    client.get("/who")
    old.take_down()
    assert client.get("/who").content == b"ann"


def test_a_logout_deletes_the_row_and_nothing_comes_back(site, old):
    client = visitor()
    client.get("/log_out")
    assert old.keys == []
    assert visitor().get("/who").content == b""


def test_a_login_deletes_the_row(site, old):
    client = visitor()
    client.get("/log_in", {"name": "bob", "password": "horse"})
    assert client.get("/who").content == b"bob"
    assert (old.keys, visitor().get("/who").content) == ([], b"")


def test_with_a_store_the_old_cookie_leads_to_the_user_until_the_answer_has_arrived(old):
    with site_of(MemoryStore(), old).running():
        lost, next_one = visitor(), visitor()
        lost.get("/put", {"a": "1"})
        assert old.keys == []
        assert next_one.get("/who").content == b"ann"
        assert next_one.get("/put", {"b": "2"}).status_code == 200
        assert (next_one.session["a"], next_one.session["b"]) == ("1", "2")
        assert len(next_one.session.native.owner) == 1
