"""Sessions beyond one cookie, in a real browser: after each step its own list of cookies has what it should have."""

import pytest

from browser.conftest import Window
from cookiesess import CookiePolicy, get_session
from cookiesess.http.cookies import MAX_LINE_BYTES
from cookiesess.stores.sqlite import SQLiteStore

IN_COOKIE, IN_STORE = ["session"], ["session.ref"]
CHUNKS = ["session", "session.1", "session.2", "session.3", "session.4"]
# How long a line of the first piece is without its value, where it has Secure too: the room is planned for that.
ATTRIBUTES_BYTES = len("session=; Path=/; Secure; HttpOnly; SameSite=Lax")


def fill(size):
    """Return a view that makes the session's text `size` characters long, and returns what it was before."""

    def view(environ):
        before = text_of(environ)
        get_session(environ)["text"] = "x" * size
        return before

    return view


def text_of(environ):
    return get_session(environ).get("text")


def login(environ):
    get_session(environ)["text"] = "small"
    get_session(environ).login("user-42")


def logout(environ):
    get_session(environ).invalidate()


def names(window):
    return sorted(window.cookies)


@pytest.fixture
def overflowing(open_window, tmp_path):
    """A window in front of an app whose sessions move to a store when they outgrow their cookie."""
    store = SQLiteStore(tmp_path / "overflow.db")
    yield open_window(overflow=store)
    store.close()


@pytest.fixture
def chunked(open_window):
    """A window in front of an app whose sessions may take five cookies."""
    return open_window(cookie=CookiePolicy("session", secure="auto", chunks=5))


# Overflow


def test_a_session_moves_to_the_store_as_it_grows_and_stays_there_as_it_shrinks(overflowing):
    text = None
    for size, listed in [
        (100, IN_COOKIE),
        (1_000, IN_COOKIE),
        (2_800, IN_COOKIE),
        (4_000, IN_STORE),
        (20_000, IN_STORE),
        (5_000, IN_STORE),
        (100, IN_STORE),
    ]:
        assert overflowing.visit(fill(size)) == text
        assert names(overflowing) == listed
        text = "x" * size
    assert overflowing.visit(text_of) == text
    assert names(overflowing) == IN_STORE


def test_a_session_that_begins_too_large_is_in_the_store_at_once(overflowing):
    overflowing.visit(fill(20_000))
    assert names(overflowing) == IN_STORE
    assert overflowing.visit(text_of) == "x" * 20_000


def test_a_session_that_logs_in_with_less_is_in_the_cookie_again(overflowing):
    overflowing.visit(fill(20_000))
    overflowing.visit(login)
    assert names(overflowing) == IN_COOKIE
    assert overflowing.visit(text_of) == "small"


def test_what_has_moved_to_the_store_is_of_one_size_in_the_browser(overflowing):
    overflowing.visit(fill(4_000))
    before = overflowing.cookies["session.ref"]["value"]
    overflowing.visit(fill(20_000))
    assert overflowing.cookies["session.ref"]["value"] == before


def test_the_reference_is_as_well_kept_from_scripts_as_the_session(overflowing):
    overflowing.visit(fill(20_000))
    reference = overflowing.cookies["session.ref"]
    assert (reference["httpOnly"], reference["sameSite"], reference["expires"]) == (True, "Lax", -1)
    assert overflowing.page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("size", [100, 20_000], ids=["in the cookie", "in the store"])
def test_after_a_logout_nothing_is_left_in_the_browser(overflowing, size):
    overflowing.visit(fill(size))
    overflowing.visit(logout)
    assert overflowing.cookies == {}
    assert overflowing.visit(text_of) is None


# Chunks


def test_a_session_takes_as_many_cookies_as_it_needs_while_it_grows_and_shrinks(chunked):
    text = None
    for size, count in [
        (100, 1),
        (2_800, 1),
        (3_100, 2),
        (5_800, 2),
        (8_500, 3),
        (11_000, 4),
        (14_000, 5),
        (6_500, 3),
        (3_100, 2),
        (100, 1),
        (14_500, 5),
        (0, 1),
    ]:
        assert chunked.visit(fill(size)) == text
        assert names(chunked) == CHUNKS[:count]
        text = "x" * size
    assert chunked.visit(text_of) == text


def test_every_piece_but_the_last_fills_its_line(chunked):
    chunked.visit(fill(14_000))
    *full, last = (chunked.cookies[name] for name in CHUNKS)
    lengths = [len(cookie["name"] + cookie["value"]) - len("session") + ATTRIBUTES_BYTES for cookie in full]
    assert lengths == [MAX_LINE_BYTES] * 4
    assert 0 < len(last["value"]) < len(full[0]["value"])


def test_a_session_beyond_the_last_piece_is_an_error_and_the_browser_has_the_old_one(chunked):
    chunked.visit(fill(8_500))
    before = chunked.cookies
    assert chunked.status_of(fill(20_000)) == 500
    assert chunked.cookies == before
    assert chunked.visit(text_of) == "x" * 8_500


def test_after_a_logout_no_piece_is_left_in_the_browser(chunked):
    chunked.visit(fill(14_000))
    chunked.visit(logout)
    assert chunked.cookies == {}


def test_a_piece_that_the_browser_has_lost_takes_the_session_with_it(chunked):
    chunked.visit(fill(8_500))
    chunked.page.context.clear_cookies(name="session.1")
    assert chunked.visit(text_of) is None


def test_pieces_of_two_sessions_open_nothing_together(chunked):
    chunked.visit(fill(8_500))
    kept = chunked.cookies["session.1"]
    chunked.visit(fill(8_501))
    chunked.page.context.add_cookies([kept])
    assert chunked.visit(text_of) is None


def test_a_window_whose_app_gives_up_chunks_starts_anew(chunked, page, serve):
    """The browser keeps cookies by host, whatever the port: so the same cookies come to an app with one cookie."""
    chunked.visit(fill(8_500))
    plain = Window(page, serve)
    assert plain.visit(text_of) is None
