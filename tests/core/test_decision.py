"""The decision at commit, row by row of the table in the design."""

import itertools

import pytest

from cookiesess.session.decision import Action, Happened, decide
from cookiesess.session.state import Origin

FLAGS = ("empty", "modified", "renewed", "login", "refresh_due", "stale_key")
READ = dict.fromkeys(FLAGS, False)
EMPTY = {**READ, "empty": True}
RENEWED = {**READ, "renewed": True}
# `Session.login` sets an owner, so the session is not empty.
LOGGED_IN = {**RENEWED, "modified": True, "login": True}
EMPTIED = {**EMPTY, "modified": True}
REFRESH = {**READ, "refresh_due": True}


def row(name, origin, flags, action):
    return pytest.param(origin, flags, action, id=name)


@pytest.mark.parametrize(
    ("origin", "flags", "action"),
    [
        # origin | what happened | what is done
        row("none, still empty: nothing", Origin.NONE, EMPTY, Action.NOTHING),
        row("gone, still empty: nothing", Origin.GONE, EMPTY, Action.NOTHING),
        row("rejected, still empty: nothing", Origin.REJECTED, EMPTY, Action.NOTHING),
        row("none, not empty: a new session", Origin.NONE, READ, Action.CREATE),
        row("rejected, not empty: a new session", Origin.REJECTED, READ, Action.CREATE),
        row("gone, not empty: a new session", Origin.GONE, READ, Action.CREATE),
        row("none, login(): a new session", Origin.NONE, LOGGED_IN, Action.CREATE),
        row("rejected, login(): a new session", Origin.REJECTED, LOGGED_IN, Action.CREATE),
        row("gone, login(): a new session", Origin.GONE, LOGGED_IN, Action.CREATE),
        row("replaced, read: nothing", Origin.REPLACED, EMPTY, Action.NOTHING),
        row("replaced, renew(): nothing", Origin.REPLACED, {**EMPTY, "renewed": True}, Action.NOTHING),
        row("replaced, read, and an extension's secret was there: nothing", Origin.REPLACED, READ, Action.NOTHING),
        row("replaced, written: dropped", Origin.REPLACED, {**READ, "modified": True}, Action.DROP),
        row("replaced, a setting alone was written: dropped", Origin.REPLACED, EMPTIED, Action.DROP),
        row("replaced, written and renewed: dropped", Origin.REPLACED, {**RENEWED, "modified": True}, Action.DROP),
        row("replaced, login(): a session of its own", Origin.REPLACED, LOGGED_IN, Action.CREATE),
        row("unavailable, read: nothing", Origin.UNAVAILABLE, EMPTY, Action.NOTHING),
        row("foreign, read: nothing", Origin.FOREIGN, READ, Action.NOTHING),
        row("foreign, refresh due: a session of ours", Origin.FOREIGN, REFRESH, Action.CREATE),
        row("foreign, modified: a session of ours", Origin.FOREIGN, {**READ, "modified": True}, Action.CREATE),
        row("foreign, renew(): a session of ours", Origin.FOREIGN, RENEWED, Action.CREATE),
        row("foreign, login(): a session of ours", Origin.FOREIGN, LOGGED_IN, Action.CREATE),
        row("foreign, became empty: expire", Origin.FOREIGN, EMPTIED, Action.EXPIRE),
        row("loaded, read: nothing", Origin.LOADED, READ, Action.NOTHING),
        row("loaded, read, old key: nothing yet", Origin.LOADED, {**READ, "stale_key": True}, Action.NOTHING),
        row("loaded, refresh due: touch", Origin.LOADED, REFRESH, Action.TOUCH),
        row("loaded, refresh due, old key: seal anew", Origin.LOADED, {**REFRESH, "stale_key": True}, Action.RESEAL),
        row("loaded, modified: update", Origin.LOADED, {**READ, "modified": True}, Action.UPDATE),
        row("loaded, became empty: delete", Origin.LOADED, EMPTIED, Action.DELETE),
        row("loaded, renew(): move", Origin.LOADED, RENEWED, Action.MOVE),
        row("loaded, login(): move", Origin.LOADED, LOGGED_IN, Action.MOVE),
        row("ended, still empty: expire", Origin.ENDED, EMPTY, Action.EXPIRE),
        row("ended, written again: a new session", Origin.ENDED, READ, Action.CREATE),
        row("ended, login(): a new session", Origin.ENDED, LOGGED_IN, Action.CREATE),
    ],
)
def test_each_row_of_the_table(origin, flags, action):
    assert decide(origin, **flags) is action


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("origin", [Origin.NONE, Origin.REJECTED, Origin.GONE, Origin.ENDED])
def test_what_was_not_loaded_is_decided_by_its_content_alone(origin, empty):
    rest = [flag for flag in FLAGS if flag not in {"empty", "login"}]
    decisions = {
        decide(origin, empty=empty, login=False, **dict(zip(rest, flags, strict=True)))
        for flags in itertools.product([True, False], repeat=len(rest))
    }
    assert len(decisions) == 1


@pytest.mark.parametrize("origin", [origin for origin in Origin if origin is not Origin.UNAVAILABLE])
def test_a_login_is_issued_whatever_the_request_came_with(origin):
    for flags in itertools.product([True, False], repeat=4):
        rest = dict(zip(("modified", "renewed", "refresh_due", "stale_key"), flags, strict=True))
        assert decide(origin, empty=False, login=True, **rest) in {Action.CREATE, Action.MOVE}


@pytest.mark.parametrize(
    ("flags", "action"),
    [
        ({"modified", "renewed", "login", "refresh_due", "stale_key"}, Action.MOVE),
        ({"modified", "renewed", "refresh_due", "stale_key"}, Action.MOVE),
        ({"modified", "refresh_due", "stale_key"}, Action.UPDATE),
        ({"refresh_due", "stale_key"}, Action.RESEAL),
        ({"refresh_due"}, Action.TOUCH),
        ({"empty", "modified", "renewed", "refresh_due", "stale_key"}, Action.DELETE),
        ({"empty", "renewed"}, Action.DELETE),
        ({"empty", "refresh_due"}, Action.TOUCH),
        ({"empty"}, Action.NOTHING),
    ],
)
def test_of_several_things_that_happened_to_a_loaded_session_the_weightiest_counts(flags, action):
    assert decide(Origin.LOADED, **{flag: flag in flags for flag in FLAGS}) is action


# A store that is down gives an empty session, and every write of it raises before the commit.
IMPOSSIBLE = {Origin.UNAVAILABLE}


@pytest.mark.parametrize("origin", Origin)
def test_every_combination_that_can_happen_is_decided(origin):
    for values in itertools.product([True, False], repeat=len(FLAGS)):
        flags = dict(zip(FLAGS, values, strict=True))
        if origin in IMPOSSIBLE and not flags["empty"]:
            continue
        if flags["login"] and flags["empty"]:
            continue  # a session that somebody is logged in to is not empty
        assert isinstance(decide(origin, **flags), Action)


def test_a_written_session_without_a_store_is_no_row_of_the_table():
    with pytest.raises(KeyError):
        decide(Origin.UNAVAILABLE, **READ)


@pytest.mark.parametrize(
    "origin", [Origin.NONE, Origin.REJECTED, Origin.GONE, Origin.REPLACED, Origin.UNAVAILABLE], ids=lambda o: o.name
)
def test_a_cookie_is_deleted_only_by_a_logout_or_where_a_session_became_empty(origin):
    decisions = {decide(origin, **EMPTY)}
    if origin not in IMPOSSIBLE:
        decisions |= {decide(origin, **READ), decide(origin, **RENEWED), decide(origin, **LOGGED_IN)}
    assert not decisions & {Action.EXPIRE, Action.DELETE}


@pytest.mark.parametrize("enum", [Origin, Action, Happened])
def test_every_member_of_the_table_says_what_it_means(enum):
    assert all(isinstance(member.value, str) and member.value for member in enum)
    assert len({hash(member) for member in enum}) == len(enum)
