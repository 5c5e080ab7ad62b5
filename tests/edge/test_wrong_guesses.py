"""Names that other libraries have, and a session has not: each gets an error that names the right one."""

import inspect
import re

import pytest

from cookiesess import Session
from cookiesess.session.guesses import REMEDIES
from kit.world import World


@pytest.fixture
def session():
    return World().manager.open("")


@pytest.mark.parametrize(
    ("guess", "remedy"),
    [
        ("logout", "session.invalidate()"),
        ("regenerate", "session.renew()"),
        ("set_expiry", "session.remember(timedelta)"),
        ("id", "session.owner"),
        ("permanent", ".persistent"),
    ],
)
def test_a_wrong_guess_is_told_the_right_name(session, guess, remedy):
    with pytest.raises(AttributeError) as raised:
        getattr(session, guess)
    assert guess in str(raised.value)
    assert remedy in str(raised.value)


@pytest.mark.parametrize("name", sorted(REMEDIES))
def test_no_guess_is_an_attribute(session, name):
    assert not hasattr(session, name)
    assert getattr(session, name, None) is None


@pytest.mark.parametrize("name", ["permanent", "timeout", "user"])
def test_a_guess_cannot_be_assigned_or_deleted_and_is_told_the_right_name(session, name):
    with pytest.raises(AttributeError, match=re.escape(REMEDIES[name])):
        setattr(session, name, True)
    with pytest.raises(AttributeError, match=re.escape(REMEDIES[name])):
        delattr(session, name)


class Named:
    """A base that has names which a plain session only guesses at."""

    @property
    def user(self):
        return f"the user {self.owner}"

    id = "mine"


class ShopSession(Session, Named):
    """With what its other base has."""


def test_another_base_of_a_subclass_has_its_own_say():
    session = World().manager.open("", ShopSession)
    session.login("ann")
    assert (session.user, session.id) == ("the user ann", "mine")
    assert not hasattr(session, "logout")


def test_a_subclass_may_keep_attributes_of_these_names():
    session = World().manager.open("", ShopSession)
    session.timeout = 5
    assert session.timeout == 5
    del session.timeout
    assert not hasattr(session, "timeout")
    with pytest.raises(AttributeError, match=r"session\.remember"):
        del session.timeout


@pytest.mark.parametrize("name", sorted(REMEDIES))
def test_what_a_remedy_names_exists(name):
    for word in REMEDIES[name].replace("(", " ").replace(";", " ").replace(",", " ").split():
        if word.startswith(("session.", ".")):
            assert hasattr(Session, word.removeprefix("session").strip("."))


def test_no_guess_is_offered_by_a_class_or_a_session(session):
    assert not set(REMEDIES) & {name for name, _ in inspect.getmembers(session)}
    assert not hasattr(Session, "logout")


def test_asking_touches_nothing(session):
    assert not hasattr(session, "logout")
    assert not session.touched
