"""What an attacker tries on sessions that travel in cookies: overflow, chunks, compression, and logouts that hold."""

import zlib

import pytest

from cookiesess import CookiePolicy, Keyring, SessionManager
from cookiesess.backends.closings import ID_BYTES
from cookiesess.backends.overflow import session_id_of
from cookiesess.session.state import COMPRESSED, REFERENCE
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.signing import Signer
from kit.browser import Browser
from kit.constants import BIG, KEY, MAX_BYTES, NAME, OTHER_KEY, REF, SMALL
from kit.revocations import records
from kit.views import drop, every, invalidate, login, put, renew
from kit.world import World

VICTIM = every(login("victim"), put("balance", 100))
MOVED = every(VICTIM, put("big", BIG))


@pytest.fixture
def world():
    """Sessions that may move and can be ended."""
    return World(cookie=SMALL).with_both()


@pytest.fixture
def chunked():
    """Sessions that may be spread over three cookies."""
    return World(cookie=CookiePolicy(max_bytes=MAX_BYTES, chunks=3))


def owner_of(world, **cookies):
    return Browser(world, {NAME + name.replace("_", "."): value for name, value in cookies.items()}).owner()


# A cookie that was stolen


@pytest.mark.parametrize("session", [VICTIM, MOVED], ids=["in the cookie", "in the store"])
@pytest.mark.parametrize("end", [invalidate, login("victim"), renew], ids=["logout", "login", "renewal"])
def test_replay_a_stolen_cookie_dies_with_the_session(world, session, end):
    victim = world.browser(session)
    thief = victim.copy()
    assert thief.owner() == "victim"
    victim.visit(end)
    world.clock.advance(11)  # after the grace of a renewal
    assert thief.owner() is None


def test_replay_a_thief_who_renews_the_stolen_session_loses_it_with_the_logout_that_ran_meanwhile(world):
    victim = world.browser(VICTIM)
    thief = victim.copy()
    request = thief.open(renew)
    victim.visit(invalidate)
    request.finish()
    assert thief.owner() is None


def test_replay_a_thief_who_moves_the_stolen_session_to_the_store_loses_it_with_the_logout(world):
    victim = world.browser(VICTIM)
    thief = victim.copy()
    thief.visit(put("big", BIG))
    victim.visit(invalidate)
    assert thief.owner() is None


def test_replay_changing_the_password_ends_what_a_thief_made_of_the_session(world):
    victim = world.browser(VICTIM)
    thief = victim.copy()
    thief.visit(renew)
    world.manager.end_all("victim")
    assert thief.owner() is None


def test_replay_an_old_state_of_a_session_does_not_undo_what_was_spent_once_it_has_moved(world):
    victim = world.browser(VICTIM)
    old = dict(victim.cookies)
    victim.visit(every(put("balance", 0), put("big", BIG)))
    assert Browser(world, old | victim.cookies).read()["balance"] == 0


def test_replay_the_reference_of_a_session_that_ended_is_not_revived_by_an_inline_copy(world):
    victim = world.browser(VICTIM)
    inline = dict(victim.cookies)
    victim.visit(put("big", BIG))
    both = Browser(world, inline | victim.cookies)
    victim.visit(invalidate)
    both.visit(put("big", BIG))
    assert both.owner() is None


# Taking over a session


def test_fixation_a_reference_planted_before_the_login_does_not_share_it(world):
    attacker = world.browser(put("cart", BIG))
    victim = attacker.copy()
    victim.visit(login("victim"))
    assert victim.owner() == "victim"
    assert attacker.owner() is None


def test_fixation_a_reference_planted_beside_the_victims_session_shares_nothing_of_it(world):
    """As with one cookie: who can plant cookies can log others into a session of their own, and read none of theirs."""
    attacker, victim = world.browser(put("cart", BIG)), world.browser(VICTIM)
    victim.cookies[REF] = attacker.cookies[REF]
    victim.visit(put("secret", 1))
    assert "balance" not in attacker.read()
    assert attacker.owner() is None


def test_fixation_a_guessed_id_makes_no_record(world):
    for _ in range(3):
        guess = Sealer(Keyring(OTHER_KEY)).seal(REFERENCE + bytes(ID_BYTES), purpose("session", REF))
        Browser(world, {REF: guess}).visit(put("a", 1))
    assert world.overflow.taken() == []


def test_fixation_an_id_that_the_store_does_not_know_is_never_adopted(world):
    token = Sealer(Keyring(KEY)).seal(REFERENCE + bytes(ID_BYTES), purpose("session", REF))
    browser = Browser(world, {REF: token})
    browser.visit(put("big", BIG))
    assert browser.cookies[REF] != token
    assert Browser(world, {REF: token}).read() == {}


def test_the_id_of_a_record_cannot_be_told_from_the_store(world):
    browser = world.browser(MOVED)
    ((key, record),) = world.overflow.inner._all()
    token, _ = Sealer(Keyring(KEY)).unseal(browser.cookies[REF], purpose("session", REF))
    session_id = token[1:]
    held = key + record.payload + record.summary + (record.owner or b"")
    assert session_id not in held
    assert b"victim" not in held
    assert BIG[:20].encode() not in held


def test_two_sessions_never_meet_in_one_record(world):
    assert len({session_id_of(bytes([number] * 16)) for number in range(256)}) == 256


# Tokens moved to where they do not belong


@pytest.mark.parametrize("encrypt", [True, False], ids=["sealed", "signed"])
def test_a_plaintext_reference_in_the_sessions_cookie_opens_nothing(world, encrypt):
    world.settings |= {"encrypt": encrypt}
    world.use()
    seal = Sealer(Keyring(KEY)).seal if encrypt else Signer(Keyring(KEY)).sign
    assert owner_of(world, **{"": seal(REFERENCE + bytes(ID_BYTES), purpose("session", NAME))}) is None


@pytest.mark.parametrize(
    "plaintext", [b"\x00", b"\x00\x90", REFERENCE, REFERENCE + bytes(31), b"\x03" + bytes(40), b""]
)
def test_a_reference_that_is_none_opens_nothing(world, plaintext):
    token = Sealer(Keyring(KEY)).seal(plaintext, purpose("session", REF))
    assert owner_of(world, _ref=token) is None


def test_a_token_of_the_first_cookie_opens_nothing_as_a_reference(world):
    victim = world.browser(VICTIM)
    assert owner_of(world, _ref=victim.cookies[NAME]) is None


def test_a_sealed_cookie_of_the_jar_is_no_reference(world):
    jar = world.manager.jar("")
    jar.sealed.set("x", "y")
    (cookie,) = jar.commit()
    assert owner_of(world, _ref=cookie.value) is None


@pytest.mark.parametrize("name", [NAME, f"{NAME}.1", f"{NAME}.2"])
def test_an_app_that_lets_visitors_name_cookies_does_not_let_them_set_the_sessions(chunked, name):
    with pytest.raises(ValueError, match="is the session's cookie"):
        chunked.manager.jar("").set(name, "x")


# Pieces


def test_pieces_of_two_sessions_never_make_a_third(chunked):
    one, other = (chunked.browser(every(login(name), put("x", "x" * 700))) for name in ("attacker", "victim"))
    names = list(one.cookies)
    assert len(names) == 3
    for number in range(1, 7):
        mixed = {name: (one if number >> at & 1 else other).cookies[name] for at, name in enumerate(names)}
        assert Browser(chunked, mixed).owner() is None


def test_a_flood_of_pieces_costs_four_decryptions_and_little_work(chunked):
    header = "; ".join([f"{NAME}=3~x", f"{NAME}.1=x", f"{NAME}.2=x"] * 3000)
    assert dict(chunked.manager.open(header)) == {}


# Compression


def test_a_bomb_in_a_compressed_session_is_rejected(world):
    world.settings |= {"compress": True}
    world.use()
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = COMPRESSED + compressor.compress(bytes(1 << 24)) + compressor.flush()
    assert owner_of(world, **{"": Sealer(Keyring(KEY)).seal(bomb, purpose("session", NAME))}) is None


def test_by_default_the_length_of_a_cookie_tells_nothing_of_how_often_it_repeats_itself():
    def length_of(text):
        manager = SessionManager(KEY)
        session = manager.open("")
        session["secret"], session["chosen"] = "token=rhubarb", text
        return manager.commit(session).cookies[0].size_bytes

    assert length_of("token=rhubarb") == length_of("token=custard")


# The store of revocations, in the hands of somebody else


def test_whoever_reads_the_store_of_revocations_learns_neither_owners_nor_sessions(world):
    world.browser(VICTIM, invalidate)
    world.browser(VICTIM, renew)
    world.manager.end_all("victim")
    assert len(records(world)) == 3
    for key, record in records(world).items():
        assert b"victim" not in key + record.payload + record.summary
        assert record.owner is None


def test_whoever_writes_into_the_store_of_revocations_lets_nobody_in(world):
    thief = world.browser(VICTIM)
    thief_copy = thief.copy()
    thief.visit(invalidate)
    ((key, record),) = records(world).items()
    forged = record._replace(payload=Sealer(Keyring(OTHER_KEY)).seal_bytes(b"\x93\x00\x00\x80", b"x"))
    world.revocations.inner.update(key, forged, expected_version=record.version, now=world.now)
    world.settings |= {"on_store_error": "anonymous"}
    world.use()
    assert thief_copy.owner() is None


def test_a_visitor_who_logs_out_ends_the_copies_too(world):
    visitor = world.browser(put("cart", 1))
    copy = visitor.copy()
    visitor.visit(invalidate)
    assert copy.read() == {}


def test_a_stranger_who_leaves_nothing_leaves_nothing_in_the_store(world):
    world.browser(put("cart", 1), drop("cart"))
    assert records(world) == {}


def test_the_limits_hold_for_what_an_attacker_puts_into_a_session(world):
    browser = world.browser()
    for size in (1, 300, 5000, 100_000, 1):
        assert all(len(line.line) <= SMALL.max_bytes for line in browser.visit(put("text", "x" * size)))
        assert browser.read() == {"text": "x" * size}
