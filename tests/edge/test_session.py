"""The session as a mapping: what the app reads, what it may write, and what counts as a change."""

from collections.abc import MutableMapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from cookiesess import NotSerializable, Session, SessionManager
from kit.browser import Browser
from kit.constants import KEY
from kit.views import append, drop, put

FULL = {"a": 1, "cart": [1, {"n": 2}], "pair": (1, [2]), "tags": {"x", "y"}, "none": None}


@pytest.fixture
def visitor(clock):
    return Browser(SessionManager(KEY, clock=clock))


@pytest.fixture
def session(visitor):
    """A session that an earlier request filled."""
    visitor.visit(lambda session: session.update(FULL))
    return visitor.manager.open(visitor.header)


# Reading


def test_it_is_a_mutable_mapping(session):
    assert isinstance(session, MutableMapping)
    assert isinstance(session, Session)


def test_it_has_what_was_stored(session):
    assert dict(session) == FULL
    assert session["a"] == 1
    assert session.get("a") == 1
    assert session.get("none", "default") is None


def test_what_is_missing_is_a_key_error_or_the_default(session):
    with pytest.raises(KeyError, match="missing"):
        session["missing"]
    with pytest.raises(KeyError, match="missing"):
        del session["missing"]
    with pytest.raises(KeyError, match="missing"):
        session.pop("missing")
    assert session.get("missing") is None
    assert session.get("missing", 5) == 5
    assert session.pop("missing", 5) == 5


def test_it_tells_what_is_in_it(session):
    assert "a" in session
    assert "missing" not in session
    assert 1 not in session
    assert len(session) == 5
    assert list(session) == ["a", "cart", "pair", "tags", "none"]
    assert list(session.keys()) == list(session)
    assert list(session.values()) == list(FULL.values())
    assert list(session.items()) == list(FULL.items())


def test_it_is_true_unless_it_is_empty(session, visitor):
    assert session
    assert not visitor.manager.open("")


def test_it_equals_a_mapping_of_the_same_content(session, visitor):
    assert session == FULL
    assert session == visitor.manager.open(visitor.header)
    assert session != {**FULL, "a": 2}
    assert session != []


def test_it_has_no_hash(session):
    with pytest.raises(TypeError, match="unhashable"):
        hash(session)


def test_it_takes_no_attributes_of_its_own(session):
    with pytest.raises(AttributeError):
        session.username = "a typo for session['username']"


# Writing


def test_update_setdefault_pop_popitem_and_clear_work_as_a_dicts(session):
    session.update({"b": 2}, c=3)
    assert session.setdefault("b", 5) == 2
    assert session.setdefault("d", 4) == 4
    assert session.pop("cart") == FULL["cart"]
    assert dict(session) == {key: FULL[key] for key in FULL if key != "cart"} | {"b": 2, "c": 3, "d": 4}
    key, value = session.popitem()
    assert key not in session
    assert value in [*FULL.values(), 2, 3, 4]
    session.clear()
    assert dict(session) == {}
    with pytest.raises(KeyError):
        session.popitem()


@pytest.mark.parametrize("key", [1, None, b"a", ("a",), 1.0, True], ids=repr)
def test_a_key_that_is_no_text_is_refused_where_it_is_set(session, key):
    for write in (put(key, 1), lambda session: session.setdefault(key, 1), lambda session: session.update({key: 1})):
        with pytest.raises(TypeError, match="a session's key is text") as caught:
            write(session)
    assert type(key).__name__ in str(caught.value)
    assert dict(session) == FULL


def test_a_key_of_a_subclass_of_str_is_refused(session):
    """It would come back as plain text."""
    with pytest.raises(TypeError, match="Name"):
        session[type("Name", (str,), {})("a")] = 1


@pytest.mark.parametrize("key", [1, None, b"a"], ids=repr)
def test_mutate_cannot_bring_in_a_key_that_is_no_text(session, key):
    with pytest.raises(TypeError, match="a session's key is text"):
        session.mutate(lambda data: data.__setitem__(key, 1))


def test_any_text_is_a_key(visitor):
    keys = {"": 1, "萧兮": 2, "a\nb": 3, " ": 4, 'quo"te': 5}
    visitor.visit(lambda session: session.update(keys))
    assert visitor.read() == keys


VALUES = [
    *(None, True, 1, -(2**70), 1.5, "萧兮", b"\xff", [1], (1,), {"a": {1: 2}}, {1, 2}, frozenset({1})),
    *(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1), date(2024, 5, 1), timedelta(days=1)),
    *(UUID(int=5), Decimal("1.10")),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_equal_and_of_its_type(visitor, value):
    visitor.visit(put("value", value))
    found = visitor.read(lambda session: session["value"])
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), 'session["a"]'),
        ([1, object()], 'session["a"][1]'),
        ({"b": {"c": object()}}, 'session["a"]["b"]["c"]'),
        ((1, [object()]), 'session["a"][1][0]'),
        (bytearray(b"a"), 'session["a"]'),
    ],
)
def test_what_cannot_be_stored_is_refused_at_the_assignment_and_changes_nothing(session, value, path):
    with pytest.raises(NotSerializable) as caught:
        session["a"] = value
    assert caught.value.path == path
    assert session["a"] == 1
    assert not session.modified


# What counts as a change


NO_CHANGES = {
    "reading everything": lambda session: [*session.items(), *session.values()],
    "an equal value": lambda session: session.update(FULL),
    "an equal copy": lambda session: put("cart", [1, {"n": 2}])(session),
    "a nested change, changed back": lambda session: append("cart", 3)(session) or session["cart"].pop(),
    "a deletion, taken back": lambda session: drop("a")(session) or put("a", 1)(session),
    "a new key, taken back": lambda session: put("b", 1)(session) or drop("b")(session),
    "another value, changed back": lambda session: put("a", 2)(session) or put("a", 1)(session),
    "an equal set, built in another order": put("tags", set("yx")),
    "a set changed back": lambda session: session["tags"].add("z") or session["tags"].discard("z"),
    "setdefault of what is there": lambda session: session.setdefault("cart", []),
    "pop of what is missing": lambda session: session.pop("missing", None),
    "an empty update": lambda session: session.update(),
    "mutate, changed back": lambda session: [session.mutate(lambda data, n=n: data.update(a=n)) for n in (2, 1)],
    "mutate of a nested value, changed back": lambda session: [
        session.mutate(lambda data: data["cart"].append(3)),
        session["cart"].pop(),
    ],
    "a put before and a deletion after mutate": lambda session: [
        put("b", 1)(session),
        session.mutate(lambda data: None),
        drop("b")(session),
    ],
    "a flash, shown at once": lambda session: session.flash("hi") or session.pop_flashes(),
    "check_csrf": lambda session: session.check_csrf("x"),
}
CHANGES = {
    "another value": put("a", 2),
    "another type: bool": put("a", True),
    "another type: float": put("a", 1.0),
    "a new key": put("b", None),
    "a deletion": drop("none"),
    "append to a list": append("cart", 3),
    "a change in a dict in a list": lambda session: session["cart"][1].update(n=3),
    "a list in a tuple": lambda session: session["pair"][1].append(3),
    "a set's new element": lambda session: session["tags"].add("z"),
    "a set's element replaced": lambda session: session["tags"].remove("x") or session["tags"].add("z"),
    "through get": lambda session: session.get("cart").append(3),
    "through values": lambda session: [value.append(3) for value in session.values() if isinstance(value, list)],
    "through items": lambda session: dict(session.items())["cart"].append(3),
    "through setdefault": lambda session: session.setdefault("cart", []).append(3),
    "setdefault of a new list, then a change": lambda session: session.setdefault("new", []).append(3),
    "assigned, then changed inside": lambda session: (
        put("cart", FULL["cart"][:])(session) or append("cart", 3)(session)
    ),
    "an element of the same value and another type": lambda session: session["cart"].__setitem__(0, True),
    "another order of a list": lambda session: session["cart"].reverse(),
    "popped": lambda session: session.pop("cart"),
    "mutate": lambda session: session.mutate(lambda data: data["cart"].append(3)),
    "mutate, then a nested change": lambda session: session.mutate(lambda data: None) or append("cart", 3)(session),
    "mutate that deletes": lambda session: session.mutate(lambda data: data.pop("a")),
    "handed out, mutated, changed": lambda session: [
        cart := session["cart"],
        session.mutate(lambda data: None),
        cart.append(3),
    ],
}


@pytest.mark.parametrize("view", NO_CHANGES.values(), ids=NO_CHANGES)
def test_no_change_and_nothing_is_written(visitor, session, view):
    assert visitor.visit(view) == []
    assert visitor.read() == FULL
    view(session)
    assert not session.modified


@pytest.mark.parametrize("view", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_and_the_next_request_has_it(visitor, session, view):
    view(session)
    assert session.modified
    expected = dict(session)
    assert len(visitor.visit(view)) == 1
    assert visitor.read() == expected
    assert [type(value) for value in visitor.read().values()] == [type(value) for value in expected.values()]


def test_two_names_for_one_list_are_two_lists_for_the_next_request(visitor):
    def view(session):
        shared = []
        session.update(one=shared, two=shared)
        shared.append(1)

    visitor.visit(view)
    visitor.visit(append("one", 2))
    assert visitor.read() == {"one": [1, 2], "two": [1]}


def test_mutate_applies_the_function_now(session):
    session.mutate(lambda data: data.update(a=data["a"] + 1))
    assert session["a"] == 2


def test_an_error_in_mutate_passes_through_and_nothing_has_changed(known, events):
    def half(data):
        data["a"] = 2
        raise LookupError

    def view(session):
        with pytest.raises(LookupError):
            session.mutate(half)
        assert not session.modified

    assert known.visit(view) == []
    assert known.read(lambda session: session["a"]) == 1
    assert events == []


def test_mutate_that_brings_in_what_cannot_be_stored_raises_with_the_path(session):
    with pytest.raises(NotSerializable, match=r'session\["new"\]'):
        session.mutate(lambda data: data.update(new=object()))


def test_a_view_that_swallows_that_error_can_go_on(known):
    def view(session):
        with pytest.raises(NotSerializable):
            session.mutate(lambda data: data.update(new=object()))
        session["b"] = 2

    assert len(known.visit(view)) == 1
    assert known.read() == {"a": 1, "cart": [1], "b": 2}
