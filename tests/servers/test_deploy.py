"""What docs/deploy shows is started as it stands there: nginx with TLS, gunicorn by systemd's command, Redis, uWSGI."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
from contextlib import closing

import pytest
import yaml

from kit.servers.process import find, free_port
from kit.servers.redis import client_of
from servers.deployed import (
    BIN,
    FILES,
    Browser,
    listens,
    listens_at,
    machine,
    over_http,
    unit_of,
    variables_of,
)

VISITS = [f"visit number {number}\n" for number in range(1, 7)]


@pytest.fixture
def one():
    """One machine, on which nothing runs yet."""
    with machine() as made:
        yield made


def by_systemd(one, **more):
    """Start gunicorn by the unit's command, in its environment."""
    unit = unit_of(one.file("shop.service"))
    assert unit["WorkingDirectory"] == [str(one.folder)]
    variables = variables_of(unit["Environment"])
    (command,) = unit["ExecStart"]
    at = one.folder / "run" / "gunicorn.sock"
    return one.start(shlex.split(command), {**variables, **more}, port=0, ready=lambda: listens_at(at))


def test_nginx_gunicorn_and_systemd_serve_the_shop_over_https(one):
    by_systemd(one)
    one.nginx(one.file("nginx.conf"))
    browser = Browser(one)
    assert [browser.get("/tea") for _ in VISITS] == VISITS
    assert list(browser.cookies) == ["__Host-session"]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(browser.lines[0].split("; "))
    assert "cookie.secure_over_http" not in one.log()
    assert over_http(one, "/tea") == (301, "https://shop.example/tea")


def test_the_systemd_unit_is_told_when_gunicorn_is_ready(one):
    at = str(one.folder / "run" / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notified:
        notified.bind(at)
        notified.settimeout(20)
        by_systemd(one, NOTIFY_SOCKET=at)
        assert b"READY=1" in notified.recv(1000)


def test_who_does_not_come_through_nginx_seems_to_speak_plain_http(one):
    by_systemd(one)
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(str(one.folder / "run" / "gunicorn.sock"))
        client.sendall(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
        while client.recv(10_000):
            pass
    assert "cookie.secure_over_http" in one.log()


def test_sessions_outlive_a_reload(one):
    gunicorn = by_systemd(one)
    one.nginx(one.file("nginx.conf"))
    browser = Browser(one)
    assert browser.get("/") == VISITS[0]
    gunicorn.process.send_signal(signal.SIGHUP)  # what ExecReload does
    assert [browser.get("/") for _ in VISITS[1:]] == VISITS[1:]


def test_a_session_in_five_cookies_passes(one):
    by_systemd(one)
    one.nginx(one.file("nginx.conf"))
    browser = Browser(one)
    browser.cookies = {f"theirs.{number}": "x" * 4000 for number in range(5)}
    assert browser.get("/") == VISITS[0]


def test_the_container_s_command_serves_the_shop_in_the_environment_of_compose(one):
    service = yaml.safe_load(one.file("compose.yaml"))["services"]["shop"]
    (command,) = re.findall(r"^CMD (\[.*\])$", (FILES / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    program, *arguments = json.loads(command)
    port = free_port()
    variables = {name: str(value) for name, value in service["environment"].items()}
    variables["SHOP_BIND"] = variables["SHOP_BIND"].replace("0.0.0.0:8000", f"127.0.0.1:{port}")
    one.start([str(BIN / program), *arguments], variables, port=port, ready=lambda: listens(port))
    one.nginx(one.file("nginx.conf").replace(f"unix:{one.folder}/run/gunicorn.sock", f"127.0.0.1:{port}"))
    browser = Browser(one)
    assert [browser.get("/") for _ in VISITS] == VISITS
    assert "cookie.secure_over_http" not in one.log()


@pytest.fixture
def redis_here(one):
    """Redis with the page's file, of which the address and the folder alone are others; return its address."""
    binary, port = find("redis-server"), free_port()
    if binary is None:
        pytest.skip("redis-server is missing: apt-get install redis-server")
    text = (FILES / "redis.conf").read_text(encoding="utf-8")
    for theirs, ours in {
        "bind 10.0.0.10": "bind 127.0.0.1", "port 6379": f"port {port}", "/var/lib/redis": f"{one.folder}/lib",
    }.items():  # fmt: skip
        assert theirs in text
        text = text.replace(theirs, ours)
    (one.folder / "redis.conf").write_text(text)

    def ready():
        with client_of(port, password="a-long-password") as client:
            return client.ping()

    one.start([binary, f"{one.folder}/redis.conf"], {}, port=port, ready=ready)
    with client_of(port, password="a-long-password") as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    return f"127.0.0.1:{port}"


@pytest.mark.servers
def test_two_machines_share_their_sessions_in_redis(one, redis_here):
    ports, upstream = [free_port(), free_port()], one.file("nginx-machines.conf")
    unit, text = unit_of(one.file("shop.service")), one.file("machines.env")
    text = text.replace("10.0.0.10:6379", redis_here).replace("SHOP_PROXY=10.0.0.1", "SHOP_PROXY=127.0.0.1")
    for number, port in enumerate(ports):
        theirs = f"10.0.0.1{number + 1}:8000"
        assert theirs in upstream
        upstream = upstream.replace(theirs, f"127.0.0.1:{port}")
        variables = variables_of(text.replace("10.0.0.11:8000", f"127.0.0.1:{port}").splitlines())
        one.start(shlex.split(unit["ExecStart"][0]), variables, port=port, ready=lambda port=port: listens(port))
    site = one.file("nginx.conf")
    one.nginx(upstream + site[site.index("server {\n    listen") :])
    browser = Browser(one)
    assert [browser.get("/") for _ in VISITS] == VISITS
    assert "cookie.secure_over_http" not in one.log()


def test_uwsgi_serves_both_apps_in_the_same_processes(one):
    uwsgi = shutil.which("uwsgi", path=os.pathsep.join([str(BIN), *os.get_exec_path()]))
    if uwsgi is None:
        pytest.skip("uwsgi is not installed: pip install pyuwsgi")
    unit, at = unit_of(one.file("uwsgi.service")), one.folder / "run" / "uwsgi.sock"
    (one.folder / "etc" / "uwsgi.ini").write_text(one.file("uwsgi.ini"))
    (command,) = unit["ExecStart"]
    command = [uwsgi, *shlex.split(command)[1:]]
    one.start(command, variables_of(unit["Environment"]), port=0, ready=lambda: listens_at(at))
    page = (FILES / "uwsgi.md").read_text(encoding="utf-8")
    new = re.findall(r"`((?:include|uwsgi_pass) [^`]+;)`", page)
    assert len(new) == 2
    site = re.sub(r"^ *(?:proxy_set_header|proxy_pass|# Replaces).*\n", "", one.file("nginx.conf"), flags=re.MULTILINE)
    site = site[site.index("server {\n    listen") :]
    one.nginx(site.replace("location / {", "location / {\n" + one.placed("\n".join(new))))
    browser = Browser(one)
    for number in (1, 2, 3):
        assert browser.get("/") == f"visit number {number}\n"
        assert browser.get("/forum/") == f"forum, visit number {number}\n"
    assert set(browser.cookies) == {"__Host-session", "__Host-forum"}
    assert "cookie.secure_over_http" not in one.log()
