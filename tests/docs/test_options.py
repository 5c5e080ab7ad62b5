"""The tables of docs/migrating.md name each option that the installed versions of the other libraries have."""

import inspect
import re

import beaker.session
import flask
import flask_session.defaults
from django.conf import global_settings
from pyramid.session import SignedCookieSessionFactory

from cookiesess.adapters.flask import leftovers
from cookiesess.manager import beaker_names
from docs.pages import ROOT

PAGE = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")


def named_under(page, title):
    """Return the names in the first columns of the tables below a heading."""
    section = re.split(r"^#{1,3} ", page.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert rows, title
    return {name for row in rows for name in re.findall(r"`([\w]+)(?:`| =)", row)}


def arguments_of(*callables):
    return {
        parameter.name
        for each in callables
        for parameter in inspect.signature(each).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    }


def test_every_option_of_beaker_is_in_the_table():
    ours = named_under(PAGE, "Beaker's options")
    theirs = arguments_of(beaker.session.Session, beaker.session.CookieSession)
    assert theirs - {"request", "id"} <= ours
    assert set(beaker_names._OPTIONS) <= ours


def test_every_option_of_flask_is_in_the_table_of_flask_s_page():
    page = (ROOT / "docs" / "flask.md").read_text(encoding="utf-8")
    theirs = {name for name in flask.Flask.default_config if "SESSION" in name or name.startswith("SECRET_KEY")}
    assert theirs <= named_under(page, "Flask's settings")


def test_every_option_of_flask_session_is_in_the_table():
    ours = named_under(PAGE, "Flask-Session's options")
    theirs = {name for name in vars(flask_session.defaults.Defaults) if name.startswith("SESSION_")}
    assert theirs <= ours
    assert leftovers.OPTIONS.keys() == ours


def test_every_option_of_django_is_in_the_table():
    theirs = {name for name in vars(global_settings) if name.startswith("SESSION_")}
    assert theirs <= named_under(PAGE, "Django's options")


def test_every_option_of_pyramid_is_in_the_table():
    assert named_under(PAGE, "Pyramid's options") == arguments_of(SignedCookieSessionFactory)
