"""Flash messages and CSRF tokens."""

import pytest

from cookiesess import Flash, NotSerializable, SessionManager
from kit.constants import KEY
from kit.views import put


@pytest.fixture
def session(visitor):
    """A session that an earlier request began."""
    visitor.visit(put("a", 1))
    return visitor.manager.open(visitor.header)


# Flash messages


def test_a_flash_is_shown_once_on_the_next_request(visitor):
    visitor.visit(lambda session: session.flash("saved"))
    shown = []
    visitor.visit(lambda session: shown.append(session.pop_flashes()))
    visitor.visit(lambda session: shown.append(session.pop_flashes()))
    assert shown == [[Flash("saved", "message")], []]


def test_flashes_come_in_order_with_their_categories(visitor):
    for message, category in (("one", "info"), ("two", "error"), ("three", "info")):
        visitor.visit(lambda session, message=message, category=category: session.flash(message, category))
    shown = visitor.read(lambda session: session.pop_flashes())
    assert shown == [("one", "info"), ("two", "error"), ("three", "info")]
    assert shown[1].category == "error"


def test_flashes_of_one_category_leave_the_others_waiting(visitor):
    visitor.visit(lambda session: [session.flash("one", "info"), session.flash("two", "error")])
    shown = []
    visitor.visit(lambda session: shown.append(session.pop_flashes("error")))
    visitor.visit(lambda session: shown.append(session.pop_flashes("error")))
    visitor.visit(lambda session: shown.append(session.pop_flashes()))
    assert shown == [[("two", "error")], [], [("one", "info")]]


def test_of_flashes_that_nobody_pops_the_newest_fifty_are_kept(visitor):
    for number in range(60):
        visitor.visit(lambda session, number=number: session.flash(number))
    assert visitor.read(lambda session: [each.message for each in session.pop_flashes()]) == [*range(10, 60)]


def test_a_flash_is_no_key_of_the_session(visitor):
    visitor.visit(lambda session: session.flash("saved"))
    assert visitor.read() == {}
    assert visitor.read(lambda session: not session.is_new)


def test_a_flash_can_be_anything_that_sessions_carry(visitor):
    visitor.visit(lambda session: session.flash({"key": ("saved", 5)}))
    assert visitor.read(lambda session: session.pop_flashes()) == [({"key": ("saved", 5)}, "message")]


def test_a_flash_that_cannot_be_stored_is_refused_where_it_is_made(session):
    with pytest.raises(NotSerializable, match="object is not supported"):
        session.flash(object())
    assert session.pop_flashes() == []


def test_clear_leaves_flashes_and_owner(visitor):
    visitor.visit(lambda session: [session.flash("saved"), session.login("user-1"), session.clear()])
    assert visitor.read(lambda session: (session.owner, session.pop_flashes())) == ("user-1", [("saved", "message")])


# CSRF


def test_a_csrf_token_is_good_in_later_requests(visitor):
    tokens = []
    visitor.visit(lambda session: tokens.append(session.csrf_token()))
    assert visitor.read(lambda session: session.check_csrf(tokens[0]))
    assert visitor.visit(lambda session: tokens.append(session.csrf_token())) == []
    assert visitor.read(lambda session: [session.check_csrf(token) for token in tokens]) == [True, True]


def test_each_csrf_token_is_different(session):
    tokens = {session.csrf_token() for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {86}
    assert all(session.check_csrf(token) for token in tokens)


def other_token():
    return SessionManager(KEY).open("").csrf_token()


BAD_TOKENS = [
    "",
    "x",
    "é" * 86,
    "A" * 86,
    "A" * 85,
    "A" * 10_000,
    None,
    5,
    b"A" * 86,
    ["A"],
    other_token(),
    "AAAA" * 16,
]


@pytest.mark.parametrize("token", BAD_TOKENS, ids=range(len(BAD_TOKENS)))
@pytest.mark.parametrize("has_secret", [True, False])
def test_any_other_csrf_token_is_refused(session, token, has_secret):
    if has_secret:
        session.csrf_token()
    assert session.check_csrf(token) is False


def test_a_csrf_token_with_one_character_changed_is_refused(session):
    token = session.csrf_token()
    for position in range(len(token)):
        changed = token[:position] + ("A" if token[position] != "A" else "E") + token[position + 1 :]
        assert not session.check_csrf(changed)


def test_check_csrf_starts_no_session(visitor):
    assert visitor.visit(lambda session: session.check_csrf("x")) == []


@pytest.mark.parametrize("before", [None, "user-1", "user-2"])
def test_a_login_makes_earlier_csrf_tokens_void(visitor, before):
    tokens = []
    if before:
        visitor.visit(lambda session: session.login(before))
    visitor.visit(lambda session: tokens.append(session.csrf_token()))
    visitor.visit(lambda session: session.login("user-1"))
    assert not visitor.read(lambda session: session.check_csrf(tokens[0]))
    visitor.visit(lambda session: tokens.append(session.csrf_token()))
    assert visitor.read(lambda session: session.check_csrf(tokens[1]))


def test_renew_keeps_csrf_tokens_good_where_somebody_is_logged_in(visitor):
    tokens = []
    visitor.visit(lambda session: session.login("user-1"))
    visitor.visit(lambda session: tokens.append(session.csrf_token()))
    visitor.visit(lambda session: session.renew())
    assert visitor.read(lambda session: session.check_csrf(tokens[0]))


def test_renew_makes_earlier_csrf_tokens_void_where_nobody_is_logged_in(visitor):
    """Whoever planted the session knows them."""
    tokens = []
    visitor.visit(lambda session: tokens.append(session.csrf_token()) or put("a", 1)(session))
    visitor.visit(lambda session: session.renew())
    assert not visitor.read(lambda session: session.check_csrf(tokens[0]))
    visitor.visit(lambda session: tokens.append(session.csrf_token()))
    assert visitor.read(lambda session: session.check_csrf(tokens[1]))


@pytest.mark.parametrize("before", [None, "user-1"])
def test_a_cycled_id_makes_earlier_csrf_tokens_void(visitor, before):
    tokens = []
    if before:
        visitor.visit(lambda session: session.login(before))
    visitor.visit(lambda session: tokens.append(session.csrf_token()) or put("a", 1)(session))
    visitor.visit(lambda session: session.cycle())
    assert not visitor.read(lambda session: session.check_csrf(tokens[0]))
