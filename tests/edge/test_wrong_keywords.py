"""A keyword that does not exist: what was called, what it may have meant, and how that is written."""

from decimal import Decimal

import pytest

from cookiesess import ConfigurationError, SessionManager, SessionMiddleware, ValueType
from cookiesess.manager.names import check_names, nearest
from cookiesess.manager.settings import Settings
from kit.constants import KEY, OTHER_KEY
from kit.wsgi import answering

APP = answering(len)


def refusal(**settings):
    with pytest.raises(ConfigurationError) as raised:
        SessionMiddleware(APP, KEY, **settings)
    return str(raised.value)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        *((name, "SessionMiddleware(app, keys, …)") for name in ("secret", "secret_key", "key")),
        *(
            (name, "lifetime=Lifetime(idle=timedelta(…))")
            for name in ("timeout", "idle", "max_age", "expires", "idle_timeout", "session_lifetime", "lifetime_idle")
        ),
        ("absolute", "lifetime=Lifetime(absolute=timedelta(…))"),
        ("refresh_after", "lifetime=Lifetime(refresh_after=timedelta(…))"),
        *((name, "cookie=CookiePolicy(name=…)") for name in ("cookie_name", "name", "session_cookie")),
        *(
            (prefix + name, f"cookie=CookiePolicy({name}=…)")
            for name in ("path", "domain", "secure", "httponly", "samesite", "partitioned", "persistent", "chunks")
            for prefix in ("", "cookie_", "SESSION_COOKIE_")
        ),
        ("same_site", "cookie=CookiePolicy(samesite=…)"),
        ("bindings", "binding=…"),
        ("bound_for", "binding=DeviceBinding(bound_for=timedelta(…))"),
        *((name, "binding=DeviceBinding(path=…)") for name in ("binding_path", "binding.path")),
        ("required", "binding=DeviceBinding(required=…)"),
        ("sotre", "store=…"),
        ("onEvent", "on_event=…"),
        ("environ_kye", "environ_key=…"),
    ],
)
def test_a_keyword_that_is_none_is_refused_with_what_it_may_have_meant(wrong, meant):
    assert refusal(**{wrong: "x"}) == (
        f"there is no setting {wrong!r} of SessionMiddleware; did you mean {meant}? help(cookiesess.SessionManager)"
        " lists them"
    )


def test_a_keyword_that_is_like_none_is_refused_with_where_they_are_listed():
    assert refusal(quux=1) == (
        "there is no setting 'quux' of SessionMiddleware; help(cookiesess.SessionManager) lists them"
    )


def test_the_value_of_a_wrong_keyword_is_not_shown():
    assert OTHER_KEY not in refusal(secret=OTHER_KEY)


def test_a_wrong_keyword_is_refused_beside_a_ready_manager_too():
    with pytest.raises(ConfigurationError, match="'sotre' of SessionMiddleware"):
        SessionMiddleware(APP, SessionManager(KEY), sotre=None)


def test_a_manager_says_that_it_was_called():
    with pytest.raises(ConfigurationError, match=r"'secret' of SessionManager; did you mean SessionManager\(keys, …\)"):
        SessionManager(KEY, secret=OTHER_KEY)


@pytest.mark.parametrize("name", ["environ_key", "session_class"])
def test_what_the_middleware_alone_takes_is_refused_by_a_manager(name):
    with pytest.raises(ConfigurationError, match=f"'{name}' of SessionManager; it is an argument of SessionMiddleware"):
        SessionManager(KEY, **{name: "x"})


def test_every_setting_that_exists_passes():
    check_names("SessionManager(keys", Settings.__annotations__)


def test_what_is_meant_is_one_of_those_that_are_known():
    assert nearest("secret", ["store"]) is None


# Types


@pytest.mark.parametrize(
    ("types", "came"),
    [
        (5, "it is of type int"),
        (Decimal, "it is of type type"),
        (ValueType(0, Exception, str, Exception), "it is of type ValueType"),
        ([Decimal], "one of them is the class Decimal"),
        ([(1, Decimal, str, Decimal)], "one of them is of type tuple"),
    ],
    ids=repr,
)
def test_types_that_are_no_value_types_are_refused(types, came):
    message = f"types must be a list of ValueType(tag, type, encode=…, decode=…); {came}; write "
    assert refusal(types=types).startswith(message)


def test_types_may_come_from_a_generator():
    price = ValueType(0, Exception, str, Exception)
    session = SessionManager(KEY, types=(each for each in [price])).open("")
    session["a"] = Exception("x")
    assert type(session["a"]) is Exception
