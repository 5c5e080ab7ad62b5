"""Two middlewares in one stack, and an app that is run twice with one environ."""

import pytest

from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    Cookies,
    SessionError,
    SessionManager,
    SessionMiddleware,
    get_cookies,
    get_manager,
    get_session,
)
from kit.constants import KEY, NAME, PLAIN
from kit.views import put
from kit.wsgi import Server, WebBrowser, answering, environ_of, hidden, wrap

SHOP, ADMIN = "cookiesess.session", "admin.session"
ADMIN_COOKIE = CookiePolicy("__Host-admin")
ADMIN_KEY = "the key of the sessions of the admins"


def stack(app, *, between=lambda app: app):
    inner = SessionMiddleware(app, ADMIN_KEY, environ_key=ADMIN, cookie=ADMIN_COOKIE)
    return wrap(between(inner))


def names(lines):
    return sorted(line.partition("=")[0] for line in lines)


def counting(environ, start_response):
    """Counts in both sessions, by different steps, and sets a cookie."""
    shop, admin = get_session(environ), get_session(environ, ADMIN)
    shop["n"] = shop.get("n", 0) + 1
    admin["n"] = admin.get("n", 0) + 10
    get_cookies(environ).set("seen", "yes")
    start_response("200 OK", [*PLAIN])
    return [f"{shop['n']} {admin['n']}".encode()]


def test_two_sessions_with_two_keys_and_two_names_live_side_by_side():
    browser = WebBrowser(stack(counting))
    assert [browser.get().text for _ in range(3)] == ["1 10", "2 20", "3 30"]
    assert sorted(browser.cookies) == [ADMIN_COOKIE.name, NAME, "seen"]


def test_two_middlewares_share_one_jar():
    jars = []

    def app(environ, start_response):
        jars.append(get_cookies(environ))
        return answering(len)(environ, start_response)

    def between(app):
        def layer(environ, start_response):
            jars.append(get_cookies(environ))
            return app(environ, start_response)

        return layer

    Server().run(stack(app, between=between), environ_of())
    assert isinstance(jars[0], Cookies)
    assert jars[0] is jars[1]


def test_the_jars_cookies_are_sent_once():
    server = Server().run(stack(counting), environ_of())
    assert names(server.lines()) == [ADMIN_COOKIE.name, NAME, "seen"]
    assert server.lines("Vary") == ["Cookie"]
    assert server.lines("Cache-Control") == ["private"]


def test_the_shared_jar_refuses_both_sessions_names():
    refused = []

    def app(environ, start_response):
        for name in (NAME, ADMIN_COOKIE.name):
            with pytest.raises(ValueError, match="is the session's cookie"):
                get_cookies(environ).set(name, "x")
            refused.append(name)
        return answering(len)(environ, start_response)

    Server().run(stack(app), environ_of())
    assert len(refused) == 2


def test_each_session_has_its_manager():
    managers = []

    def app(environ, start_response):
        managers.extend([get_manager(environ), get_manager(environ, f"{ADMIN}.manager")])
        return answering(len)(environ, start_response)

    Server().run(stack(app), environ_of())
    assert [manager.cookie.name for manager in managers] == [NAME, ADMIN_COOKIE.name]


def test_two_middlewares_with_one_environ_key_are_an_error_that_names_it():
    app = wrap(hidden(SessionMiddleware(answering(len), ADMIN_KEY, cookie=ADMIN_COOKIE)))
    with pytest.raises(SessionError, match=r"'cookiesess\.session'.*environ_key="):
        Server().run(app, environ_of())


def test_two_middlewares_with_one_cookie_name_are_an_error_that_names_it():
    app = wrap(hidden(SessionMiddleware(answering(len), ADMIN_KEY, environ_key=ADMIN)))
    with pytest.raises(SessionError, match=NAME):
        Server().run(app, environ_of())


def test_a_third_middleware_with_the_seconds_cookie_name_is_an_error():
    third = SessionMiddleware(answering(len), ADMIN_KEY, environ_key="third.session", cookie=ADMIN_COOKIE)
    with pytest.raises(SessionError, match=ADMIN_COOKIE.name):
        Server().run(stack(hidden(third)), environ_of())


def test_an_error_of_the_inner_stack_saves_neither_session():
    def app(environ, start_response):
        get_session(environ)["a"] = get_session(environ, ADMIN)["a"] = 1
        raise LookupError

    server = Server()
    with pytest.raises(LookupError):
        server.run(stack(app), environ_of())
    assert server.calls == []


def test_a_second_run_with_the_same_environ_is_fine():
    app, environ = wrap(answering(lambda session: session.setdefault("a", 1))), environ_of()
    first = Server().run(app, environ)
    second = Server().run(app, environ)
    assert len(first.lines()) == len(second.lines()) == 1


def test_a_second_run_after_an_error_is_fine():
    attempts = []

    def app(environ, start_response):
        attempts.append(True)
        get_session(environ)["attempt"] = len(attempts)
        get_cookies(environ).set("attempt", str(len(attempts)))
        if len(attempts) == 1:
            raise LookupError
        return answering(lambda session: session["attempt"])(environ, start_response)

    wrapped, environ = wrap(app), environ_of()
    with pytest.raises(LookupError):
        Server().run(wrapped, environ)
    second = Server().run(wrapped, environ)
    assert second.body == b"2"
    assert names(second.lines()) == [NAME, "attempt"]
    assert any(line.startswith("attempt=2") for line in second.lines())


def test_a_second_run_of_the_whole_stack_is_fine():
    app, environ = stack(counting), environ_of()
    assert [Server().run(app, environ).body for _ in range(2)] == [b"1 10", b"1 10"]


def test_a_second_run_of_the_inner_app_within_one_outer_request_is_fine():
    """A layer between the two that tries again, as one that retries a failed transaction does."""
    failures = [LookupError()]

    def app(environ, start_response):
        get_session(environ, ADMIN)["a"] = 1
        if failures:
            raise failures.pop()
        return answering(len)(environ, start_response)

    def retrying(app):
        def layer(environ, start_response):
            try:
                return app(environ, start_response)
            except LookupError:
                return app(environ, start_response)

        return layer

    server = Server().run(stack(app, between=retrying), environ_of())
    assert names(server.lines()) == [ADMIN_COOKIE.name]


def test_a_middleware_inside_a_finished_one_starts_anew():
    """An app that calls another wrapped app with a copy of its environ, after its own response has been made."""
    environ = environ_of()
    Server().run(wrap(answering(put("a", 1))), environ)
    server = Server().run(SessionMiddleware(answering(put("b", 2)), ADMIN_KEY, cookie=ADMIN_COOKIE), environ)
    assert names(server.lines()) == [ADMIN_COOKIE.name]


def test_one_manager_serves_two_middlewares_in_two_stacks():
    manager = SessionManager(KEY)
    write, read = (SessionMiddleware(answering(view), manager) for view in (put("a", 1), lambda session: session["a"]))
    browser = WebBrowser(write)
    browser.get()
    browser.app = read
    assert browser.get().text == "1"


def test_an_environ_key_without_a_dot_is_refused_as_pep_3333_reserves_those():
    with pytest.raises(ConfigurationError, match=r"environ_key 'admin' .* no dot .* such as 'myapp\.session'"):
        SessionMiddleware(answering(len), KEY, environ_key="admin")


@pytest.mark.parametrize("key", ["cookiesess.cookies", "cookiesess.manager", "wsgi.input", "wsgi.session"])
def test_an_environ_key_that_means_something_else_is_refused(key):
    with pytest.raises(ConfigurationError, match=f"environ_key '{key}' is taken"):
        SessionMiddleware(answering(len), KEY, environ_key=key)
