"""DjangoSignedCookie against cookies that Django has just made."""

import hashlib

import pytest
from itsdangerous import Signer

from cookiesess.readers import DjangoSignedCookie
from kit.constants import SECRET, UNTIL
from readers.suite import RotationSuite, reason_of

pytestmark = pytest.mark.process


class TestDjangoSignedCookie(RotationSuite):
    @pytest.fixture(autouse=True)
    def project(self, django):
        self.django = django

    def write(self, data, secret=SECRET):
        return self.django.write(data, secret)

    def reader(self, secret=SECRET, **settings):
        return DjangoSignedCookie(secret, **{"until": UNTIL, **settings})

    def test_the_default_age_is_djangos(self, value, at):
        assert self.reader().open(value, now=at + 14 * 86400).created_at is None
        assert reason_of(self.reader(), value, now=at + 14 * 86400 + 1) == "expired"

    def test_a_short_session_is_not_compressed_and_a_long_one_is(self):
        assert (self.write({"a": 1})[0], self.write({"a": "b" * 100})[0]) == ("e", ".")

    def test_the_keys_of_djangos_login_stay_in_the_data(self, at):
        data = {
            "_auth_user_id": "42",
            "_auth_user_backend": "shop.Backend",
            "_auth_user_hash": "h",
            "_session_expiry": 60,
        }
        assert self.reader().open(self.write(data), now=at).data == data


def signed(moment, payload="e30"):
    signer = Signer(
        SECRET,
        salt="django.contrib.sessions.backends.signed_cookies",
        sep=":",
        key_derivation="django-concat",
        digest_method=hashlib.sha256,
    )
    return signer.sign(f"{payload}:{moment}").decode()


@pytest.mark.parametrize(("moment", "written_at"), [("0", 0), ("A", 10), ("10", 62), ("z", 61), ("1Z", 97)])
def test_the_time_is_in_base_62(moment, written_at):
    reader = DjangoSignedCookie(SECRET, until=UNTIL, max_age=None)
    assert reader.open(signed(moment), now=0).refreshed_at == written_at


def test_a_time_that_is_not_in_base_62_is_refused():
    assert reason_of(DjangoSignedCookie(SECRET, until=UNTIL), signed("1-"), now=0) == "plaintext"


def test_a_time_beyond_all_clocks_is_refused():
    assert reason_of(DjangoSignedCookie(SECRET, until=UNTIL), signed("z" * 3000), now=0) == "future"
