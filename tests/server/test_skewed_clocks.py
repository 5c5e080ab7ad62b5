"""Two hosts whose clocks are five minutes apart: a slow request with an old ID gets no cookie and undoes no login.

Which host closes the ID and which one meets the slow request, and whose clock is ahead, is all tried. Both go on: five
minutes are as long as a request may take.
"""

from datetime import timedelta

import pytest

from cookiesess import Lifetime
from cookiesess.events import WriteDropped
from cookiesess.testing import ManualClock
from kit.constants import PERSISTENT
from kit.lines import is_expiry
from kit.views import count, every, invalidate, login, put, renew

SKEW = 300
ahead_or_behind = pytest.mark.parametrize("skew", [SKEW, -SKEW], ids=["ahead", "behind"])
AFTER = pytest.mark.parametrize("seconds", [0, 10, 299])
LOGINS = {
    "of nobody's": (put("a", 1), login("ann")),
    "of the same owner": (every(login("ann"), put("a", 1)), login("ann")),
    "of another owner": (every(login("bob"), put("a", 1)), login("ann")),
}
after_a_login = pytest.mark.parametrize(("start", "closing"), LOGINS.values(), ids=LOGINS)
WRITES = [put("b", 2), count, lambda s: s.flash("x"), every(put("b", 2), lambda s: s.save()), every(put("b", 2), renew)]


class Hosts:
    """The host that closes the ID, and another one, whose clock differs."""

    def __init__(self, world, skew, **settings):
        self.world = world
        self.clock = ManualClock(world.clock() + skew)
        world.use(cookie=PERSISTENT, **settings)
        self.other = world.make_manager(clock=self.clock, cookie=PERSISTENT, **settings)

    def wait(self, seconds):
        self.world.clock.advance(seconds)
        self.clock.advance(seconds)


@pytest.fixture
def hosts(world, skew):
    return Hosts(world, skew)


@ahead_or_behind
@after_a_login
@AFTER
@pytest.mark.parametrize("view", WRITES)
def test_a_slow_writer_that_had_loaded_before_gets_no_cookie_and_undoes_no_login(
    world, hosts, start, closing, seconds, view
):
    browser = world.browser(start)
    slow = browser.copy().open(manager=hosts.other)
    browser.visit(every(closing, put("done", True)))
    hosts.wait(seconds)
    assert slow.finish(view) == []
    assert (browser.owner(), browser.read()["done"], "b" in browser.read()) == ("ann", True, False)


@ahead_or_behind
@after_a_login
@AFTER
@pytest.mark.parametrize("view", WRITES)
def test_a_slow_writer_that_arrives_after_gets_no_cookie_and_undoes_no_login(
    world, hosts, start, closing, seconds, view
):
    browser = world.browser(start)
    old = browser.copy()
    browser.visit(every(closing, put("done", True)))
    hosts.wait(seconds)
    world.taken_events()
    assert old.visit(view, manager=hosts.other) == []
    assert world.taken_events()[-1] == WriteDropped("replaced")
    assert (browser.owner(), browser.read()["done"], "b" in browser.read()) == ("ann", True, False)


@ahead_or_behind
@AFTER
def test_a_slow_writer_is_merged_into_a_session_that_the_other_host_has_renewed(world, hosts, seconds):
    browser = world.browser(put("a", 1))
    slow = browser.copy().open(put("b", 2), manager=hosts.other)
    browser.visit(renew)
    hosts.wait(seconds)
    assert slow.finish() == []
    assert browser.read() == {"a": 1, "b": 2}


@ahead_or_behind
@AFTER
@pytest.mark.parametrize("closing", [renew, login("ann")])
def test_a_logout_at_the_other_host_ends_the_session_under_its_new_id(world, hosts, seconds, closing):
    browser = world.browser(login("ann"))
    old = browser.copy()
    browser.visit(closing)
    hosts.wait(seconds)
    assert is_expiry(old.visit(invalidate, manager=hosts.other))
    assert browser.owner() is None


@ahead_or_behind
@AFTER
@pytest.mark.parametrize("closing", [renew, login("ann")])
def test_a_slow_logout_at_the_other_host_ends_the_session_under_its_new_id(world, hosts, seconds, closing):
    browser = world.browser(login("ann"))
    slow = browser.copy().open(manager=hosts.other)
    browser.visit(closing)
    hosts.wait(seconds)
    assert is_expiry(slow.finish(invalidate))
    assert browser.owner() is None


@ahead_or_behind
@after_a_login
@pytest.mark.parametrize("seconds", [0, 60, 600])
def test_a_login_whose_answer_was_lost_can_be_tried_again_at_the_other_host(world, hosts, start, closing, seconds):
    browser = world.browser(start)
    browser.copy().visit(closing)
    hosts.wait(seconds)
    assert len(browser.visit(login("ann"), manager=hosts.other)) == 1
    assert hosts.other.open(browser.header).owner == "ann"
    assert browser.owner() == "ann"


@ahead_or_behind
def test_a_session_that_one_host_has_made_is_good_at_the_other_one(world, hosts):
    browser = world.browser(every(login("ann"), put("a", 1)))
    browser.visit(put("b", 2), manager=hosts.other)
    browser.visit(renew, manager=hosts.other)
    assert (browser.owner(), browser.read()) == ("ann", {"a": 1, "b": 2})


@ahead_or_behind
def test_a_renewal_in_time_logs_nobody_out_at_the_other_host(world, skew):
    """The grace needs hosts whose clocks agree within it; without it the session still goes on under its new ID."""
    hosts = Hosts(world, skew, lifetime=Lifetime(refresh_after=timedelta(0), renew_after=timedelta(seconds=600)))
    browser = world.browser(login("ann"))
    hosts.wait(900)
    for manager in (hosts.other, world.manager) * 3:
        browser.visit(manager=manager)
        assert manager.open(browser.header).owner == "ann"
        hosts.wait(299)
