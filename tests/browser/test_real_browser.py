"""What a real browser makes of our cookies: Chromium in front of a real server, and its own list of cookies."""

import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import flask
import pytest
import webob
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIRequest

from browser.conftest import ANSWERS, Window, listed
from cookiesess import get_cookies, get_session
from cookiesess.http.cookies import MAX_LINE_BYTES
from cookiesess.stores.memory import MemoryStore
from kit.serving import serving

if not django_settings.configured:
    django_settings.configure()

HOUR = 3600
SLACK = 60  # seconds that the two clocks and a busy machine may differ by
TOO_MUCH = "x" * 5000
READERS = {
    "cookiesess": get_cookies,
    "Flask": lambda environ: flask.Request(environ).cookies,
    "webob": lambda environ: webob.Request(environ).cookies,
    "Django": lambda environ: WSGIRequest(environ).COOKIES,
}
TEXTS = {
    "nothing": "",
    "a-blank": "settings cookie",
    "blanks-around": "  a  b  ",
    "a-tab": "a\tb",
    "quotes": 'say "hello"',
    "quotes-around": '"hello"',
    "commas": "a,b, c",
    "semicolons": "a;b; user_id=c",
    "backslashes": "C:\\new\\",
    "what-looks-like-an-escape": "\\073 %3B &#59;",
    "equals-signs": "a=b==",
    "brackets": "[1]",
    "JSON": '{"name": "萧兮", "items": [1, 2], "note": "a;b"}',
    "Chinese": "萧兮",
    "Latin": "Größe",
    "emoji": "🍪 👩‍👩‍👧",
}
JUNK = {
    "no equals sign": "foo",
    "no name": "=foo",
    "a bracket in the name": "x[1]=1",
    "raw JSON": '{"a": 1, "b": "c, d"}',
    "raw JSON as a value": 'json={"a": 1, "b": [2, 3]}',
    "a quote that never closes": 'open="a',
    "a quote for a name": '"=1',
    "a backslash at the end": "end=a\\",
    "a blank in the name": "two words=1",
    "a comma in the name": "a,b=1",
    "beyond ASCII": "名字=萧兮",
}


def put(**values):
    """Return a view that puts `values` into the session."""
    return lambda environ: get_session(environ).update(values)


def session_of(environ):
    return dict(get_session(environ))


def header_of(environ):
    return environ.get("HTTP_COOKIE", "").encode("latin-1").decode()


def logout(environ):
    get_session(environ).invalidate()


# The demo


def test_every_route_of_the_demo_shows_its_answer(click, page):
    click(*ANSWERS)
    assert page.url.endswith("/get_session")


def test_the_cookie_that_was_set_by_a_click_is_printed_by_the_next(click, capsys):
    click("/set_cookie", "/get_cookie")
    assert capsys.readouterr().out == "user_id:  settings cookie\n"


def test_the_name_that_was_put_into_the_session_by_a_click_is_printed_by_the_next(click, capsys):
    click("/set_session", "/get_session")
    assert capsys.readouterr().out == "username 萧兮\n"


def test_after_each_click_the_browser_lists_what_has_been_set(click, page):
    after = [click(path) or sorted(listed(page)) for path in ANSWERS]
    assert after == [[], ["user_id"], ["user_id"], ["session", "user_id"], ["session", "user_id"]]


def test_the_browser_lists_the_session_as_httponly(click, page):
    click("/set_session")
    assert {name: cookie["httpOnly"] for name, cookie in listed(page).items()} == {"session": True}


def test_scripts_see_user_id_and_not_the_session(click, page):
    click("/set_cookie", "/set_session")
    assert page.evaluate("document.cookie") == 'user_id="settings\\040cookie"'


# Values


@pytest.fixture(scope="module")
def read(tab):
    """What each reader makes of the header in which the browser sends all the texts back, by name."""
    tab.context.clear_cookies()
    with ExitStack() as stack:
        window = Window(tab, lambda app: stack.enter_context(serving(app)))
        window.visit(lambda environ: [get_cookies(environ).set(name, text) for name, text in TEXTS.items()])
        return window.visit(lambda environ: {name: dict(reader(environ)) for name, reader in READERS.items()})


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("reader", ["cookiesess", "Flask", "webob"])
def test_a_value_comes_back_as_the_same_text(read, name, reader):
    assert read[reader][name] == TEXTS[name]


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if text.isascii()])
def test_a_value_in_ascii_comes_back_to_django_as_the_same_text(read, name):
    assert read["Django"][name] == TEXTS[name]


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if not text.isascii()])
def test_django_takes_the_bytes_of_any_other_value_for_latin_1(read, name):
    """It leaves quoted values to the standard library; what suits that, Flask would read wrongly."""
    assert read["Django"][name].encode("latin-1").decode() == TEXTS[name]


@pytest.mark.parametrize("reader", READERS)
def test_each_reader_finds_all_cookies_and_no_others(read, reader):
    assert read[reader].keys() == TEXTS.keys()


@pytest.mark.parametrize("kind", ["signed", "sealed"])
def test_a_protected_value_comes_back(window, kind):
    window.visit(lambda environ: getattr(get_cookies(environ), kind).set("text", "萧兮; [1]"))
    assert window.visit(lambda environ: getattr(get_cookies(environ), kind).get("text")) == "萧兮; [1]"


def test_the_longest_line_that_the_jar_lets_through_is_kept(window):
    longest = "x" * (MAX_LINE_BYTES - len("long=; Path=/; SameSite=Lax"))
    window.visit(lambda environ: get_cookies(environ).set("long", longest))
    assert window.cookies["long"]["value"] == longest


def test_of_two_cookies_of_one_name_the_one_for_the_longer_path_is_read(window):
    def set_both(environ):
        get_cookies(environ).set("theme", "everywhere")
        get_cookies(environ).set("theme", "here", path="/shop")

    window.visit(set_both)
    assert window.visit(lambda environ: get_cookies(environ)["theme"], "/shop/cart") == "here"


# Deleting


def test_a_deleted_cookie_is_gone_from_the_browsers_list(window):
    window.visit(lambda environ: [get_cookies(environ).set(name, "1", max_age=HOUR) for name in ("old", "other")])
    window.visit(lambda environ: get_cookies(environ).delete("old"))
    assert list(window.cookies) == ["other"]


def test_a_cookie_of_a_path_is_deleted_with_that_path(window):
    window.visit(lambda environ: get_cookies(environ).set("old", "1", path="/shop"))
    assert list(window.cookies) == ["old"]
    window.visit(lambda environ: get_cookies(environ).delete("old", path="/shop"))
    assert window.cookies == {}


def test_a_cookie_that_expired_in_the_past_is_gone_from_the_browsers_list(window):
    window.visit(lambda environ: get_cookies(environ).set("old", "1"))
    window.visit(lambda environ: get_cookies(environ).set("old", "1", expires=datetime(2020, 1, 1, tzinfo=UTC)))
    assert window.cookies == {}


# Times


def expires_after(window, **attributes):
    """Return for how many seconds the browser keeps a cookie with `attributes`."""
    window.visit(lambda environ: get_cookies(environ).set("timed", "1", **attributes))
    return window.cookies["timed"]["expires"] - time.time()


@pytest.mark.parametrize("max_age", [HOUR, timedelta(hours=1)], ids=["seconds", "timedelta"])
def test_max_age_reaches_the_browser(window, max_age):
    assert expires_after(window, max_age=max_age) == pytest.approx(HOUR, abs=SLACK)


def test_expires_reaches_the_browser(window):
    expires = datetime.now(UTC) + timedelta(hours=2)
    assert expires_after(window, expires=expires) == pytest.approx(2 * HOUR, abs=SLACK)


def test_max_age_outranks_expires(window):
    expires = datetime.now(UTC) + timedelta(hours=2)
    assert expires_after(window, max_age=HOUR, expires=expires) == pytest.approx(HOUR, abs=SLACK)


def test_a_cookie_without_times_lives_until_the_window_closes(window):
    window.visit(lambda environ: get_cookies(environ).set("short", "1"))
    assert window.cookies["short"]["expires"] == -1


def test_a_session_lives_until_the_window_closes(window):
    window.visit(put(a=1))
    assert window.cookies["session"]["expires"] == -1


def test_a_persistent_session_outlives_the_window(window):
    def remember(environ):
        get_session(environ)["a"] = 1
        get_session(environ).persistent = True

    window.visit(remember)
    assert window.cookies["session"]["expires"] > time.time() + HOUR


# Sessions


@pytest.mark.parametrize("store", [None, MemoryStore()], ids=["client-side", "server-side"])
def test_after_a_logout_the_session_is_gone_from_the_browsers_list(open_window, store):
    window = open_window(store=store)
    window.visit(put(a=1))
    assert list(window.cookies) == ["session"]
    window.visit(logout)
    assert window.cookies == {}


def test_a_cookie_that_is_put_back_after_a_logout_opens_nothing_server_side(open_window):
    window = open_window(store=MemoryStore())
    window.visit(put(a=1))
    copy = window.cookies["session"]
    window.visit(logout)
    window.page.context.add_cookies([copy])
    assert window.visit(session_of) == {}


def test_a_session_over_the_limit_is_an_error(window):
    assert window.status_of(put(big=TOO_MUCH)) == 500


def test_after_a_session_over_the_limit_the_browser_has_the_old_cookie(window):
    window.visit(put(a=1))
    before = window.cookies
    window.status_of(put(big=TOO_MUCH))
    assert window.cookies == before


def test_after_a_session_over_the_limit_the_old_one_is_read(window):
    window.visit(put(a=1))
    window.status_of(put(big=TOO_MUCH))
    assert window.visit(session_of) == {"a": 1}


# Cookies of others


def set_ours(environ):
    get_cookies(environ).set("user_id", "settings cookie")
    get_session(environ)["username"] = "萧兮"


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_what_a_script_left_in_front_of_our_cookies_hides_none_of_them(window, junk):
    window.visit(session_of)
    window.script(junk)
    window.visit(set_ours)
    header, *ours = window.visit(
        lambda environ: [header_of(environ), get_cookies(environ)["user_id"], session_of(environ)]
    )
    assert header.startswith(junk.removeprefix("=") + "; ")
    assert ours == ["settings cookie", {"username": "萧兮"}]


def test_all_this_junk_together_on_both_sides_hides_none_of_our_cookies(window):
    window.visit(session_of)
    half = len(JUNK) // 2
    for number, junk in enumerate(JUNK.values()):
        if number == half:
            window.visit(set_ours)
        window.script(junk)
    ours = window.visit(lambda environ: [get_cookies(environ)["user_id"], session_of(environ)])
    assert ours == ["settings cookie", {"username": "萧兮"}]
