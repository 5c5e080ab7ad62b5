"""What the list of an owner's sessions says of each: until when, and which is the asker's; and labels at a login."""

from datetime import timedelta

import pytest

from kit.constants import ABSOLUTE, IDLE, REFRESH
from kit.views import every, login, put

ann = login("ann")


def test_a_session_is_listed_with_its_end(world):
    world.browser(ann)
    assert world.manager.sessions_of("ann")[0].expires_at == world.now + IDLE


def test_the_listed_end_is_the_one_that_the_session_knows(world):
    browser = world.browser(ann)
    world.clock.advance(REFRESH)
    browser.visit()
    assert world.manager.sessions_of("ann")[0].expires_at == world.manager.open(browser.header).expires_at


def test_the_listed_end_is_no_later_than_the_absolute_deadline(world):
    browser = world.browser(ann)
    for _ in range(3):
        world.clock.advance(ABSOLUTE // 4)
        browser.visit()
    assert world.manager.sessions_of("ann")[0].expires_at == world.now + ABSOLUTE // 4


def test_a_remembered_session_is_listed_with_its_own_end(world):
    world.browser(every(ann, lambda session: session.remember(timedelta(days=90))))
    assert world.manager.sessions_of("ann")[0].expires_at == world.now + 90 * 86_400


def test_the_askers_session_is_the_current_one(world):
    browser = world.browser(ann)
    world.clock.advance(1)
    world.browser(ann)
    session = world.manager.open(browser.header)
    assert [info.current for info in world.manager.sessions_of("ann", current=session)] == [False, True]


def test_without_an_asker_none_is_current(world):
    world.browser(ann)
    assert [info.current for info in world.manager.sessions_of("ann")] == [False]


@pytest.mark.parametrize("view", [put("a", 1), login("bob"), lambda session: None])
def test_another_visitors_session_is_not_among_them(world, view):
    world.browser(ann)
    session = world.manager.open(world.browser(view).header)
    assert [info.current for info in world.manager.sessions_of("ann", current=session)] == [False]


def test_a_login_names_its_device(world):
    world.browser(lambda session: session.login("ann", label="phone"))
    assert world.manager.sessions_of("ann")[0].label == "phone"


def test_a_login_without_a_label_keeps_what_there_is(world):
    browser = world.browser(lambda session: session.login("ann", label="phone"))
    browser.visit(ann)
    assert world.manager.sessions_of("ann")[0].label == "phone"


def test_another_owners_login_does_not_inherit_the_label(world):
    browser = world.browser(lambda session: session.login("ann", label="phone"))
    browser.visit(login("bob"))
    assert world.manager.sessions_of("bob")[0].label is None


@pytest.mark.parametrize("label", ["x" * 201, 7, "\ud800"])
def test_a_login_with_an_impossible_label_changes_nothing(world, label):
    session = world.manager.open("")
    with pytest.raises(ValueError, match="a label is text of at most 200 characters"):
        session.login("ann", label=label)
    assert session.owner is None
