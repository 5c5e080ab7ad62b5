"""What an attacker tries on sessions, keys and tokens, one test each: it fails where the defence is taken away."""

from datetime import timedelta

import pytest

from cookiesess import CookiePolicy, Keyring, Lifetime, SessionManager
from kit.browser import Browser
from kit.constants import KEY, NAME, OTHER_KEY
from kit.tokens import logged_in, raw, seen_by, text, token_of
from kit.views import put
from kit.wsgi import Server, answering, environ_of, wrap

# Taking over a session


def test_fixation_a_token_planted_before_the_login_does_not_share_it():
    planted = token_of(put("cart", [1]))
    victim = Browser(SessionManager(KEY), f"{NAME}={planted}")
    victim.visit(lambda session: session.login("victim"))
    assert victim.token != planted
    assert victim.read(lambda session: session.owner) == "victim"
    assert seen_by(f"{NAME}={planted}")[0] is None


def test_fixation_a_form_token_seen_before_the_login_is_void_after_it():
    tokens = []
    planted = token_of(lambda session: tokens.append(session.csrf_token()))
    victim = Browser(SessionManager(KEY), f"{NAME}={planted}")
    victim.visit(lambda session: session.login("victim"))
    assert not victim.read(lambda session: session.check_csrf(tokens[0]))


def test_an_attackers_data_does_not_wait_in_the_session_of_the_next_owner():
    visitor = Browser(SessionManager(KEY))
    visitor.visit(lambda session: [session.login("attacker"), put("card", "attacker's")(session)])
    visitor.visit(lambda session: session.login("victim"))
    assert visitor.read() == {}


def test_tossing_a_cookie_that_a_subdomain_planted_in_front_hides_nothing():
    real = f"{NAME}={token_of()}"
    for planted in ("x", "", token_of(keys=OTHER_KEY), '"', token_of(encrypt=False)):
        assert seen_by(f"{NAME}={planted}; {real}")[0] == "victim"


def test_tossing_the_default_name_lets_no_browser_take_the_cookie_of_a_subdomain_or_of_plain_http():
    """RFC 6265bis section 4.1.3.2: what ``__Host-`` demands, or the browser drops the cookie."""
    (line,) = Server().run(wrap(answering(logged_in)), environ_of()).lines()
    assert line.startswith("__Host-")
    assert "; Secure" in line
    assert "; Path=/;" in line
    assert "Domain" not in line


def test_tossing_any_number_of_cookies_that_none_of_our_keys_made_hides_nothing():
    real = f"{NAME}={token_of()}"
    for planted in ("x", token_of(keys=OTHER_KEY), token_of(encrypt=False)):
        assert seen_by("; ".join([f"{NAME}={planted}"] * 40 + [real]))[0] == "victim"


def test_tossing_a_flood_of_forged_cookies_buys_four_decryptions_and_no_more():
    """Whoever names one of our keys costs a decryption. This is what a planter can do: hide a session, not read it."""
    token = token_of()
    forged = f"{NAME}={token[:-4]}AAAA"
    assert seen_by("; ".join([forged] * 3 + [f"{NAME}={token}"]))[0] == "victim"
    assert seen_by("; ".join([forged] * 4 + [f"{NAME}={token}"]))[0] is None


def test_a_script_cannot_read_the_cookie():
    assert "; HttpOnly" in Server().run(wrap(answering(logged_in)), environ_of()).lines()[0]


def test_another_site_cannot_post_with_the_session():
    assert "; SameSite=Lax" in Server().run(wrap(answering(logged_in)), environ_of()).lines()[0]


# A cookie that was stolen


@pytest.mark.parametrize(
    ("seconds", "owner"), [(3599, "victim"), (3600, None)], ids=["before its idle timeout", "after it"]
)
def test_replay_a_copy_opens_until_its_timeout_and_not_a_second_longer(clock, seconds, owner):
    lifetime = Lifetime(idle=timedelta(hours=1), absolute=timedelta(hours=10))
    token = token_of(clock=clock, lifetime=lifetime)
    clock.advance(seconds)
    assert seen_by(f"{NAME}={token}", clock=clock, lifetime=lifetime)[0] == owner


def test_replay_a_thief_who_keeps_a_session_busy_loses_it_at_its_absolute_timeout(clock):
    lifetime = Lifetime(idle=timedelta(hours=1), absolute=timedelta(hours=10))
    thief = Browser(SessionManager(KEY, clock=clock, lifetime=lifetime))
    thief.visit(logged_in)
    for _ in range(19):
        clock.advance(1800)
        thief.visit(lambda session: session.renew())
        assert thief.read(lambda session: session.owner) == "victim"
    clock.advance(1800)
    assert thief.read(lambda session: session.owner) is None


def test_replay_a_thief_cannot_prolong_a_session_by_sending_the_same_copy(clock):
    lifetime = Lifetime(idle=timedelta(hours=1), absolute=timedelta(hours=10))
    token = token_of(clock=clock, lifetime=lifetime)
    for _ in range(2):
        clock.advance(1800)
        owner = seen_by(f"{NAME}={token}", clock=clock, lifetime=lifetime)[0]
    assert owner is None


# Keys and tokens


def test_a_leaked_key_that_was_dropped_from_the_ring_forges_nothing():
    forged = token_of(lambda session: session.login("admin"), keys=OTHER_KEY)
    assert seen_by(f"{NAME}={forged}", Keyring(KEY, [OTHER_KEY]))[0] == "admin", "while the ring still has it"
    assert seen_by(f"{NAME}={forged}", Keyring(KEY)) == (None, {}, ["unknown-key"])


def test_a_leaked_key_that_was_dropped_from_the_ring_signs_nothing():
    forged = token_of(lambda session: session.login("admin"), keys=OTHER_KEY, encrypt=False)
    assert seen_by(f"{NAME}={forged}", Keyring(KEY, [OTHER_KEY]), encrypt=False)[0] == "admin"
    assert seen_by(f"{NAME}={forged}", Keyring(KEY), encrypt=False) == (None, {}, ["forged"])


def test_another_keys_id_on_a_forged_token_does_not_make_it_open():
    forged = raw(token_of(keys=OTHER_KEY))
    own = raw(token_of())
    assert seen_by(f"{NAME}={text(own[:5] + forged[5:])}")[2] == ["forged"]


@pytest.mark.parametrize("encrypt", [True, False])
def test_a_token_moved_to_another_cookie_name_does_not_open(encrypt):
    token = token_of(cookie=CookiePolicy("shop"), encrypt=encrypt)
    assert seen_by(f"shop={token}", cookie=CookiePolicy("shop"), encrypt=encrypt)[0] == "victim"
    assert seen_by(f"admin={token}", cookie=CookiePolicy("admin"), encrypt=encrypt) == (None, {}, ["forged"])


@pytest.mark.parametrize(("view", "encrypt"), [("sealed", True), ("signed", False)])
def test_a_protected_cookies_token_is_no_session(view, encrypt):
    """The same key, the same name, the same format: only the purpose differs."""
    jar = SessionManager(KEY, cookie=CookiePolicy("other")).jar("")
    getattr(jar, view).set(NAME, "value")
    manager = SessionManager(KEY, cookie=CookiePolicy("other"))
    (line,) = manager.commit(manager.open(""), jar).cookies
    assert seen_by(f"{NAME}={line.value}", encrypt=encrypt) == (None, {}, ["forged"])


@pytest.mark.parametrize(("view", "encrypt"), [("sealed", True), ("signed", False)])
def test_a_sessions_token_is_no_protected_cookie(view, encrypt):
    jar = SessionManager(KEY, cookie=CookiePolicy("other")).jar(f"{NAME}={token_of(encrypt=encrypt)}")
    assert getattr(jar, view).get(NAME) is None


def protected(view, name, value):
    manager = SessionManager(KEY)
    jar = manager.jar("")
    getattr(jar, view).set(name, value)
    return manager.commit(manager.open(""), jar).cookies[0].value


@pytest.mark.parametrize("view", ["signed", "sealed"])
def test_a_protected_cookie_moved_to_another_name_does_not_open(view):
    token = protected(view, "coupon", "5 %")
    jar = SessionManager(KEY).jar(f"coupon={token}; discount={token}")
    assert getattr(jar, view).get("coupon") == "5 %"
    assert getattr(jar, view).get("discount") is None


def test_a_sealed_cookie_is_no_signed_one_and_the_other_way_round():
    sealed, signed = protected("sealed", "coupon", "5 %"), protected("signed", "coupon", "5 %")
    assert SessionManager(KEY).jar(f"coupon={sealed}").signed.get("coupon") is None
    assert SessionManager(KEY).jar(f"coupon={signed}").sealed.get("coupon") is None


@pytest.mark.parametrize("version", [b"\x00", b"\x02", b"\xff"])
def test_a_changed_version_byte_leads_to_no_other_reader(version):
    token = text(version + raw(token_of())[1:])
    assert seen_by(f"{NAME}={token}") == (None, {}, ["version"])


def test_downgrade_a_signed_token_does_not_open_where_sessions_are_encrypted():
    assert seen_by(f"{NAME}={token_of(encrypt=False)}") == (None, {}, ["malformed"])


def test_downgrade_an_encrypted_token_does_not_open_where_sessions_are_signed():
    owner, data, reasons = seen_by(f"{NAME}={token_of()}", encrypt=False)
    assert (owner, data, len(reasons)) == (None, {}, 1)


def test_a_readable_token_that_nobody_signed_does_not_open():
    payload = token_of(encrypt=False).partition(".")[0]
    for unsigned in (payload, f"{payload}.", f"{payload}.{payload}", f".{payload}", f"{payload}.A"):
        assert seen_by(f"{NAME}={unsigned}", encrypt=False)[1] == {}


def test_one_token_has_one_spelling():
    """The quotes that some clients put around any value are the cookie's, not the token's."""
    token = token_of()
    for spelling in (token + "=", token + "==", token.replace("A", "%41", 1), token + " x", f"{token}.", f'"{token}'):
        assert seen_by(f"{NAME}={spelling}")[0] is None
