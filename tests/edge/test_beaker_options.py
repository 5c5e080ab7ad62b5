"""A Beaker configuration given to the middleware: the error says what each option is called here."""

import pytest

from cookiesess import SessionManager, SessionMiddleware
from cookiesess.errors import ConfigurationError
from kit.constants import KEY

CONFIGURATION = {
    "session.type": "file",
    "session.data_dir": "/tmp/beaker",
    "beaker.session.secret": "very-secret-value",
    "session.crypto_type": "cryptography",
    "cache.type": "memory",
    5: None,
}


def app(environ, start_response):
    raise AssertionError("never called")


@pytest.mark.parametrize("make", [lambda keys: SessionMiddleware(app, keys), SessionManager])
def test_a_dict_in_the_place_of_the_keys_is_answered_option_by_option(make):
    with pytest.raises(ConfigurationError) as caught:
        make(CONFIGURATION)
    first, *rows, last = str(caught.value).splitlines()
    assert "Beaker" in first
    assert [row.split(": ")[0].strip() for row in rows] == [
        "session.type",
        "session.data_dir",
        "beaker.session.secret",
        "session.crypto_type",
    ]
    assert 'store="sqlite:///sessions.db"' in rows[0]
    assert rows[3].endswith(": nothing")
    assert "docs/migrating.md" in last
    assert "very-secret-value" not in str(caught.value)


@pytest.mark.parametrize("options", [{"session.type": "file"}, {"session.auto": True}])
def test_options_as_keywords_are_answered_too(options):
    with pytest.raises(ConfigurationError, match=f"Beaker(.|\n)*{next(iter(options))}: "):
        SessionMiddleware(app, KEY, **options)


@pytest.mark.parametrize("keys", [{}, {"other": 1}])
def test_another_dict_is_no_key_as_ever(keys):
    with pytest.raises(ConfigurationError, match="a key is bytes or text, not dict"):
        SessionMiddleware(app, keys)
