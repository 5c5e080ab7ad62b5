"""A Django project on the engine: middleware, logins and logouts, messages, its test client."""

import re
import textwrap
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client, RequestFactory

from adapters.django_project import Site, project, store
from cookiesess import CookieTooLarge, Lifetime
from cookiesess.http.cookies import MAX_LINE_BYTES
from cookiesess.readers.django import DjangoSignedCookie
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


@pytest.fixture(params=["memory", "sqlite", "cookie"])
def site(request, tmp_path):
    made = {"memory": MemoryStore, "sqlite": lambda: SQLiteStore(tmp_path / "sessions.db"), "cookie": lambda: None}
    store = made[request.param]()
    with Site(store).running() as site:
        yield site
    if store is not None:
        store.close()


def get(site, path, **query):
    return site.client.get(f"/{path}", query)


def cookie_of(response):
    return response.cookies.get("sessionid")


def test_a_session_lasts_from_request_to_request(site):
    get(site, "put", a="1")
    get(site, "put", b="萧兮")
    assert get(site, "show").content.decode() == "{'a': '1', 'b': '萧兮'}"


def test_a_request_that_does_not_touch_the_session_gets_no_header(site):
    get(site, "put", a="1")
    response = get(site, "untouched")
    assert cookie_of(response) is None
    assert "Vary" not in response


def test_a_request_that_only_reads_sends_no_cookie_and_says_that_it_varies(site):
    get(site, "put", a="1")
    response = get(site, "show")
    assert cookie_of(response) is None
    assert response["Vary"] == "Cookie"


def test_the_cookie_has_djangos_attributes(site):
    with site.running(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_PATH="/"):
        cookie = cookie_of(get(site, "put", a="1"))
    assert (cookie["secure"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie["max-age"] == 1_209_600


def test_the_longest_cookie_that_is_sent_is_one_that_every_browser_keeps():
    length, letters = 0, count(2800)
    with Site(None).running(SESSION_COOKIE_AGE=10**9, SESSION_COOKIE_SECURE=True) as site, suppress(CookieTooLarge):
        while True:
            length = len(cookie_of(get(site, "put", a="x" * next(letters))).OutputString())
    assert MAX_LINE_BYTES - 3 <= length <= MAX_LINE_BYTES


def test_the_key_stays_the_same_from_save_to_save(stored):
    first = cookie_of(get(stored, "put", a="1")).value
    assert cookie_of(get(stored, "put", a="2")).value == first
    assert len(first) == 104


def test_a_change_inside_a_value_is_saved(site):
    for item in ("tea", "milk"):
        get(site, "append", item=item)
    assert get(site, "show").content.decode() == "{'cart': ['tea', 'milk']}"


def test_what_a_failed_request_did_is_not_saved(site):
    get(site, "put", a="1")
    assert get(site, "fails").status_code == 500
    assert get(site, "show").content == b"{'a': '1'}"


def test_a_login_and_a_logout(site):
    assert get(site, "who").content == b""
    get(site, "log_in", name="ann", password="correct")
    assert get(site, "who").content == b"ann"
    response = get(site, "log_out")
    assert cookie_of(response)["max-age"] == 0
    assert get(site, "who").content == b""


def test_a_login_keeps_what_an_anonymous_visitor_had(site):
    get(site, "put", a="1")
    get(site, "log_in", name="ann", password="correct")
    assert "'a': '1'" in get(site, "show").content.decode()


def test_a_login_of_another_user_keeps_nothing(site):
    get(site, "log_in", name="ann", password="correct")
    get(site, "put", a="1")
    get(site, "log_in", name="bob", password="horse")
    assert get(site, "who").content == b"bob"
    assert "'a'" not in get(site, "show").content.decode()


def test_a_login_gives_a_key_that_nobody_can_have_planted(stored):
    planted = cookie_of(get(stored, "put", a="1")).value
    response = get(stored, "log_in", name="ann", password="correct")
    assert cookie_of(response).value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get("/who").content == b""
    assert cookie_of(thief.get("/show")) is None


def test_the_key_that_a_view_sees_after_a_login_is_the_cookies(stored):
    get(stored, "put", a="1")
    response = get(stored, "log_in", name="ann", password="correct")
    assert response.content.decode() == cookie_of(response).value


def test_a_copy_of_the_cookie_is_worth_nothing_after_the_logout(stored):
    key = cookie_of(get(stored, "log_in", name="ann", password="correct")).value
    get(stored, "log_out")
    thief = Client()
    thief.cookies["sessionid"] = key
    assert thief.get("/who").content == b""


def test_a_copy_of_the_cookie_is_worth_nothing_after_the_logout_where_revocations_are_kept(tmp_path):
    lifetime = Lifetime(idle=timedelta(days=14), absolute=timedelta(days=30))
    with Site(None, revocations=SQLiteStore(tmp_path / "ended.db"), lifetime=lifetime).running() as site:
        key = cookie_of(get(site, "log_in", name="ann", password="correct")).value
        assert get(site, "who").content == b"ann"
        get(site, "log_out")
        thief = Client()
        thief.cookies["sessionid"] = key
        assert thief.get("/who").content == b""


def test_the_second_click_on_log_in_logs_in_as_well(stored):
    old = cookie_of(get(stored, "put", a="1")).value
    clicks = [Client(), Client()]
    for click in clicks:
        click.cookies["sessionid"] = old
        assert click.get("/log_in", {"name": "ann", "password": "correct"}).status_code == 200
    assert [click.get("/who").content for click in clicks] == [b"ann", b"ann"]
    assert "'a'" not in clicks[1].get("/show").content.decode()


def test_a_late_request_with_the_old_key_leaves_the_cookie_of_the_login_alone(stored):
    old = cookie_of(get(stored, "put", a="1")).value
    get(stored, "log_in", name="ann", password="correct")
    late = Client()
    late.cookies["sessionid"] = old
    assert cookie_of(late.get("/show")) is None
    stored.events.clear()
    response = late.get("/put", {"b": "2"})
    assert (response.status_code, cookie_of(response)) == (200, None)
    assert stored.names() == ["session.write_dropped"]


@pytest.mark.parametrize("path", ["/show", "/put", "/untouched"])
def test_a_late_request_leaves_it_alone_where_every_request_saves_too(stored, path):
    with stored.running(SESSION_SAVE_EVERY_REQUEST=True):
        old = cookie_of(get(stored, "put", a="1")).value
        get(stored, "log_in", name="ann", password="correct")
        late = Client()
        late.cookies["sessionid"] = old
        response = late.get(path, {"b": "2"})
        assert (response.status_code, cookie_of(response)) == (200, None)
        assert get(stored, "who").content == b"ann"


def test_a_logout_with_the_key_from_before_a_renewal_ends_the_session(stored):
    old = cookie_of(get(stored, "log_in", name="ann", password="correct")).value
    session = store(old)
    session.native.renew()
    session.save()
    stored.client.cookies["sessionid"] = old
    get(stored, "log_out")
    assert not session.exists(session.session_key)


# (Django takes fewer than eight characters for no key at all.)
junk = pytest.mark.parametrize("text", ["somebody made this up", "junk", ""])


@junk
@pytest.mark.parametrize("saves", [False, True], ids=["", "every request saves"])
def test_bytes_that_were_never_a_session_are_left_alone(site, saves, text):
    with site.running(SESSION_SAVE_EVERY_REQUEST=saves):
        site.client.cookies["sessionid"] = text
        assert cookie_of(get(site, "untouched")) is None
        response = get(site, "show")
    assert (response.content, response["Vary"]) == (b"{}", "Cookie")
    assert cookie_of(response) is None


@junk
def test_bytes_that_were_never_a_session_are_expired_by_a_logout(site, text):
    site.client.cookies["sessionid"] = text
    assert cookie_of(get(site, "log_out"))["max-age"] == 0


def test_a_session_that_was_ended_while_a_request_ran_is_djangos_own_error(stored):
    get(stored, "put", a="1")
    response = get(stored, "ended_meanwhile")
    assert response.status_code == 400
    assert cookie_of(response) is None


@pytest.mark.parametrize("storage", ["session.SessionStorage", "fallback.FallbackStorage", "cookie.CookieStorage"])
def test_messages_are_shown_once(site, storage):
    with site.running(MESSAGE_STORAGE=f"django.contrib.messages.storage.{storage}"):
        get(site, "tell")
        assert get(site, "told").content == b"saved <b>it</b>"
        assert get(site, "told").content == b""


def test_a_session_is_saved_with_every_request_where_the_settings_say_so(stored):
    with stored.running(SESSION_SAVE_EVERY_REQUEST=True):
        get(stored, "put", a="1")
        stored.clock.advance(timedelta(days=13))
        assert cookie_of(get(stored, "untouched")) is not None
        stored.clock.advance(timedelta(days=13))
        assert get(stored, "show").content == b"{'a': '1'}"


def test_nothing_is_saved_with_every_request_where_there_is_nothing(stored):
    with stored.running(SESSION_SAVE_EVERY_REQUEST=True):
        get(stored, "put", a="1")
        stored.clock.advance(timedelta(days=15))
        assert cookie_of(get(stored, "show")) is None
        assert cookie_of(Client().get("/untouched")) is None


def test_a_browser_keeps_the_cookie_of_a_session_that_has_run_out_until_another_takes_its_place(stored):
    get(stored, "put", a="1")
    stored.clock.advance(timedelta(days=15))
    response = get(stored, "show")
    assert response.content == b"{}"
    assert cookie_of(response) is None


def test_djangos_test_client_can_write_into_the_session(site):
    session = site.client.session
    session["a"] = "1"
    session.save()
    # The client has set the cookie before that: in cookies the key is another one now.
    site.client.cookies["sessionid"] = session.session_key
    assert get(site, "show").content == b"{'a': '1'}"


def test_djangos_test_client_can_log_a_user_in_and_out(site):
    from django.contrib.auth.models import User

    site.client.force_login(User.objects.get(username="ann"))
    assert get(site, "who").content == b"ann"
    site.client.logout()
    assert get(site, "who").content == b""


def test_views_can_be_asynchronous(site):
    assert get(site, "put_async").content == b"async"
    assert get(site, "show").content == b"{'by': 'async'}"


def test_keys_are_rotated_without_logging_anybody_out(stored):
    from kit.constants import KEY, OTHER_KEY

    with stored.running(SECRET_KEY=OTHER_KEY):
        get(stored, "put", a="1")
    with stored.running(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OTHER_KEY]):
        assert get(stored, "show").content == b"{'a': '1'}"
        assert cookie_of(get(stored, "put", a="2")) is not None
    with stored.running(SECRET_KEY=KEY):
        assert get(stored, "show").content == b"{'a': '2'}"


def test_sessions_of_djangos_own_signed_cookies_go_on(stored):
    from kit.constants import KEY

    with stored.running(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        site_before = Client()
        site_before.get("/log_in", {"name": "ann", "password": "correct"})
        signed = site_before.cookies["sessionid"].value
    reader = DjangoSignedCookie(KEY, until=datetime.fromisoformat("2100-01-01T00:00:00+00:00"))
    clockless = {name: value for name, value in stored.options.items() if name != "clock"}
    stored.options = {**clockless, "accept": [reader]}
    with stored.running():
        stored.client.cookies["sessionid"] = signed
        assert get(stored, "who").content == b"ann"
        assert len(cookie_of(get(stored, "put", a="1")).value) == 104
        assert get(stored, "who").content == b"ann"


def test_the_view_on_the_page_logs_a_user_out_everywhere_else(stored):
    page = Path(__file__).parents[2] / "docs" / "frameworks.md"
    (block,) = re.findall(r"^  ```python\n(.*?)^  ```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    namespace = {}
    exec(textwrap.dedent(block), namespace)
    other = Client()
    for client in (other, stored.client):
        client.get("/log_in", {"name": "ann", "password": "correct"})
    request = RequestFactory().get("/")
    request.session, request.user = stored.client.session, SimpleNamespace(pk=stored.client.session["_auth_user_id"])
    assert len(namespace["log_out_elsewhere"](request)) == 2
    assert get(stored, "who").content == b"ann"
    assert other.get("/who").content == b""
