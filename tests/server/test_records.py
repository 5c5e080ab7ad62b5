"""What a store keeps: sealed, bound to its place and to its session, and good for nobody who only has the database."""

import hashlib

import pytest

from cookiesess import Key, Keyring, SessionManager
from cookiesess.events import SessionRejected, WriteDropped
from cookiesess.session.closing import CLOSED
from cookiesess.session.located import Located
from cookiesess.session.state import MOVED, REPLACED, State, pack
from cookiesess.stores.base import Record
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.tokens.encoding import encode
from cookiesess.tokens.sealing import RecordSealer, Sealer
from cookiesess.tokens.sealing import record_key_of as key_of
from cookiesess.tokens.values import ValueCodec
from kit.browser import Browser
from kit.constants import IDLE, KEY, NAME, OTHER_KEY
from kit.views import every, invalidate, login, put, renew
from kit.world import World, rotated

ID = bytes(range(32))
KID = Key(KEY).kid.hex()


class Desk:
    """Seals records by hand, under the same key as the world's manager."""

    def __init__(self, keys: str = KEY) -> None:
        ring = Keyring(keys)
        self.codec = ValueCodec()
        self.sealer = Sealer(ring)
        self.records = RecordSealer(ring)
        self.tokens = SessionManager(keys, store=MemoryStore())

    def payload(self, plaintext: bytes, session_id: bytes = ID) -> bytes:
        return self.records.seal(plaintext, session_id, key_of(session_id))

    def record(self, state: State, now: int) -> Record:
        state.extras["e"] = IDLE
        return Record(self.payload(pack(state, self.codec)), now + IDLE)

    def header(self, session_id: bytes = ID) -> str:
        token = self.sealer.seal(b"\x01" + session_id, b"\x00\x07session\x00\x0e" + NAME.encode())
        return f"{NAME}={token}"


@pytest.fixture
def desk():
    return Desk()


def stored(world, browser):
    """The key and record of a browser's session."""
    handle = world.manager.handle_of(browser.open().session)
    key = next(key for key in keys_of(world) if key.hex() == handle)
    return key, world.probe.inner.load(key, now=world.now)


def keys_of(world):
    inner = world.probe.inner
    if isinstance(inner, MemoryStore):
        return [key for key, _ in inner._all()]
    return [row[0] for row in inner._file.rows("SELECT key FROM sessions", (), world.now)]


def put_payload(world, key, record, payload):
    world.probe.inner.update(key, record._replace(payload=payload), expected_version=record.version, now=world.now)


def test_a_write_after_a_rotation_names_the_owner_under_the_new_key_and_so_does_the_write_after_that(world):
    browser = world.browser(login("ann"))
    world.use(rotated())
    for number in range(2):
        browser.visit(put("a", number))
        _, record = stored(world, browser)
        assert record.owner == RecordSealer(rotated()).owner_hash("ann")


# A leaked database


def test_neither_id_nor_owner_nor_data_stands_in_the_file(tmp_path):
    path = tmp_path / "sessions.db"
    world = World(SQLiteStore(path))
    ids = []
    world.use(random_bytes=lambda size: ids.append(hashlib.sha256(b"%d" % len(ids)).digest()[:size]) or ids[-1])
    view = every(
        login("owner-of-it"),
        put("a key", "some data"),
        lambda s: setattr(s, "label", "my phone"),
        lambda s: s.flash("hi!"),
    )
    browser = world.browser(view)
    browser.visit(renew)
    browser.visit(login("owner-of-it"))
    world.probe.close()
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    secrets = [b"owner-of-it", b"a key", b"some data", b"my phone", b"hi!", browser.header.encode()]
    secrets += [value for value in ids if len(value) == 32]
    assert len(raw) > 0
    assert len(secrets) > 8
    assert [secret for secret in secrets if secret in raw or hashlib.sha256(secret).digest() in raw] == []


def test_what_stands_in_the_database_is_no_cookie(world):
    browser = world.browser(login("ann"))
    key, record = stored(world, browser)
    for secret in (key, record.payload, record.summary, record.owner, b"\x01" + key):
        assert world.manager.open(f"{NAME}={encode(secret)}").is_new


def test_the_servers_key_and_the_database_do_not_open_a_record_without_the_id(world, desk):
    browser = world.browser(put("a", 1))
    key, record = stored(world, browser)
    for guess in (key, bytes(32), record.payload[:32]):
        with pytest.raises(Exception, match="forged"):
            desk.records.unseal(record.payload, guess, key)


def test_equal_owners_are_named_alike_and_nothing_else_is(world):
    first, second, other = (world.browser(login(owner)) for owner in ("ann", "ann", "bob"))
    owners = [stored(world, browser)[1].owner for browser in (first, second, other)]
    assert owners[0] == owners[1] != owners[2]
    assert len(owners[0]) == 32


def test_an_owner_is_named_otherwise_under_another_key(world):
    first = stored(world, world.browser(login("ann")))[1].owner
    world.use(OTHER_KEY)
    assert stored(world, world.browser(login("ann")))[1].owner != first


def test_a_session_without_an_owner_names_none(world):
    assert stored(world, world.browser(put("a", 1)))[1].owner is None


@pytest.mark.parametrize("view", [renew, login("bob")])
def test_a_closed_record_names_neither_owner_nor_summary(world, view):
    browser = world.browser(login("ann"))
    key, _ = stored(world, browser)
    browser.visit(view)
    closed = world.probe.inner.load(key, now=world.now)
    assert (closed.owner, closed.summary) == (None, b"")


# Changed or moved


def test_a_record_in_anothers_place_does_not_open(world):
    victim, thief = world.browser(put("secret", 1)), world.browser(put("a", 1))
    _, record = stored(world, victim)
    key, own = stored(world, thief)
    put_payload(world, key, own, record.payload)
    world.taken_events()
    assert thief.read() == {}
    assert world.taken_events() == [SessionRejected("forged", KID)]


@pytest.mark.parametrize("position", [0, 1, 4, 5, 16, 17, 40, -17, -1])
def test_a_flipped_bit_makes_a_record_unreadable_and_never_an_error(world, position):
    browser = world.browser(put("a", 1))
    key, record = stored(world, browser)
    flipped = bytearray(record.payload)
    flipped[position] ^= 1
    put_payload(world, key, record, bytes(flipped))
    world.taken_events()
    assert browser.visit(dict) == []
    (event,) = world.taken_events()
    assert event.reason == {0: "version", 1: "unknown-key", 4: "unknown-key"}.get(position, "forged")


@pytest.mark.parametrize("length", [0, 1, 4, 5, 6, 16, 17, 32, 33])
def test_a_record_cut_short_is_unreadable_and_never_an_error(world, length):
    browser = world.browser(put("a", 1))
    key, record = stored(world, browser)
    put_payload(world, key, record, record.payload[:length])
    assert browser.visit(dict) == []
    assert browser.read() == {}


def test_a_record_under_a_key_that_has_left_the_ring_is_gone(world, desk):
    world.use(Keyring(KEY, accepted=[OTHER_KEY]))
    browser = Browser(world, desk.header())
    record = Record(Desk(OTHER_KEY).payload(b"\x00"), world.now + 60)
    world.probe.inner.create(key_of(ID), record, now=world.now)
    world.use()
    assert browser.read() == {}
    assert world.taken_events() == [SessionRejected("unknown-key", Key(OTHER_KEY).kid.hex())]


def test_a_session_that_begins_in_place_of_an_unreadable_one_gets_another_id(world):
    browser = world.browser(put("a", 1))
    before = browser.header
    key, record = stored(world, browser)
    put_payload(world, key, record, b"\x01junk")
    browser.visit(put("b", 2))
    assert browser.header != before
    assert browser.read() == {"b": 2}


@pytest.mark.parametrize("view", [put("b", 2), renew])
def test_a_record_that_became_unreadable_meanwhile_drops_the_write(world, view):
    browser = world.browser(put("a", 1))
    request = browser.open(view)
    key, record = stored(world, browser)
    put_payload(world, key, record, b"\x01junk")
    assert request.finish() == []
    assert "session.write_dropped" in world.taken_names()


def test_a_login_succeeds_where_the_record_became_unreadable_meanwhile(world):
    browser = world.browser(put("a", 1))
    request = browser.open(every(login("ann"), put("b", 2)))
    key, record = stored(world, browser)
    put_payload(world, key, record, b"\x01junk")
    assert len(request.finish()) == 1
    assert (browser.owner(), browser.read()) == ("ann", {"b": 2})


def test_invalidate_deletes_a_record_that_became_unreadable_meanwhile(world):
    browser = world.browser(put("a", 1))
    request = browser.open()
    key, record = stored(world, browser)
    put_payload(world, key, record, b"\x01junk")
    request.finish(invalidate)
    assert world.probe.inner.load(key, now=world.now) is None


# Authentic, but of a form that this version does not know


def older_forms(now):
    codec = ValueCodec()
    minimal = [now, 3600, 0, None, None, {"a": 1}]
    return {
        "nothing": b"",
        "a reserved kind": b"\x02" + codec.pack(minimal),
        "an unknown kind": b"\x7f",
        "a token's kind": b"\x01" + ID,
        "no msgpack": b"\x00\xc1",
        "no array": b"\x00" + codec.pack("text"),
        "an empty array": b"\x00" + codec.pack([]),
        "an array cut short": b"\x00" + codec.pack(minimal[:5]),
        "times that are text": b"\x00" + codec.pack(["now", *minimal[1:]]),
        "times that are none": b"\x00" + codec.pack([None, *minimal[1:]]),
        "data that is a list": b"\x00" + codec.pack([*minimal[:5], [1]]),
        "extras that are a list": b"\x00" + codec.pack([*minimal, None, [1]]),
        "moved without an id": MOVED,
        "moved without a time": MOVED + ID,
        "replaced without a key": REPLACED,
        "closed without anything": CLOSED,
        "closed by no array": CLOSED + codec.pack("text"),
        "closed in an array cut short": CLOSED + codec.pack([0, now, None]),
        "closed in an unknown way": CLOSED + codec.pack([9, now, None, None, None]),
        "closed at a time that is text": CLOSED + codec.pack([1, "now", None, ID, None]),
        "from the future": b"\x00" + codec.pack([now + 301, *minimal[1:]]),
    }


def given_to_eve(world, desk, view):
    """A request underway, with a session that is Eve's by now.

    No request can bring that about, since a login changes the ID; should it happen, owners must not mix.
    """
    state = State(world.now, world.now, None, data={"a": 1})
    world.probe.inner.create(key_of(ID), desk.record(state, world.now), now=world.now)
    browser = world.browser(header=desk.header())
    request = browser.open(view)
    version = world.probe.inner.load(key_of(ID), now=world.now).version
    state.owner = "eve"
    world.probe.inner.update(key_of(ID), desk.record(state, world.now), expected_version=version, now=world.now)
    return request


@pytest.mark.parametrize("view", [put("b", 2), renew, lambda s: s.clear()])
def test_a_record_that_is_another_owners_by_now_drops_the_write(world, desk, view):
    request = given_to_eve(world, desk, view)
    assert request.finish() == []
    assert world.taken_events()[-1] == WriteDropped("owner")
    assert request.browser.owner() == "eve"


def test_a_login_beside_a_record_that_is_another_owners_by_now_takes_nothing_of_it(world, desk):
    request = given_to_eve(world, desk, every(login("ann"), put("b", 2)))
    old = request.browser.copy()
    assert len(request.finish()) == 1
    assert (request.browser.owner(), request.browser.read(), old.owner()) == ("ann", {"b": 2}, "eve")


@pytest.mark.parametrize("form", older_forms(0))
def test_a_record_of_an_unknown_form_is_gone_and_never_an_error(world, desk, form):
    record = Record(desk.payload(older_forms(world.now)[form]), world.now + 3600)
    world.probe.inner.create(key_of(ID), record, now=world.now)
    browser = world.browser(header=desk.header())
    assert browser.visit(dict) == []
    assert browser.read() == {}


@pytest.mark.parametrize("view", [dict, put("b", 2), renew, login("ann"), invalidate])
def test_a_record_without_the_notes_of_this_version_is_read_as_any_other(world, desk, view):
    """The idle timeout it was counted with and the marks of writes stand in no client-side state, for one."""
    state = State(world.now, world.now, world.now + 3600, data={"a": 1})
    record = Record(desk.payload(pack(state, desk.codec)), world.now + 3600)
    world.probe.inner.create(key_of(ID), record, now=world.now)
    Browser(world, desk.header()).visit(view)


@pytest.mark.parametrize(
    "fields", [[], [1, 2, 3], [1, None, None, 36_000, None, "a field of the future"], "text", None]
)
def test_a_summary_of_an_unknown_form_hides_its_session_from_the_list_and_is_no_error(world, desk, fields):
    world.browser(login("ann"))
    summary = desk.sealer.seal_bytes(desk.codec.pack(fields), b"\x00\x07summary" + key_of(ID))
    record = Record(b"", world.now + 60, summary, desk.records.owner_hash("ann"))
    world.probe.inner.create(key_of(ID), record, now=world.now)
    assert len(world.manager.sessions_of("ann")) >= 1
    assert world.manager.end_all("ann") == 2


def test_a_summary_in_anothers_place_does_not_open(world):
    first, second = world.browser(login("ann")), world.browser(login("ann"))
    key, record = stored(world, first)
    _, other = stored(world, second)
    moved = record._replace(summary=other.summary)
    world.probe.inner.update(key, moved, expected_version=record.version, now=world.now)
    assert len(world.manager.sessions_of("ann")) == 1
    assert world.manager.end_all("ann") == 2


def test_no_repr_shows_an_id(world):
    browser = world.browser(put("a", 1))
    session = browser.open().session
    key, record = stored(world, browser)
    handle = Located(ID, key, record)
    assert repr(ID) not in repr(handle)
    assert NAME not in repr(session)
