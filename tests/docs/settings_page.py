"""The tables of docs/settings.md, out of the table of settings, the types and the docstrings.

``make tables`` writes them. By hand: ``cd tests && PYTHONPATH=.. python -m docs.settings_page``.
"""

import inspect
import re
from dataclasses import fields
from datetime import timedelta
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin

from cookiesess import SessionManager, SessionMiddleware
from cookiesess.manager import flat_settings
from cookiesess.manager.settings import GROUPS, SETTINGS, Configuration
from docs.pages import ROOT

PAGE = ROOT / "docs" / "settings.md"
# The classes that take settings, by what stands before a setting's name.
CLASSES = {"": (SessionManager, SessionMiddleware), **{f"{name}.": (cls,) for name, cls in GROUPS.items()}}


def paragraphs(cls):
    """Return what the docstring of `cls` says of each argument, in Markdown."""
    arguments = inspect.getdoc(cls).partition("\nArgs:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", arguments, re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}


def setting_rows(prefix):
    """Return the rows of the settings whose names begin with `prefix`: name, type, default, paragraph."""
    said, types, defaults = {}, {}, {}
    for cls in CLASSES[prefix]:
        said |= paragraphs(cls)
        for parameter in inspect.signature(cls).parameters.values():
            types[parameter.name], defaults[parameter.name] = parameter.annotation, parameter.default
    for field in fields(Configuration) if prefix == "" else ():
        types[field.name], defaults[field.name] = field.type, field.default
    for setting in SETTINGS:
        name = setting.name.removeprefix(prefix)
        if setting.name.startswith(prefix) and "." not in name and name != "keys_file":
            yield f"`{name}`", type_words(types[name]), default_words(defaults[name]), said[name]


def text_rows():
    """Return the rows of the settings as text: variable, name in an ini file, what it may be."""
    for row in re.findall(r"^    (COOKIESESS_\w+) +([\w.]+) +(.*)", flat_settings.__doc__, re.MULTILINE):
        yield f"`{row[0]}`", f"`{row[1]}`", row[2]


def type_words(hint):
    for variable in getattr(hint, "__parameters__", ()):
        hint = hint[variable.__bound__]
    if get_origin(hint) in {Union, UnionType}:
        return " or ".join(map(type_words, get_args(hint)))
    if get_origin(hint) is Literal:
        return " or ".join(f'`"{text}"`' for text in get_args(hint))
    if isinstance(hint, type) and not get_args(hint):
        return "None" if hint is NoneType else f"`{hint.__name__}`"
    return "`" + re.sub(r"\b(?:\w+\.)+", "", str(hint)) + "`"


def default_words(value):
    if isinstance(value, timedelta):
        return duration_words(value)
    if isinstance(value, str):
        return f'`"{value}"`'
    if type(value) is int:
        return f"{value:,}"
    if value is inspect.Parameter.empty or callable(value):
        return ""
    return {None: "None", (): "none", True: "True", False: "False"}.get(value, f"`{type(value).__name__}()`")


def duration_words(value):
    units = {"day": timedelta(days=1), "minute": timedelta(minutes=1), "second": timedelta(seconds=1)}
    unit, count = next((unit, value // length) for unit, length in units.items() if not value % length)
    return f"{count} {unit}{'s' * (count != 1)}"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def written(page):
    """Return `page` with each of its tables as it should be."""
    columns = ["type", "default", "what it does, and its danger"]
    tables = {
        "# Settings\n": table(["setting", *columns], setting_rows("")),
        '`CookiePolicy(name="__Host-session", …)`': table(["field", *columns], setting_rows("cookie.")),
        "`Lifetime(…)`": table(["field", *columns], setting_rows("lifetime.")),
        "`DeviceBinding(…)`": table(["field", *columns], setting_rows("binding.")),
        "## As text\n": table(["variable", "in an ini file", "text"], text_rows()),
    }
    for words, text in tables.items():
        before, found, after = page.partition(words)
        page = before + found + re.sub(r"(?:^\|.*\n)+", lambda _, text=text: text, after, count=1, flags=re.MULTILINE)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
