"""A real nginx that caches by the path's ending and ignores ``Vary``, as some CDNs do (web cache deception)."""

import os
import urllib.request

import pytest

from cookiesess import CookiePolicy, SessionMiddleware, get_session
from kit.constants import KEY
from kit.servers.process import Server, find, free_port
from kit.serving import serving

CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/errors; {user}
events {{}}
http {{
    access_log off;
    proxy_cache_path {folder}/cache keys_zone=pages:1m;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        proxy_set_header Host $http_host;
        location / {{ proxy_pass {app}; }}
        location ~ \\.css$ {{
            proxy_pass {app};
            proxy_cache pages; proxy_cache_valid 200 1h; proxy_ignore_headers Vary;
        }}
    }}
}}
"""
PUBLIC = ("Cache-Control", "public, max-age=60")


def make_app(*headers):
    def app(environ, start_response):
        session = get_session(environ)
        if environ["PATH_INFO"] == "/login":
            session.login("ann")
        start_response("200 OK", [("Content-Type", "text/html"), *headers])
        return [f"account of {session.owner}".encode()]

    return SessionMiddleware(app, KEY, cookie=CookiePolicy("session", secure=False))


@pytest.fixture
def cached(tmp_path):
    """Return a function that serves an app behind that cache, and returns the cache's URL."""
    nginx = find("nginx")
    if nginx is None:
        pytest.skip("nginx is missing: apt-get install nginx-light")
    running = []

    def cached(app):
        port = free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        (tmp_path / "nginx.conf").write_text(CONFIG.format(folder=tmp_path, port=port, app=app, user=user))
        command = [nginx, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "errors"]
        url = f"http://127.0.0.1:{port}"
        running.append(Server(command, port=port, folder=tmp_path, ready=lambda: ask(f"{url}/ready")))
        running[-1].start()
        return url

    yield cached
    for server in running:
        server.stop()


def ask(url, cookie=""):
    """Return a page, and the session's cookie if it sets one."""
    request = urllib.request.Request(url, headers={"Cookie": cookie} if cookie else {})
    with urllib.request.urlopen(request) as response:
        return response.read().decode(), (response.headers["Set-Cookie"] or "").partition(";")[0]


def seen_after_a_visit(cached, app):
    """Return what a member sees at an address that looks like a stylesheet, and what the next visitor gets there."""
    with serving(app) as behind:
        url = cached(behind)
        _, cookie = ask(f"{url}/login")
        return ask(f"{url}/account/x.css", cookie)[0], ask(f"{url}/account/x.css")[0]


def test_a_page_that_was_made_from_somebodys_session_is_not_handed_to_the_next_visitor(cached):
    assert seen_after_a_visit(cached, make_app()) == ("account of ann", "account of None")


def test_a_page_that_the_app_itself_declares_public_is(cached):
    assert seen_after_a_visit(cached, make_app(PUBLIC)) == ("account of ann", "account of ann")
