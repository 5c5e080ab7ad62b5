"""What every test may know by name: keys, names of cookies, sizes, and the timeouts by which clocks are moved."""

from datetime import UTC, datetime, timedelta

from cookiesess import CookiePolicy, Lifetime

KEY = "the current key of the tests: more than 32 bytes"
OTHER_KEY = "another key which is as long as it has to be"
SECRET = "a secret that the other library signs with"

NAME = "__Host-session"
REF = f"{NAME}.ref"
GARBAGE = f"{NAME}=AQIDBAUGBwgJ"
PERSISTENT = CookiePolicy(persistent=True)

LIMIT_BYTES = 4093
MAX_BYTES = 512
SMALL = CookiePolicy(max_bytes=MAX_BYTES)
BIG = "x" * 1000
"""More than a cookie of `SMALL` holds."""

LIFETIME = Lifetime(idle=timedelta(hours=10), absolute=timedelta(hours=20), refresh_after=timedelta(hours=1))
REFRESH, IDLE, ABSOLUTE = 3600, 36_000, 72_000
"""The same in seconds."""
GRACE = 10
DAY = 86_400
NOW = 1_700_000_000
"""Where a `ManualClock` begins."""
UNTIL = datetime(2100, 1, 1, tzinfo=UTC)

SECONDS = 30
"""For how long a thread waits for another before its test fails: far longer than any timeout in the tests."""

PLAIN = [("Content-Type", "text/plain; charset=utf-8")]
