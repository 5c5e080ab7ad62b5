"""One token over several cookies: each line short enough, and pieces that do not belong together open nothing."""

import string
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cookiesess import CookiePolicy, SessionMiddleware, get_session
from cookiesess.http.cookies import http_date
from cookiesess.http.pieces import Pieces
from kit.browser import Browser
from kit.constants import IDLE, KEY, MAX_BYTES, NAME, OTHER_KEY
from kit.lines import expired, issued, sizes
from kit.views import every, invalidate, login, persist, put
from kit.world import World, rotated
from kit.wsgi import Server, environ_of

CHUNKED = CookiePolicy(max_bytes=MAX_BYTES, chunks=3)
ONE, TWO, THREE = f"{NAME}.1", f"{NAME}.2", f"{NAME}.3"
ALL = [NAME, ONE, TWO]
LETTERS = st.text(string.ascii_letters, max_size=900)


def chunked(**policy):
    """A world whose sessions may take three cookies."""
    return World(cookie=CookiePolicy(**{"max_bytes": MAX_BYTES, "chunks": 3, **policy}))


@pytest.fixture
def browser():
    return chunked().browser()


def letters(count):
    return put("x", "x" * count)


def reasons(world):
    return [getattr(event, "reason", event.name) for event in world.events]


# Sizes


def test_by_default_a_session_travels_in_one_cookie():
    assert CookiePolicy().chunks == 1
    assert CookiePolicy().chunk_names == (NAME,)


@pytest.mark.parametrize(("count", "names"), [(1, ALL[:1]), (400, ALL[:2]), (800, ALL)])
def test_a_session_takes_as_many_cookies_as_it_needs(browser, count, names):
    assert issued(browser.visit(letters(count))) == names
    assert browser.read() == {"x": "x" * count}


def test_the_first_piece_says_how_many_there_are(browser):
    browser.visit(letters(800))
    assert [browser.cookies[name].partition("~")[0] for name in ALL[:1]] == ["3"]
    assert not any("~" in browser.cookies[name] for name in ALL[1:])


def test_a_session_in_one_cookie_has_no_mark(browser):
    browser.visit(letters(1))
    assert "~" not in browser.cookies[NAME]


@pytest.mark.parametrize("max_age", [None, 0, 9, 36_000, 10**9])
def test_every_length_of_a_token_is_cut_into_lines_within_the_limit_and_comes_back(max_age):
    policy = CookiePolicy(max_bytes=256, chunks=3)
    pieces, overheads = Pieces(policy), [policy.overhead_bytes(name, max_age=max_age) for name in policy.chunk_names]
    largest = 0
    for length in range(1, 3 * 256):
        token = "".join(string.ascii_letters[at % 52] for at in range(length))
        if not pieces.fit(length, max_age):
            break
        cut = pieces.cut(token, max_age)
        lines = [len(piece) + overhead for piece, overhead in zip(cut, overheads, strict=False)]
        assert max(lines) <= 256
        assert pieces.size_bytes(length, max_age) == sum(lines)
        header = "; ".join(f"{name}={piece}" for name, piece in zip(policy.chunk_names, cut, strict=False))
        assert pieces.gather(cut[0], header) == [token]
        largest = length
    assert lines == [256] * 3  # the largest that fits fills all three
    assert not any(pieces.fit(length, max_age) for length in range(largest + 1, largest + 50))


@given(first=LETTERS, second=LETTERS, persistent=st.booleans())
@example(first="x" * 400, second="x" * 800, persistent=True)
@example(first="x" * 800, second="", persistent=False)
def test_any_session_is_read_back_from_any_other(first, second, persistent):
    browser = chunked(persistent=persistent).browser()
    for text in (first, second, first):
        lines = browser.visit(every(put("x", text), put("n", len(browser.cookies))))
        assert max(sizes(lines), default=0) <= MAX_BYTES
        assert browser.read()["x"] == text


def test_five_cookies_hold_five_times_as_much():
    browser = chunked(chunks=5).browser()
    assert len(browser.visit(letters(1500))) == 5
    assert browser.read() == {"x": "x" * 1500}


# Growing and shrinking


def test_a_session_that_shrinks_has_the_browser_forget_the_pieces_it_does_not_need(browser):
    browser.visit(letters(800))
    lines = browser.visit(letters(400))
    assert (issued(lines), expired(lines)) == (ALL[:2], [TWO])
    lines = browser.visit(letters(1))
    assert (issued(lines), expired(lines)) == ([NAME], [ONE])
    assert browser.read() == {"x": "x"}


def test_nothing_is_forgotten_that_the_browser_does_not_have(browser):
    browser.visit(letters(1))
    assert expired(browser.visit(letters(2))) == []


def test_a_session_that_is_only_read_leaves_all_pieces_alone(browser):
    browser.visit(letters(800))
    assert browser.visit() == []


def test_a_logout_has_the_browser_forget_every_piece(browser):
    browser.visit(letters(800))
    assert expired(browser.visit(invalidate)) == ALL
    assert browser.cookies == {}


def test_a_stale_piece_of_a_longer_session_is_passed_over(browser):
    browser.visit(letters(800))
    stale = dict(browser.cookies)
    browser.visit(letters(400))
    browser.cookies = stale | browser.cookies
    assert list(browser.cookies) == ALL
    assert browser.read() == {"x": "x" * 400}


def test_all_stale_pieces_are_passed_over_where_one_cookie_is_enough(browser):
    browser.visit(letters(800))
    stale = dict(browser.cookies)
    browser.visit(letters(1))
    browser.cookies = stale | browser.cookies
    assert browser.read() == {"x": "x"}
    assert expired(browser.visit(letters(2))) == [ONE, TWO]


# Pieces that do not belong together


@pytest.mark.parametrize("missing", [ONE, TWO])
def test_a_missing_piece_opens_nothing_and_the_rest_is_left_alone(browser, missing):
    browser.visit(letters(800))
    del browser.cookies[missing]
    assert browser.read() == {}
    assert reasons(browser.place)[-1] == "malformed"
    assert browser.visit() == []


def test_a_logout_forgets_the_pieces_that_are_left_of_a_session(browser):
    browser.visit(letters(800))
    del browser.cookies[ONE]
    assert expired(browser.visit(invalidate)) == [NAME, TWO]


def test_a_session_that_begins_beside_pieces_that_did_not_open_leaves_those_it_does_not_need(browser):
    """They may be good on a server with the next key, though their beginning is gone here."""
    browser.visit(letters(800))
    browser.place.use(OTHER_KEY)
    lines = browser.visit(letters(1))
    assert (issued(lines), expired(lines)) == ([NAME], [])


def test_the_pieces_without_the_first_are_no_session(browser):
    browser.visit(letters(800))
    del browser.cookies[NAME]
    assert browser.read() == {}
    assert browser.visit() == []


def test_reordered_pieces_open_nothing(browser):
    browser.visit(letters(800))
    browser.cookies[ONE], browser.cookies[TWO] = browser.cookies[TWO], browser.cookies[ONE]
    assert browser.read() == {}
    assert reasons(browser.place)[-1] in {"forged", "malformed"}


def test_cookies_may_come_in_any_order(browser):
    browser.visit(letters(800))
    browser.cookies = dict(reversed(browser.cookies.items()))
    assert browser.read() == {"x": "x" * 800}


@pytest.mark.parametrize("taken", ALL)
def test_a_piece_of_another_session_opens_nothing(browser, taken):
    browser.visit(letters(800))
    other = browser.place.browser(letters(801))
    browser.cookies[taken] = other.cookies[taken]
    assert browser.read() == {}


@pytest.mark.parametrize("taken", ALL)
def test_a_piece_of_an_older_state_of_the_same_session_opens_nothing(browser, taken):
    browser.visit(letters(800))
    older = dict(browser.cookies)
    browser.visit(letters(801))
    browser.cookies[taken] = older[taken]
    assert browser.read() == {}


@pytest.mark.parametrize("prefix", ["0~", "1~", "2~", "4~", "9~", "33~", "-3~", "~", "3~3~", "x~", "３~", "03~"])
def test_another_number_of_pieces_opens_nothing(browser, prefix):
    browser.visit(letters(800))
    browser.cookies[NAME] = browser.cookies[NAME].replace("3~", prefix)
    assert browser.read() == {}
    assert browser.read() == {}  # and raises nothing the second time either


@pytest.mark.parametrize("first", ["3~", "3", "~", "3~~", "3~é", '"3~x"', "3~" + "x" * 5000])
def test_a_first_piece_that_is_garbage_raises_nothing(browser, first):
    browser.cookies = {NAME: first, ONE: "x", TWO: "x"}
    assert browser.read() == {}


def test_a_whole_session_marked_as_a_first_piece_opens_nothing(browser):
    browser.visit(letters(1))
    browser.cookies[NAME] = f"2~{browser.cookies[NAME]}"
    assert browser.read() == {}


def test_more_pieces_than_the_policy_allows_open_nothing(browser):
    wide = chunked(chunks=4).browser(letters(1100))
    assert list(wide.cookies) == [*ALL, THREE]
    assert Browser(browser.place, wide.cookies).read() == {}


def test_a_policy_of_more_chunks_opens_what_one_of_fewer_wrote(browser):
    browser.visit(letters(800))
    browser.place.use(cookie=CookiePolicy(max_bytes=MAX_BYTES, chunks=5))
    assert browser.read() == {"x": "x" * 800}


def test_a_policy_of_larger_cookies_opens_what_one_of_smaller_wrote(browser):
    browser.visit(letters(800))
    browser.place.use(cookie=CookiePolicy(chunks=3))
    assert browser.read() == {"x": "x" * 800}
    lines = browser.visit(letters(801))
    assert (issued(lines), expired(lines)) == ([NAME], [ONE, TWO])


def test_without_chunks_a_first_piece_is_garbage(browser):
    browser.visit(letters(800))
    browser.place.use(cookie=CookiePolicy(max_bytes=MAX_BYTES))
    assert browser.read() == {}


# Planted cookies, as a subdomain can have them sent in front of the real ones


def header_of(browser, *planted):
    return "; ".join((*planted, browser.header))


def read(browser, header):
    return dict(browser.place.manager.open(header))


@pytest.mark.parametrize("planted", [f"{NAME}=3~x", f"{NAME}=2~", f"{NAME}=x", f"{ONE}=x", f"{TWO}=x", f"{TWO}="])
def test_a_planted_piece_hides_nothing(browser, planted):
    browser.visit(letters(800))
    assert read(browser, header_of(browser, planted)) == {"x": "x" * 800}


@pytest.mark.parametrize("planted", [ONE, TWO])
def test_a_planted_piece_does_not_have_the_session_forgotten(browser, planted):
    browser.visit(letters(800))
    session = browser.place.manager.open(f"{planted}=x; {planted}=y; {browser.header.replace('3~', '3~x')}")
    assert dict(session) == {}
    assert browser.place.manager.commit(session).cookies == ()


def test_a_flood_of_planted_pieces_buys_four_decryptions_and_no_more(browser):
    browser.visit(letters(800))
    assert read(browser, header_of(browser, *[f"{ONE}=x"] * 3)) == {"x": "x" * 800}
    assert read(browser, header_of(browser, *[f"{ONE}=x"] * 4)) == {}


def test_any_number_of_planted_beginnings_that_none_of_our_keys_made_hides_nothing(browser):
    browser.visit(letters(800))
    theirs = Browser(browser.place.make_manager(OTHER_KEY))
    theirs.visit(letters(800))
    for planted in ("3~x", "2~", theirs.cookies[NAME]):
        assert read(browser, header_of(browser, *[f"{NAME}={planted}"] * 40)) == {"x": "x" * 800}


def test_planted_pieces_of_the_attackers_own_session_do_not_mix_with_the_victims(browser):
    browser.visit(letters(800))
    attacker = browser.place.browser(every(login("attacker"), letters(801)))
    for name in ALL[1:]:
        assert read(browser, header_of(browser, f"{name}={attacker.cookies[name]}")) == {"x": "x" * 800}


# Attributes and headers


def test_each_piece_has_every_attribute_of_the_session_cookie():
    policy = {"partitioned": True, "samesite": "None", "persistent": True}
    lines = chunked(**policy).browser().visit(letters(800))
    expires = http_date(lines[0].attributes.expires)
    assert [line.line.partition(";")[2] for line in lines] == [
        f" Path=/; Max-Age={IDLE}; Expires={expires}; Secure; HttpOnly; SameSite=None; Partitioned"
    ] * 3


def test_a_forgotten_piece_is_named_by_what_it_was_set_with_and_the_first_wherever_it_may_stand():
    policy = {"name": "session", "path": "/shop", "domain": "shop.example"}
    browser = chunked(**policy).browser(letters(800))
    lines = browser.visit(invalidate)
    assert [line.name for line in lines[-3:]] == ["session", "session.1", "session.2"]
    assert {line.name for line in lines[:-3]} == {"session"}
    for line in lines[-3:]:
        assert line.value == ""
        assert line.attributes.suffix == (
            "; Path=/shop; Domain=shop.example; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly;"
            " SameSite=Lax"
        )


def test_a_session_that_is_made_persistent_has_all_its_pieces_persistent(browser):
    lines = browser.visit(every(persist, letters(800)))
    assert [line.attributes.max_age for line in lines] == [IDLE] * 3


def test_a_refresh_issues_every_piece_anew(browser):
    browser.visit(letters(800))
    before = dict(browser.cookies)
    browser.place.clock.advance(timedelta(hours=1))
    assert issued(browser.visit()) == ALL
    assert all(browser.cookies[name] != before[name] for name in ALL)


def test_the_response_is_kept_out_of_shared_caches_as_with_one_cookie():
    def app(environ, start_response):
        get_session(environ)["x"] = "x" * 800
        start_response("200 OK", [("Cache-Control", "public, max-age=60")])
        return [b""]

    server = Server().run(SessionMiddleware(app, KEY, cookie=CHUNKED), environ_of())
    assert len(server.lines()) == 3
    assert server.lines("Vary") == ["Cookie"]
    assert server.lines("Cache-Control") == ["max-age=60, private"]


def test_it_works_with_signed_cookies(browser):
    browser.place.use(encrypt=False, cookie=CHUNKED)
    browser.visit(letters(800))
    assert len(browser.cookies) == 3
    assert browser.read() == {"x": "x" * 800}


def test_pieces_of_a_key_that_was_rotated_out_are_sealed_anew(browser):
    browser.visit(letters(800))
    browser.place.use(rotated())
    browser.visit(put("n", 1))
    browser.place.use(OTHER_KEY)
    assert browser.read() == {"x": "x" * 800, "n": 1}


# The jar of plain cookies


@pytest.mark.parametrize("name", ALL)
def test_the_jar_refuses_the_names_of_the_pieces(browser, name):
    with pytest.raises(ValueError, match="is the session's cookie"):
        browser.place.manager.jar("").set(name, "x")


def test_the_jar_refuses_the_name_of_the_reference_where_sessions_may_move():
    world = chunked().with_overflow()
    with pytest.raises(ValueError, match="is the session's cookie"):
        world.manager.jar("").delete(f"{NAME}.ref")


def test_names_that_are_not_in_use_are_the_apps_own(browser):
    jar = browser.place.manager.jar("")
    for name in (THREE, f"{NAME}.ref", f"{NAME}.x"):
        jar.set(name, "x")
    assert len(jar.commit()) == 3
