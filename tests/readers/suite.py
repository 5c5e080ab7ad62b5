"""What every reader must do, run against cookies that the real library has just made."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from cookiesess.errors import InvalidToken
from cookiesess.session.lifetime import CLOCK_SKEW_SECONDS
from kit.constants import SECRET
from kit.strategies import exact

OTHER_SECRET = "another secret, of which nobody has told the reader"

# In alphabetical order, in which Flask writes.
JSON_VALUES = {
    "big": 1 << 80,
    "cart": ["tea", {"count": 3, "price": 2.5}],
    "empty": {},
    "none": None,
    "separators": '.:|;"\\/+-_= \n',
    "user": "萧兮",
    "yes": True,
}


def value_of(set_cookie: str) -> str:
    """Return the value as it stands in a Set-Cookie line, which is how the browser sends it back."""
    return set_cookie.partition(";")[0].partition("=")[2]


def reason_of(reader, value, *, now):
    """Return why `reader` refuses `value`."""
    with pytest.raises(InvalidToken) as raised:
        reader.open(value, now=now)
    return raised.value.reason


def opened(reader, values, *, now):
    """Return those of `values` that `reader` opens; the others must be refused properly."""
    found = []
    for value in values:
        try:
            reader.open(value, now=now)
        except InvalidToken:
            continue
        found.append(value)
    return found


class ReaderSuite:
    """Subclasses say how the real library writes, and what it is read with."""

    SESSION = JSON_VALUES

    def write(self, data, secret=SECRET):
        """Return a cookie's value from a response of the real library."""
        raise NotImplementedError

    def reader(self, secret=SECRET, **settings):
        """Return the reader for it."""
        raise NotImplementedError

    @pytest.fixture
    def value(self):
        """A cookie that holds `SESSION`."""
        return self.write(self.SESSION)

    @pytest.fixture
    def at(self, value):
        """When it was written."""
        return self.reader().open(value, now=int(time.time())).refreshed_at

    def test_what_the_library_wrote_comes_back_with_its_types(self, value, at):
        assert exact(self.reader().open(value, now=at).data) == exact(self.SESSION)

    def test_a_long_session_comes_back(self, at):
        data = {"words": ["again and"] * 150}
        assert self.reader().open(self.write(data), now=at).data == data

    def test_the_time_of_writing_is_told(self):
        began = int(time.time())
        value = self.write({"a": 1})
        ended = int(time.time())
        assert began <= self.reader().open(value, now=ended).refreshed_at <= ended

    def test_a_value_that_differs_in_one_character_is_refused(self, value, at):
        changed = {
            value[:index] + other + value[index + 1 :]
            for index, character in enumerate(value)
            for other in {chr(ord(character) ^ 1), character.swapcase(), "A", ".", "é"} - {character}
        }
        assert opened(self.reader(), changed, now=at) == []

    def test_a_value_that_is_cut_off_or_continued_is_refused(self, value, at):
        others = [value[:index] for index in range(len(value))] + [value[1:], value + "A", value + "=", f'"{value}"']
        assert opened(self.reader(), others, now=at) == []

    def test_a_cookie_under_another_secret_is_refused(self, at):
        assert reason_of(self.reader(), self.write(self.SESSION, OTHER_SECRET), now=at) == "forged"

    def test_from_until_on_nothing_opens(self, value, at):
        reader = self.reader(until=datetime.fromtimestamp(at + 60, UTC))
        assert reader.open(value, now=at + 59).data == self.SESSION
        assert reason_of(reader, value, now=at + 60) == "retired"

    def test_a_cookie_older_than_max_age_is_refused(self, value, at):
        reader = self.reader(max_age=timedelta(minutes=1))
        assert reader.open(value, now=at + 60).data == self.SESSION
        assert reason_of(reader, value, now=at + 61) == "expired"

    def test_without_max_age_a_cookie_of_any_age_opens(self, value, at):
        assert self.reader(max_age=None).open(value, now=at + 10**9).data == self.SESSION

    def test_a_cookie_from_the_future_is_refused(self, value, at):
        assert self.reader().open(value, now=at - CLOCK_SKEW_SECONDS).data == self.SESSION
        assert reason_of(self.reader(), value, now=at - CLOCK_SKEW_SECONDS - 1) == "future"

    def test_text_that_no_session_carries_is_refused(self, at):
        assert reason_of(self.reader(), self.write({"text": "\ud800"}), now=at) == "foreign"

    def test_the_owner_is_taken_from_the_data(self, value, at):
        assert self.reader(owner=lambda data: data["user"]).open(value, now=at).owner == "萧兮"

    def test_nobody_owns_a_session_by_default(self, value, at):
        assert self.reader().open(value, now=at).owner is None


class RotationSuite(ReaderSuite):
    """For libraries whose reader takes older secrets."""

    def test_a_cookie_under_an_older_secret_opens(self, value, at):
        reader = self.reader(OTHER_SECRET, fallbacks=["a third secret, as good as any", SECRET])
        assert reader.open(value, now=at).data == self.SESSION

    def test_the_newest_secret_opens_beside_older_ones(self, value, at):
        assert self.reader(fallbacks=[OTHER_SECRET]).open(value, now=at).data == self.SESSION

    def test_a_secret_may_be_bytes(self, value, at):
        assert self.reader(SECRET.encode()).open(value, now=at).data == self.SESSION

    def test_a_secret_beyond_ascii_opens(self, at):
        for secret in ("schlüssel für die sitzungen", "会话密钥会话密钥会话密钥"):
            assert self.reader(secret).open(self.write({"a": 1}, secret), now=at).data == {"a": 1}
