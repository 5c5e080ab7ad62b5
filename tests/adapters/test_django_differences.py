"""Django's session engine where it was once unlike Django's own: `modified`, an expiry in the past, `load`."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.test import override_settings

from adapters.django_project import Site, project, saved, store
from cookiesess import Lifetime
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import NOW


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


# modified = False


def test_what_was_ruled_out_is_not_modified(site):
    session = store()
    session["a"] = 1
    session.modified = False
    assert not session.modified


def test_an_unchanged_session_stays_unmodified(site):
    session = store(saved(a=1).session_key)
    session.modified = False
    assert not session.modified
    assert session["a"] == 1
    assert not session.modified


def test_a_look_at_what_was_ruled_out_is_no_change(site):
    session = store()
    session["cart"] = ["tea"]
    session.modified = False
    assert session["cart"] == ["tea"]
    assert "cart" in session
    assert not session.modified


def test_a_later_change_is_saved_with_what_was_ruled_out(site):
    session = store()
    session["a"] = 1
    session.modified = False
    session["b"] = 2
    assert session.modified
    session.save()
    assert dict(store(session.session_key).items()) == {"a": 1, "b": 2}


def test_a_later_change_inside_a_value_is_seen(site):
    session = store()
    session["cart"] = ["tea"]
    session.modified = False
    session["cart"].append("milk")
    assert session.modified


def test_what_was_ruled_out_before_a_save_counts_after_it(site):
    session = saved(a=1)
    session["a"] = 2
    session.modified = False
    session.save()
    for value in (1, 2):
        session.modified = False
        session["a"] = value
        assert session.modified
        session.save()


# An expiry in the past


@pytest.mark.parametrize("expiry", [timedelta(seconds=-10), -10, datetime(2020, 1, 1, tzinfo=UTC), timedelta(0)])
def test_a_session_whose_end_is_in_the_past_is_over_with_its_save(site, expiry):
    site.clock.advance(1 + datetime.now(UTC).timestamp() - NOW)
    session = store()
    session["a"] = 1
    session.set_expiry(expiry)
    session.save()
    assert not store().exists(session.session_key)
    again = store(session.session_key)
    assert "a" not in again
    assert again.session_key is None


@pytest.mark.parametrize("expiry", [10, 0, None, datetime.fromtimestamp(NOW + 10, UTC)])
def test_a_session_whose_end_is_in_the_future_goes_on(site, expiry):
    session = store()
    session["a"] = 1
    session.set_expiry(expiry)
    session.save()
    assert store(session.session_key)["a"] == 1


@pytest.mark.parametrize(("seconds", "kept"), [(60, True), (-60, False)])
def test_a_naive_end_counts_by_local_time(site, seconds, kept):
    with override_settings(USE_TZ=False):
        now = datetime.now()
        site.clock.advance(now.timestamp() - NOW)
        session = store()
        session["a"] = 1
        session.set_expiry(now + timedelta(seconds=seconds))
        session.save()
        assert ("a" in store(session.session_key)) is kept


# load()


def test_after_an_update_that_failed_load_finds_nothing(stored):
    session = saved(a=1)
    store(session.session_key).delete()
    session["a"] = 2
    with pytest.raises(UpdateError):
        session.save()
    assert session.load() == {}
    assert session.session_key is None


def test_load_reads_what_another_request_has_written_since(stored):
    session = saved(a=1)
    other = store(session.session_key)
    other["a"] = 2
    other.save()
    assert (session["a"], session.load()) == (1, {"a": 2})


# Where Django's own tests of engines do not pass, as the page on frameworks says; all others do


@pytest.mark.parametrize("key", ["", "1234567"])
def test_what_is_too_short_for_a_key_of_django_s_is_the_key_until_it_is_looked_up(site, key):
    session = store(key)
    assert session.session_key == key
    assert dict(session.items()) == {}
    assert session.session_key is None


@pytest.mark.parametrize("end", [lambda session, key: session.delete(key), lambda session, _: session.flush()])
def test_a_session_in_a_cookie_exists_after_its_end_unless_ends_are_remembered(end, tmp_path):
    with closing(SQLiteStore(tmp_path / "ended.db")) as ended:
        remembering = {"revocations": ended, "lifetime": Lifetime()}
        for options, exists in (({}, True), (remembering, False)):
            with Site(None, **options).running():
                session = saved(a=1)
                key = session.session_key
                end(session, key)
                assert store().exists(key) is exists


# async


def test_each_asynchronous_look_counts_as_access(site):
    async def look():
        session = store(saved(a=1).session_key)
        for name in ("ahas_key", "aget", "akeys", "avalues", "aitems"):
            session.accessed = False
            await getattr(session, name)(*(["a"] if name in {"ahas_key", "aget"} else []))
            assert session.accessed, name

    asyncio.run(look())
