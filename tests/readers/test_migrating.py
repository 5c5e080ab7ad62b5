"""Every code block of docs/migrating.md is executed, and opens what the library that it is about has just made."""

import hashlib
import hmac
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from webob import Request, Response

from cookiesess import get_session
from kit.constants import KEY, SECRET
from readers import test_beaker, test_flask, test_migrating_stores, test_pyramid, test_starlette
from readers.suite import OTHER_SECRET

pytestmark = pytest.mark.docs

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ENVIRON = {
    "COOKIESESS_KEYS": KEY,
    "SECRET_KEY": SECRET,
    "OLD_SECRET_KEY": OTHER_SECRET,
    "VALIDATE_KEY": SECRET,
    "ENCRYPT_KEY": test_beaker.ENCRYPT_KEY,
}
# The dates in the page will pass; the tests stay.
YEAR = ("2030", "2100")
USER = {"user": 42, "_user_id": "42", "_auth_user_id": "42"}


def app(environ, start_response):
    # As apps ask that were written for Beaker, and as all others do.
    session = environ["beaker.session"] if "beaker.session" in environ else get_session(environ)
    return Response(f"{session.get('user')} {session.owner}")(environ, start_response)


@pytest.fixture
def run(monkeypatch):
    """Execute the block that holds some words, as part of a project whose app is `app`."""
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "shop", SimpleNamespace(app=app))

    def run(words):
        (code,) = [block for block in BLOCKS if words in block]
        names = {"__name__": "project"}
        exec(code.replace(*YEAR), names)
        return SimpleNamespace(**names)

    return run


def by_hand(_):
    return "42." + hmac.new(SECRET.encode(), b"42", hashlib.sha256).hexdigest()


# The words that tell a block from the others, what writes its cookie, and the owner that it finds.
CASES = {
    "Flask-Login": (lambda _: test_flask.write(USER), "42"),
    "PERMANENT_SESSION_LIFETIME": (lambda _: test_flask.write(USER), None),
    "StarletteCookie(": (lambda _: test_starlette.write(USER), None),
    "DjangoSignedCookie(": (lambda django: django.write(USER), "42"),
    "PyramidSignedCookie(": (lambda _: test_pyramid.write(USER), None),
    "BeakerCookie(": (lambda _: test_beaker.write(USER, encrypt_key=test_beaker.ENCRYPT_KEY), None),
    "UserCookie(": (by_hand, None),
}


@pytest.mark.parametrize("words", CASES)
def test_the_reader_of_a_block_opens_what_its_library_wrote(run, django, words):
    write, owner = CASES[words]
    foreign = run(words).reader.open(write(django), now=int(time.time()))
    assert (foreign.data["user"], foreign.owner) == (42, owner)


@pytest.mark.parametrize("words", CASES)
def test_the_app_of_a_block_goes_on_with_the_librarys_session(run, django, words):
    write, owner = CASES[words]
    block = run(words)
    cookie = f"{block.reader.cookie_name}={write(django)}"
    request = Request.blank("/", base_url="https://shop.example", headers={"Cookie": cookie})
    assert request.get_response(block.app).text == f"42 {owner}"


def test_every_block_is_run():
    words_of_all = [*CASES, *test_migrating_stores.BLOCKS]
    assert sorted(BLOCKS) == sorted(block for words in words_of_all for block in BLOCKS if words in block)


def test_the_reader_of_ones_own_refuses_what_was_changed(run):
    reader = run("UserCookie(").reader
    with pytest.raises(Exception, match="forged") as raised:
        reader.open("43" + by_hand(None)[2:], now=0)
    assert type(raised.value).__name__ == "InvalidToken"
