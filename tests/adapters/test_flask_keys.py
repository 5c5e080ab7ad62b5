"""``SECRET_KEY`` and its fallbacks, this library's own keys, and settings that are refused at once."""

from decimal import Decimal

import pytest

from cookiesess import ConfigurationError, CookiePolicy, Key, Keyring, SessionManager
from cookiesess.adapters.flask import Cookiesess, CookiesessInterface
from cookiesess.adapters.flask.config import _stretched
from cookiesess.adapters.flask.interface import Unset
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY, OTHER_KEY
from kit.flask_site import Site, lines, make_app, nothing, put, show

PUT = {"put": put(a=1), "show": show, "nothing": nothing}


# Keys


@pytest.mark.parametrize("secret", ["123", "dev", b"dev", "a" * 31])
def test_a_short_secret_key_is_accepted_with_one_warning(secret, caplog):
    site = Site(PUT, SECRET_KEY=secret)
    site.get("/put")
    site.app.config["SESSION_COOKIE_PATH"] = "/other"
    assert site.get("/show").text == "{'a': 1}"
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    (warning,) = [message for message in warnings if not message.startswith("session.no_absolute_end")]
    assert "flask.short_secret_key" in warning
    assert site.names().count("flask.short_secret_key") == 1


@pytest.mark.parametrize(
    "secret", [KEY, "3x#b&1w!" * 4, bytes(range(200, 232)), "has, a comma, and blanks, which is fine in Flask "]
)
def test_a_long_secret_key_is_taken_as_it_is(secret):
    site = Site(PUT, SECRET_KEY=secret)
    site.get("/put")
    assert site.names() == ["session.created"]
    raw = secret.encode() if isinstance(secret, str) else secret
    assert same_ring(site, Keyring(raw))


@pytest.mark.parametrize("secret", ["a" * 32, "/run/secrets/shop/secret-key.txt", "${SECRET_KEY_OF_THE_SHOP_AT_HOME}"])
def test_a_long_secret_key_that_can_be_guessed_is_accepted_with_one_warning(secret):
    site = Site(PUT, SECRET_KEY=secret)
    site.get("/put")
    assert site.get("/show").text == "{'a': 1}"
    assert site.names() == ["key.weak", "session.created"]


def test_a_short_secret_key_is_stretched_once_in_a_process():
    """A test suite makes an app for each of its tests."""
    _stretched.cache_clear()
    for _ in range(3):
        Site(PUT, SECRET_KEY="123").get("/put")
    assert (_stretched.cache_info().misses, _stretched.cache_info().hits) == (1, 2)


def same_ring(site, keyring):
    """Whether a manager with `keyring` opens the site's cookie."""
    manager = SessionManager(keyring, cookie=CookiePolicy("session", secure=False), clock=site.clock)
    return not manager.open(f"session={site.client.get_cookie('session').value}").is_new


def test_two_short_secret_keys_are_two_keys():
    site = Site(PUT, SECRET_KEY="123")
    site.get("/put")
    site.app.secret_key = "124"
    assert site.get("/show").text == "{}"


def test_a_new_secret_key_logs_nobody_out_while_the_old_one_is_a_fallback():
    site = Site(PUT, SECRET_KEY=OTHER_KEY)
    site.get("/put")
    site.app.config.update(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OTHER_KEY])
    assert site.get("/show").text == "{'a': 1}"


def test_a_short_secret_key_may_be_rotated_out():
    site = Site(PUT, SECRET_KEY="dev")
    site.get("/put")
    site.app.config.update(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=["dev"])
    assert site.get("/show").text == "{'a': 1}"


def test_a_fallback_that_is_dropped_opens_nothing_any_more():
    site = Site(PUT, SECRET_KEY=OTHER_KEY)
    site.get("/put")
    site.app.config.update(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=None)
    assert site.get("/show").text == "{}"


def test_a_key_may_stand_among_the_fallbacks_twice():
    site = Site(PUT, SECRET_KEY_FALLBACKS=[KEY, OTHER_KEY, OTHER_KEY.encode()])
    assert site.get("/put").status_code == 200


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"SECRET_KEY": 123}, "SECRET_KEY is text or bytes, not int"),
        ({"SECRET_KEY_FALLBACKS": [None]}, "text or bytes, not NoneType"),
        ({"SECRET_KEY_FALLBACKS": [""]}, "SECRET_KEY_FALLBACKS is empty"),
        ({"SECRET_KEY_FALLBACKS": OTHER_KEY}, r"write \[key\]"),
    ],
)
def test_a_secret_key_that_is_none_is_a_clear_error_without_it(config, problem):
    site = Site(PUT, TESTING=True, **config)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        site.get("/put")
    assert OTHER_KEY not in str(caught.value)


def test_the_configs_repr_shows_no_secret():
    site = Site(PUT)
    _ = site.manager
    assert KEY not in repr(list(site.extension.interface._built.values()))


def test_keys_of_ones_own_outrank_the_secret_key():
    site = Site(PUT, keys=Keyring(OTHER_KEY), SECRET_KEY="dev")
    site.get("/put")
    assert site.names() == ["session.created"]
    assert same_ring(site, Keyring(OTHER_KEY))


def test_with_keys_of_ones_own_no_secret_key_is_needed():
    site = Site(PUT, keys=OTHER_KEY, SECRET_KEY=None)
    site.get("/put")
    assert site.get("/show").text == "{'a': 1}"


def test_a_ready_manager_has_all_the_settings():
    manager = SessionManager(OTHER_KEY, cookie=CookiePolicy("mine", secure=False))
    app = make_app(PUT, SECRET_KEY=None)
    extension = Cookiesess(app, manager)
    assert lines(app.test_client().get("/put"))[0].startswith("mine=")
    assert extension.interface.manager_of(app) is manager


def test_the_manager_of_an_app_without_a_secret_key_is_a_clear_error():
    with pytest.raises(ConfigurationError, match="no keys; set COOKIESESS_KEYS or its SECRET_KEY"):
        CookiesessInterface().manager_of(make_app(SECRET_KEY=None))


@pytest.mark.parametrize(
    "settings",
    [
        {"keys": "short"},
        {"store": "sessions.db"},
        {"on_store_error": "anonymous"},
        {"keys": SessionManager(KEY), "encrypt": False},
        {"revocations": MemoryStore()},  # Flask's sessions have no absolute deadline
    ],
)
def test_settings_that_are_wrong_for_any_app_are_refused_at_once(settings):
    with pytest.raises(ConfigurationError):
        CookiesessInterface(**settings)


def test_a_setting_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="'sotre' of Cookiesess; did you mean store="):
        Cookiesess(make_app(), sotre=MemoryStore())


RING = f"{'n' * 43},{'o' * 43}"


@pytest.mark.parametrize(
    ("config", "setting"),
    [({"SECRET_KEY": RING}, "SECRET_KEY"), ({"SECRET_KEY_FALLBACKS": [RING.encode()]}, "SECRET_KEY_FALLBACKS")],
    ids=["current", "fallback"],
)
def test_a_ring_in_place_of_a_secret_key_is_refused(config, setting):
    site = Site(PUT, TESTING=True, **config)
    with pytest.raises(ConfigurationError) as caught:
        site.get("/put")
    assert str(caught.value) == (
        f"in the config of the Flask app, {setting}: it looks like a ring of keys, and would be taken as one key; pass"
        " it as keys= (COOKIESESS_KEYS in Django), and leave one key here"
    )


def test_the_placeholder_of_the_documentation_is_no_secret_key():
    site = Site(PUT, TESTING=True, SECRET_KEY="the text that `python -m cookiesess keygen` printed")
    with pytest.raises(
        ConfigurationError, match=r"Flask app, SECRET_KEY: this is the placeholder of the documentation"
    ):
        site.get("/put")


@pytest.mark.parametrize("secret", [f"{KEY}\n", f'"{KEY}"'], ids=repr)
def test_a_secret_key_is_taken_as_flask_takes_it(secret):
    site = Site(PUT, SECRET_KEY=secret)
    site.get("/put")
    assert same_ring(site, Keyring(Key.of_secret_key(secret.encode())))


@pytest.mark.parametrize("make", [lambda keys: Cookiesess(make_app(), keys=keys), CookiesessInterface])
def test_keys_that_are_none_do_not_fall_back_on_the_secret_key(make):
    with pytest.raises(ConfigurationError, match=r"^a key is bytes or text, not NoneType; is the variable set\?"):
        make(None)


def test_the_default_of_keys_shows_what_it_means():
    assert repr(Unset.KEYS) == "<COOKIESESS_KEYS, COOKIESESS_KEYS_FILE, or the app's SECRET_KEY>"


@pytest.mark.parametrize("app", [KEY, KEY.encode(), Keyring(KEY)], ids=["text", "bytes", "ring"])
@pytest.mark.parametrize("give", [Cookiesess, lambda app: Cookiesess().init_app(app)], ids=["at once", "later"])
def test_keys_in_place_of_the_app_are_refused(app, give):
    with pytest.raises(ConfigurationError) as caught:
        give(app)
    came = type(app).__name__
    assert str(caught.value) == f"app must be a Flask app, not of type {came}; write Cookiesess(app, keys=…)"


@pytest.mark.parametrize(
    ("call", "form"),
    [
        (lambda **settings: Cookiesess(make_app(), **settings), r"Cookiesess; did you mean Cookiesess\(app, keys, …\)"),
        (CookiesessInterface, r"CookiesessInterface; did you mean CookiesessInterface\(keys, …\)"),
    ],
    ids=["extension", "interface"],
)
def test_a_wrong_keyword_is_refused_by_what_was_called(call, form):
    with pytest.raises(ConfigurationError, match=f"'secret_key' of {form}"):
        call(secret_key=KEY)


def test_types_that_are_none_are_refused():
    with pytest.raises(ConfigurationError, match=r"^types must be a list of ValueType\(.*the class Decimal"):
        Cookiesess(make_app(), types=[Decimal])


def test_without_keys_the_environment_counts_before_the_secret_key(monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    manager = CookiesessInterface().manager_of(make_app(SECRET_KEY=None))
    assert manager.operations.parts.keyring.current.kid == Key(KEY).kid
    manager = CookiesessInterface().manager_of(make_app(SECRET_KEY="x" * 40))
    assert manager.operations.parts.keyring.current.kid == Key(KEY).kid


def test_the_environment_may_name_a_file_of_keys(monkeypatch, tmp_path):
    path = tmp_path / "keys.txt"
    path.write_text(KEY)
    monkeypatch.setenv("COOKIESESS_KEYS_FILE", str(path))
    manager = CookiesessInterface().manager_of(make_app(SECRET_KEY=None))
    assert manager.operations.parts.keyring.path == path


def test_keys_that_were_given_count_before_the_environment(monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", "too short")
    manager = CookiesessInterface(KEY).manager_of(make_app(SECRET_KEY=None))
    assert manager.operations.parts.keyring.current.kid == Key(KEY).kid
