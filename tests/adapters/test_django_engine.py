"""Django's session engine: what `SessionBase` promises, on a store and in the cookie itself."""

import asyncio
from datetime import UTC, datetime

import pytest
from django.utils.safestring import SafeString, mark_safe

from adapters.django_project import project, saved, store
from cookiesess import Session


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


# What every engine does


def test_what_was_saved_comes_back_under_its_key(site):
    key = saved(cart=["tea"], when=datetime(2026, 1, 1, tzinfo=UTC)).session_key
    assert dict(store(key).items()) == {"cart": ["tea"], "when": datetime(2026, 1, 1, tzinfo=UTC)}


def test_a_new_session_has_no_key_and_is_empty(site):
    session = store()
    assert session.session_key is None
    assert session.is_empty()
    assert "a" not in session
    assert session.is_empty()


def test_a_key_that_nobody_gave_out_is_forgotten_and_never_adopted(site):
    session = store("a key that somebody made up")
    assert session.load() == {}
    assert session.session_key is None
    session["a"] = 1
    session.save()
    assert session.session_key != "a key that somebody made up"


def test_an_empty_session_is_saved_and_exists(site):
    session = store()
    session.save()
    assert session.exists(session.session_key)
    assert dict(store(session.session_key).items()) == {}


def test_what_does_not_exist_does_not_exist(site):
    assert not store().exists("a key that somebody made up")
    assert not store().exists(None)


def test_create_gives_what_was_put_in_a_key_at_once(site):
    session = store()
    session["a"] = 1
    session.create()
    assert session.modified
    assert dict(store(session.session_key)) == {"a": 1}


def test_a_save_that_must_create_makes_another_session(stored):
    session = saved(a=1)
    key = session.session_key
    session.save(must_create=True)
    assert session.session_key != key
    assert session.exists(key)


def test_a_change_inside_a_value_is_a_modification(site):
    session = store(saved(cart=[]).session_key)
    assert not session.modified
    session["cart"].append("tea")
    assert session.modified
    session.save()
    assert store(session.session_key)["cart"] == ["tea"]


def test_a_value_that_was_handed_out_before_a_new_key_is_still_watched_after_it(site):
    session = store(saved(cart=[]).session_key)
    cart = session["cart"]
    session.cycle_key()
    cart.append("tea")
    session.save()
    assert store(session.session_key)["cart"] == ["tea"]


def test_looking_is_an_access_and_no_modification(site):
    session = store(saved(a=1).session_key)
    assert not session.accessed
    assert session.get("a") == 1
    assert session.accessed
    assert not session.modified


def test_clear_leaves_the_key(site):
    session = saved(a=1)
    key = session.session_key
    session.clear()
    assert session.modified
    assert session.session_key == key
    session.save()
    assert dict(store(session.session_key)) == {}


def test_cycle_key_keeps_the_data_under_another_key(site):
    session = saved(a=1)
    key = session.session_key
    session.cycle_key()
    assert session.session_key != key
    assert session["a"] == 1
    assert dict(store(session.session_key)) == {"a": 1}


def test_flush_leaves_nothing(site):
    session = saved(a=1)
    session.flush()
    assert session.session_key is None
    assert session.modified
    assert session.accessed
    assert session.is_empty()
    assert dict(session) == {}


def test_a_flushed_session_can_be_filled_again(site):
    session = saved(a=1)
    session.flush()
    session["b"] = 2
    session.save()
    assert dict(store(session.session_key)) == {"b": 2}


def test_what_templates_made_safe_stays_safe(site):
    value = store(saved(html=mark_safe("<b>")).session_key)["html"]
    assert type(value) is SafeString
    assert value == "<b>"


def test_the_session_underneath_is_within_reach(site):
    assert isinstance(store().native, Session)


# Asynchronous


def test_the_asynchronous_methods_do_the_same(site):
    async def visit():
        session = store()
        await session.aset("a", 1)
        await session.asave()
        before = session.session_key
        await session.acycle_key()
        assert session.session_key != before
        again = store(session.session_key)
        assert await again.aget("a") == 1
        assert await again.aexists(again.session_key)
        await again.aflush()
        assert again.session_key is None
        await type(again).aclear_expired()

    asyncio.run(visit())
