"""Names that other libraries have, and a session has not: each gets an error that names the right one."""

import inspect

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
