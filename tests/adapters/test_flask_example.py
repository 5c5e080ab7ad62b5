"""The demo as a Flask app: its routes to the letter, with either kind of session, and on its server."""

import os
import re
import subprocess
import sys
import threading
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from cookiesess.adapters.flask import CookiesessInterface
from cookiesess.stores.sqlite import SQLiteStore
from examples.flask_app import app

ROOT = Path(__file__).parents[2]
ANSWERS = {
    "/": "cookie和session的设置!",
    "/set_cookie": "cookie 设置",
    "/get_cookie": "获取cookie",
    "/set_session": "session设置成功!",
    "/get_session": "session 获取成功!",
}


@pytest.fixture(params=["client-side", "server-side"])
def client(request, tmp_path):
    """A browser in front of the demo."""
    store = None if request.param == "client-side" else SQLiteStore(tmp_path / "sessions.db")
    before = app.session_interface
    app.session_interface = CookiesessInterface(store=store)
    yield app.test_client()
    app.session_interface = before
    if store is not None:
        store.close()


@pytest.mark.parametrize(("path", "answer"), ANSWERS.items())
def test_each_route_answers_to_the_letter(client, path, answer):
    response = client.get(path)
    assert (response.status_code, response.text) == (200, answer)


def test_the_cookie_and_the_session_come_back(client, capsys):
    for path in ("/get_cookie", "/get_session", "/set_cookie", "/set_session", "/get_cookie", "/get_session"):
        client.get(path)
    printed = ["user_id:  None", "username None", "user_id:  settings cookie", "username 萧兮"]
    assert capsys.readouterr().out.splitlines() == printed


def test_the_visitor_cannot_read_the_session(client):
    client.get("/set_session")
    value = client.get_cookie("session").value
    assert "username" not in value
    assert re.fullmatch(r"[\w-]+", value)


@pytest.mark.process
def test_the_demo_served_for_real():
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8", "SECRET_KEY": "a key of the tests, long enough to be one"}
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.flask_app", "--port", "0"],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environ,
        encoding="utf-8",
    )
    watchdog = threading.Timer(20, process.kill)  # whatever happens, no test waits for ever
    watchdog.start()
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline()).group()
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        opener = urllib.request.build_opener(jar, urllib.request.ProxyHandler({}))
        for path, answer in ANSWERS.items():
            with opener.open(url + path) as response:
                assert response.read().decode() == answer
        console = [process.stdout.readline() for _ in range(2)]
    finally:
        process.terminate()
        process.communicate()
        watchdog.cancel()
    assert console == ["user_id:  settings cookie\n", "username 萧兮\n"]
