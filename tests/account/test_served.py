"""``python -m examples --account``: either app on its server."""

import re
import socket
from urllib.parse import urlencode

import pytest

from account.conftest import APPS
from edge.test_examples import assert_refused, opener, run_to_its_end, running
from kit.constants import KEY

pytestmark = pytest.mark.process


def words(framework):
    return ["--account"] if framework == "flask" else ["--account", framework]


@pytest.mark.parametrize("framework", APPS)
def test_the_account_page_is_served_and_somebody_logs_in(framework, tmp_path):
    url = f"sqlite:///{tmp_path}/sessions.db"
    with running(*words(framework), "--store", url, keys=KEY, last="as the page says") as (banner, _):
        assert banner[2] == f"sessions: on the server, in {url}"
        site = re.search(r"account page on (http://127\.0\.0\.1:\d+)", banner[0])[1]
        client = opener()
        with client.open(f"{site}/login") as answer:
            token = re.search('name="csrf_token" value="([^"]+)"', answer.read().decode())[1]
        form = {"csrf_token": token, "user": "ann", "password": "green tea"}
        with client.open(f"{site}/login", urlencode(form).encode()) as answer:
            assert "<h1>Your account</h1>" in answer.read().decode()


def test_a_taken_port_is_said_with_another_one():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run_to_its_end("--account", "--store", "memory://", "--port", str(port))
    assert_refused(code, out, err, says=f"cannot listen on 127.0.0.1:{port}")
    assert f"such as --port {port + 1}" in err


def test_the_inspector_and_the_account_page_are_not_served_together():
    assert_refused(*run_to_its_end("--account", "--inspect"), says="leave one of them out")


def test_a_framework_that_it_does_not_have_is_refused():
    assert_refused(*run_to_its_end("--account", "rails"), says="choose from")
