"""What tests need: sessions without a browser, a clock that is driven by hand, a browser that binds sessions to its
device, and the stores' contract as a suite.

Nothing here needs pytest, and all of it works with pytest.
"""

from cookiesess.testing.bound_browser import BoundBrowser
from cookiesess.testing.clock import ManualClock
from cookiesess.testing.contract import StoreContract
from cookiesess.testing.sessions import CookieHeader, session_transaction

__all__ = ["BoundBrowser", "CookieHeader", "ManualClock", "StoreContract", "session_transaction"]
