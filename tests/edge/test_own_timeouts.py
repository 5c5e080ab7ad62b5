"""What a session may say of its own time: when it ends, how long it is remembered, how recent its login is."""

from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, CookiePolicy, Lifetime
from cookiesess.stores.memory import MemoryStore
from kit.views import every, login, put
from kit.world import World

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LIFETIME = Lifetime(idle=14 * DAY, absolute=30 * DAY)


def client_side():
    return World(lifetime=LIFETIME)


def server_side():
    return World(MemoryStore(), lifetime=LIFETIME)


def revocable():
    return World(revocations=MemoryStore(), lifetime=LIFETIME).with_revocations()


def overflowing():
    return World(overflow=MemoryStore(), lifetime=LIFETIME, cookie=CookiePolicy(max_bytes=600)).with_overflow()


@pytest.fixture(params=[client_side, server_side, revocable, overflowing])
def world(request):
    return request.param()


def remember(days):
    return lambda session: session.remember(days * DAY)


def test_a_session_says_when_it_ends_if_nobody_comes(world):
    browser = world.browser(login("ann"))
    assert browser.read(lambda session: session.expires_at) == world.now + 14 * 86400
    world.clock.advance(29 * DAY / 3)
    browser.visit()
    assert browser.read(lambda session: session.expires_at) == world.now + 14 * 86400


def test_a_session_says_when_it_ends_at_the_latest_where_that_is_nearer(world):
    browser = world.browser(login("ann"))
    began_at = world.now
    for _ in range(3):
        world.clock.advance(9 * DAY)
        browser.visit()
    assert browser.read(lambda session: session.expires_at) == began_at + 30 * 86400


def test_a_remembered_session_lives_for_that_long_and_no_longer(world):
    browser = world.browser(every(login("ann"), remember(90)))
    world.clock.advance(90 * DAY - SECOND)
    assert browser.owner() == "ann"
    world.clock.advance(SECOND)
    assert browser.owner() is None


def test_remembering_sets_all_three_settings(world):
    browser = world.browser(every(login("ann"), remember(90)))
    settings = browser.read(lambda session: (session.persistent, session.idle, session.absolute))
    assert settings == (True, 90 * DAY, 90 * DAY)


@pytest.mark.parametrize("wrong", [None, 60, timedelta(0)], ids=repr)
def test_what_is_no_duration_is_refused_and_leaves_the_settings_alone(world, wrong):
    browser = world.browser(every(login("ann"), remember(20)))

    def view(session):
        with pytest.raises(ConfigurationError, match=r"^duration "):
            session.remember(wrong)
        return session.persistent, session.idle, session.absolute

    assert browser.read(view) == (True, 20 * DAY, 20 * DAY)


def test_a_remembered_sessions_cookie_lasts_as_long():
    browser = client_side().browser(login("ann"))
    (line,) = browser.visit(remember(90))
    assert line.attributes.max_age == 90 * 86400


def test_remembering_on_every_request_prolongs_nothing(world):
    browser = world.browser(every(login("ann"), remember(40)))
    for _ in range(4):
        world.clock.advance(10 * DAY - SECOND)
        browser.visit(remember(40))
    world.clock.advance(4 * SECOND)
    assert browser.owner() is None


def test_the_own_absolute_timeout_counts_from_the_last_login(world):
    browser = world.browser(every(login("ann"), remember(40)))
    world.clock.advance(30 * DAY)
    browser.visit(login("ann"))
    world.clock.advance(40 * DAY - SECOND)
    assert browser.owner() == "ann"
    world.clock.advance(SECOND)
    assert browser.owner() is None


def test_of_a_session_without_a_login_it_counts_from_its_beginning(world):
    browser = world.browser(put("a", 1))
    world.clock.advance(10 * DAY)
    browser.visit(remember(40))
    world.clock.advance(30 * DAY - SECOND)
    assert browser.read() == {"a": 1}
    world.clock.advance(SECOND)
    assert browser.read() == {}


def test_a_shorter_absolute_timeout_counts_at_once(world):
    browser = world.browser(login("ann"))
    world.clock.advance(2 * DAY)
    browser.visit(lambda session: setattr(session, "absolute", 3 * DAY))
    world.clock.advance(DAY - SECOND)
    assert browser.owner() == "ann"
    world.clock.advance(SECOND)
    assert browser.owner() is None


def test_an_own_absolute_timeout_can_be_taken_back(world):
    browser = world.browser(every(login("ann"), lambda session: setattr(session, "absolute", 3 * DAY)))
    browser.visit(lambda session: setattr(session, "absolute", None))
    assert browser.read(lambda session: session.absolute) is None
    world.clock.advance(4 * DAY)
    assert browser.owner() == "ann"
    browser.visit(lambda session: setattr(session, "absolute", None))
    assert browser.owner() == "ann"


def test_there_may_be_one_where_the_setting_has_none():
    world = World(lifetime=Lifetime(idle=14 * DAY, absolute=None))
    browser = world.browser(every(login("ann"), remember(20)))
    world.clock.advance(20 * DAY - SECOND)
    assert browser.owner() == "ann"
    world.clock.advance(SECOND)
    assert browser.owner() is None


@pytest.mark.parametrize("value", [timedelta(0), -DAY, 30, "30 days"])
def test_an_absolute_timeout_that_is_none_is_refused(value):
    session = client_side().manager.open("")
    with pytest.raises(ConfigurationError, match="absolute"):
        session.absolute = value
    with pytest.raises(ConfigurationError, match="duration"):
        session.remember(value)


def test_an_idle_timeout_beyond_the_absolute_one_is_an_error_that_says_which_to_set():
    session = client_side().manager.open("")
    with pytest.raises(ConfigurationError, match=r"60 days.*30 days.*session\.absolute.*session\.remember"):
        session.idle = 60 * DAY
    session.absolute = 60 * DAY
    session.idle = 60 * DAY
    with pytest.raises(ConfigurationError, match="60 days"):
        session.idle = 61 * DAY


def test_any_idle_timeout_goes_where_there_is_no_absolute_one():
    session = World(lifetime=Lifetime(absolute=None)).manager.open("")
    session.idle = 5000 * DAY
    assert session.idle == 5000 * DAY


# Who remembers it


def test_a_list_of_sessions_has_a_remembered_one_to_its_end():
    world = server_side()
    world.browser(every(login("ann"), remember(90)))
    world.clock.advance(89 * DAY)
    assert len(world.manager.sessions_of("ann")) == 1
    world.clock.advance(DAY)
    assert world.manager.sessions_of("ann") == []


def test_a_list_of_sessions_leaves_out_one_whose_own_timeout_is_over():
    world = server_side()
    world.browser(every(login("ann"), lambda session: setattr(session, "absolute", DAY)))
    assert len(world.manager.sessions_of("ann")) == 1
    world.clock.advance(DAY)
    assert world.manager.sessions_of("ann") == []


def test_what_limits_an_owner_counts_remembered_sessions():
    world = World(MemoryStore(), lifetime=LIFETIME, max_sessions_per_owner=2)
    for _ in range(3):
        world.browser(every(login("ann"), remember(90)))
        world.clock.advance(SECOND)
    assert len(world.manager.sessions_of("ann")) == 2


def test_a_logout_is_remembered_as_long_as_any_copy_of_the_cookie_lives():
    world = revocable()
    browser = world.browser(every(login("ann"), remember(90)))
    thief = browser.copy()
    browser.visit(lambda session: session.invalidate())
    for _ in range(9):
        assert thief.owner() is None
        world.clock.advance(10 * DAY)


def test_a_logout_is_remembered_although_the_timeout_was_shortened_before():
    world = revocable()
    browser = world.browser(every(login("ann"), remember(90)))
    thief = browser.copy()
    browser.visit(lambda session: setattr(session, "absolute", DAY))
    browser.visit(lambda session: session.invalidate())
    for _ in range(9):
        assert thief.owner() is None
        world.clock.advance(10 * DAY)


def test_logging_out_everywhere_is_remembered_as_long_as_a_remembered_session_lives():
    world = revocable()
    browser = world.browser(every(login("ann"), remember(90)))
    world.manager.end_all("ann")
    for _ in range(9):
        assert browser.owner() is None
        world.clock.advance(10 * DAY)


def test_a_timeout_that_is_lengthened_after_the_login_is_remembered_as_well():
    world = revocable()
    browser = world.browser(login("ann"))
    browser.visit(remember(90))
    world.manager.end_all("ann")
    for _ in range(9):
        assert browser.owner() is None
        world.clock.advance(10 * DAY)


def test_a_session_that_is_not_remembered_writes_nothing_about_its_owner():
    world = revocable()
    browser = world.browser(login("ann"))
    before = len(list(world.revocations.inner._all()))
    browser.visit(put("a", 1))
    assert len(list(world.revocations.inner._all())) == before


# How recent the login is


def test_a_login_is_recent_for_as_long_as_was_asked(world):
    browser = world.browser(login("ann"))
    ask = lambda session: session.authenticated_within(timedelta(minutes=10))  # noqa: E731
    world.clock.advance(timedelta(minutes=10))
    assert browser.read(ask) is True
    world.clock.advance(SECOND)
    assert browser.read(ask) is False
    browser.visit(login("ann"))
    assert browser.read(ask) is True


def test_nobodys_login_is_recent(world):
    assert world.browser(put("a", 1)).read(lambda session: session.authenticated_within(30 * DAY)) is False


def test_after_a_logout_no_login_is_recent(world):
    session = world.manager.open(world.browser(login("ann")).header)
    session.invalidate()
    assert session.authenticated_within(DAY) is False


@pytest.mark.parametrize("duration", [timedelta(0), 600, None])
def test_a_duration_that_is_none_is_refused(duration):
    with pytest.raises(ConfigurationError, match="duration"):
        client_side().manager.open("").authenticated_within(duration)
