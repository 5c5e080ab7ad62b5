"""Several cookies of the session's name: which one counts, whatever it travels in."""

from itertools import permutations

import pytest

from cookiesess import CookiePolicy, StoreUnavailable
from cookiesess.events import CookieTwins, SessionRejected, TwinsOfOwners
from cookiesess.session.state import Origin
from kit.browser import Browser
from kit.constants import BIG, IDLE, MAX_BYTES, OTHER_KEY, REFRESH
from kit.views import every, login, put, renew
from kit.world import World

NAME = "session"
POLICY = CookiePolicy(NAME, max_bytes=MAX_BYTES)


class Kind:
    """A world, and how much its sessions hold.

    Args:
        world: Has the manager.
        filling: What each session gets beside its mark.
        name: Of the cookie that it travels in.
    """

    def __init__(self, world, filling, name=NAME):
        self.world, self.filling, self.name = world, filling, name

    def token(self, mark, *views):
        """Return the cookie of a session of its own, as it stands in a header."""
        browser = Browser(self.world)
        browser.visit(every(put("mark", mark), put("text", self.filling), *views))
        self.world.forget()
        assert list(browser.cookies) == [self.name]
        return browser.header

    def mark(self, *tokens):
        """Return the mark of the session that counts."""
        return self.world.manager.open("; ".join(tokens)).get("mark")


KINDS = {
    "cookie": lambda: Kind(World(cookie=POLICY), ""),
    "store": lambda: Kind(World(World().probe, cookie=POLICY), ""),
    "overflow, in the cookie": lambda: Kind(World(cookie=POLICY).with_overflow(), ""),
    "overflow, moved": lambda: Kind(World(cookie=POLICY).with_overflow(), BIG, f"{NAME}.ref"),
    "revocations": lambda: Kind(World(cookie=POLICY).with_revocations(), ""),
    "both, moved": lambda: Kind(World(cookie=POLICY).with_both(), BIG, f"{NAME}.ref"),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]()


@pytest.fixture(params=["store", "overflow, moved", "revocations", "both, moved"])
def stored(request):
    return KINDS[request.param]()


def in_any_order(kind, tokens, mark):
    """Whether the session with `mark` counts, whatever the order of the header."""
    return {kind.mark(*order) for order in permutations(tokens)} == {mark}


# Live ones


def test_one_that_is_logged_in_comes_before_anonymous_ones(kind):
    ours = kind.token("ours", login("ann"))
    kind.world.clock.advance(60)
    assert in_any_order(kind, [ours, kind.token("planted"), kind.token("another")], "ours")


def test_of_several_that_are_logged_in_the_last_login_counts(kind):
    tokens = [kind.token("old", login("ann"))]
    for mark in ("newer", "newest"):
        kind.world.clock.advance(1)
        tokens.append(kind.token(mark, login("ann")))
    assert in_any_order(kind, tokens, "newest")


def test_a_later_login_comes_before_an_older_one_that_was_used_since(kind):
    browser = Browser(kind.world)
    browser.visit(every(login("ann"), put("mark", "old"), put("text", kind.filling)))
    kind.world.clock.advance(1)
    newer = kind.token("newer", login("ann"))
    kind.world.clock.advance(REFRESH)
    browser.visit(put("n", 1))
    assert in_any_order(kind, [browser.header, newer], "newer")


def test_of_anonymous_ones_the_one_that_was_refreshed_last_counts(kind):
    old, stale = Browser(kind.world), kind.token("stale")
    old.visit(every(put("mark", "used"), put("text", kind.filling)))
    kind.world.clock.advance(1)
    newer = kind.token("newer")
    kind.world.clock.advance(REFRESH)
    old.visit(put("n", 1))
    assert in_any_order(kind, [old.header, stale, newer], "used")


def test_of_two_that_are_alike_the_last_in_the_header_counts_since_browsers_send_the_older_first(kind):
    first, second = kind.token("first"), kind.token("second")
    assert kind.mark(first, second) == "second"
    assert kind.mark(second, first) == "first"


def test_the_last_in_the_header_counts_of_a_session_and_a_reference_too():
    kind, moved = KINDS["overflow, in the cookie"](), KINDS["overflow, moved"]()
    moved.world = kind.world
    inline, reference = kind.token("inline"), moved.token("moved")
    assert kind.mark(inline, reference) == "moved"
    assert kind.mark(reference, inline) == "inline"


def test_one_that_lives_comes_before_one_that_has_run_out(kind):
    dead = kind.token("dead", login("ann"))
    kind.world.clock.advance(IDLE)
    assert in_any_order(kind, [dead, kind.token("living")], "living")


def test_one_that_lives_comes_before_one_that_was_replaced(stored):
    browser = Browser(stored.world, stored.token("old", login("ann")))
    replaced = browser.header
    browser.visit(renew)
    assert in_any_order(stored, [replaced, stored.token("living")], "living")


# None that lives


def origin(kind, *tokens):
    return {kind.world.manager.open("; ".join(order)).origin for order in permutations(tokens)}


def test_where_none_lives_what_was_replaced_comes_before_what_is_gone(stored):
    gone = stored.token("gone")
    stored.world.manager.open(gone).invalidate()
    browser = Browser(stored.world, stored.token("old", login("ann")))
    replaced = browser.header
    browser.visit(renew)
    assert origin(stored, gone, replaced) == {Origin.REPLACED}


def test_where_none_lives_what_is_gone_comes_before_what_did_not_open(kind):
    gone = kind.token("gone")
    kind.world.clock.advance(IDLE)
    assert origin(kind, gone, f"{kind.name}=junk") == {Origin.GONE}


def test_what_is_gone_comes_before_what_is_from_the_future():
    kind = KINDS["cookie"]()
    gone = kind.token("gone")
    kind.world.clock.advance(10 * IDLE)
    future = kind.token("future")
    kind.world.clock.advance(-9 * IDLE)
    assert origin(kind, gone, future) == {Origin.GONE}


@pytest.mark.parametrize("kept", ["store", "overflow, moved"])
@pytest.mark.parametrize("place", [0, 1])
def test_one_answer_that_does_not_come_makes_the_whole_request_unavailable(kept, place):
    stored = KINDS[kept]()
    tokens = [stored.token("a"), stored.token("b", login("ann"))]
    probe = stored.world.settings.get("store") or stored.world.settings["overflow"]
    stored.world.use(on_store_error="anonymous")
    calls = []

    def only_one(verb, outcome, _):
        calls.append(verb)
        if len(calls) == place + 1:
            raise StoreUnavailable("the test has taken the store down for one call")
        return outcome

    probe.answer = only_one
    session = stored.world.manager.open("; ".join(tokens))
    assert (session.available, dict(session)) == (False, {})
    with pytest.raises(StoreUnavailable):
        session["a"] = 1
    assert stored.world.manager.commit(session).cookies == ()


# What is said


def test_twins_are_an_event_with_their_number_and_the_remedy(kind):
    kind.mark(kind.token("a"), kind.token("b"), kind.token("c"))
    (event,) = kind.world.taken_events()
    assert event == CookieTwins(3)
    assert "domain, path or partitioned" in str(event)


def test_twins_of_one_owner_are_no_warning(kind):
    kind.mark(kind.token("a", login("ann")), kind.token("b", login("ann")), kind.token("c"))
    assert kind.world.taken_events() == [CookieTwins(3)]


def test_twins_of_two_owners_are_a_warning(kind):
    kind.mark(kind.token("a", login("ann")), kind.token("b", login("bob")))
    assert kind.world.taken_events() == [TwinsOfOwners(2)]


def test_two_owners_of_whom_one_has_run_out_are_no_warning(kind):
    dead = kind.token("a", login("ann"))
    kind.world.clock.advance(IDLE)
    living = kind.token("b", login("bob"))
    kind.mark(dead, living)
    assert [type(event) for event in kind.world.taken_events()][-1] is CookieTwins


def test_a_cookie_alone_is_no_event(kind):
    kind.mark(kind.token("a"))
    assert kind.world.taken_events() == []


def test_an_old_id_beside_a_session_that_lives_is_no_replay(stored):
    """So it is after a deploy: the login is in one place, the ID from before it in the other."""
    browser = Browser(stored.world, stored.token("old", login("ann")))
    replaced = browser.header
    browser.visit(renew)
    stored.world.clock.advance(400)
    stored.world.forget()
    stored.mark(replaced, browser.header)
    assert "session.replayed" not in stored.world.taken_names()
    stored.mark(replaced)
    assert "session.replayed" in stored.world.taken_names()


# Which ones are candidates


def of_another_key(kind):
    world = World(cookie=POLICY)
    browser = Browser(world.use(OTHER_KEY))
    browser.visit(put("mark", "another key's"))
    return browser.header


def test_any_number_of_tokens_of_other_keys_is_passed_over(kind):
    planted = [of_another_key(kind)] * 40
    assert kind.mark(*planted, kind.token("ours"), *planted) == "ours"


def test_any_amount_of_junk_is_passed_over(kind):
    planted = [
        f"{name}={value}" for name in (NAME, f"{NAME}.ref") for value in ("", "x", "AQIDBAUGBwgJ", '"', "~", ".")
    ]
    assert kind.mark(*planted * 10, kind.token("ours"), *planted) == "ours"


def test_what_is_passed_over_is_no_event_where_another_one_of_its_name_opens(kind):
    kind.mark(f"{kind.name}=junk", kind.token("ours"), f"{kind.name}=junk")
    assert kind.world.taken_events() == []


@pytest.mark.parametrize("inside", ["overflow, in the cookie", "overflow, moved"])
def test_it_is_one_where_nothing_of_its_name_opens(inside):
    """It may have been the right one: the reference of a session that a server with the next key has moved."""
    kind = KINDS[inside]()
    other = NAME if kind.name != NAME else f"{NAME}.ref"
    assert kind.mark(f"{other}=junk", kind.token("ours")) == "ours"
    assert kind.world.taken_names() == ["session.rejected"]


def test_where_none_opens_the_first_ones_reason_is_told(kind):
    kind.mark(of_another_key(kind), f"{NAME}=junk")
    (event,) = kind.world.taken_events()
    assert isinstance(event, SessionRejected)
    assert event.reason == "unknown-key"


def test_four_candidates_are_opened_and_the_first_four_of_the_header_are_they(kind):
    tokens = [kind.token(str(number)) for number in range(6)]
    assert kind.mark(*tokens) == "3"
    assert kind.mark(*tokens[::-1]) == "2"


def test_a_token_that_was_forged_under_our_key_counts_among_the_four(kind):
    ours = kind.token("ours")
    forged = f"{ours[:-4]}AAAA"
    assert kind.mark(*[forged] * 3, ours) == "ours"
    assert kind.mark(*[forged] * 4, ours) is None


def test_a_reference_and_a_session_share_the_four():
    kind, moved = KINDS["overflow, in the cookie"](), KINDS["overflow, moved"]()
    moved.world = kind.world
    tokens = [kind.token("a"), moved.token("b"), kind.token("c"), moved.token("d"), kind.token("e", login("ann"))]
    assert kind.mark(*tokens) == "d"


def test_signed_tokens_that_do_not_open_are_another_keys_and_passed_over():
    kind = Kind(World(cookie=POLICY, encrypt=False), "")
    ours = kind.token("ours")
    assert kind.mark(*[f"{ours[:-4]}AAAA"] * 40, ours) == "ours"
