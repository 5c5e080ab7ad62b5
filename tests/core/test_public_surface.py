"""What `from cookiesess import …` offers: small, sorted, documented, complete."""

import inspect
import subprocess
import sys
import types

import pytest

import cookiesess
from cookiesess import errors

# What the documents promise by name; a name may be added to `__all__`, never lost.
PROMISED = {
    "CookiePolicy",
    "Cookies",
    "Key",
    "Keyring",
    "Lifetime",
    "Session",
    "SessionInfo",
    "SessionManager",
    "SessionMiddleware",
    "SetCookie",
    "ValueType",
    "events",
    "get_cookies",
    "get_manager",
    "get_session",
}


def test_the_names_are_sorted():
    assert cookiesess.__all__ == sorted(cookiesess.__all__)


def test_no_name_stands_there_twice():
    assert len(set(cookiesess.__all__)) == len(cookiesess.__all__)


def test_there_are_few_enough_to_learn():
    # 40, and `DeviceBinding`: nobody can bind a session to a device without it, and a name below would hide it.
    assert len(cookiesess.__all__) <= 41


def test_every_name_can_be_imported():
    assert [name for name in cookiesess.__all__ if getattr(cookiesess, name, None) is None] == []


def is_documented(name, value):
    # A dataclass and a named tuple without a docstring get their signature for one.
    return bool(value.__doc__) and not value.__doc__.startswith(f"{name}(")


def test_every_name_is_documented():
    assert [name for name in cookiesess.__all__ if not is_documented(name, getattr(cookiesess, name))] == []


def methods():
    """Yield every public method and property of the public classes, by name."""
    for name in cookiesess.__all__:
        value = getattr(cookiesess, name)
        if inspect.isclass(value) and not issubclass(value, BaseException):
            for attribute, member in vars(value).items():
                if not attribute.startswith("_") and (callable(member) or isinstance(member, property | classmethod)):
                    yield f"{name}.{attribute}", member


def test_every_public_method_and_property_is_documented():
    assert [name for name, member in methods() if not inspect.getdoc(member)] == []


def test_every_promised_name_is_there():
    assert set(cookiesess.__all__) >= PROMISED


def test_every_error_is_there():
    tree = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert set(cookiesess.__all__) >= tree


def test_nothing_else_is_public():
    public = {
        name
        for name, value in vars(cookiesess).items()
        if not name.startswith("_") and not (isinstance(value, types.ModuleType) and name != "events")
    }
    assert public == set(cookiesess.__all__)


def test_the_version_is_one():
    assert [part.isdecimal() for part in cookiesess.__version__.split(".")] == [True] * 3


@pytest.mark.process
def test_importing_the_package_imports_no_framework_and_no_extra():
    code = "import cookiesess, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"flask", "django", "webob", "werkzeug", "pyramid", "bottle", "falcon", "redis", "pickle"} & set(loaded)
