"""What some blocks of the pages promise, beyond that they run (`test_pages` has them run)."""

import re

import pytest
from webob import Request, Response

import cookiesess
from cookiesess import SessionManager
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader, session_transaction
from docs.pages import ROOT, blocks
from kit.constants import KEY


@pytest.fixture
def names(monkeypatch, tmp_path):
    """Keys, an app, and the environ of a request with a server-side session."""
    monkeypatch.chdir(tmp_path)
    manager = SessionManager(KEY, store=MemoryStore())
    session, jar = manager.open(""), manager.jar("theme=dark")
    environ = {"cookiesess.session": session, "cookiesess.cookies": jar, "cookiesess.manager": manager}
    return {"KEYS": KEY, "app": Response("hello"), "environ": environ}


def run(page, beginning, names):
    """Run the one Python block of a page that holds `beginning`."""
    path = ROOT / "docs" / page
    (code,) = [code for language, _, code in blocks(path) if language == "python" and beginning in code]
    exec(compile(code, page, "exec"), names)


def test_the_first_app_answers_every_path_at_a_first_visit_too(names, monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", names["KEYS"])
    run("index.md", "def visits(environ", names)
    cookies = CookieHeader()
    answers = []
    for path in ("/favicon.ico", "/any", "/", "/"):
        request = Request.blank(f"https://shop.example{path}", headers={"Cookie": cookies.value})
        answers.append(request.get_response(names["app"]))
        cookies.follow(answers[-1].headers.getall("Set-Cookie"))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.text for answer in answers] == [f"visit number {n}" for n in (0, 0, 1, 2)]


def test_a_client_side_session_moves_when_it_outgrows_its_cookie_and_a_copy_of_it_ends(names):
    run("choosing.md", "overflow=store", names)
    manager, cookies = names["app"].manager, CookieHeader()
    with session_transaction(manager, cookies) as session:
        session["a"] = "x" * 10_000
    with session_transaction(manager, cookies) as session:
        assert len(session["a"]) == 10_000
        copied = cookies.value
        session.invalidate()
    assert not manager.open(copied)
    names["store"].close()


def test_a_session_has_the_methods_of_its_class(names, monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", names["KEYS"])
    run("sessions.md", "class ShopSession", names)
    assert Request.blank("/", base_url="https://shop.example").get_response(names["shop"]).text == "1 in the cart"


def test_what_a_session_can_do_ends_with_a_logout(names):
    run("sessions.md", "session.invalidate()", names)
    assert names["session"].is_new


def test_the_properties_that_the_page_names_exist():
    page = (ROOT / "docs" / "sessions.md").read_text(encoding="utf-8")
    named = re.search(r"^A session also has (.*?), and\s+everything", page, re.MULTILINE | re.DOTALL).group(1)
    for name in re.findall(r"`(\w+)`", named):
        assert isinstance(getattr(cookiesess.Session, name), property), name


def test_a_registered_type_comes_back(names):
    run("values.md", "from markupsafe", names)
    cookies, markup = CookieHeader(), names["Markup"]
    with session_transaction(names["shop"].manager, cookies) as session:
        session["html"] = markup("<b>")
    with session_transaction(names["shop"].manager, cookies) as session:
        assert type(session["html"]) is markup


def test_each_plain_cookie_is_on_the_response(names):
    run("sessions.md", "cookies.sealed.get", names)
    assert [cookie.name for cookie in names["cookies"].commit()] == ["user_id", "old", "cart_id", "address"]


def test_the_owners_sessions_are_listed_one_is_ended_and_then_the_others(names, capsys):
    manager = names["environ"]["cookiesess.manager"]
    cookies = {label: CookieHeader() for label in ("here", "lost phone", "laptop")}
    for label, header in cookies.items():
        with session_transaction(manager, header) as session:
            session.login("user-42")
            session.label = label
    kept = names["environ"]["cookiesess.session"] = manager.open(cookies["here"].value)
    run("sessions.md", "manager.end_all", names)
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert [info.handle for info in manager.sessions_of("user-42")] == [manager.handle_of(kept)]
