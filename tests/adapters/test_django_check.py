"""``manage.py check``: with ``"cookiesess.adapters.django"`` in ``INSTALLED_APPS`` it looks at the settings."""

import subprocess
import sys

import pytest
from django.core.checks.registry import registry
from django.test import override_settings

from adapters.django_project import project
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY

MANAGE = """
import sys
from django.conf import settings
settings.configure(
    SECRET_KEY={key!r}, SESSION_ENGINE="cookiesess.adapters.django",
    INSTALLED_APPS=["django.contrib.sessions", "cookiesess.adapters.django"], {more}
)
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
"""


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


def found(**settings):
    from cookiesess.adapters.django.apps import check_settings

    with override_settings(**settings):
        return [(message.id, message.msg) for message in check_settings(None)]


def manage(more):
    done = subprocess.run(
        [sys.executable, "-c", MANAGE.format(key=KEY, more=more)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.process
def test_manage_py_check_finds_a_missing_setting():
    code, said = manage("")
    assert code == 1
    assert "(cookiesess.E001) in Django's settings, COOKIESESS_STORE: it is missing" in said


@pytest.mark.process
def test_manage_py_check_is_content_with_right_ones():
    code, said = manage("COOKIESESS_STORE=None")
    assert (code, said.partition("\n")[0]) == (0, "System check identified no issues (0 silenced).")


def test_the_app_registers_the_check():
    from cookiesess.adapters.django.apps import check_settings

    try:
        with override_settings(INSTALLED_APPS=["django.contrib.contenttypes", "cookiesess.adapters.django"]):
            assert check_settings in registry.registered_checks
    finally:
        registry.registered_checks.discard(check_settings)


def test_right_settings_pass():
    assert found(COOKIESESS_STORE=MemoryStore()) == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "COOKIESESS_STORE"),
        ({"COOKIESESS_STORE": 7}, "COOKIESESS_STORE"),
        ({"COOKIESESS_STORE": None, "COOKIESESS_KEYS": "short"}, "COOKIESESS_KEYS"),
        ({"COOKIESESS_STORE": None, "COOKIESESS_OPTIONS": {"idle": 1}}, "COOKIESESS_OPTIONS"),
        ({"COOKIESESS_STORE": None, "SESSION_SERIALIZER": "pickle"}, "SESSION_SERIALIZER"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_an_error_that_names_it(settings, named):
    ((id_, message),) = found(**settings)
    assert id_ == "cookiesess.E001"
    assert message.startswith(f"in Django's settings, {named}: ")


def test_another_engine_is_none_of_its_business():
    assert found(SESSION_ENGINE="django.contrib.sessions.backends.db") == []


@pytest.mark.process
def test_a_store_that_cannot_be_reached_from_here_is_a_warning():
    ((id_, message),) = found(COOKIESESS_STORE="redis://127.0.0.1:1/0")
    assert (id_, "cannot be reached from here" in message) == ("cookiesess.W001", True)
