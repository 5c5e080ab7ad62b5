"""The decision at commit, row by row of the table in the design."""

import itertools

import pytest

from cookiesess.session.decision import Action, Happened, decide
from cookiesess.session.state import Origin

FLAGS = ("empty", "modified", "renewed", "refresh_due", "stale_key")
READ = dict.fromkeys(FLAGS, False)
EMPTY = {**READ, "empty": True}
# `Session.login` sets an owner, so the session is not empty; for the table it is a renewal.
RENEWED = {**READ, "renewed": True}
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
        row("rejected, still empty: expire the cookie", Origin.REJECTED, EMPTY, Action.EXPIRE),
        row("none, not empty: a new session", Origin.NONE, READ, Action.CREATE),
        row("rejected, not empty: a new session", Origin.REJECTED, READ, Action.CREATE),
        row("gone, not empty: a new session", Origin.GONE, READ, Action.CREATE),
        row("none, login: a new session", Origin.NONE, RENEWED, Action.CREATE),
        row("rejected, login: a new session", Origin.REJECTED, RENEWED, Action.CREATE),
        row("gone, login: a new session", Origin.GONE, RENEWED, Action.CREATE),
        row("replaced, read: nothing", Origin.REPLACED, EMPTY, Action.NOTHING),
        row("replaced, written: dropped", Origin.REPLACED, READ, Action.DROP),
        row("replaced, login: dropped", Origin.REPLACED, RENEWED, Action.DROP),
        row("unavailable, read: nothing", Origin.UNAVAILABLE, EMPTY, Action.NOTHING),
        row("loaded, read: nothing", Origin.LOADED, READ, Action.NOTHING),
        row("loaded, read, old key: nothing yet", Origin.LOADED, {**READ, "stale_key": True}, Action.NOTHING),
        row("loaded, refresh due: touch", Origin.LOADED, REFRESH, Action.TOUCH),
        row("loaded, refresh due, old key: seal anew", Origin.LOADED, {**REFRESH, "stale_key": True}, Action.RESEAL),
        row("loaded, modified: update", Origin.LOADED, {**READ, "modified": True}, Action.UPDATE),
        row("loaded, became empty: delete", Origin.LOADED, EMPTIED, Action.DELETE),
        row("loaded, renew(): move", Origin.LOADED, RENEWED, Action.MOVE),
        row("loaded, login(): move", Origin.LOADED, {**RENEWED, "modified": True}, Action.MOVE),
        row("loaded, invalidate(): expire", Origin.ENDED, EMPTY, Action.EXPIRE),
        row("loaded, invalidate(), written again: a new session", Origin.ENDED, READ, Action.CREATE),
        row("loaded, invalidate(), login(): a new session", Origin.ENDED, RENEWED, Action.CREATE),
    ],
)
def test_each_row_of_the_table(origin, flags, action):
    assert decide(origin, **flags) is action


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize("origin", [Origin.NONE, Origin.REJECTED, Origin.GONE, Origin.ENDED, Origin.REPLACED])
def test_what_was_not_loaded_is_decided_by_its_content_alone(origin, empty):
    decisions = {
        decide(origin, empty=empty, **dict(zip(FLAGS[1:], flags, strict=True)))
        for flags in itertools.product([True, False], repeat=4)
    }
    assert len(decisions) == 1


@pytest.mark.parametrize(
    ("flags", "action"),
    [
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
        assert isinstance(decide(origin, **flags), Action)


def test_a_written_session_without_a_store_is_no_row_of_the_table():
    with pytest.raises(KeyError):
        decide(Origin.UNAVAILABLE, **READ)


@pytest.mark.parametrize("origin", [Origin.NONE, Origin.GONE, Origin.REPLACED, Origin.UNAVAILABLE])
def test_a_cookie_is_never_expired_where_that_could_hit_another_session(origin):
    decisions = {decide(origin, **EMPTY)}
    if origin not in IMPOSSIBLE:
        decisions |= {decide(origin, **READ), decide(origin, **RENEWED)}
    assert not decisions & {Action.EXPIRE, Action.DELETE}


@pytest.mark.parametrize("enum", [Origin, Action, Happened])
def test_every_member_of_the_table_says_what_it_means(enum):
    assert all(isinstance(member.value, str) and member.value for member in enum)
    assert len({hash(member) for member in enum}) == len(enum)
