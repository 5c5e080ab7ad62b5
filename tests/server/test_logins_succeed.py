"""An authentication always succeeds: after a lost answer, a double click, and beside whatever closed the session."""

import pytest

from cookiesess import TooManySessions
from cookiesess.events import SessionCreated, SessionEnded, WriteDropped
from kit.lines import is_issue
from kit.views import append, count, every, invalidate, login, put, renew

ann = login("ann")
SOONER_OR_LATER = pytest.mark.parametrize("seconds", [0, 1, 60, 300, 599, 600, 3600])
"""At once, after a second, a minute, as long as a request may take, ten minutes and an hour."""

LIMITS = pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_sessions_per_owner": 1},
        {"max_sessions_per_owner": 1, "on_owner_limit": "refuse"},
        {"max_sessions_per_owner": 2, "on_owner_limit": "refuse"},
    ],
    ids=["no limit", "1, end the oldest", "1, refuse", "2, refuse"],
)
BEFORE = {
    "nobody's": put("a", 1),
    "nobody's with a form": every(put("a", 1), lambda s: s.csrf_token()),
    "Ann's own": every(ann, put("a", 1)),
    "another's": every(login("bob"), put("a", 1)),
}
ALREADY = pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)


@pytest.fixture
def lost(world):
    """Return a function that has a request of `browser` succeed, and its answer be lost."""

    def lose(browser, view=ann):
        browser.copy().visit(view)
        world.forget()

    return lose


def listed(world, owner="ann"):
    return len(world.manager.sessions_of(owner))


# A lost answer: the visitor tries again, with the cookie that the browser still has


@SOONER_OR_LATER
@ALREADY
@LIMITS
def test_a_login_whose_answer_was_lost_can_be_tried_again(world, lost, before, seconds, settings):
    world.use(**settings)
    browser = world.browser(before)
    lost(browser)
    world.clock.advance(seconds)
    assert is_issue(browser.visit(every(ann, put("b", 2))))
    assert (browser.owner(), browser.read()) == ("ann", {"b": 2})


@SOONER_OR_LATER
@ALREADY
@LIMITS
def test_a_login_can_be_tried_as_often_as_its_answer_is_lost(world, lost, before, seconds, settings):
    world.use(**settings)
    browser = world.browser(before)
    for _ in range(5):
        lost(browser)
        world.clock.advance(seconds)
    assert is_issue(browser.visit(ann))
    assert browser.owner() == "ann"


@SOONER_OR_LATER
def test_a_lost_renewal_can_be_answered_by_a_login(world, lost, seconds):
    browser = world.browser(every(ann, put("a", 1)))
    lost(browser, renew)
    world.clock.advance(seconds)
    assert is_issue(browser.visit(ann))
    assert browser.owner() == "ann"


@pytest.mark.parametrize("settings", [{"on_owner_limit": "refuse"}, {}])
def test_the_session_of_a_lost_answer_makes_room_before_another_device_does(world, lost, settings):
    world.use(max_sessions_per_owner=2, **settings)
    other, browser = world.browser(ann), world.browser(put("a", 1))
    world.clock.advance(1)
    for _ in range(3):
        lost(browser)
    browser.visit(ann)
    assert (other.owner(), browser.owner(), listed(world)) == ("ann", "ann", 2)


def test_a_lost_answer_makes_no_room_for_another_device(world, lost):
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    lost(world.browser(put("a", 1)))
    with pytest.raises(TooManySessions):
        world.browser(put("b", 2)).visit(ann)
    with pytest.raises(TooManySessions):
        world.browser().visit(ann)


def test_a_session_that_was_written_since_is_still_known_to_be_that_of_the_lost_answer(world):
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    browser = world.browser(put("a", 1))
    other = browser.copy()
    other.visit(ann)
    other.visit(every(put("c", 3), lambda s: setattr(s, "label", "phone")))
    browser.visit(ann)
    assert (browser.owner(), other.owner()) == ("ann", None)


def test_a_slow_login_beside_a_renewal_of_the_only_session_that_is_allowed_succeeds(world):
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    browser = world.browser(ann)
    slow = browser.copy().open()
    browser.visit(renew)
    assert is_issue(slow.finish(ann))
    assert (slow.browser.owner(), browser.owner(), listed(world)) == ("ann", None, 1)


def test_ending_the_session_of_a_lost_answer_is_an_event(world, lost):
    world.use(max_sessions_per_owner=1, on_owner_limit="refuse")
    browser = world.browser(put("a", 1))
    lost(browser)
    browser.visit(ann)
    assert world.taken_events() == [SessionEnded(emptied=False), SessionCreated(login=True)]


# A double click: both requests have loaded the session before either is committed


def twice(browser, view):
    """Two requests of one browser at once; return what each of them would leave the browser with."""
    requests = [browser.copy().open(view) for _ in range(2)]
    assert all(is_issue(request.finish()) for request in requests)
    return [request.browser for request in requests]


@ALREADY
@LIMITS
def test_both_posts_of_a_double_click_log_the_visitor_in(world, before, settings):
    world.use(**settings)
    last = twice(world.browser(before), ann)[-1]
    assert last.owner() == "ann"


@ALREADY
def test_whichever_answer_comes_last_the_visitor_is_logged_in(world, before):
    assert [browser.owner() for browser in twice(world.browser(before), ann)] == ["ann", "ann"]


@pytest.mark.parametrize("settings", [{"max_sessions_per_owner": 1}, {"on_owner_limit": "refuse"}])
def test_of_a_double_click_the_last_answer_counts_where_there_may_be_one_session(world, settings):
    world.use(**{"max_sessions_per_owner": 1, **settings})
    first, last = twice(world.browser(put("a", 1)), ann)
    assert (first.owner(), last.owner(), listed(world)) == (None, "ann", 1)


@pytest.mark.parametrize(
    ("view", "own"),
    [
        (every(put("b", 2), ann), {"b": 2}),
        (every(ann, put("b", 2)), {"b": 2}),
        (every(lambda s: s.update(cart=[]), append("cart", "tea"), ann), {"cart": ["tea"]}),
        (every(count, ann), {"n": 1}),
        (every(ann, count, put("b", 2)), {"n": 1, "b": 2}),
        (every(put("b", 2), lambda s: s.mutate(lambda data: data.update(b=data["b"] + 1)), ann), {"b": 3}),
    ],
    ids=["set before", "set after", "a list", "mutate before", "mutate after", "set and mutate"],
)
def test_both_have_what_they_set_and_the_first_has_what_was_there_before(world, view, own):
    first, second = twice(world.browser(put("a", 1)), view)
    assert (first.read(), second.read()) == ({"a": 1, **own}, own)


def test_flashes_and_settings_of_the_second_one_are_kept(world):
    view = every(ann, lambda s: s.flash("welcome"), lambda s: setattr(s, "label", "phone"))
    _, second = twice(world.browser(every(put("a", 1), lambda s: s.flash("old"))), view)
    session = world.manager.open(second.header)
    assert ([flash.message for flash in session.peek_flashes()], session.label) == (["welcome"], "phone")


def test_a_double_click_costs_the_second_one_two_more_round_trips(world):
    browser = world.browser(put("a", 1))
    first, second = browser.copy().open(ann), browser.copy().open(ann)
    first.finish()
    world.probe.taken()
    second.finish()
    assert world.probe.taken() == ["create", "update", "delete", "create", "count_of"]


def test_save_finds_out_that_another_login_was_faster_and_goes_on(world):
    browser = world.browser(put("a", 1))
    slow = browser.copy().open(every(ann, put("b", 2)))
    browser.visit(login("bob"))
    slow.session.save()
    assert (slow.session.owner, dict(slow.session)) == ("ann", {"b": 2})
    assert is_issue(slow.finish(put("c", 3)))
    assert slow.browser.read() == {"b": 2, "c": 3}


# What was set, where the session was gone or replaced when the request came


def timed_out(world, browser):
    world.clock.advance(36_000)


def ended(world, browser):
    browser.copy().visit(invalidate)


def renewed(world, browser):
    browser.copy().visit(renew)


def logged_in(world, browser):
    browser.copy().visit(login("carla"))


@pytest.mark.parametrize(
    ("closing", "reason"),
    [(timed_out, "ended"), (ended, "ended"), (renewed, "replaced"), (logged_in, "replaced")],
)
class TestALoginOverASessionThatWasThereNoMore:
    """The page that it was set for was an empty one: whoever had that ID may have set it, or a form of the past."""

    def open(self, world, closing):
        browser = world.browser(put("a", 1))
        closing(world, browser)
        world.forget()
        return browser.open()

    def test_drops_what_was_set_before_with_an_event(self, world, closing, reason):
        request = self.open(world, closing)
        request.finish(every(put("b", 2), lambda s: s.flash("x"), ann))
        session = world.manager.open(request.browser.header)
        assert (session.owner, dict(session), session.peek_flashes()) == ("ann", {}, [])
        assert WriteDropped(reason) in world.events

    def test_keeps_what_is_set_afterwards(self, world, closing, reason):
        request = self.open(world, closing)
        request.finish(every(put("b", 2), ann, put("c", 3), lambda s: s.flash("x"), count))
        session = world.manager.open(request.browser.header)
        assert (dict(session), [flash.message for flash in session.peek_flashes()]) == ({"c": 3, "n": 1}, ["x"])

    def test_says_nothing_where_nothing_was_set(self, world, closing, reason):
        self.open(world, closing).finish(every(ann, put("c", 3)))
        assert not any(isinstance(event, WriteDropped) for event in world.events)

    def test_shows_the_view_what_it_has(self, world, closing, reason):
        request = self.open(world, closing)
        every(put("b", 2), ann)(request.session)
        assert (request.session.owner, dict(request.session)) == ("ann", {})

    def test_counts_its_timeouts_from_now(self, world, closing, reason):
        request = self.open(world, closing)
        request.finish(ann)
        assert world.manager.open(request.browser.header).created_at == world.now
