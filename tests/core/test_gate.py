"""The gate: whether a write is possible, over stage, origin and what it needs; the table, then real sessions."""

import itertools

import pytest

from cookiesess import SessionCommitted, SessionManager, SessionReadOnly, StoreUnavailable
from cookiesess.session.gate import Stage, refusal
from cookiesess.session.state import Origin
from cookiesess.stores.memory import MemoryStore

KEY = "the current key of the tests: more than 32 bytes"
OPEN, STREAMING, OVER, ABANDONED = Stage.OPEN, Stage.STREAMING, Stage.OVER, Stage.ABANDONED
UNANSWERED = Stage.UNANSWERED
AVAILABLE = [origin for origin in Origin if origin is not Origin.UNAVAILABLE]


def error_of(stage, origin, *, needs_cookie):
    refused = refusal(stage, origin, needs_cookie=needs_cookie)
    return None if refused is None else refused()


@pytest.mark.parametrize(
    ("stage", "needs_cookie", "error"),
    [
        (OPEN, True, None),
        (OPEN, False, None),
        (STREAMING, True, SessionCommitted),
        (STREAMING, False, None),
        (UNANSWERED, True, SessionCommitted),
        (UNANSWERED, False, None),
        (OVER, True, SessionCommitted),
        (OVER, False, SessionCommitted),
        (ABANDONED, True, None),
        (ABANDONED, False, None),
    ],
)
def test_a_write_passes_by_the_stage_and_by_what_it_needs(stage, needs_cookie, error):
    refused = {type(error_of(stage, origin, needs_cookie=needs_cookie)) for origin in AVAILABLE}
    assert refused == {error or type(None)}


def test_while_the_store_is_down_no_write_passes_in_any_stage():
    for stage, needs_cookie in itertools.product(Stage, [True, False]):
        assert isinstance(error_of(stage, Origin.UNAVAILABLE, needs_cookie=needs_cookie), SessionReadOnly)


class Breaking(MemoryStore):
    """A store that can be down."""

    down = False

    def load(self, key, *, now):
        if self.down:
            raise StoreUnavailable("down") from OSError()
        return super().load(key, now=now)


def header_of(commit):
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in commit.cookies)


def started(*, server_side, origin):
    """A manager, and a session of that origin."""
    store = Breaking()
    settings = {"store": store, "on_store_error": "anonymous"} if server_side else {}
    manager = SessionManager(KEY, **settings)
    session = manager.open("")
    if origin is Origin.NONE:
        return manager, session
    session["a"] = 1
    header = header_of(manager.commit(session))
    store.down = origin is Origin.UNAVAILABLE
    session = manager.open(header)
    if origin is Origin.ENDED:
        session.invalidate()
    return manager, session


def bring(manager, session, stage):
    if stage is ABANDONED:
        manager.abandon(session)
    elif stage is not OPEN:
        manager.commit(session)
    if stage is STREAMING:
        manager.stream(session)
    if stage is UNANSWERED:
        manager.reopen(session)
        session._leave_unanswered()


WRITES = {
    "assign": lambda session: session.update(b=2),
    "end": lambda session: session.invalidate(),
    "log in": lambda session: session.login("ann"),
    "renew": lambda session: session.renew(),
}
NEEDS_COOKIE = {"log in", "renew"}


@pytest.mark.parametrize("touched", [True, False], ids=["touched before", "touched then"])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("stage", Stage, ids=lambda stage: stage.name.lower())
@pytest.mark.parametrize(
    "origin", [Origin.NONE, Origin.LOADED, Origin.ENDED, Origin.UNAVAILABLE], ids=lambda o: o.name.lower()
)
@pytest.mark.parametrize("server_side", [True, False], ids=["server-side", "client-side"])
def test_a_session_asks_the_gate_whenever_it_was_touched(server_side, origin, stage, write, touched):
    if origin is Origin.UNAVAILABLE and not server_side:
        return  # there is no store to be down
    manager, session = started(server_side=server_side, origin=origin)
    if touched:
        len(session)
    bring(manager, session, stage)
    has_record = server_side and origin is Origin.LOADED
    expected = error_of(stage, origin, needs_cookie=not has_record or write in NEEDS_COOKIE)
    if expected is None:
        WRITES[write](session)
    else:
        with pytest.raises(type(expected)):
            WRITES[write](session)


def test_what_save_has_written_gives_one_line_and_no_second_one():
    manager = SessionManager(KEY, store=MemoryStore())
    session = manager.open("")
    session["a"] = 1
    session.save()
    assert len(manager.commit(session).cookies) == 1
    manager.reopen(session)
    assert manager.commit(session).cookies == ()


def test_a_session_that_is_opened_again_after_its_commit_takes_writes_and_another_commit():
    manager = SessionManager(KEY, store=MemoryStore())
    session = manager.open("")
    session["a"] = 1
    header = header_of(manager.commit(session))
    manager.reopen(session)
    session["b"] = 2
    assert manager.commit(session).written
    assert dict(manager.open(header)) == {"a": 1, "b": 2}
