"""Whatever a browser sends: an empty session, an event, no exception; and the cookie stays where it is."""

import logging
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cookiesess import Key, SessionManager, get_cookies
from cookiesess.events import SessionRejected
from kit.browser import Browser, cookie_of
from kit.constants import KEY, NAME, OTHER_KEY
from kit.views import put
from kit.wsgi import Server, answering, environ_of, wrap

SEALED = cookie_of(put("a", 1)).partition("=")[2]
SIGNED = cookie_of(put("a", 1), encrypt=False).partition("=")[2]
REASONS = {"malformed", "unknown-key", "forged", "version"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

tokens = pytest.mark.parametrize(("token", "encrypt"), [(SEALED, True), (SIGNED, False)], ids=["sealed", "signed"])
headers = st.text() | st.text(st.characters(max_codepoint=255)) | st.text(st.sampled_from('a=;, \t"\\.%\x00\r\n\xff'))


def greedy(environ, start_response):
    """An app that looks at everything."""
    cookies = get_cookies(environ)
    dict(cookies)
    cookies.signed.get("a")
    cookies.sealed.get("a")
    return answering(lambda session: dict(session))(environ, start_response)


def visit(header, encrypt=True):
    """Return what one request sees, the Set-Cookie lines and the events."""
    seen = []
    server = Server().run(wrap(greedy, encrypt=encrypt, on_event=seen.append), environ_of(HTTP_COOKIE=header))
    return server.body.decode(), server.lines(), seen


def assert_rejected(token, encrypt):
    body, lines, seen = visit(f"{NAME}={token}", encrypt)
    assert (body, lines) == ("{}", [])
    assert [type(event) for event in seen] == [SessionRejected]
    assert seen[0].reason in REASONS


@given(headers)
def test_any_text_as_a_cookie_header_is_an_empty_session(header):
    body, lines, seen = visit(header)
    assert (body, lines, seen) == ("{}", [], [])


@given(value=headers)
@tokens
def test_any_text_as_the_sessions_cookie_is_an_empty_session(token, encrypt, value):
    body, lines, seen = visit(f"{NAME}={value}", encrypt)
    assert (body, lines) == ("{}", [])
    assert [type(event) for event in seen] == [SessionRejected]


@given(position=st.integers(0), mask=st.integers(1, 63))
@tokens
def test_any_changed_character_of_a_token_is_rejected(token, encrypt, position, mask):
    position %= len(token)
    old = token[position]
    new = ALPHABET[ALPHABET.index(old) ^ mask] if old in ALPHABET else "A"
    assert_rejected(token[:position] + new + token[position + 1 :], encrypt)


@given(length=st.integers(0))
@tokens
def test_any_truncation_of_a_token_is_rejected(token, encrypt, length):
    assert_rejected(token[: length % len(token)], encrypt)


@given(tail=st.text(st.sampled_from(ALPHABET + ".=~\xff"), min_size=1))
@tokens
def test_any_text_behind_a_token_is_rejected(token, encrypt, tail):
    assert_rejected(token + tail, encrypt)


@given(others=st.lists(st.text(st.characters(exclude_characters=";")), max_size=6), place=st.integers(0, 6))
@tokens
def test_no_other_cookie_hides_the_session(token, encrypt, others, place):
    others = [other for other in others if other.strip(" \t").partition("=")[0].strip(" \t") != NAME]
    header = "; ".join([*others[:place], f"{NAME}={token}", *others[place:]])
    assert visit(header, encrypt) == ("{'a': 1}", [], [])


HOSTILE = {
    "empty": "",
    "half quoted": f'"{SEALED}',
    "padded": SEALED + "=",
    "other alphabet": SEALED.replace("-", "+").replace("_", "/") + "+",
    "dots": "...",
    "a dot": ".",
    "long": "A" * 100_000,
    "non-ASCII": "é" * 40,
    "null bytes": "\0" * 44,
    "line breaks": "a\r\nSet-Cookie: x=1",
    "percent": "%41%42",
    "another version": "B" + SEALED[1:],
}


@pytest.mark.parametrize("encrypt", [True, False])
@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
def test_hostile_values_are_rejected(token, encrypt):
    assert_rejected(token, encrypt)


def test_a_token_of_another_key_is_rejected_with_its_key_id():
    visitor = Browser(SessionManager(OTHER_KEY))
    visitor.visit(put("a", 1))
    (event,) = visit(visitor.header)[2]
    assert (event.reason, event.kid) == ("unknown-key", Key(OTHER_KEY).kid.hex())


def test_a_forged_token_is_rejected_with_its_key_id():
    assert visit(f"{NAME}={SEALED[:-4]}AAAA")[2] == [SessionRejected("forged", Key(KEY).kid.hex())]


# Nothing of it in the logs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_characters=";"), min_size=10))
def test_no_log_line_repeats_what_came(caplog, value):
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="cookiesess"):
        visit(f"{NAME}={value}")
    # Nothing but words of the library's own, and eight hex digits of what may be a key's id.
    (message,) = caplog.messages
    assert re.fullmatch(
        r"session\.rejected reason=(malformed|version|unknown-key|forged) kid=(None|[0-9a-f]{8})( cause=[A-Za-z, ]+)?",
        message,
    )
