"""What an old ID still leads to: the table of four rows and two columns in the design, cell by cell.

An ID is closed by a renewal, by a login of the same owner, or by one that leads nowhere: a login of another owner or of
a visitor who was nobody, or an ID that was cycled. (A renewal in the course of time has a file of its own.) A request
*arrives* with the old ID, or is *slow*: it had loaded the session before. The cookie policy is persistent, so that even
a mere refresh would send a line.
"""

import pytest

from cookiesess.events import WriteDropped
from kit.constants import PERSISTENT, REFRESH
from kit.lines import is_expiry
from kit.views import append, clear, count, every, invalidate, login, persist, put, renew


def of_ann(session):
    session.login("ann")
    session.update(cart=["tea"], n=0)


def of_nobody(session):
    session.update(cart=["tea"], n=0)


RENEWALS = {"renew": (of_ann, renew), "renew of nobody's": (of_nobody, renew)}
AGAIN = {"login of the same owner": (of_ann, login("ann"))}
NOWHERE = {
    "login of another owner": (of_ann, login("bob")),
    "login of nobody's": (of_nobody, login("ann")),
    "cycle": (of_ann, lambda s: s.cycle()),
    "cycle of nobody's": (of_nobody, lambda s: s.cycle()),
}
READS = {"nothing": len, "a list": lambda s: s.get("cart"), "flashes": lambda s: s.pop_flashes(), "renew": renew}
# Whatever else writes: by mutate, in a list, beside the data, and with a wish for a new ID.
WRITES = {
    "put": put("b", 2),
    "append": lambda s: s.setdefault("cart", []).append("milk"),
    "mutate": count,
    "flash": lambda s: s.flash("x"),
    "label": lambda s: setattr(s, "label", "phone"),
    "saved": every(put("b", 2), lambda s: s.save()),
    "renewed": every(renew, put("b", 2)),
}


class Case:
    """A session whose ID is closed on demand, somebody with the old ID, and a slow request that had loaded it."""

    def __init__(self, world, start, closing):
        world.use(cookie=PERSISTENT)
        self.world, self.closing = world, closing
        self.browser = world.browser(start)
        world.clock.advance(REFRESH)  # so that every request is also a toucher
        self.old = self.browser.copy()
        self.slow = self.old.open()

    def close(self):
        """Close the ID; what was done before is what the successor shows."""
        assert len(self.browser.visit(every(self.closing, put("done", True)))) == 1
        self.world.forget()
        return self

    @property
    def seen(self):
        session = self.world.manager.open(self.browser.header)
        return session.owner, dict(session), session.label, session.peek_flashes()

    @property
    def listed(self):
        """Ann's sessions; none where the store has no index of owners."""
        world = self.world
        return world.manager.sessions_of("ann") if world.probe.inner.indexes_owners else []

    def written(self):
        """The verbs that write, of all that was called."""
        return [verb for verb in self.world.probe.taken() if verb != "load"]


def cases(*rows):
    return pytest.mark.parametrize("row", [pytest.param(row, id=name) for each in rows for name, row in each.items()])


def views(which):
    return pytest.mark.parametrize("view", which.values(), ids=which)


@pytest.fixture
def case(world, row):
    return Case(world, *row)


# Whoever arrives with the old ID


@cases(RENEWALS, AGAIN, NOWHERE)
@views(READS)
def test_an_old_id_reads_empty_at_once_without_a_line_or_a_word(case, view):
    case.close()
    session = case.world.manager.open(case.old.header)
    assert (session.owner, dict(session), session.is_new) == (None, {}, True)
    assert case.old.visit(view) == []
    assert case.world.taken_events() == []


@cases(RENEWALS, AGAIN, NOWHERE)
@views(WRITES)
def test_what_is_written_under_an_old_id_is_dropped_with_an_event_and_without_a_line(case, view):
    case.close()
    before = case.seen
    assert case.old.visit(view) == []
    assert case.written() == []
    assert case.world.taken_events() == [WriteDropped("replaced")]
    assert case.seen == before


@cases(RENEWALS, AGAIN, NOWHERE)
@pytest.mark.parametrize("seconds", [10, 299, 599])
def test_an_old_id_stays_dead_as_long_as_a_request_may_take_by_clocks_that_differ(case, seconds):
    case.close()
    case.world.clock.advance(seconds)
    assert case.old.read() == {}
    assert case.old.visit(put("b", 2)) == []


@cases(RENEWALS, AGAIN, NOWHERE)
def test_ten_minutes_later_an_old_id_is_unknown_and_what_is_written_begins_another_session(case):
    case.close()
    case.world.clock.advance(600)
    assert len(case.old.visit(put("b", 2))) == 1
    assert case.old.read() == {"b": 2}
    assert case.seen[1]["done"]


@cases(RENEWALS, AGAIN)
def test_a_logout_with_an_old_id_that_leads_on_ends_the_session_and_forgets_the_cookie(case):
    case.close()
    assert is_expiry(case.old.visit(invalidate))
    assert case.seen[:2] == (None, {})
    assert case.listed == []


@cases(RENEWALS, AGAIN)
@pytest.mark.parametrize("seconds", [299, 599])
def test_a_logout_with_an_old_id_ends_the_session_as_long_as_the_closed_record_lasts(case, seconds):
    case.close()
    case.world.clock.advance(seconds)
    case.old.visit(invalidate)
    assert case.seen[:2] == (None, {})


@cases(NOWHERE)
def test_a_logout_with_an_old_id_that_leads_nowhere_forgets_the_cookie_and_ends_nothing(case):
    case.close()
    before = case.seen
    assert is_expiry(case.old.visit(invalidate))
    assert case.seen == before
    assert "session.ended" not in case.world.taken_names()


@cases(RENEWALS, AGAIN, NOWHERE)
def test_after_a_logout_with_an_old_id_the_browser_may_begin_a_session_of_its_own(case):
    case.close()
    lines = case.old.visit(every(invalidate, put("b", 2)))
    assert is_expiry(lines[:-1])
    assert case.old.read() == {"b": 2}


# A slow request, which had loaded the session before


@cases(RENEWALS, AGAIN, NOWHERE)
@views({**READS, "persist": persist})
def test_a_slow_request_never_gets_a_line(case, view):
    case.close()
    assert case.slow.finish(view) == []


@cases(RENEWALS)
@views(WRITES)
def test_what_a_slow_request_writes_is_merged_into_the_renewed_session_without_a_line(case, view):
    other = case.world.browser(of_nobody)
    other.visit(every(view, put("done", True)))
    expected = (dict(other.manager.open(other.header)), other.manager.open(other.header).peek_flashes())
    case.close()
    assert case.slow.finish(view) == []
    assert (case.seen[1], case.seen[3]) == expected
    assert not any(isinstance(event, WriteDropped) for event in case.world.taken_events())


@cases(RENEWALS)
def test_a_slow_request_keeps_what_the_renewing_one_has_written(case):
    case.slow.session["cart"].append("milk")
    case.browser.visit(every(renew, put("n", 5), append("cart", "salt")))
    assert case.slow.finish(put("b", 2)) == []
    assert case.browser.read() == {"cart": ["tea", "milk"], "n": 5, "b": 2}


@cases(RENEWALS)
def test_a_slow_request_that_only_reads_writes_nothing_into_the_renewed_session(case):
    case.close()
    assert case.slow.finish() == []
    assert case.written() in ([], ["touch"])  # by version, so that it does nothing
    assert case.slow.manager.open(case.browser.header).refreshed_at == case.world.now


@cases(AGAIN, NOWHERE)
@views({**WRITES, "persist": persist, "empty": clear, "empty, under another ID": every(clear, lambda s: s.cycle())})
def test_what_a_slow_request_writes_is_dropped_with_an_event_after_a_login(case, view):
    case.close()
    before = case.seen
    assert case.slow.finish(view) == []
    assert case.world.taken_names() == ["session.write_dropped"]
    assert case.seen == before


@cases(RENEWALS, AGAIN)
def test_a_slow_logout_ends_the_session_where_the_id_leads_on(case):
    case.close()
    assert is_expiry(case.slow.finish(invalidate))
    assert case.seen[:2] == (None, {})
    assert case.listed == []


@cases(NOWHERE)
def test_a_slow_logout_ends_nothing_where_the_id_leads_nowhere(case):
    case.close()
    before = case.seen
    assert is_expiry(case.slow.finish(invalidate))
    assert case.seen == before
    assert "session.ended" not in case.world.taken_names()


# Logins with an old ID, and beside its closing


@cases(RENEWALS, AGAIN, NOWHERE)
@pytest.mark.parametrize("owner", ["ann", "carla"])
def test_a_login_with_an_old_id_makes_a_session_of_its_own_and_ends_none(case, owner):
    case.close()
    before = case.seen
    assert len(case.old.visit(every(login(owner), put("b", 2)))) == 1
    assert (case.old.owner(), case.old.read()) == (owner, {"b": 2})
    assert case.seen == before


@cases(RENEWALS, AGAIN, NOWHERE)
def test_what_was_set_before_a_login_with_an_old_id_is_dropped_with_an_event(case):
    """The page that it was set for was an empty one."""
    case.close()
    case.old.visit(every(put("before", 1), login("carla"), put("after", 2)))
    assert case.old.read() == {"after": 2}
    assert case.world.taken_events()[0] == WriteDropped("replaced")


@cases(RENEWALS, AGAIN, NOWHERE)
def test_a_login_with_an_old_id_before_which_nothing_was_set_loses_nothing(case):
    case.close()
    case.old.visit(login("carla"))
    assert case.world.taken_names() == ["session.created"]


@cases(RENEWALS)
@pytest.mark.parametrize("owner", ["ann", "carla"])
def test_a_slow_login_after_a_renewal_takes_the_renewed_session_over(case, owner):
    """The renewal could have been a moment earlier, and the login have loaded the renewed session."""
    case.close()
    was = case.seen[0]
    assert len(case.slow.finish(every(put("b", 2), login(owner)))) == 1
    assert case.old.owner() == owner
    assert case.seen[:2] == (None, {})
    assert case.old.read().get("done", False) is (was in {None, owner})


@cases(AGAIN, NOWHERE)
@pytest.mark.parametrize("owner", ["ann", "carla"])
def test_a_slow_login_after_another_has_what_it_set_itself_and_nothing_else(case, owner):
    was = case.slow.session.owner
    case.close()
    before = case.seen
    assert len(case.slow.finish(every(put("b", 2), login(owner), put("c", 3)))) == 1
    expected = {"b": 2, "c": 3} if was in {None, owner} else {"c": 3}  # another owner's is never taken along
    assert (case.old.owner(), case.old.read()) == (owner, expected)
    assert case.seen == before
