"""Pages that were made from somebody's session: shared caches are told, and at a logout the browser, if one wants."""

import pytest

from cookiesess import ConfigurationError, CookiePolicy, get_cookies, get_session
from cookiesess.stores.memory import MemoryStore
from kit.accepting import flask, flask_cookie
from kit.constants import NAME, PLAIN
from kit.wsgi import Server, WebBrowser, environ_of, wrap

PUBLIC = ("Cache-Control", "public, max-age=60")
sides = pytest.mark.parametrize("side", [None, "store", "revocations", "overflow"])


class Site(WebBrowser):
    """A browser in front of an app of which each page is made by the view that the visit brings along."""

    def __init__(self, **settings):
        super().__init__(wrap(self._app, **settings))

    def _app(self, environ, start_response):
        self._view(environ)
        start_response("200 OK", [*PLAIN, *self._headers])
        return [b""]

    def visit(self, view, *headers):
        """Return the headers of a page that has some of its own."""
        self._view, self._headers = view, headers
        return self.get().headers

    def caching(self, view, *headers):
        """Return what a page says to caches."""
        answer = self.visit(view, *headers)
        return answer.get("Vary"), answer.get("Cache-Control")


def fill(environ):
    get_session(environ)["a"] = 1


def log_in(environ):
    get_session(environ).login("ann")


def log_out(environ):
    get_session(environ).invalidate()


def show(environ):
    return dict(get_session(environ))


def untouched(environ):
    get_session(environ)


@sides
@pytest.mark.parametrize(
    "view",
    [show, lambda environ: len(get_session(environ)), lambda environ: get_session(environ).owner],
    ids=["its data", "its length", "its owner"],
)
def test_a_page_that_only_reads_a_session_is_for_its_visitor_alone(store, side, view):
    site = Site(**({side: store} if side else {}))
    site.visit(fill)
    assert site.caching(view) == ("Cookie", "private")


def test_a_page_that_says_how_it_may_be_cached_has_its_way():
    site = Site()
    site.visit(fill)
    assert site.caching(show, PUBLIC) == ("Cookie", "public, max-age=60")


def test_a_page_that_did_not_look_at_the_session_says_nothing_of_caching():
    site = Site()
    site.visit(fill)
    assert site.caching(untouched) == (None, None)


def test_a_page_that_looked_at_cookies_alone_says_nothing_of_shared_caches():
    site = Site()
    site.visit(fill)
    assert site.caching(lambda environ: len(get_cookies(environ))) == ("Cookie", None)


@pytest.mark.parametrize("cookies", [{}, {NAME: "garbage"}, {"language": "de"}])
def test_a_page_that_found_no_session_is_nobodys(cookies):
    site = Site()
    site.cookies = cookies
    assert site.caching(show) == ("Cookie", None)


def test_a_page_for_a_session_that_has_timed_out_is_nobodys(clock):
    site = Site(clock=clock)
    site.visit(fill)
    clock.advance(60 * 86_400)
    assert site.caching(show) == ("Cookie", None)


def test_an_old_id_gets_private_pages_as_well(clock):
    """It reads empty, but a form that is made for it has a token which the session that took its place accepts."""
    site = Site(clock=clock, store=MemoryStore())
    site.visit(log_in)
    old = dict(site.cookies)
    site.visit(log_in)
    site.cookies = old
    assert site.caching(lambda environ: get_session(environ).csrf_token()) == ("Cookie", "private")


def test_another_librarys_session_makes_private_pages_as_well(clock):
    site = Site(clock=clock, accept=[flask()])
    site.cookies = {"session": flask_cookie(int(clock()))}
    assert site.caching(lambda environ: len(get_session(environ))) == ("Cookie", "private")


# At a logout


def test_a_logout_clears_what_the_policy_names():
    for directives, said in ((("cache",), '"cache"'), (["cache", "storage"], '"cache", "storage"'), (("*",), '"*"')):
        site = Site(cookie=CookiePolicy(clear_on_logout=directives))
        site.visit(fill)
        assert site.visit(log_out).getall("Clear-Site-Data") == [said]


def test_a_logout_clears_nothing_by_default():
    site = Site()
    site.visit(fill)
    assert "Clear-Site-Data" not in site.visit(log_out)


@sides
def test_a_logout_clears_whatever_the_session_lived_in(store, side):
    site = Site(cookie=CookiePolicy(clear_on_logout=("cache",)), **({side: store} if side else {}))
    site.visit(log_in)
    headers = site.visit(log_out)
    assert (headers["Clear-Site-Data"], site.cookies) == ('"cache"', {})


def in_again(environ):
    log_out(environ)
    get_session(environ).login("bob")


@pytest.mark.parametrize(
    "view",
    [show, fill, log_in, in_again, lambda environ: get_session(environ).clear(), untouched],
    ids=["read", "written", "logged in", "logged out and in", "emptied", "untouched"],
)
def test_what_is_no_logout_clears_nothing(view):
    site = Site(cookie=CookiePolicy(clear_on_logout=("cache",)))
    site.visit(fill)
    assert "Clear-Site-Data" not in site.visit(view)


@pytest.mark.parametrize(("cookie", "cleared"), [(f"{NAME}=garbage", ['"cache"']), ("language=de", []), ("", [])])
def test_a_logout_clears_where_the_browser_had_a_cookie_of_the_session(cookie, cleared):
    """Where it had none there is no logout: another site may have sent the form."""
    site = Site(cookie=CookiePolicy(clear_on_logout=("cache",)))
    for view in (log_out, lambda environ: log_out(environ) or get_session(environ).flash("goodbye")):
        site._view, site._headers = view, ()
        server = Server().run(site.app, environ_of(HTTP_COOKIE=cookie))
        assert server.lines("Clear-Site-Data") == cleared


GOODBYES = {
    "a flash": lambda session: session.flash("goodbye"),
    "a token for the next form": lambda session: session.csrf_token(),
    "saved at once": lambda session: session.update(a=1) or session.save(),
    "saved, and written once more": lambda session: session.update(a=1) or session.save() or session.update(b=2),
}


@sides
@pytest.mark.parametrize("goodbye", GOODBYES.values(), ids=GOODBYES)
def test_a_logout_that_leaves_something_for_the_next_page_clears_all_the_same(store, side, goodbye):
    site = Site(cookie=CookiePolicy(clear_on_logout=("cache",)), **({side: store} if side else {}))
    site.visit(log_in)
    headers = site.visit(lambda environ: log_out(environ) or goodbye(get_session(environ)))
    assert headers.getall("Clear-Site-Data") == ['"cache"']
    assert site.cookies != {}


EVERYTHING_ELSE = '"cache", "storage", "clientHints", "executionContexts", "prefetchCache", "prerenderCache"'


@pytest.mark.parametrize(
    ("directives", "said"),
    [(("cookies", "cache"), ['"cache"']), (("cookies",), []), (("*",), [EVERYTHING_ELSE])],
)
def test_what_a_logout_leaves_for_the_next_page_is_not_cleared_with_the_cookies(directives, said):
    site = Site(cookie=CookiePolicy(clear_on_logout=directives))
    site.visit(log_in)
    headers = site.visit(lambda environ: log_out(environ) or get_session(environ).flash("goodbye"))
    assert headers.getall("Clear-Site-Data") == said


def save_emptied(environ):
    session = get_session(environ)
    session.clear()
    session.save()


def test_a_session_that_became_empty_and_was_saved_is_no_logout(store):
    site = Site(cookie=CookiePolicy(clear_on_logout=("cache",)), store=store)
    site.visit(fill)
    headers = site.visit(save_emptied)
    assert ("Clear-Site-Data" in headers, site.cookies) == (False, {})


@pytest.mark.parametrize("directives", ["cache", None, {"cache"}, True])
def test_what_is_no_tuple_of_directives_is_refused(directives):
    with pytest.raises(ConfigurationError, match=r"write clear_on_logout=\('cache',\)"):
        CookiePolicy(clear_on_logout=directives)


@pytest.mark.parametrize("directive", ["caches", "Cache", '"cache"', "", None, ["cache"]])
def test_an_unknown_directive_is_refused_with_those_that_there_are(directive):
    with pytest.raises(ConfigurationError, match="choose among 'cache', 'cookies', 'storage'"):
        CookiePolicy(clear_on_logout=("cache", directive))


def test_a_policy_with_directives_can_be_compared_and_hashed():
    assert len({CookiePolicy(clear_on_logout=["cache"]), CookiePolicy(clear_on_logout=("cache",)), CookiePolicy()}) == 2
