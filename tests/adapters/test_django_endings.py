"""How sessions of Django's engine end: at once, in parallel, by time, by their owners; and a store that is down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.utils import timezone

from adapters.django_project import AGE, Site, manager, project, saved, server_side, store
from cookiesess import Lifetime, StoreUnavailable, TooManySessions
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


# Ended in the store


def test_the_old_key_ends_at_once_where_the_key_is_cycled(stored):
    session = saved(a=1)
    key = session.session_key
    session.cycle_key()
    assert not session.exists(key)
    assert dict(store(key)) == {}


def test_a_flushed_session_has_ended_at_once(stored):
    session = saved(a=1)
    key = session.session_key
    session.flush()
    assert not session.exists(key)


def test_delete_ends_the_session_of_another_key(stored):
    mine, other = saved(a=1), saved(b=1)
    mine.delete(other.session_key)
    assert mine.exists(mine.session_key)
    assert not mine.exists(other.session_key)


def test_deleting_what_has_no_key_is_fine(stored):
    store().delete()


def test_an_update_of_what_was_ended_meanwhile_is_refused(stored):
    key = saved(a=1).session_key
    slow = store(key)
    slow["late"] = True
    store(key).flush()
    with pytest.raises(UpdateError):
        slow.save()
    assert not slow.exists(key)


def test_a_save_without_a_change_notices_an_end_as_well(stored):
    key = saved(a=1).session_key
    slow = store(key)
    assert slow["a"] == 1
    store(key).flush()
    with pytest.raises(UpdateError):
        slow.save()


def test_a_save_without_a_change_does_not_mind_that_another_was_faster(stored):
    key = saved(a=1).session_key
    slow = store(key)
    assert slow["a"] == 1
    faster = store(key)
    faster["b"] = 2
    faster.save()
    slow.save()
    assert slow.session_key == key


def test_a_key_that_a_login_has_replaced_cannot_be_written(stored):
    session = saved(a=1)
    key = session.session_key
    session.cycle_key()
    late = store(key)
    late["b"] = 2
    with pytest.raises(UpdateError):
        late.save()


def test_nothing_of_a_session_that_was_ended_gets_a_new_key(stored):
    key = saved(a=1).session_key
    slow = store(key)
    assert slow["a"] == 1
    store(key).flush()
    slow.cycle_key()
    assert slow.exists(slow.session_key)
    assert dict(store(slow.session_key)) == {}


def test_changes_of_parallel_requests_are_merged_key_by_key(stored):
    key = saved(a=1).session_key
    first, second = store(key), store(key)
    first["b"], second["c"] = 2, 3
    first.save()
    second.save()
    assert dict(store(key)) == {"a": 1, "b": 2, "c": 3}


def test_sixteen_parallel_requests_lose_nothing(tmp_path):
    file = SQLiteStore(tmp_path / "sessions.db")
    with Site(file).running():
        key, barrier = saved(a=1).session_key, Barrier(16)

        def visit(number):
            session = store(key)
            session[str(number)] = session["a"]
            barrier.wait(30)
            session.save()

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(visit, range(16)))
        assert dict(store(key)) == {"a": 1, **{str(number): 1 for number in range(16)}}
    file.close()


# Timeouts


def test_a_session_ends_its_age_after_the_last_save(stored):
    key = saved(a=1).session_key
    stored.clock.advance(timedelta(seconds=AGE - 1))
    session = store(key)
    assert session["a"] == 1
    session.save()
    stored.clock.advance(timedelta(seconds=AGE - 1))
    assert session.exists(key)
    stored.clock.advance(timedelta(seconds=1))
    assert not session.exists(key)


def test_reading_alone_does_not_move_the_end(stored):
    key = saved(a=1).session_key
    stored.clock.advance(timedelta(seconds=AGE - 1))
    assert store(key)["a"] == 1
    stored.clock.advance(timedelta(seconds=1))
    assert not store().exists(key)


def test_a_session_has_the_expiry_that_was_set_for_it(site):
    session = store()
    session["a"] = 1
    session.set_expiry(60)
    session.save()
    key = session.session_key
    site.clock.advance(timedelta(seconds=59))
    assert store(key).get_expiry_age() == 60
    assert store().exists(key)
    site.clock.advance(timedelta(seconds=1))
    assert not store().exists(key)


def test_the_settings_count_again_where_an_expiry_is_taken_back(site):
    session = store()
    session.set_expiry(60)
    session.save()
    session.set_expiry(None)
    session.save()
    site.clock.advance(timedelta(seconds=61))
    assert session.exists(session.session_key)


@pytest.fixture
def limited():
    with server_side(
        lifetime=Lifetime(idle=timedelta(seconds=AGE), absolute=timedelta(seconds=2 * AGE))
    ).running() as site:
        yield site


def test_an_expiry_beyond_the_absolute_timeout_takes_its_place(limited):
    session = store()
    session.set_expiry(5 * AGE)
    session.save()
    limited.clock.advance(timedelta(seconds=5 * AGE - 1))
    assert session.exists(session.session_key)
    limited.clock.advance(timedelta(seconds=1))
    assert not session.exists(session.session_key)


def test_the_absolute_timeout_counts_again_where_such_an_expiry_is_taken_back(limited):
    session = store()
    session.set_expiry(5 * AGE)
    session.save()
    session.set_expiry(None)
    session.save()
    assert session.native.absolute is None
    assert session.native.idle is None


def test_an_expiry_may_be_a_date(stored):
    session = store()
    session.set_expiry(timezone.now() + timedelta(seconds=600))
    session.save()
    stored.clock.advance(timedelta(seconds=590))
    assert session.exists(session.session_key)
    stored.clock.advance(timedelta(seconds=10))
    assert not session.exists(session.session_key)


def test_an_expiry_that_has_passed_ends_the_session_as_soon_as_can_be(stored):
    session = store()
    session.set_expiry(-3600)
    session.save()
    stored.clock.advance(timedelta(seconds=1))
    assert not session.exists(session.session_key)


def test_clearsessions_deletes_what_has_expired_and_nothing_else(stored):
    old = [saved(a=1) for _ in range(3)]
    stored.clock.advance(timedelta(seconds=AGE))
    kept = saved(a=1)
    call_command("clearsessions")
    assert stored.store.delete_expired(now=int(stored.clock()), limit=10) == 0
    assert kept.exists(kept.session_key)
    assert not any(kept.exists(session.session_key) for session in old)


def test_clearsessions_has_nothing_to_do_in_cookies():
    with Site(None).running():
        call_command("clearsessions")


# The owners' sessions


def test_a_session_belongs_to_the_user_who_is_noted_in_it(stored):
    session = saved(_auth_user_id="1")
    assert session.native.owner == "1"
    assert len(manager().sessions_of("1")) == 1


def test_all_sessions_of_a_user_can_be_ended_but_one(stored):
    mine, other = saved(_auth_user_id="1"), saved(_auth_user_id="1")
    assert manager().end_all("1", keep=mine.native) == 1
    assert mine.exists(mine.session_key)
    assert not mine.exists(other.session_key)


def test_a_user_noted_in_a_session_that_was_there_before_gets_a_new_key(stored):
    session = store(saved(a=1).session_key)
    key = session.session_key
    session["_auth_user_id"] = "1"
    session.save()
    assert session.session_key != key
    assert not session.exists(key)


def test_a_key_that_was_cycled_for_a_login_is_the_sessions_key(stored):
    session = store(saved(a=1).session_key)
    session.cycle_key()
    key = session.session_key
    session["_auth_user_id"] = "1"
    session.save()
    assert session.session_key == key
    assert store(key).native.owner == "1"


def test_another_user_in_place_of_the_one_before_ends_that_ones_session(stored):
    session = saved(_auth_user_id="1", a=1)
    key = session.session_key
    session["_auth_user_id"] = "2"
    session.save()
    assert not session.exists(key)
    assert store(session.session_key).native.owner == "2"
    assert store(session.session_key)["a"] == 1


def test_a_user_who_is_taken_out_leaves_a_session_without_an_owner(stored):
    session = saved(_auth_user_id="1", a=1)
    del session["_auth_user_id"]
    session.save()
    assert store(session.session_key).native.owner is None
    assert manager().sessions_of("1") == []


def test_the_limit_of_sessions_holds_for_logins():
    with server_side(max_sessions_per_owner=1).running():
        for _ in range(2):
            session = saved(a=1)
            session.cycle_key()
            session["_auth_user_id"] = "1"
            session.save()
        assert len(manager().sessions_of("1")) == 1


def test_a_login_beyond_the_limit_can_be_refused():
    with server_side(max_sessions_per_owner=1, on_owner_limit="refuse").running():
        saved(_auth_user_id="1")
        with pytest.raises(TooManySessions):
            saved(_auth_user_id="1")


# The store is down


class Down(MemoryStore):
    def load(self, key, *, now):
        raise StoreUnavailable("the test has taken the store down")


def test_a_store_that_is_down_is_an_error(stored):
    key = saved(a=1).session_key
    with Site(Down()).running(), pytest.raises(StoreUnavailable):
        store(key).get("a")


def test_an_empty_session_stands_in_where_that_is_wanted_and_the_browser_keeps_its_cookie(stored):
    key = saved(a=1).session_key
    with Site(Down(), on_store_error="anonymous").running():
        session = store(key)
        assert session.get("a") is None
        assert not session.is_empty()
        assert not session.modified
        with pytest.raises(StoreUnavailable):
            session.save()
