"""The tables of docs/settings.md name each setting and field that there is, as the code has it."""

import re
from dataclasses import fields

from cookiesess import CookiePolicy, DeviceBinding, Lifetime
from cookiesess.manager.settings import Settings
from docs import settings_page

PAGE = settings_page.PAGE.read_text(encoding="utf-8")


def table_after(words):
    """Return the names in the first column of the table that follows `words`."""
    lines = PAGE[PAGE.index(words) :].splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("|"))
    last = next(index for index in range(first, len(lines)) if not lines[index].startswith("|"))
    return {name for row in lines[first + 2 : last] for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_setting_of_the_middleware_is_in_the_table():
    assert table_after("# Settings\n") == {"keys", "environ_key", "session_class", *Settings.__annotations__}


def test_every_field_of_the_cookie_policy_is_in_the_table():
    names = {field.name for field in fields(CookiePolicy) if field.init}
    assert table_after('`CookiePolicy(name="__Host-session", …)`') == names


def test_every_field_of_the_lifetime_is_in_the_table():
    assert table_after("`Lifetime(…)`") == {field.name for field in fields(Lifetime) if field.init}


def test_every_field_of_the_binding_is_in_the_table():
    assert table_after("`DeviceBinding(…)`") == {field.name for field in fields(DeviceBinding) if field.init}


def test_the_tables_are_what_the_code_says():
    assert settings_page.written(PAGE) == PAGE, "`make tables` writes them"
