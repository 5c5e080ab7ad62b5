"""The error tree is as it is drawn, and its messages say what came, what is allowed and what to do."""

import inspect
import re

import pytest

from cookiesess import errors
from cookiesess.errors import (
    ConfigurationError,
    CookiesessError,
    CookieTooLarge,
    InvalidToken,
    NotSerializable,
    SessionError,
    SessionReadOnly,
    StoreUnavailable,
)

CLASSES = {name: cls for name, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, CookiesessError)}
DRAWN = re.compile(
    r"^    (?P<branch>(?:[│ ]   )*)(?:[├└]── )?(?P<name>[A-Z]\w+)(?:\((?P<builtin>\w+)\))?", re.MULTILINE
)


def drawn():
    """Return (name, parent, built-in base or None) of every line of the docstring's tree."""
    tree, ancestors = [], []
    for match in DRAWN.finditer(errors.__doc__):
        depth = 0 if match["name"] == "CookiesessError" else 1 + len(match["branch"]) // 4
        ancestors[depth:] = [match["name"]]
        tree.append((match["name"], ancestors[depth - 1] if depth else "Exception", match["builtin"]))
    return tree


def test_the_drawn_tree_has_every_class_once():
    assert sorted(name for name, _, _ in drawn()) == sorted(CLASSES)


@pytest.mark.parametrize(("name", "parent", "builtin"), drawn())
def test_each_class_hangs_where_it_is_drawn(name, parent, builtin):
    bases = [base.__name__ for base in CLASSES[name].__bases__]
    assert bases[0] == parent
    if builtin:
        assert builtin in bases


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_is_documented(name):
    assert CLASSES[name].__doc__


@pytest.mark.parametrize("name", CLASSES)
def test_one_except_catches_them_all(name):
    assert issubclass(CLASSES[name], CookiesessError)


def test_a_wrong_setting_is_a_value_error():
    assert issubclass(ConfigurationError, ValueError)


def test_a_wrong_use_is_a_runtime_error():
    assert issubclass(SessionError, RuntimeError)


def test_a_write_while_the_store_is_down_is_caught_as_either():
    assert issubclass(SessionReadOnly, SessionError)
    assert issubclass(SessionReadOnly, StoreUnavailable)


def test_an_invalid_token_has_a_reason_and_the_kid_it_names():
    error = InvalidToken("forged", "c0ffee00")
    assert (str(error), error.reason, error.kid) == ("forged", "forged", "c0ffee00")
    assert InvalidToken("malformed").kid is None


def test_a_value_that_cannot_be_stored_has_a_path():
    error = NotSerializable('session["a"]', "Price is not supported")
    assert (str(error), error.path) == ('session["a"]: Price is not supported', 'session["a"]')


def test_a_session_that_is_too_large_names_the_sizes_the_largest_keys_and_a_way_out():
    error = CookieTooLarge("session", size_bytes=5000, limit_bytes=4093, largest_keys=[("cart", 3000), ("log", 900)])
    assert str(error) == (
        "the Set-Cookie line of 'session' is 5000 bytes, and at most 4093 are allowed, since browsers drop longer ones"
        " silently; store less (largest keys: 'cart' (3000 bytes), 'log' (900 bytes)), or let it move to a store with"
        " overflow=, or spread it with CookiePolicy(chunks=…), or compress=True"
    )
    assert (error.name, error.size_bytes, error.limit_bytes) == ("session", 5000, 4093)
    assert error.largest_keys == (("cart", 3000), ("log", 900))


def test_a_plain_cookie_that_is_too_large_has_no_keys_to_name():
    error = CookieTooLarge("a", size_bytes=5000, limit_bytes=4093)
    assert str(error).endswith("at most 4093 are allowed, since browsers drop longer ones silently; store less")
    assert error.largest_keys == ()


def test_a_token_error_that_is_kept_holds_no_frame_of_where_it_was_raised():
    try:
        try:
            int("x")
        except ValueError as cause:
            raise InvalidToken("plaintext", "c0ffee00") from cause
    except InvalidToken as error:
        kept = error.unraised()
    assert (kept.reason, kept.kid, str(kept)) == ("plaintext", "c0ffee00", "plaintext")
    assert (kept.__traceback__, kept.__context__, kept.__cause__) == (None, None, None)
