"""Key rotation, signed sessions, types of the app's own, and sessions that do not fit into a cookie."""

import base64
from dataclasses import dataclass
from datetime import timedelta

import pytest
from markupsafe import Markup

from cookiesess import ConfigurationError, CookieTooLarge, Key, Keyring, NotSerializable, SessionManager, ValueType
from cookiesess.events import SessionRejected
from kit.browser import Browser
from kit.constants import KEY, NAME, OTHER_KEY
from kit.views import append, put

LIMIT = 4093


@pytest.fixture
def make(clock):
    def make(keys=KEY, **settings):
        return SessionManager(keys, clock=clock, **settings)

    return make


@pytest.mark.parametrize("encrypt", [True, False])
def test_a_rotation_in_three_deploys_logs_nobody_out(make, clock, encrypt):
    rings = [Keyring(OTHER_KEY), Keyring(OTHER_KEY, [KEY]), Keyring(KEY, [OTHER_KEY]), Keyring(KEY)]
    visitor = Browser(make(rings[0], encrypt=encrypt))
    visitor.visit(put("visits", [0]))
    for deploy, ring in enumerate(rings):
        visitor.manager = make(ring, encrypt=encrypt)
        clock.advance(timedelta(days=2))
        visitor.visit(append("visits", deploy))
    assert visitor.read() == {"visits": [0, 0, 1, 2, 3]}


@pytest.mark.parametrize("encrypt", [True, False])
def test_while_a_rotation_is_rolled_out_old_and_new_processes_read_each_other(make, encrypt):
    before, after = Keyring(OTHER_KEY, [KEY]), Keyring(KEY, [OTHER_KEY])
    visitor = Browser(make(before, encrypt=encrypt))
    visitor.visit(put("visits", []))
    for turn, ring in enumerate([after, before, before, after]):
        visitor.visit(append("visits", turn), manager=make(ring, encrypt=encrypt))
    assert visitor.read() == {"visits": [0, 1, 2, 3]}


def test_one_text_holds_the_whole_ring(make):
    visitor = Browser(make(OTHER_KEY))
    visitor.visit(put("a", 1))
    visitor.manager = make(f"{KEY} , {OTHER_KEY}")
    assert visitor.read() == {"a": 1}


@pytest.mark.parametrize("keys", [KEY, KEY.encode(), Key(KEY), Keyring(KEY)], ids=lambda keys: type(keys).__name__)
def test_a_key_can_be_given_as(make, keys):
    visitor = Browser(make(keys))
    visitor.visit(put("a", 1))
    visitor.manager = make(Keyring(KEY.encode()))
    assert visitor.read() == {"a": 1}


def test_a_session_under_a_key_that_was_dropped_is_rejected_by_its_id(make):
    seen = []
    visitor = Browser(make(OTHER_KEY))
    visitor.visit(put("a", 1))
    visitor.manager = make(KEY, on_event=seen.append)
    assert visitor.read() == {}
    cause = "a server without the new key, or a key that left the ring"
    assert seen == [SessionRejected("unknown-key", Key(OTHER_KEY).kid.hex(), cause)]


def decoded(token):
    text = token.partition(".")[0]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_sealed_session_cannot_be_read_without_the_key(make):
    visitor = Browser(make())
    visitor.visit(put("username", "萧兮"))
    assert b"username" not in decoded(visitor.token)
    assert "萧兮".encode() not in decoded(visitor.token)


def test_a_signed_session_can_be_read_by_whoever_holds_it(make):
    visitor = Browser(make(encrypt=False))
    visitor.visit(put("username", "萧兮"))
    assert b"username" in decoded(visitor.token)
    assert visitor.read() == {"username": "萧兮"}


def test_two_sessions_of_the_same_content_have_different_sealed_tokens(make):
    visitors = [Browser(make()) for _ in range(2)]
    for visitor in visitors:
        visitor.visit(put("a", 1))
    assert visitors[0].token != visitors[1].token


@dataclass(frozen=True)
class Price:
    cents: int


PRICE = ValueType(1, Price, encode=lambda price: price.cents, decode=Price)
MARKUP = ValueType(2, Markup, encode=str, decode=Markup)


def test_types_of_the_apps_own_come_back(make):
    visitor = Browser(make(types=[PRICE, MARKUP]))
    visitor.visit(put("cart", [{"price": Price(5)}, Markup("<b>")]))
    assert visitor.read() == {"cart": [{"price": Price(5)}, Markup("<b>")]}
    assert type(visitor.read()["cart"][1]) is Markup


class Box:
    """A type of the app's own that changes inside."""

    def __init__(self, items):
        self.items = items


def test_a_change_inside_a_type_of_the_apps_own_is_seen(make):
    visitor = Browser(make(types=[ValueType(3, Box, encode=lambda box: box.items, decode=Box)]))
    visitor.visit(put("box", Box([1])))
    assert visitor.visit(lambda session: session["box"]) == []
    assert len(visitor.visit(lambda session: session["box"].items.append(2))) == 1
    assert visitor.read(lambda session: session["box"].items) == [1, 2]


def test_a_type_that_is_not_registered_is_refused_at_the_assignment_with_its_path(make):
    session = make().open("")
    with pytest.raises(NotSerializable, match="Price is not supported") as caught:
        session["cart"] = [0, {"price": Price(5)}]
    assert caught.value.path == 'session["cart"][1]["price"]'
    assert "cart" not in session


def test_a_type_that_is_no_longer_registered_makes_an_empty_session(make):
    visitor = Browser(make(types=[PRICE]))
    visitor.visit(put("price", Price(5)))
    visitor.manager = make()
    assert visitor.read() == {}


def test_two_types_with_one_tag_are_refused_when_the_manager_is_built(make):
    with pytest.raises(ConfigurationError, match="tag"):
        make(types=[PRICE, ValueType(1, Markup, encode=str, decode=Markup)])


SPOILT = {
    "new session": ({}, lambda session: put("cart", [])(session) or session["cart"].append(object())),
    "loaded": ({"cart": []}, append("cart", object())),
    "loaded, tuple": ({"cart": (1, [])}, lambda session: session["cart"][1].append(object())),
    "new session, by setdefault": ({}, lambda session: session.setdefault("cart", []).append(object())),
}


@pytest.mark.parametrize("by_save", [False, True], ids=["commit", "save"])
@pytest.mark.parametrize(("before", "view"), SPOILT.values(), ids=SPOILT)
def test_a_value_that_was_spoilt_from_inside_raises_with_its_path(make, before, view, by_save):
    visitor = Browser(make())
    visitor.visit(lambda session: session.update(before))
    session = visitor.manager.open(visitor.header)
    view(session)
    with pytest.raises(NotSerializable, match=r'^session\["cart"\].*object is not supported'):
        session.save() if by_save else visitor.manager.commit(session)


HALF = "half a surrogate pair: \udfff"
HALF_WRITES = {
    "a key": put(HALF, 1),
    "a value": put("a", HALF),
    "a key of a dict": put("a", {HALF: 1}),
    "an owner": lambda session: session.login(HALF),
    "a flash": lambda session: session.flash(HALF),
    "a category": lambda session: session.flash("hi", HALF),
    "a label": lambda session: setattr(session, "label", HALF),
}


@pytest.mark.parametrize("write", HALF_WRITES.values(), ids=HALF_WRITES)
def test_half_a_surrogate_pair_is_refused_where_it_is_set(make, write):
    """No encoding carries it, so the commit would fail."""
    session = make().open("")
    with pytest.raises((ValueError, NotSerializable)):
        write(session)
    assert not session.modified


# Sessions that do not fit


def too_large(make, view, **settings):
    visitor = Browser(make(**settings))
    with pytest.raises(CookieTooLarge) as caught:
        visitor.visit(view)
    return caught.value


def test_a_session_that_does_not_fit_names_the_sizes_and_the_largest_keys(make):
    def view(session):
        session.update({f"key{size}": "x" * size for size in (10, 900, 20, 1000, 30, 40, 1500)})

    error = too_large(make, view)
    assert error.name == NAME
    assert error.limit_bytes == LIMIT
    assert error.size_bytes > LIMIT
    assert [key for key, _ in error.largest_keys] == ["key1500", "key1000", "key900", "key40", "key30"]
    assert all(0 <= size - int(key.removeprefix("key")) <= 3 for key, size in error.largest_keys)
    assert all(
        part in str(error) for part in (NAME, str(error.size_bytes), str(LIMIT), "'key1500'", "overflow=", "chunks=")
    )
    assert "xxx" not in str(error)


@pytest.mark.parametrize("encrypt", [True, False])
def test_the_limit_is_exact(make, encrypt):
    manager = make(encrypt=encrypt)

    def length(size):
        try:
            (cookie,) = Browser(manager).visit(put("a", "x" * size))
        except CookieTooLarge:
            return None
        return len(cookie.line)

    lengths = [length(size) for size in range(2900, 3050)]
    fitting = [length for length in lengths if length is not None]
    assert lengths == [*fitting, *[None] * (150 - len(fitting))], "what is larger than too large is too large"
    assert LIMIT - 1 <= max(fitting) <= LIMIT  # base64 leaves out every fourth length


def test_save_raises_in_the_view_and_the_view_can_go_on(make):
    def view(session):
        session["much"] = "x" * 5000
        with pytest.raises(CookieTooLarge):
            session.save()
        del session["much"]
        session["less"] = "x"
        session.save()

    visitor = Browser(make())
    assert len(visitor.visit(view)) == 1
    assert visitor.read() == {"less": "x"}


def test_a_session_too_large_for_other_reasons_than_its_keys_says_so(make):
    error = too_large(make, lambda session: session.flash("x" * 5000))
    assert error.largest_keys == ()
    assert "store less" in str(error)


def test_a_refresh_of_what_fits_fits(make, clock):
    visitor = Browser(make())
    visitor.visit(put("a", "x" * 2900))
    clock.advance(timedelta(days=2))
    assert len(visitor.visit()) == 1


def test_a_session_that_does_not_fit_is_not_announced_as_created(make):
    seen = []
    too_large(make, put("a", "x" * 5000), on_event=seen.append)
    assert seen == []
