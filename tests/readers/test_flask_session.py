"""FlaskSessionRedis against what Flask-Session has just written into Redis."""

import pickle
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import flask
import msgspec
import pytest
from flask_session import Session as FlaskSession
from hypothesis import example, given
from hypothesis import strategies as st

from cookiesess import ConfigurationError, SessionManager, StoreUnavailable
from cookiesess.errors import InvalidToken
from cookiesess.readers import FlaskSessionRedis
from cookiesess.readers.flask_session import _decoded
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import KEY, SECRET, UNTIL
from kit.servers.redis import client_of, shared_redis  # noqa: F401
from kit.strategies import exact
from readers.suite import JSON_VALUES, OTHER_SECRET, reason_of, value_of

DATES = [
    datetime(2024, 2, 29, 12, 30, 15, 250_000, UTC),
    datetime(1969, 1, 1, tzinfo=UTC),
    datetime(9999, 1, 1, tzinfo=UTC),
]
WRITTEN = {**JSON_VALUES, "big": 1 << 63, "dates": DATES, "bytes": b"\x00\xff", "inner": {1: [True]}}
# msgspec has no type of msgpack's own for these.
AS_TEXT = {
    "naive": datetime(2024, 2, 29, 12, 30),
    "id": UUID(int=7),
    "price": Decimal("2.50"),
}


def site(port, **settings):
    """An app with the real Flask-Session, whose view puts into the session what the test says."""
    app = flask.Flask(__name__)
    app.secret_key = SECRET
    app.config |= {"SESSION_TYPE": "redis", "SESSION_REDIS": client_of(port), **settings}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # SESSION_USE_SIGNER
        FlaskSession(app)

    @app.get("/")
    def view():
        flask.session.update(app.extensions["data"])
        return ""

    return app


def write(app, data):
    """Return the cookie that the app answers with."""
    app.extensions["data"] = data
    return value_of(app.test_client().get("/").headers["Set-Cookie"])


@pytest.mark.servers
class TestFlaskSession:
    @pytest.fixture(autouse=True)
    def redis(self, shared_redis):  # noqa: F811
        self.port = shared_redis.port

    def reader(self, **settings):
        return FlaskSessionRedis(f"redis://127.0.0.1:{self.port}/0", **{"until": UNTIL, **settings})

    def test_what_it_wrote_as_msgpack_comes_back_with_its_types(self):
        value = write(site(self.port), WRITTEN)
        assert exact(self.reader().open(value, now=0).data) == exact({"_permanent": True, **WRITTEN})

    def test_what_it_wrote_as_text_comes_back_as_text(self):
        value = write(site(self.port), AS_TEXT)
        wanted = {"naive": "2024-02-29T12:30:00", "id": str(UUID(int=7)), "price": "2.50"}
        assert self.reader().open(value, now=0).data == {**wanted, "_permanent": True}

    def test_what_it_wrote_as_json_comes_back(self):
        data = {name: value for name, value in JSON_VALUES.items() if name != "big"}
        value = write(site(self.port, SESSION_SERIALIZATION_FORMAT="json"), data)
        assert self.reader().open(value, now=0).data == {**data, "_permanent": True}

    def test_a_signed_id_opens_with_the_secret_alone(self):
        value = write(site(self.port, SESSION_USE_SIGNER=True), {"a": 1})
        assert self.reader(secret_key=SECRET).open(value, now=0).data["a"] == 1
        assert self.reader(secret_key=OTHER_SECRET, fallbacks=[SECRET]).open(value, now=0).data["a"] == 1
        assert reason_of(self.reader(secret_key=OTHER_SECRET), value, now=0) == "forged"
        assert reason_of(self.reader(), value, now=0) == "malformed"

    def test_another_prefix_has_other_sessions(self):
        value = write(site(self.port, SESSION_KEY_PREFIX="shop:"), {"a": 1})
        assert reason_of(self.reader(), value, now=0) == "missing"
        assert self.reader(prefix="shop:").open(value, now=0).data["a"] == 1

    def test_a_pickle_is_refused_and_stays(self):
        client = client_of(self.port)
        client.set("session:" + "p" * 43, pickle.dumps({"a": 1}))
        assert reason_of(self.reader(), "p" * 43, now=0) == "stored-pickle"
        assert client.exists("session:" + "p" * 43)

    def test_it_moves_and_its_key_goes(self):
        value = write(site(self.port), {"user": "ann"})
        manager = SessionManager(KEY, store=MemoryStore(), accept=[self.reader()])
        cookies = CookieHeader(f"session={value}")
        for _ in range(2):
            with session_transaction(manager, cookies) as session:
                assert session["user"] == "ann"
        assert not client_of(self.port).exists(f"session:{value}")

    def test_with_cookies_its_key_ends_in_ten_minutes(self):
        value = write(site(self.port), {"user": "ann"})
        manager = SessionManager(KEY, accept=[self.reader()])
        with session_transaction(manager, CookieHeader(f"session={value}")) as session:
            assert session["user"] == "ann"
        assert 590 <= client_of(self.port).ttl(f"session:{value}") <= 600
        client_of(self.port).expire(f"session:{value}", 60)
        self.reader().fade(value, now=0)
        assert client_of(self.port).ttl(f"session:{value}") <= 60


@pytest.mark.servers
def test_a_server_that_is_gone_is_said_so():
    reader = FlaskSessionRedis("redis://127.0.0.1:9/0", until=UNTIL)
    with pytest.raises(StoreUnavailable, match="no connection to Redis"):
        reader.open("s" * 43, now=0)


def outcome(data):
    try:
        return _decoded(data)
    except InvalidToken as error:
        return error.reason


@given(st.binary(max_size=60))
@example(b"\xc7\x0c\xff" + b"\x00" * 4 + b"\x7f" * 8)
@example(b"\xc7\x03\xff123")
@example(b"\xd6\x051234")
@example(pickle.dumps({"a": 1}))
def test_whatever_is_there_a_value_comes_back_or_a_refusal(data):
    outcome(data)


@pytest.mark.parametrize("date", [*DATES, datetime(2024, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, 0, 0, 0, 5, UTC)])
def test_dates_come_back_from_each_of_msgpacks_forms(date):
    assert outcome(msgspec.msgpack.encode({"at": date})) == {"at": date}


@pytest.mark.parametrize(
    "data", [b"\xc7\x0c\xff" + b"\x00" * 4 + b"\x7f" * 8, b"\xc7\x03\xff123", b"\xd6\x051234", b"{"]
)
def test_what_is_no_date_of_msgpacks_is_refused(data):
    assert outcome(data) == "plaintext"


class Kept(FlaskSessionRedis):
    """Has one value instead of a server."""

    def _execute(self, verb, session_id, *arguments):
        return b"\x81\x01\x02"


def test_keys_that_are_no_text_are_refused():
    assert reason_of(Kept("redis://host:6379/0", until=UNTIL), "s" * 43, now=0) == "stored-plaintext"


@pytest.mark.parametrize(
    ("url", "words"), [(None, "text, not NoneType"), ("sqlite:///old.db", "begins with redis: or rediss:")]
)
def test_a_url_of_another_kind_is_refused(url, words):
    with pytest.raises(ConfigurationError, match=words):
        FlaskSessionRedis(url, until=UNTIL)
