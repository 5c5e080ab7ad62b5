"""ImportedSessions: which old cookies lead to what was imported."""

import pytest
from beaker.session import SignedCookie

from cookiesess import ConfigurationError
from cookiesess.readers import ImportedSessions
from kit.constants import SECRET, UNTIL
from readers.suite import OTHER_SECRET, reason_of, value_of

ID = "0123456789abcdef0123456789abcdef"


def reader(**settings):
    return ImportedSessions(**{"cookie_name": "beaker.session.id", "until": UNTIL, **settings})


def beaker_cookie(secret=SECRET):
    cookie = SignedCookie(secret)
    cookie["beaker.session.id"] = ID
    return value_of(cookie["beaker.session.id"].OutputString())


def test_the_value_is_the_id():
    assert reader().identify(ID, now=0) == ID
    assert reason_of(reader(), ID, now=0) == "missing"


def test_the_id_that_beaker_has_signed_is_taken_with_its_secret():
    assert reader(beaker_secret=SECRET).identify(beaker_cookie(), now=0) == ID


@pytest.mark.parametrize("value", [ID, "", beaker_cookie(OTHER_SECRET), beaker_cookie()[:-1]])
def test_what_beaker_has_not_signed_is_refused(value):
    assert reason_of(reader(beaker_secret=SECRET), value, now=0) == "forged"


@pytest.mark.parametrize("value", ["short", "x" * 87, "blanks in it, but long"])
def test_what_somebody_could_guess_or_nobody_wrote_is_refused(value):
    assert reason_of(reader(), value, now=0) == "malformed"


def test_a_short_secret_is_refused():
    with pytest.raises(ConfigurationError, match="beaker_secret has 5 bytes"):
        reader(beaker_secret="short")
