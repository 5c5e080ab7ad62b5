"""Helpers for your tests: sessions without a browser, a clock that you set, a browser that binds sessions to its
device, and the stores' contract as a test suite.

All of them work with pytest, and none of them needs it.
"""

from cookiesess.testing.bound_browser import BoundBrowser
from cookiesess.testing.clock import ManualClock
from cookiesess.testing.contract import StoreContract
from cookiesess.testing.sessions import CookieHeader, session_transaction

__all__ = ["BoundBrowser", "CookieHeader", "ManualClock", "StoreContract", "session_transaction"]
