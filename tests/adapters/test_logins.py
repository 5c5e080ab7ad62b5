"""A login always succeeds, on every edge: after a lost answer, a double click, and while the old ID is still about."""

import pytest

from adapters.edges import EDGES, SIDES
from cookiesess.stores.memory import MemoryStore

ANN = "ann, tea, None"
LATER = [0, 1, 60, 599, 600, 86_400]


def edges(*sides, but=lambda kind: False):
    """A fixture: shops on the edges, with these kinds of session."""
    params = [
        pytest.param((kind, side), id=f"{kind.__name__}, {side}")
        for kind in EDGES
        for side in sides
        if not but(kind) and (kind.overflows or side != "overflow")
    ]

    @pytest.fixture(params=params)
    def edge(request):
        kind, side = request.param
        with kind(SIDES[side]()).running() as edge:
            yield edge

    return edge


edge = edges(*SIDES)
stored = edges("store", "revocations")
with_tokens = edges(*SIDES, but=lambda kind: not kind.keeps_tokens)
making_tokens = edges(*SIDES, but=lambda kind: not (kind.keeps_tokens and kind.makes_tokens))
closing = edges("store", "revocations", but=lambda kind: not kind.keeps_old_ids)


def visited(edge):
    """Somebody with a cart, and the cookies of that."""
    browser = edge.browser()
    browser.get("/visit")
    return browser, dict(browser.cookies)


def who(edge, cookies):
    return edge.browser(cookies).get("/who").text


def test_a_login_succeeds_and_takes_the_guests_cart_along(edge):
    browser, _ = visited(edge)
    assert browser.get("/login").text == "welcome"
    assert browser.get("/who").text.startswith("ann, ")


@pytest.mark.parametrize("seconds", LATER)
def test_a_login_whose_answer_was_lost_is_simply_made_again(edge, seconds):
    browser, old = visited(edge)
    edge.browser(old).get("/login")
    edge.clock.advance(seconds)
    assert browser.get("/login").text == "welcome"
    assert browser.get("/who").text.startswith("ann, ")


def test_it_is_made_again_as_often_as_it_takes(edge):
    browser, old = visited(edge)
    for _ in range(3):
        edge.browser(old).get("/login")
    browser.get("/login")
    assert browser.get("/who").text.startswith("ann, ")


@pytest.mark.parametrize("last", [0, 1], ids=["the first answer comes last", "the second answer comes last"])
def test_of_two_logins_that_had_both_loaded_the_session_either_answer_logs_in(edge, last):
    _, old = visited(edge)
    first, second = edge.browser(old), edge.browser(old)
    edge.meanwhile = lambda: second.get("/login")
    first.get("/login")
    assert who(edge, (first, second)[last].cookies).startswith("ann, ")


def test_after_both_the_browser_has_one_session_whichever_answer_came_last(edge):
    browser, _ = visited(edge)
    edge.meanwhile = lambda: browser.get("/login")  # the same browser: it keeps what comes last
    browser.get("/login")
    assert browser.get("/who").text.startswith("ann, ")
    browser.get("/logout")
    assert browser.get("/who").text == "None, None, None"


def test_a_login_succeeds_where_the_session_was_logged_out_while_it_ran(edge):
    _, old = visited(edge)
    browser = edge.browser(old)
    edge.meanwhile = lambda: edge.browser(old).get("/logout")
    browser.get("/login")
    assert browser.get("/who").text.startswith("ann, ")


def test_a_login_succeeds_with_a_cookie_that_does_not_open(edge):
    browser = edge.browser({"session": "junk", "sessionid": "junk"})
    browser.get("/login")
    assert browser.get("/who").text == "ann, None, None"


# CSRF


def test_a_form_from_before_the_first_of_two_posts_is_good_for_the_second(with_tokens):
    browser = with_tokens.browser()
    token = browser.get("/form").text
    old = dict(browser.cookies)
    assert with_tokens.browser(old).get(f"/login?token={token}").text == "welcome"
    assert browser.get(f"/login?token={token}").text == "welcome"
    assert browser.get("/who").text.startswith("ann, ")


def test_a_form_that_is_loaded_anew_under_the_old_id_is_good(with_tokens):
    browser = with_tokens.browser()
    first = browser.get("/form").text
    with_tokens.browser(browser.cookies).get(f"/login?token={first}")
    token = browser.get("/form").text
    assert browser.get(f"/login?token={token}").text == "welcome"
    assert browser.get("/who").text.startswith("ann, ")


def test_a_form_that_is_loaded_for_the_first_time_under_the_old_id_is_good(making_tokens):
    browser, old = visited(making_tokens)
    making_tokens.browser(old).get("/login")
    token = browser.get("/form").text
    assert browser.get(f"/login?token={token}").text == "welcome"
    assert browser.get("/who").text.startswith("ann, ")


def test_a_token_of_another_session_is_not(with_tokens):
    browser, old = visited(with_tokens)
    with_tokens.browser(old).get("/login")
    assert browser.get(f"/login?token={with_tokens.browser().get('/form').text}").text == "refused"


# What must still hold with a store, and with revocations


def test_a_slow_request_that_only_writes_undoes_no_login(stored):
    browser, old = visited(stored)
    stored.meanwhile = lambda: browser.get("/login")
    late = stored.browser(old)
    response = late.get("/write")
    assert response.headers.getall("Set-Cookie") == []
    assert browser.get("/who").text.startswith("ann, ")
    assert browser.get("/who").text.endswith(", None")


def test_a_write_that_arrives_under_the_old_id_is_dropped_with_an_event_and_sets_no_cookie(closing):
    browser, old = visited(closing)
    browser.get("/login")
    closing.events.clear()
    response = closing.browser(old).get("/write")
    assert (response.status_int, response.headers.getall("Set-Cookie")) == (200, [])
    assert closing.events == ["session.write_dropped"]
    assert browser.get("/who").text.endswith(", None")


def test_a_read_under_the_old_id_is_empty_and_sets_no_cookie(stored):
    browser, old = visited(stored)
    browser.get("/login")
    response = stored.browser(old).get("/who")
    assert (response.text, response.headers.getall("Set-Cookie")) == ("None, None, None", [])


def test_a_logout_under_the_old_id_ends_nothing_of_the_login_and_forgets_the_askers_cookie(stored):
    browser, old = visited(stored)
    browser.get("/login")
    planter = stored.browser(old)
    planter.get("/logout")
    assert planter.cookies == {}
    assert browser.get("/who").text.startswith("ann, ")


def test_what_was_planted_before_a_login_neither_reads_nor_writes_it(stored):
    planter, planted = visited(stored)
    victim = stored.browser(planted)
    victim.get("/login")
    planter.get("/write")
    assert planter.get("/who").text.startswith("None, ")
    assert victim.get("/who").text.startswith("ann, ")
    assert victim.get("/who").text.endswith(", None")


@pytest.fixture(params=[kind for kind in EDGES if kind.owns], ids=lambda kind: kind.__name__)
def limited(request):
    """A shop whose users may have one session each, and whose logins beyond that are refused."""
    settings = {"store": MemoryStore(), "max_sessions_per_owner": 1, "on_owner_limit": "refuse"}
    with request.param(settings).running() as edge:
        yield edge


@pytest.mark.parametrize("seconds", [0, 60, 599])
def test_a_lost_answer_does_not_use_up_the_limit(limited, seconds):
    browser, old = visited(limited)
    limited.browser(old).get("/login")
    limited.clock.advance(seconds)
    browser.get("/login")
    assert browser.get("/who").text.startswith("ann, ")


def test_two_clicks_do_not_use_up_the_limit(limited):
    _, old = visited(limited)
    first, second = limited.browser(old), limited.browser(old)
    limited.meanwhile = lambda: second.get("/login")
    first.get("/login")
    assert who(limited, first.cookies).startswith("ann, ")
