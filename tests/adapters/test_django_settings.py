"""What the Django adapter makes of a project's settings, and what it refuses."""

import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from traceback import format_exception

import pytest
from django.test import override_settings

from adapters.django_project import project, server_side
from cookiesess import ConfigurationError, Key, Keyring, Lifetime, MissingDependency, ValueType
from cookiesess.readers.django import DjangoSignedCookie
from cookiesess.stores.memory import MemoryStore

STORE = MemoryStore()
WORD_OF_A_SECRET = "hunter2"


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


def engine():
    from cookiesess.adapters import django

    return django


def set_up(**settings):
    with override_settings(**settings):
        return engine().session_manager()


def refusal(**settings):
    with pytest.raises(ConfigurationError) as caught:
        set_up(**settings)
    message = str(caught.value)
    assert message.startswith("in Django's settings, ")
    assert WORD_OF_A_SECRET not in message
    return message


def test_a_store_must_be_named_or_ruled_out():
    assert "COOKIESESS_STORE: it is missing" in refusal()


@pytest.mark.parametrize(
    "store", [None, STORE, "memory://", "adapters.test_django_settings.STORE"], ids=["none", "store", "url", "path"]
)
def test_a_store_may_be_given_as(store):
    assert set_up(COOKIESESS_STORE=store).cookie.name == "sessionid"


@pytest.mark.parametrize(
    "store",
    [
        f"reddis://:{WORD_OF_A_SECRET}@host",
        f"reddis:/{WORD_OF_A_SECRET}@host",
        "nowhere.to.be.found",
        "adapters.test_django_settings.Key",
        42,
    ],
)
def test_what_is_no_store_is_refused_by_name(store):
    assert "COOKIESESS_STORE" in refusal(COOKIESESS_STORE=store)


def test_another_serializer_contradicts():
    message = refusal(COOKIESESS_STORE=None, SESSION_SERIALIZER="django.contrib.sessions.serializers.PickleSerializer")
    assert "SESSION_SERIALIZER" in message
    assert "remove it" in message


def test_the_engine_says_so_before_django_looks_for_the_serializer():
    settings = {"COOKIESESS_STORE": None, "SESSION_SERIALIZER": "no.such.Serializer"}
    with override_settings(**settings), pytest.raises(ConfigurationError):
        engine().SessionStore()


@pytest.mark.parametrize("name", ["store", "cookie", "overflow", "idle"])
def test_an_option_that_is_not_for_here_is_refused_by_name(name):
    assert f"{name!r} is not for here" in refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS={name: 1})


@pytest.mark.parametrize("options", [[], {"encrypt": "yes"}, {"max_sessions_per_owner": 3}], ids=str)
def test_options_that_are_wrong_are_refused_by_name(options):
    assert "COOKIESESS_OPTIONS" in refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS=options)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_COOKIE_SAMESITE", "None"),
        ("SESSION_COOKIE_NAME", "__Host-session"),
        ("SESSION_COOKIE_PATH", "no slash"),
        ("SESSION_COOKIE_AGE", 0),
    ],
)
def test_a_cookie_that_browsers_would_drop_is_refused(name, value):
    assert "SESSION_COOKIE_" in refusal(COOKIESESS_STORE=None, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_COOKIE_SAMESITE", False),
        ("SESSION_COOKIE_SAMESITE", "lax"),
        ("SESSION_COOKIE_DOMAIN", ".shop.example"),
        ("SESSION_COOKIE_DOMAIN", "shop.example"),
    ],
)
def test_a_cookie_that_django_allows_is_fine(name, value):
    assert set_up(COOKIESESS_STORE=None, **{name: value})


def test_a_short_secret_key_is_refused_by_name():
    assert "SECRET_KEY" in refusal(COOKIESESS_STORE=None, SECRET_KEY=WORD_OF_A_SECRET)


def test_a_key_that_is_its_own_fallback_counts_once():
    assert set_up(COOKIESESS_STORE=None, SECRET_KEY="k" * 50, SECRET_KEY_FALLBACKS=["k" * 50])


@pytest.mark.parametrize("keys", ["k" * 50, Keyring(Key("k" * 50)), b"k" * 50], ids=["text", "ring", "bytes"])
def test_the_sessions_may_have_keys_of_their_own(keys):
    assert set_up(COOKIESESS_STORE=None, SECRET_KEY="short", COOKIESESS_KEYS=keys)


def test_the_keys_may_stand_in_a_file(tmp_path):
    (tmp_path / "keys.txt").write_text("k" * 50)
    ring = set_up(COOKIESESS_STORE=None, SECRET_KEY="short", COOKIESESS_KEYS_FILE=str(tmp_path / "keys.txt"))
    assert ring
    assert "COOKIESESS_KEYS_FILE: there is no file" in refusal(
        COOKIESESS_STORE=None, COOKIESESS_KEYS_FILE="no-such-file"
    )


def test_the_environment_has_keys_before_the_secret_key(monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", "k" * 50)
    assert set_up(COOKIESESS_STORE=None, SECRET_KEY="short")


def test_keys_that_are_too_short_are_refused_by_name():
    assert "COOKIESESS_KEYS" in refusal(COOKIESESS_STORE=None, COOKIESESS_KEYS=WORD_OF_A_SECRET)


def test_keys_that_are_none_do_not_fall_back_on_the_secret_key():
    assert "COOKIESESS_KEYS: a key is bytes or text, not NoneType; is the variable set?" in refusal(
        COOKIESESS_STORE=None, SECRET_KEY="k" * 50, COOKIESESS_KEYS=None
    )


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
def test_a_ring_in_place_of_a_secret_key_is_refused(name):
    ring = f"{'n' * 43},{'o' * 43}"
    secrets = {"SECRET_KEY": "k" * 50, name: ring if name == "SECRET_KEY" else [ring]}
    message = refusal(COOKIESESS_STORE=None, **secrets)
    assert "it looks like a ring of keys, and would be taken as one key; pass it as keys= (COOKIESESS_KEYS" in message


def test_the_placeholder_of_the_documentation_is_no_secret_key():
    placeholder = "the text that `python -m cookiesess keygen` printed"
    assert "this is the placeholder" in refusal(COOKIESESS_STORE=None, SECRET_KEY=placeholder)


def test_a_secret_key_is_taken_as_django_takes_it():
    assert set_up(COOKIESESS_STORE=None, SECRET_KEY=f'"{"k" * 50}"\n')


@pytest.mark.parametrize("types", [5, [int]], ids=repr)
def test_types_that_are_none_are_refused_by_name(types):
    message = refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS={"types": types})
    assert "COOKIESESS_OPTIONS: types must be a list of ValueType(" in message


def test_a_lifetime_that_is_none_is_refused_by_name():
    assert 'COOKIESESS_OPTIONS["lifetime"]' in refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS={"lifetime": 3600})


def test_a_reader_of_a_cookie_that_django_does_not_hand_on_is_refused():
    reader = DjangoSignedCookie("k" * 50, until=datetime(2100, 1, 1, tzinfo=UTC), cookie_name="old")
    message = refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS={"accept": [reader]})
    assert "'old'" in message
    assert "SESSION_COOKIE_NAME" in message


def test_a_mistyped_url_is_nowhere_in_the_error():
    with (
        override_settings(COOKIESESS_STORE=f"reddis:/{WORD_OF_A_SECRET}@host"),
        pytest.raises(ConfigurationError) as info,
    ):
        engine().session_manager()
    assert WORD_OF_A_SECRET not in "".join(format_exception(info.value))


def test_an_idle_timeout_that_is_not_the_cookies_age_contradicts():
    message = refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS={"lifetime": Lifetime(idle=timedelta(hours=1))})
    assert "SESSION_COOKIE_AGE" in message


def test_saving_with_every_request_contradicts_doing_without_the_store():
    options = {"on_store_error": "anonymous"}
    message = refusal(COOKIESESS_STORE=STORE, COOKIESESS_OPTIONS=options, SESSION_SAVE_EVERY_REQUEST=True)
    assert "SESSION_SAVE_EVERY_REQUEST" in message


def test_an_absolute_timeout_may_be_added():
    lifetime = Lifetime(idle=timedelta(seconds=600), absolute=timedelta(seconds=1000))
    with server_side(lifetime=lifetime).running(SESSION_COOKIE_AGE=600) as site:
        session = engine().SessionStore()
        session.save()
        for _ in range(2):
            site.clock.advance(timedelta(seconds=499))
            session = engine().SessionStore(session.session_key)
            session.save()
        site.clock.advance(timedelta(seconds=2))
        assert not session.exists(session.session_key)


class Price:
    def __init__(self, cents):
        self.cents = cents


def test_types_of_the_app_may_be_added():
    price = ValueType(0, Price, lambda price: price.cents, Price)
    with server_side(types=[price]).running():
        session = engine().SessionStore()
        session["price"] = Price(5)
        session.save()
        assert engine().SessionStore(session.session_key)["price"].cents == 5


def test_a_change_of_other_settings_does_not_open_the_store_again():
    with server_side().running():
        before = engine().session_manager()
        with override_settings(DEBUG=True):
            assert engine().session_manager() is before


def test_without_django_the_error_holds_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "django", None)
    for name in [name for name in sys.modules if name.startswith("cookiesess.adapters.django")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[django\]"'):
        import_module("cookiesess.adapters.django")
