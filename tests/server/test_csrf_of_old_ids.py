"""CSRF tokens over closed IDs: honest people's forms stay good, and a planter's tokens are worth nothing.

A closed record keeps the secret of what it replaced, so that the second POST of a double click is a valid one. Where
there was none, one derives from the ID, so that a form which is loaded anew under the old ID is valid at its POST.
"""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from kit.constants import GRACE
from kit.lines import is_issue
from kit.views import every, login, put, renew


def token_of(browser):
    """The token of a page that a browser gets: a whole request."""
    tokens = []
    browser.visit(lambda s: tokens.append(s.csrf_token()))
    return tokens[0]


def valid(browser, token):
    return browser.manager.open(browser.header).check_csrf(token)


CLOSINGS = {
    "login": (put("a", 1), login("ann")),
    "login again": (every(login("ann"), put("a", 1)), login("ann")),
    "login as another": (every(login("bob"), put("a", 1)), login("ann")),
    "renew": (every(login("ann"), put("a", 1)), renew),
    "renew of nobody's": (put("a", 1), renew),
    "cycle": (put("a", 1), lambda s: s.cycle()),
}
closed_by = pytest.mark.parametrize(("start", "closing"), CLOSINGS.values(), ids=CLOSINGS)
FORGETS = ["login", "login again", "login as another", "renew of nobody's", "cycle"]
forgotten_by = pytest.mark.parametrize(("start", "closing"), [CLOSINGS[name] for name in FORGETS], ids=FORGETS)


@closed_by
@pytest.mark.parametrize("seconds", [0, 60, 599])
def test_a_form_from_before_is_valid_at_its_second_post(world, start, closing, seconds):
    browser = world.browser(start)
    token, old = token_of(browser), browser.copy()
    browser.visit(closing)
    world.clock.advance(seconds)
    assert valid(old, token)


@closed_by
@pytest.mark.parametrize("rendered", [False, True])
def test_a_form_that_is_loaded_anew_under_the_old_id_is_valid_at_its_post(world, start, closing, rendered):
    browser = world.browser(start)
    if rendered:
        token_of(browser)
    old = browser.copy()
    browser.visit(closing)
    assert valid(old, token_of(old))


@closed_by
def test_the_whole_of_a_lost_login_answer_with_forms(world, start, closing):
    """The form, its POST whose answer is lost, the form once more, its POST."""
    browser = world.browser(start)
    first = token_of(browser)
    browser.copy().visit(closing)
    assert valid(browser, first)
    second = token_of(browser)
    passed = []
    assert is_issue(browser.visit(every(lambda s: passed.append(s.check_csrf(second)), login("ann"))))
    assert (passed, browser.owner()) == ([True], "ann")


@closed_by
def test_a_form_under_an_old_id_writes_nothing_and_gets_no_line(world, start, closing):
    browser = world.browser(start)
    old = browser.copy()
    browser.visit(closing)
    world.forget()
    assert old.visit(lambda s: s.csrf_token()) == []
    assert world.probe.taken() == ["load"]
    assert world.taken_events() == []


def test_the_secret_of_an_old_id_without_one_is_the_same_in_each_process(world):
    browser = world.browser(put("a", 1))
    old = browser.copy()
    browser.visit(login("ann"))
    token = token_of(old)
    assert world.make_manager().open(old.header).check_csrf(token)


def test_the_secret_of_an_old_id_is_of_that_id_alone(world):
    browsers = [world.browser(put("a", 1)) for _ in range(2)]
    olds = [browser.copy() for browser in browsers]
    for browser in browsers:
        browser.visit(login("ann"))
    assert not valid(olds[1], token_of(olds[0]))
    assert not any(valid(browser, token_of(olds[0])) for browser in browsers)


# After the closing, in the session under its new ID


@forgotten_by
def test_tokens_from_before_are_worth_nothing_in_the_new_session(world, start, closing):
    browser = world.browser(start)
    token = token_of(browser)
    browser.visit(closing)
    assert not valid(browser, token)


@forgotten_by
def test_nor_are_those_that_are_made_under_the_old_id(world, start, closing):
    browser = world.browser(start)
    planter = browser.copy()
    browser.visit(closing)
    assert not valid(browser, token_of(planter))
    assert not valid(planter, token_of(browser))


@forgotten_by
def test_nor_is_one_that_was_made_while_the_new_id_was_made(world, start, closing):
    """A planter loads a form after the victim's request has loaded the session, and before it is committed."""
    browser = world.browser(start)
    planter, slow = browser.copy(), browser.open(closing)
    token = token_of(planter)
    slow.finish()
    assert not valid(browser, token)


@forgotten_by
def test_nor_is_one_that_was_made_between_the_steps_of_a_new_id(world, start, closing):
    browser = world.browser(start)
    planter, tokens = browser.copy(), []
    world.probe.once_before("update", lambda: tokens.append(token_of(planter)))
    browser.visit(closing)
    assert not valid(browser, tokens[0])


@forgotten_by
def test_a_form_that_was_made_meanwhile_is_valid_at_its_post_under_the_old_id(world, start, closing):
    browser = world.browser(start)
    other, slow = browser.copy(), browser.open(closing)
    token = token_of(other)
    slow.finish()
    assert valid(other, token)


@forgotten_by
def test_a_page_of_the_request_that_got_the_new_id_is_valid(world, start, closing):
    browser, tokens = world.browser(start), []
    token_of(browser)
    browser.visit(every(closing, lambda s: tokens.append(s.csrf_token())))
    assert valid(browser, tokens[0])


def test_a_renewal_by_an_owner_keeps_the_secret(world):
    browser = world.browser(login("ann"))
    token = token_of(browser)
    browser.visit(renew)
    assert valid(browser, token)


def test_a_renewal_by_an_owner_keeps_a_secret_that_was_made_meanwhile(world):
    browser = world.browser(login("ann"))
    other, slow = browser.copy(), browser.open(renew)
    token = token_of(other)
    slow.finish()
    assert valid(browser, token)


def test_of_two_renewals_at_once_the_first_ones_page_stays_valid(world):
    browser, tokens = world.browser(put("a", 1)), []
    slow = browser.copy().open(every(put("b", 2), renew, lambda s: s.csrf_token()))
    browser.visit(every(renew, lambda s: tokens.append(s.csrf_token())))
    slow.finish()
    assert valid(browser, tokens[0])


def test_a_slow_form_does_not_bring_the_planters_secret_back(world):
    """The slow request had loaded the session with its secret, and merges what it writes into the renewed one."""
    browser = world.browser(put("a", 1))
    token = token_of(browser)
    slow = browser.copy().open(every(put("b", 2), lambda s: s.csrf_token()))
    browser.visit(renew)
    slow.finish()
    assert browser.read() == {"a": 1, "b": 2}
    assert not valid(browser, token)


def test_a_renewal_beside_one_in_time_leaves_no_secret_that_a_planter_knows(world):
    world.use(lifetime=Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=60)))
    browser = world.browser(put("a", 1))
    token = token_of(browser)
    world.clock.advance(60)
    slow = browser.copy().open(renew)
    browser.visit()
    slow.finish()
    assert not valid(browser, token)


def test_within_the_grace_of_a_renewal_in_time_forms_are_those_of_the_session(world):
    world.use(lifetime=Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=60)))
    browser = world.browser(put("a", 1))
    token, old = token_of(browser), browser.copy()
    world.clock.advance(60)
    browser.visit()
    assert valid(browser, token_of(old))
    assert valid(old, token)
    world.clock.advance(GRACE)
    assert valid(old, token)


# Secrets that extensions keep among the data: Flask-WTF, Django with CSRF_USE_SESSIONS, WTForms

EXTENSIONS = pytest.mark.parametrize("key", ["csrf_token", "_csrftoken", "csrf"])


@closed_by
@EXTENSIONS
def test_what_an_extension_keeps_for_its_forms_can_be_read_under_the_old_id(world, start, closing, key):
    browser = world.browser(start, put(key, "secret"))
    old = browser.copy()
    browser.visit(closing)
    world.forget()
    assert (old.read(), old.owner()) == ({key: "secret"}, None)
    assert old.visit(len) == []
    assert world.taken_names() == []


@EXTENSIONS
def test_it_is_what_was_there_before_a_login_that_gives_the_extension_another_one(world, key):
    browser = world.browser(put(key, "old"))
    old = browser.copy()
    browser.visit(every(login("ann"), put(key, "new")))
    assert (old.read(), browser.read()) == ({key: "old"}, {key: "new"})


@EXTENSIONS
def test_it_is_what_a_faster_request_has_put_there(world, key):
    browser = world.browser(put("a", 1))
    slow, old = browser.open(login("ann")), browser.copy()
    old.visit(put(key, "theirs"))
    slow.finish()
    assert old.read() == {key: "theirs"}


@EXTENSIONS
def test_a_login_under_the_old_id_takes_it_not_along(world, key):
    browser = world.browser(put(key, "secret"))
    old = browser.copy()
    browser.visit(login("ann"))
    world.forget()
    assert is_issue(old.visit(login("ann")))
    assert (old.read(), world.taken_names()) == ({}, ["session.created"])


@EXTENSIONS
@pytest.mark.parametrize("value", [7, b"secret", ["secret"], "x" * 129], ids=["number", "bytes", "list", "long"])
def test_what_is_no_short_text_is_no_secret_of_a_form(world, key, value):
    browser = world.browser(put(key, value))
    old = browser.copy()
    browser.visit(login("ann"))
    assert old.read() == {}


def test_what_is_written_beside_it_is_dropped_as_ever(world):
    browser = world.browser(put("csrf_token", "secret"))
    old = browser.copy()
    browser.visit(login("ann"))
    world.forget()
    assert old.visit(put("csrf_token", "another")) == []
    assert world.taken_names() == ["session.write_dropped"]
    assert old.read() == {"csrf_token": "secret"}


def test_of_several_cookies_each_keeps_its_own(world):
    first, second = (world.browser(put("csrf_token", text)) for text in ("one", "two"))
    olds = first.copy(), second.copy()
    session = world.manager.open(f"{first.header}; {second.header}")
    session.login("ann")
    world.manager.commit(session)
    assert [old.read() for old in olds] == [{"csrf_token": "one"}, {"csrf_token": "two"}]
