"""What is put where a key should be by mistake: refused, since it would silently be another key, or no secret."""

import hmac
import string
import traceback
from base64 import b64encode
from random import Random

import pytest

from cookiesess import ConfigurationError, Key, Keyring, SessionManager
from cookiesess.events import WeakKey
from cookiesess.tokens.mistakes import mistake_in, weakness_of

ONE, TWO = "N5hKx3b0TQv8mZ1rYc7LpWd4sGf9jUe2oXa6iRt_BHk", "b0TQv8mZ1rYc7LpWd4sGf9jUe2oXa6iRt_BHkN5hKx3"
PLACEHOLDER = "the text that `python -m cookiesess keygen` printed"
MAKERS = [Key, Keyring, Keyring.of, SessionManager]

every_way = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__qualname__)


def refusal(make, keys):
    with pytest.raises(ConfigurationError) as caught:
        make(keys)
    assert ONE not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


# The documentation's placeholder


@every_way
@pytest.mark.parametrize("form", [PLACEHOLDER, PLACEHOLDER.encode()], ids=["text", "bytes"])
def test_the_placeholder_of_the_documentation_is_no_key(make, form):
    assert refusal(make, form) == (
        "this is the placeholder of the documentation; run `python -m cookiesess keygen`, and give the text that it"
        " prints as the key"
    )


def test_the_placeholder_is_no_accepted_key_either():
    assert "placeholder" in refusal(Keyring.of, f"{ONE},{PLACEHOLDER}")


# Text


@every_way
@pytest.mark.parametrize(
    "sign", ["\n", "\r\n", "\t", "\0", "\x7f", "\u2028", "\u200b", "\ufeff"], ids=lambda sign: ascii(sign)
)
def test_a_text_with_a_sign_that_cannot_be_seen_is_refused(make, sign):
    assert refusal(make, ONE + sign + TWO) == (
        "a key's text holds a line break or another character that cannot be seen; part keys by commas, or name their"
        " file in COOKIESESS_KEYS_FILE"
    )


@every_way
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_text_in_quotes_is_refused(make, quote):
    message = "a key's text stands in quotes, which would be part of the key; remove the quotes"
    assert refusal(make, f"{quote}{ONE}{quote}") == message


@pytest.mark.parametrize("text", [f'"{ONE},{TWO}"', f' "{ONE}", "{TWO}" ', f"{ONE},'{TWO}'"])
def test_a_ring_in_quotes_is_refused(text):
    assert "remove the quotes" in refusal(Keyring.parse, text)


@pytest.mark.parametrize(
    "text", [f'"{ONE}', f"{ONE}'", f"\"{ONE}'", f'{ONE}"{TWO}', "an inner blank is no mistake: " + ONE]
)
def test_a_text_with_blanks_inside_or_quotes_that_match_nothing_is_a_key(text):
    assert Keyring.parse(text).current.kid == Key(text.encode()).kid


# Bytes


@every_way
@pytest.mark.parametrize(
    "text", [f"{ONE}\n", f"{ONE}\r\n", f"{ONE}\n{TWO}", f"{ONE},{TWO}", f" {ONE} , {TWO},{ONE}"], ids=repr
)
def test_bytes_that_are_lines_of_text_or_several_keys_are_refused(make, text):
    message = (
        "a key's bytes hold a line break or several keys, so it looks like text: decode it (keys.decode()), or name its"
        " file in COOKIESESS_KEYS_FILE"
    )
    assert refusal(make, text.encode()) == message


@pytest.mark.parametrize(
    "secret",
    [bytes(range(32)), b"\xff" * 32 + b"\n", ONE.encode(), b"not generated, " + ONE.encode(), b" " * 32],
    ids=repr,
)
def test_other_bytes_are_a_key_as_they_are(secret):
    assert Key(secret).kid == Key.of_secret_key(secret).kid


# Lists


@every_way
@pytest.mark.parametrize("keys", [[ONE, TWO], (ONE,)], ids=["list", "tuple"])
def test_keys_in_a_list_are_refused_with_what_to_write(make, keys):
    message = f"a key is bytes or text, not {type(keys).__name__}; join them by commas, or write Keyring(current,"
    assert refusal(make, keys) == f"{message} accepted=[…])"


def test_a_list_to_parse_is_refused_with_what_to_write():
    assert "the keys are text, not list; join them by commas" in refusal(Keyring.parse, [ONE])


@every_way
def test_none_is_asked_whether_the_variable_is_set(make):
    assert "not NoneType; is the variable set?" in refusal(make, None)


# What was not filled in, and paths


@every_way
@pytest.mark.parametrize(
    "text",
    [
        "${COOKIESESS_KEYS_FROM_THE_VAULT}",
        "${COOKIESESS_KEYS:-}",
        "${KEYS:?the variable has to be set by the deployment}",
        "prefix-${COOKIESESS_KEYS_FROM_THE_VAULT}",
        "${FIRST_HALF_OF_THE_KEY}${SECOND_HALF_OF_THE_KEY}",
        "$COOKIESESS_KEYS_FROM_THE_VAULT",
        "$(cat /run/secrets/cookiesess-keys)",
        "{{ cookiesess.keys_of_production }}",
        "%COOKIESESS_KEYS_FROM_THE_VAULT%",
        "<put the key of this environment here>",
    ],
)
@pytest.mark.parametrize("form", [str, str.encode], ids=["text", "bytes"])
def test_a_variable_or_a_place_that_was_not_filled_in_is_no_key(make, text, form):
    message = refusal(make, form(text))
    assert "that was not filled in (such as ${NAME}); have the shell" in message
    assert text not in message


@every_way
@pytest.mark.parametrize(
    "text",
    [
        "/run/secrets/cookiesess/production-keys.txt",
        "/run/secrets/cookiesess/production/keys",
        "/RUN/SECRETS/COOKIESESS/PRODUCTION/KEYS",
        "/run/secrets/keys",
        "~/secrets/cookiesess/production-keys",
        "../secrets/cookiesess/production-keys",
        "secrets/cookiesess/production-keys.txt",
        "C:\\secrets\\cookiesess\\production keys.txt",
        "file:///run/secrets/cookiesess/production-keys",
        "https://vault.example/v1/secret/cookiesess",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cookiesess",
    ],
)
@pytest.mark.parametrize("form", [str, str.encode], ids=["text", "bytes"])
def test_a_path_or_an_address_is_no_key(make, text, form):
    message = refusal(make, form(text))
    assert message == (
        "a key looks like a path or an address, which others can guess; give the text that stands there, or name the"
        " file in COOKIESESS_KEYS_FILE"
    )


GENERATORS = {
    "keygen": lambda random: Key.generate(),
    "base64": lambda random: b64encode(random(32)).decode(),
    "base64 of 33 bytes, behind a slash": lambda random: "/" + b64encode(random(33)).decode(),
    "hexadecimal": lambda random: random(32).hex(),
    "hexadecimal, large": lambda random: random(32).hex().upper(),
    "bytes": lambda random: random(32),
}


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_no_generated_key_is_taken_for_a_mistake_or_called_weak(make):
    random = Random(7)
    for _ in range(2_000):
        secret = make(random.randbytes)
        secret = secret.encode() if isinstance(secret, str) else secret
        assert mistake_in(secret) is None
        assert weakness_of(secret) == ""


def test_no_password_managers_key_is_taken_for_a_mistake():
    random, characters = Random(7), string.ascii_letters + string.digits + string.punctuation
    for _ in range(2_000):
        assert mistake_in("".join(random.choices(characters, k=50)).encode()) is None


# Weak keys


WEAK = {
    "a" * 32: "it has 1 different character",
    "abcd" * 8: "it has 4 different characters",
    "please-CHANGE_me-in-production-0123456789": "it holds 'changeme'",
    "django-insecure-4x#b&1w!q8(r0z@3v^7m)k5n=2s": "it holds 'django-insecure-'",
}


@pytest.mark.parametrize("text", WEAK, ids=WEAK.values())
def test_a_weak_key_is_warned_of_once_and_works(text, caplog):
    events = []
    manager = SessionManager(f"{ONE},{text}", on_event=events.append)
    manager.commit(manager.open(""))
    (event,) = [event for event in events if isinstance(event, WeakKey)]
    assert event == WeakKey(Key(text).kid.hex(), WEAK[text])
    (line,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith(f"key.weak kid={event.kid} weakness={WEAK[text]}: anybody who has one session cookie can")
    assert text not in line


@pytest.mark.parametrize(
    "text", ["/run/secrets/cookiesess/production-keys.txt", "${SECRET_KEY_OF_PRODUCTION_IN_VAULT}"]
)
def test_a_frameworks_key_that_is_a_path_or_was_not_filled_in_is_warned_of(text):
    events = []
    SessionManager(Keyring(Key.of_secret_key(text.encode())), on_event=events.append)
    assert [event.weakness for event in events] == [
        "it looks like a path, an address, or a variable that was not filled in"
    ]


# A framework's own


@pytest.mark.parametrize("text", [f"{ONE},{TWO}", f"{ONE}, {TWO}\n"], ids=repr)
def test_a_frameworks_key_that_is_a_ring_is_refused(text):
    assert refusal(Key.of_secret_key, text.encode()) == (
        "it looks like a ring of keys, and would be taken as one key; pass it as keys= (COOKIESESS_KEYS in Django), and"
        " leave one key here"
    )


def test_a_frameworks_key_that_is_the_placeholder_is_refused():
    assert "placeholder" in refusal(Key.of_secret_key, PLACEHOLDER.encode())


def test_a_frameworks_key_that_is_short_is_refused():
    assert "too short" in refusal(Key.of_secret_key, b"short")


@pytest.mark.parametrize("text", [ONE, f"{ONE}\n", f'"{ONE}"', f"{ONE},", f"{ONE},short,{TWO}"], ids=repr)
def test_any_other_key_of_a_framework_is_taken_as_it_is(text):
    """The framework itself signs with it so, and has sessions out under it."""
    extracted = hmac.digest(bytes(32), text.encode(), "sha256")
    assert Key.of_secret_key(text.encode()).derive("x") == hmac.digest(extracted, b"cookiesess v1 x\x01", "sha256")
