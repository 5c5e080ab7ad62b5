"""`end_all(keep=…)` keeps the session that asks, whatever a parallel request does to it; and what endings say."""

import pytest

from cookiesess import SessionConflict
from cookiesess.events import SessionEnded
from kit.browser import Browser
from kit.constants import GRACE
from kit.threads import in_threads
from kit.views import invalidate, login, put, renew

ann = login("ann")
ENDED = SessionEnded(emptied=False)


def handles(world):
    return [info.handle for info in world.manager.sessions_of("ann")]


def owner(world, browser):
    return world.manager.open(browser.header).owner


@pytest.fixture
def others(world):
    """Two more devices of Ann's."""
    return [world.browser(ann), world.browser(ann)]


@pytest.fixture
def kept(world):
    """The device that ends all others."""
    return world.browser(ann)


@pytest.mark.parametrize("renewals", [1, 2, 5])
def test_a_session_that_was_renewed_just_before_is_kept(world, others, kept, renewals):
    request = kept.open()
    parallel = Browser(world, kept.header)
    for _ in range(renewals):
        parallel.visit(renew)
    assert world.manager.end_all("ann", keep=request.session) == 2
    assert [owner(world, browser) for browser in (*others, parallel)] == [None, None, "ann"]


def test_a_session_that_was_renewed_longer_ago_than_the_grace_is_kept(world, kept):
    request = kept.open()
    parallel = Browser(world, kept.header)
    parallel.visit(renew)
    world.clock.advance(GRACE)
    assert world.manager.end_all("ann", keep=request.session) == 0
    assert owner(world, parallel) == "ann"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", ["records_of", "load", "delete"])
def test_a_session_that_is_renewed_meanwhile_is_kept(world, others, kept, when, verb):
    request = kept.open()
    parallel = Browser(world, kept.header)
    getattr(world.probe, f"once_{when}")(verb, lambda: parallel.visit(renew))
    assert world.manager.end_all("ann", keep=request.session) == 2
    assert [owner(world, browser) for browser in (*others, parallel)] == [None, None, "ann"]


def renewed_while_all_others_are_ended(world, kept, when, verb):
    request = kept.open()
    parallel = Browser(world, kept.header)
    getattr(world.probe, f"once_{when}")(verb, lambda: world.manager.end_all("ann", keep=request.session))
    parallel.visit(renew)
    return parallel


@pytest.mark.parametrize(("when", "verb"), [("before", "create"), ("after", "update")])
def test_a_session_whose_renewal_begins_or_is_done_is_kept(world, others, kept, when, verb):
    parallel = renewed_while_all_others_are_ended(world, kept, when, verb)
    assert [owner(world, browser) for browser in (*others, kept, parallel)] == [None, None, None, "ann"]


@pytest.mark.parametrize(("when", "verb"), [("after", "create"), ("before", "update")])
def test_a_session_whose_renewal_is_halfway_ends_with_the_others_and_never_survives_unseen(
    world, others, kept, when, verb
):
    """Its new record cannot be told from one that somebody else is getting at this moment."""
    parallel = renewed_while_all_others_are_ended(world, kept, when, verb)
    assert [owner(world, browser) for browser in (*others, kept, parallel)] == [None] * 4
    assert handles(world) == []


def test_of_a_renewal_at_the_same_time_nothing_survives_unseen(world):
    for _ in range(20):
        kept = world.browser(ann)
        world.browser(ann)
        request, parallel = kept.open(), Browser(world, kept.header)
        in_threads(lambda r=request: world.manager.end_all("ann", keep=r.session), lambda p=parallel: p.visit(renew))
        assert len(handles(world)) == (owner(world, parallel) == "ann")
        parallel.visit(invalidate)


def test_a_session_that_is_written_meanwhile_is_kept(world, kept):
    request = kept.open()
    world.probe.once_after("records_of", lambda: Browser(world, kept.header).visit(put("b", 2)))
    assert world.manager.end_all("ann", keep=request.session) == 0
    assert kept.read() == {"b": 2}


def test_where_the_kept_one_has_ended_all_others_are_ended(world, others, kept):
    request = kept.open()
    Browser(world, kept.header).visit(invalidate)
    assert world.manager.end_all("ann", keep=request.session) == len(others)
    assert handles(world) == []


def test_a_session_that_is_not_stored_keeps_nothing(world, others):
    assert world.manager.end_all("ann", keep=world.manager.open("")) == len(others)


def test_where_nobody_has_a_session_the_kept_one_is_not_looked_for(world):
    session = world.manager.open("")
    len(session)
    world.probe.taken()
    assert world.manager.end_all("ann", keep=session) == 0
    assert world.probe.taken() == ["records_of"]


# Handles


def test_the_handle_of_a_session_that_was_renewed_meanwhile_is_the_one_it_is_listed_under(world, kept):
    request = kept.open()
    Browser(world, kept.header).visit(renew)
    assert [world.manager.handle_of(request.session)] == handles(world)


def test_a_handle_costs_one_load(world, kept):
    request = kept.open()
    world.probe.taken()
    world.manager.handle_of(request.session)
    assert world.probe.taken() == ["load"]


# What is said


def test_a_session_that_is_ended_by_its_handle_is_an_event(world, kept):
    assert world.manager.end("ann", handles(world)[0])
    assert world.taken_events() == [ENDED]


def test_a_handle_that_ends_nothing_is_no_event(world, kept):
    assert not world.manager.end("bob", handles(world)[0])
    assert world.taken_events() == []


def test_each_session_that_is_ended_with_all_is_an_event(world, others, kept):
    assert world.manager.end_all("ann", keep=kept.open().session) == 2
    assert world.taken_events() == [ENDED, ENDED]


def test_a_session_that_could_not_be_ended_is_no_event(world, kept):
    for number in range(100):
        world.probe.once_before("delete", lambda number=number: kept.visit(put("n", number)))
    with pytest.raises(SessionConflict):
        world.manager.end("ann", handles(world)[0])
    assert ENDED not in world.events
