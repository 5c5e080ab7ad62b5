"""Settings as flat text: what is refused, and how; and that nothing is missing."""

import re
import sys

import pytest

from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    DeviceBinding,
    Lifetime,
    MissingDependency,
    SessionMiddleware,
)
from cookiesess.manager import flat_settings
from cookiesess.manager.flat_settings import NAMES, read_environment
from cookiesess.manager.settings import Settings
from kit.constants import KEY
from kit.wsgi import answering

APP, KEYS = answering(len), {"COOKIESESS_KEYS": KEY}
# No key, but long enough to be one: it must not come back in an error.
MISPLACED = "kept-secret-kept-secret-kept-secret-kept"


def read(**variables):
    return read_environment({f"COOKIESESS_{name}": text for name, text in variables.items()}, given={"keys"})


def refusal(**variables):
    with pytest.raises(ConfigurationError) as raised:
        read(**variables)
    return str(raised.value)


def variable(name):
    return "COOKIESESS_" + name.replace(".", "_").upper()


LIFETIME = ["LIFETIME_IDLE", "LIFETIME_ABSOLUTE", "LIFETIME_REFRESH_AFTER", "LIFETIME_RENEW_GRACE"]
DURATION = [*LIFETIME, "BINDING_BOUND_FOR", "BINDING_REGISTRATION_WITHIN"]
COOKIE = ["COOKIE_SECURE", "COOKIE_HTTPONLY", "COOKIE_PARTITIONED", "COOKIE_PERSISTENT"]
SWITCH = ["ENCRYPT", "COMPRESS", *COOKIE, "BINDING", "BINDING_REQUIRED", "BINDING_TESTING"]
WHOLE = ["MAX_RECORD_BYTES", "MAX_SESSIONS_PER_OWNER", "REVOCATION_CACHE_SECONDS", "COOKIE_MAX_BYTES", "COOKIE_CHUNKS"]
CHOICE = ["ON_STORE_ERROR", "ON_OWNER_LIMIT", "COOKIE_SAMESITE"]


@pytest.mark.parametrize("name", DURATION)
@pytest.mark.parametrize(
    "text",
    ["2h", "PT2H", "2  hours", "two hours", "-1 days", "1.5 hours", "2 Hours", "1 week", "999999999 days"],
)
def test_a_duration_has_one_spelling(name, text):
    assert "is not a whole number and its unit, such as 90 seconds" in refusal(**{name: text})


@pytest.mark.parametrize("name", DURATION)
def test_a_duration_without_a_unit_is_said_as_it_came(name):
    problem = "1800 has no unit; write 1800 seconds, minutes, hours or days"
    assert refusal(**{name: "1800"}) == f"COOKIESESS_{name}: {problem}"


def test_only_the_absolute_timeout_may_be_never():
    assert refusal(LIFETIME_IDLE="never").startswith("COOKIESESS_LIFETIME_IDLE is not a whole number")


@pytest.mark.parametrize("name", SWITCH)
@pytest.mark.parametrize("text", ["yes", "on", "2", "tru", "none"])
def test_a_switch_is_true_or_false(name, text):
    assert refusal(**{name: text}).startswith(f"COOKIESESS_{name} is not one of 1, true, 0, false")


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("text", ["many", "-1", "1.0", "1_000", "+1", "٣", "9" * 10])
def test_a_whole_number_is_written_in_digits(name, text):
    words = "a whole number; or none" if name == "MAX_SESSIONS_PER_OWNER" else "a whole number"
    assert refusal(**{name: text}) == f"COOKIESESS_{name} is not {words}"


@pytest.mark.parametrize("name", CHOICE)
def test_a_choice_names_what_there_is_to_choose(name):
    assert refusal(**{name: "whatever"}).startswith(f"COOKIESESS_{name} is not one of ")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_is_refused(name, text):
    with pytest.raises(ConfigurationError, match=f"^{variable(name)} is empty; remove it, or give it a value"):
        read_environment({**({} if name.startswith("keys") else KEYS), variable(name): text})


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if name not in {"keys", "environ_key", "cookie.name", "cookie.path", "cookie.domain", "binding.path"}
    ],
)
def test_no_error_repeats_a_value(name):
    """It may be a key in the wrong place."""
    with pytest.raises(ConfigurationError) as raised:
        read_environment({**({} if name.startswith("keys") else KEYS), variable(name): MISPLACED})
    assert MISPLACED not in str(raised.value)
    assert raised.value.__cause__ is None or MISPLACED not in str(raised.value.__cause__)


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("COOKIESESS_LIFETIME_IDEL", "COOKIESESS_LIFETIME_IDLE"),
        ("COOKIESESS_KEY", "COOKIESESS_KEYS"),
        ("COOKIESESS_COOKIE_SAME_SITE", "COOKIESESS_COOKIE_SAMESITE"),
        ("COOKIESESS_SECRET_KEY", "COOKIESESS_KEYS"),
        ("COOKIESESS_TIMEOUT", "COOKIESESS_LIFETIME_IDLE"),
        ("COOKIESESS_LIFETIME", "COOKIESESS_LIFETIME_IDLE"),
        ("COOKIESESS_SAMESITE", "COOKIESESS_COOKIE_SAMESITE"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_one(wrong, nearest):
    with pytest.raises(ConfigurationError, match=f"^there is no setting {wrong}; the nearest one is {nearest}$"):
        SessionMiddleware.from_env(APP, environ={**KEYS, wrong: "x"})


@pytest.mark.parametrize("wrong", ["COOKIESESS_", "COOKIESESS_QUUX"])
def test_an_unknown_variable_that_is_like_none_is_refused_with_where_they_are_listed(wrong):
    with pytest.raises(
        ConfigurationError, match=rf"^there is no setting {wrong}; help\(cookiesess\.manager\.flat_settings\) lists"
    ):
        SessionMiddleware.from_env(APP, environ={**KEYS, wrong: "x"})


def test_a_wrong_policy_names_the_variables_that_made_it():
    message = refusal(COOKIE_NAME="__Host-shop", COOKIE_DOMAIN="shop.example")
    assert message.startswith("COOKIESESS_COOKIE_NAME, COOKIESESS_COOKIE_DOMAIN: ")


def test_a_wrong_lifetime_names_the_variables_that_made_it():
    assert refusal(LIFETIME_IDLE="40 days").startswith("COOKIESESS_LIFETIME_IDLE: idle (40 days, 0:00:00) is longer")


def test_a_wrong_binding_names_the_variables_that_made_it():
    message = refusal(BINDING_BOUND_FOR="2 minutes", BINDING_REQUIRED="true")
    assert message.startswith("COOKIESESS_BINDING_BOUND_FOR, COOKIESESS_BINDING_REQUIRED: bound_for (0:02:00) must be")


def test_a_binding_that_is_switched_off_has_no_parts():
    message = refusal(BINDING="false", BINDING_PATH="/device", BINDING_REQUIRED="true")
    remedy = "remove it, or COOKIESESS_BINDING_PATH, COOKIESESS_BINDING_REQUIRED"
    assert message == f"COOKIESESS_BINDING says that there is none; {remedy}"


def test_a_wrong_url_is_refused_by_the_variables_name():
    assert refusal(STORE="mongodb://host").startswith("COOKIESESS_STORE: a store URL begins with sqlite:")


def test_a_store_whose_client_is_missing_is_said_as_it_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymemcache", None)
    for name in [name for name in sys.modules if name.startswith("cookiesess.stores.memcached")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingDependency, match=r'^the package pymemcache is not installed; type: pip install "cookie'):
        read(STORE="memcached://localhost")


def test_settings_that_contradict_each_other_are_refused_as_in_code():
    with pytest.raises(ConfigurationError, match="max_sessions_per_owner is for sessions on the server"):
        SessionMiddleware.from_env(APP, environ={**KEYS, "COOKIESESS_MAX_SESSIONS_PER_OWNER": "3"})


# The table


def test_the_table_in_the_documentation_has_every_setting():
    rows = re.findall(r"^    (COOKIESESS_\w+) +([\w.]+) ", flat_settings.__doc__, re.MULTILINE)
    assert rows == [(variable(name), name) for name in NAMES]


def test_every_setting_of_a_manager_is_flat_or_given_in_code():
    flat = {name.partition(".")[0] for name in NAMES} - {"keys", "keys_file", "environ_key"}
    assert flat | {"accept", "login_label", "types", "on_event", "clock", "random_bytes", "sleep"} == set(
        Settings.__annotations__
    )


def test_every_field_of_a_policy_and_a_lifetime_and_a_binding_is_flat():
    for group, cls in (("cookie", CookiePolicy), ("lifetime", Lifetime), ("binding", DeviceBinding)):
        fields = {name for name, field in cls.__dataclass_fields__.items() if field.init and not name.startswith("_")}
        assert {name.partition(".")[2] for name in NAMES if name.startswith(f"{group}.")} == fields
