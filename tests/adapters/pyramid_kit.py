"""What the tests of the Pyramid adapter share: an app of some views, and a browser in front of it."""

import webtest
from pyramid.config import Configurator
from pyramid.response import Response

from cookiesess import CookiePolicy, SessionManager
from cookiesess.adapters.pyramid import session_factory

KEY = "the current key of the tests: more than 32 bytes"
POLICY = CookiePolicy("session", secure=False)


class Site:
    """A Pyramid app of some views, one URL for each, in front of a browser."""

    def __init__(self, *views, keys=KEY, exception_view=None, wrap=lambda app: app, **settings):
        settings = {} if isinstance(keys, SessionManager) else {"cookie": POLICY, **settings}
        self.factory = session_factory(keys, **settings)
        with Configurator(session_factory=self.factory) as config:
            for view in views:
                config.add_route(view.__name__, f"/{view.__name__}")
                config.add_view(view, route_name=view.__name__)
            if exception_view is not None:
                config.add_exception_view(exception_view, context=RuntimeError)
            self.configure(config)
            self.app = config.make_wsgi_app()
        self.browser = webtest.TestApp(wrap(self.app))

    def configure(self, config):
        pass

    def get(self, path, **options):
        return self.browser.get(f"/{path}", **options)


def put(request):
    request.session["a"] = 1
    return Response("put")


def show(request):
    return Response(repr(dict(request.session)))


def untouched(request):
    return Response("untouched")


def invalidate(request):
    request.session.invalidate()
    return Response("invalidated")


def fails(request):
    request.session["late"] = True
    raise RuntimeError("the view failed")


def invalidates_and_fails(request):
    request.session.invalidate()
    raise RuntimeError("the view failed")
