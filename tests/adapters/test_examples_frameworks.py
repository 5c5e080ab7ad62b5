"""The demo in each framework: its routes to the letter, a cookie and a session that come back, and its server."""

import os
import re
import subprocess
import sys
import threading
import urllib.request
from http.cookiejar import CookieJar
from importlib import import_module
from pathlib import Path

import pytest
import webtest

ROOT = Path(__file__).parents[2]
# Django's settings belong to the process, and other tests have theirs; so that one is tested as a process alone.
IN_PROCESS = ["bottle_app", "cherrypy_app", "falcon_app", "plain_app", "pyramid_app"]
ALL = [*IN_PROCESS, "django_app"]
ANSWERS = {
    "/": "cookie和session的设置!",
    "/set_cookie": "cookie 设置",
    "/get_cookie": "获取cookie",
    "/set_session": "session设置成功!",
    "/get_session": "session 获取成功!",
}
ROUND = ("/get_cookie", "/get_session", "/set_cookie", "/set_session", "/get_cookie", "/get_session", "/")
PRINTED = ["user_id:  None", "username None", "user_id:  settings cookie", "username 萧兮"]


@pytest.fixture(params=IN_PROCESS)
def browser(request):
    """A browser on the machine that serves the demo."""
    app = import_module(f"examples.{request.param}").app
    return webtest.TestApp(app, extra_environ={"HTTP_HOST": "localhost:8080", "REMOTE_ADDR": "127.0.0.1"})


@pytest.mark.parametrize(("path", "answer"), ANSWERS.items())
def test_each_route_answers_to_the_letter(browser, path, answer):
    response = browser.get(path)
    assert (response.status_int, response.content_type, response.text) == (200, "text/html", answer)


def test_the_cookie_and_the_session_come_back(browser, capsys):
    for path in ROUND:
        browser.get(path)
    assert capsys.readouterr().out.splitlines() == PRINTED


def test_the_visitor_cannot_read_the_session(browser):
    (line,) = browser.get("/set_session").headers.getall("Set-Cookie")
    assert re.fullmatch(r"session=[\w-]+; Path=/; HttpOnly; SameSite=Lax", line)


def test_any_other_path_is_not_found(browser):
    assert browser.get("/other", status=404).status_int == 404


@pytest.mark.process
@pytest.mark.parametrize("name", ALL)
def test_the_demo_served_for_real(name):
    process = subprocess.Popen(
        [sys.executable, "-m", f"examples.{name}"],
        cwd=ROOT,
        env={**os.environ, "LISTEN": "127.0.0.1:0", "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert url, process.stderr.read()
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        client = urllib.request.build_opener(jar, urllib.request.ProxyHandler({}))
        for path in ROUND:
            with client.open(url.group() + path) as response:
                assert response.read().decode() == ANSWERS[path]
        assert [process.stdout.readline().rstrip("\n") for _ in PRINTED] == PRINTED
    finally:
        process.terminate()
        process.communicate()
        watchdog.cancel()


# The page on frameworks

PAGE = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BLOCKS = [block for block in SHOWN if "visits" in block]
FRAMEWORKS = ["visits(environ", "bottle", "falcon", "cherrypy", "pyramid", "SESSION_ENGINE"]
COUNT = """
import warnings; warnings.simplefilter("ignore")
import webtest
from shop import app
browser = webtest.TestApp(app, extra_environ={"HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"})
print([browser.get("/").text for _ in range(3)])
"""


@pytest.mark.process
@pytest.mark.parametrize("words", FRAMEWORKS)
def test_the_example_on_the_page_counts_visits(words, tmp_path):
    (block,) = [block for block in BLOCKS if words in block]
    (tmp_path / "shop.py").write_text(block, encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "COOKIESESS_KEYS": "k" * 50}
    environ["SECRET_KEY"] = "s" * 50
    done = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['visit number 1', 'visit number 2', 'visit number 3']"


def test_every_example_on_the_page_is_run():
    assert len(BLOCKS) == len(FRAMEWORKS)


def test_the_settings_for_a_project_of_django_s_are_those_of_the_example(monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", "k" * 50)
    (settings,) = [block for block in SHOWN if block not in BLOCKS]
    named = {}
    exec(settings, named)
    (example,) = [block for block in BLOCKS if "SESSION_ENGINE" in block]
    assert all(f"{name}=" in example for name in named if name.isupper())


@pytest.mark.parametrize("name", ALL)
def test_an_example_is_short(name):
    assert len((ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 80
