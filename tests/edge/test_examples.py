"""The demo: its routes to the letter, and the server it runs on."""

import os
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from examples.__main__ import another_port
from examples.four_routes import make_app
from kit.constants import KEY, OTHER_KEY
from kit.wsgi import WebBrowser

ROOT = Path(__file__).parents[2]
ANSWERS = {
    "/": "cookie和session的设置!",
    "/set_cookie": "cookie 设置",
    "/get_cookie": "获取cookie",
    "/set_session": "session设置成功!",
    "/get_session": "session 获取成功!",
}


@pytest.fixture
def browser():
    """A browser on the machine that serves the demo."""
    return WebBrowser(make_app(KEY), "http://localhost:8080", REMOTE_ADDR="127.0.0.1")


@pytest.mark.parametrize(("path", "answer"), ANSWERS.items())
def test_each_route_answers_to_the_letter(browser, path, answer):
    response = browser.get(path)
    assert response.status_int == 200
    assert response.text == answer


def test_set_cookie_sets_user_id(browser):
    (line,) = browser.get("/set_cookie").headers.getall("Set-Cookie")
    assert line == 'user_id="settings\\040cookie"; Path=/; SameSite=Lax'


def test_get_cookie_prints_two_blanks_and_the_value(browser, capsys):
    browser.get("/set_cookie")
    browser.get("/get_cookie")
    assert capsys.readouterr().out == "user_id:  settings cookie\n"


def test_get_cookie_prints_none_where_there_is_none(browser, capsys):
    browser.get("/get_cookie")
    assert capsys.readouterr().out == "user_id:  None\n"


def test_get_session_prints_the_name(browser, capsys):
    browser.get("/set_session")
    browser.get("/get_session")
    assert capsys.readouterr().out == "username 萧兮\n"


def test_get_session_prints_none_where_there_is_none(browser, capsys):
    browser.get("/get_session")
    assert capsys.readouterr().out == "username None\n"


def test_the_sessions_cookie_goes_over_plain_http_on_this_machine(browser):
    (line,) = browser.get("/set_session").headers.getall("Set-Cookie")
    assert line.startswith("session=")
    assert line.endswith("; Path=/; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize("path", ["/", "/set_cookie", "/get_cookie"])
def test_routes_that_need_no_session_send_none(browser, path):
    assert "session=" not in str(browser.get(path).headers)


def test_any_other_path_is_not_found(browser):
    assert browser.get("/other").status_int == 404


# As a process


@contextmanager
def running(*arguments, keys=None, last="/get_session"):
    """Run ``python -m examples`` on a free port; yield its banner, up to a line with that end, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "examples", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **settings_for(keys),
    )
    # Whatever happens, no test waits for ever.
    watchdog = threading.Timer(20, process.kill)
    watchdog.start()
    try:
        banner = []
        while not banner or not banner[-1].endswith(last):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            banner.append(line.rstrip("\n"))
        yield banner, process
    finally:
        process.terminate()
        process.communicate()
        watchdog.cancel()


def settings_for(keys):
    environ = {name: value for name, value in os.environ.items() if name != "COOKIESESS_KEYS"}
    environ |= {"PYTHONIOENCODING": "utf-8"} | ({} if keys is None else {"COOKIESESS_KEYS": keys})
    return {"cwd": ROOT, "env": environ, "encoding": "utf-8"}


def run_to_its_end(*arguments, keys=None):
    done = subprocess.run(
        [sys.executable, "-m", "examples", *arguments], capture_output=True, timeout=20, **settings_for(keys)
    )
    return done.returncode, done.stdout, done.stderr


def opener():
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({}))


@pytest.mark.process
def test_the_demo_served_for_real():
    with running() as (banner, process):
        url = re.search(r"http://127\.0\.0\.1:\d+", banner[0]).group()
        assert "made for this run" in banner[1]
        asked = [re.search(r"curl .* (http://\S+)", line) for line in banner]
        urls = [match.group(1) for match in asked if match]
        assert urls == [f"{url}{path}" for path in ("/set_cookie", "/get_cookie", "/set_session", "/get_session")]
        client = opener()
        for path in ("/get_cookie", "/get_session", *[address.removeprefix(url) for address in urls], "/"):
            with client.open(url + path) as response:
                assert response.read().decode() == ANSWERS[path]
        console = [process.stdout.readline() for _ in range(4)]
    assert console == ["user_id:  None\n", "username None\n", "user_id:  settings cookie\n", "username 萧兮\n"]


@pytest.mark.process
def test_the_banner_says_that_the_key_came_from_the_environment_and_never_shows_it():
    with running(keys=f"{KEY},{OTHER_KEY}") as (banner, _):
        assert "from COOKIESESS_KEYS" in banner[1]
        assert KEY not in "".join(banner)


@pytest.mark.process
def test_the_demo_can_be_served_on_localhost():
    """The name may stand for two addresses."""
    with running("--host", "localhost") as (banner, _):
        url = re.search(r"http://localhost:\d+", banner[0]).group()
        with opener().open(f"{url}/") as response:
            assert response.read().decode() == ANSWERS["/"]


@pytest.mark.process
def test_the_demo_keeps_its_sessions_in_a_store(tmp_path):
    path = tmp_path / "sessions.db"
    with running("--server-side", "--store", f"sqlite:///{path}", keys=KEY) as (banner, process):
        assert banner[2] == f"sessions: on the server, in sqlite:///{path}"
        url = re.search(r"http://127\.0\.0\.1:\d+", banner[0]).group()
        client = opener()
        for route in ("/set_session", "/get_session"):
            with client.open(url + route) as response:
                assert response.read().decode() == ANSWERS[route]
        assert process.stdout.readline() == "username 萧兮\n"
    assert path.exists()


@pytest.mark.process
def test_a_store_is_enough_to_keep_the_demos_sessions_on_the_server(tmp_path):
    url = f"sqlite:///{tmp_path}/sessions.db"
    with running("--store", url, keys=KEY) as (banner, _):
        assert banner[2] == f"sessions: on the server, in {url}"


@pytest.mark.process
def test_a_store_that_cannot_be_opened_is_one_clear_line_and_exit_code_2():
    assert_refused(*run_to_its_end("--server-side", "--store", "nowhere://", keys=KEY), says="nowhere")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.process
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback address")
def test_the_banners_address_of_an_ipv6_host_can_be_opened():
    with running("--host", "::1") as (banner, _):
        url = re.search(r"http://\[::1\]:\d+", banner[0]).group()  # RFC 3986: an address with colons stands in brackets
        with opener().open(f"{url}/") as response:
            assert response.read().decode() == ANSWERS["/"]


def assert_refused(code, out, err, *, says):
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert says in err
    assert len([line for line in err.splitlines() if not line.startswith(("usage:", " "))]) == 1


@pytest.mark.process
def test_a_taken_port_is_one_clear_line_and_exit_code_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run_to_its_end("--port", str(port))
    assert_refused(code, out, err, says=f"cannot listen on 127.0.0.1:{port}")
    assert f"`make demo PORT={port + 1}`" in err


def test_the_port_to_try_instead_is_one():
    assert [another_port(port) for port in (8080, 65534, 65535)] == [8081, 65535, 8080]


@pytest.mark.process
@pytest.mark.parametrize("keys", ["short", f"{KEY},{KEY}", f"{KEY},"])
def test_a_bad_key_is_one_clear_line_and_exit_code_2(keys):
    code, out, err = run_to_its_end("--port", "0", keys=keys)
    assert_refused(code, out, err, says="COOKIESESS_KEYS")
    assert KEY not in err


@pytest.mark.process
@pytest.mark.parametrize("port", ["x", "65536", "-1", "²"])
def test_a_bad_port_is_one_clear_line_and_exit_code_2(port):
    assert_refused(*run_to_its_end("--port", port), says="port")


@pytest.mark.process
def test_a_host_that_is_not_ours_is_one_clear_line_and_exit_code_2():
    assert_refused(*run_to_its_end("--port", "0", "--host", "192.0.2.1"), says="cannot listen on 192.0.2.1")


@pytest.mark.process
def test_an_unknown_url_of_the_served_demo_is_not_found():
    with running() as (banner, _):
        url = re.search(r"http://\S+:\d+", banner[0]).group()
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            opener().open(f"{url}/other")
        caught.value.close()
