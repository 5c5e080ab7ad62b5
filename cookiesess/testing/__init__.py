"""What tests need: the stores' contract as a test suite, and a clock that is driven by hand.

Nothing here needs pytest, and all of it works with pytest.
"""

from cookiesess.testing.clock import ManualClock
from cookiesess.testing.contract import StoreContract

__all__ = ["ManualClock", "StoreContract"]
