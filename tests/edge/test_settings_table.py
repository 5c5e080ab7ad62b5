"""A setting is written in a few places, and none of them may be forgotten: row, types, default, paragraph."""

import inspect
from collections import Counter
from dataclasses import fields
from typing import get_type_hints

import pytest

from cookiesess import SessionManager, SessionMiddleware
from cookiesess.manager.settings import GROUPS, SETTINGS, Configuration, Settings
from cookiesess.stores.base import Store
from docs.settings_page import paragraphs

NAMES = [setting.name for setting in SETTINGS]
MIDDLEWARE = {setting.name for setting in SETTINGS if setting.scope == "middleware"}
OWN = {name for name in NAMES if "." not in name} - MIDDLEWARE - {"keys", "keys_file"}


def test_a_setting_has_one_row():
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


def test_the_rows_are_the_keywords_that_editors_show():
    assert set(Settings.__annotations__) == OWN


def test_each_row_has_a_default_of_the_type_that_editors_show():
    # A URL is a store by the time that the settings are checked.
    types = {
        name: Store | None if kind == Store | str | None else kind for name, kind in get_type_hints(Settings).items()
    }
    assert {field.name: field.type for field in fields(Configuration)} == types


def test_the_docstring_of_the_manager_describes_each_setting():
    assert paragraphs(SessionManager).keys() - {"keys"} == OWN


def test_the_middlewares_own_rows_are_its_arguments_and_its_docstring_describes_them():
    arguments = inspect.signature(SessionMiddleware).parameters.keys() - {"app", "keys", "settings"}
    assert arguments == MIDDLEWARE
    assert paragraphs(SessionMiddleware).keys() >= MIDDLEWARE | {"keys"}


@pytest.mark.parametrize("group", GROUPS)
def test_each_field_of_a_policy_or_a_lifetime_has_a_row_and_is_described(group):
    rows = {name.partition(".")[2] for name in NAMES if name.startswith(f"{group}.")}
    assert {field.name for field in fields(GROUPS[group]) if field.init} == rows
    assert paragraphs(GROUPS[group]).keys() == rows


def test_a_default_passes_its_own_check():
    Configuration(**{field.name: field.default for field in fields(Configuration)})
