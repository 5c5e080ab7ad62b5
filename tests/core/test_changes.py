"""Exact change detection: seen if and only if the encoding differs, and done again on newer data."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cookiesess import NotSerializable
from cookiesess.session.changes import ABSENT, Tracked, replay
from cookiesess.tokens.values import ValueCodec
from kit.selection import examples
from kit.strategies import SESSIONS, VALUES, exact

CODEC = ValueCodec()


def tracked(**data):
    return Tracked(data, CODEC)


def handed_out(tracking, key):
    """What `session[key]` does for a value that can change inside."""
    tracking.watch(key)
    return tracking.data[key]


def replayed(tracking, onto):
    replay(tracking.log(), onto, CODEC)
    return onto


def test_a_dict_that_nobody_touched_is_unchanged():
    tracking = tracked(a=1)
    assert not tracking.modified
    assert tracking.changes() == {}


def test_an_assignment_is_a_change():
    tracking = tracked(a=1)
    tracking.set("a", 2)
    assert tracking.modified
    assert tracking.changes() == {"a": 2}


def test_a_new_key_is_a_change():
    tracking = tracked()
    tracking.set("a", None)
    assert tracking.changes() == {"a": None}


def test_a_deletion_is_a_change():
    tracking = tracked(a=1)
    tracking.remove("a")
    assert tracking.changes() == {"a": ABSENT}


def test_deleting_what_is_not_there_is_a_key_error_and_no_change():
    tracking = tracked(a=1)
    with pytest.raises(KeyError):
        tracking.remove("b")
    assert not tracking.modified


@given(VALUES)
def test_assigning_an_equal_value_is_no_change(value):
    tracking = tracked(a=value)
    tracking.set("a", copy.deepcopy(value))
    assert not tracking.modified


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (1, 1.0), (0.0, -0.0), ("a", b"a"), ([1], (1,)), ({1}, {1.0})]
)
def test_an_equal_value_of_another_type_is_a_change(before, after):
    tracking = tracked(a=before)
    tracking.set("a", after)
    assert tracking.modified


def test_what_was_changed_back_is_no_change():
    tracking = tracked(a=1)
    tracking.set("a", 2)
    tracking.set("a", 1)
    assert not tracking.modified


def test_what_was_added_and_removed_is_no_change():
    tracking = tracked(a=1)
    tracking.set("b", 2)
    tracking.remove("b")
    assert not tracking.modified


def test_what_was_removed_and_added_again_is_no_change():
    tracking = tracked(a=[1], b=2)
    tracking.remove("a")
    tracking.set("a", [1])
    assert not tracking.modified


def test_handing_a_value_out_is_no_change():
    tracking = tracked(cart=[1])
    handed_out(tracking, "cart")
    assert not tracking.modified


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1], lambda value: value.append(2)),
        ({"a": [1]}, lambda value: value["a"].append(2)),
        ({1}, lambda value: value.add(2)),
        (([1],), lambda value: value[0].append(2)),
        ({"b": 1, "a": 2}, lambda value: value.pop("b")),
        ([1.0], lambda value: value.__setitem__(0, 1)),
    ],
)
def test_a_change_inside_what_was_handed_out_is_seen(value, change):
    tracking = tracked(a=value)
    change(handed_out(tracking, "a"))
    assert tracking.modified
    assert tracking.changes() == {"a": value}


def test_a_change_inside_that_was_undone_is_no_change():
    tracking = tracked(a=[1])
    handed_out(tracking, "a").append(2)
    handed_out(tracking, "a").pop()
    assert not tracking.modified


def test_a_change_inside_what_was_just_assigned_is_seen():
    tracking = tracked(a=[1])
    cart = [1]
    tracking.set("a", cart)
    cart.append(2)
    assert tracking.changes() == {"a": [1, 2]}


def test_a_value_that_cannot_be_stored_is_refused_at_the_assignment_and_changes_nothing():
    tracking = tracked(a=1)
    with pytest.raises(NotSerializable, match=r'^session\["a"\]\[0\]: object'):
        tracking.set("a", [object()])
    assert tracking.data == {"a": 1}
    assert not tracking.modified


def test_what_became_unstorable_inside_is_refused_when_the_changes_are_asked_for():
    tracking = tracked(a=[1])
    handed_out(tracking, "a").append(object())
    with pytest.raises(NotSerializable, match=r'^session\["a"\]\[1\]: object'):
        tracking.changes()
    with pytest.raises(NotSerializable):
        tracking.modified  # noqa: B018 (a property that raises)


# mutate


def increment(data):
    data["n"] = data.get("n", 0) + 1


def test_a_mutation_is_applied_at_once():
    tracking = tracked(n=1)
    tracking.mutate(increment)
    assert tracking.data == {"n": 2}
    assert tracking.modified


def test_a_mutation_that_does_nothing_is_no_change():
    tracking = tracked(n=1, cart=[1])
    tracking.mutate(lambda data: None)
    assert not tracking.modified


def test_a_mutation_that_was_undone_is_no_change():
    tracking = tracked(n=1, cart=[1])
    tracking.mutate(increment)
    tracking.set("n", 1)
    assert not tracking.modified


def test_taking_a_key_away_and_putting_it_back_is_no_change_after_a_mutation_either():
    tracking = tracked(a=1, b=2)
    tracking.mutate(lambda data: None)
    tracking.remove("a")
    tracking.set("a", 1)
    assert not tracking.modified


def test_a_mutation_sees_earlier_changes_and_is_seen_by_later_ones():
    tracking = tracked(n=1)
    tracking.set("n", 10)
    tracking.mutate(increment)
    tracking.set("m", tracking.data["n"])
    assert tracking.data == {"n": 11, "m": 11}


def test_a_mutation_is_done_again_on_newer_data():
    tracking = tracked(n=1)
    tracking.mutate(increment)
    assert replayed(tracking, {"n": 41, "other": 1}) == {"n": 42, "other": 1}


def test_changes_around_a_mutation_are_done_again_in_order():
    tracking = tracked(n=1)
    tracking.set("a", 1)
    tracking.mutate(increment)
    tracking.remove("a")
    tracking.set("b", 2)
    assert replayed(tracking, {"n": 41, "a": 0}) == {"n": 42, "b": 2}


def test_several_mutations_are_done_again_one_after_the_other():
    tracking = tracked(n=1)
    tracking.mutate(increment)
    tracking.mutate(lambda data: data.update(n=data["n"] * 10))
    assert tracking.data == {"n": 20}
    assert replayed(tracking, {"n": 4}) == {"n": 50}


def test_changes_inside_before_a_mutation_are_done_again():
    tracking = tracked(cart=[1])
    handed_out(tracking, "cart").append(2)
    tracking.mutate(increment)
    assert replayed(tracking, {"cart": [1]}) == {"cart": [1, 2], "n": 1}


def test_a_mutation_inside_a_value_that_was_assigned_before_is_done_again_once():
    tracking = tracked()
    tracking.set("cart", [1])
    tracking.mutate(lambda data: data["cart"].append(2))
    assert tracking.data == {"cart": [1, 2]}
    assert replayed(tracking, {}) == {"cart": [1, 2]}


def test_what_is_done_again_twice_is_the_same_twice():
    tracking = tracked()
    tracking.set("cart", [1])
    tracking.mutate(lambda data: data["cart"].append(2))
    assert replayed(tracking, {}) == replayed(tracking, {})


def test_a_change_inside_after_a_mutation_is_seen():
    tracking = tracked(cart=[1])
    tracking.mutate(increment)
    handed_out(tracking, "cart").append(2)
    assert tracking.changes() == {"cart": [1, 2]}


def test_a_mutation_whose_result_cannot_be_stored_is_refused_with_the_path():
    tracking = tracked(n=1)
    with pytest.raises(NotSerializable, match=r'^session\["x"\]: object'):
        tracking.mutate(lambda data: data.update(x=object()))


@pytest.mark.parametrize("value", [object(), [object()], "\ud800"])
@pytest.mark.parametrize("key", ["x", "n"])
def test_a_mutation_whose_result_cannot_be_stored_leaves_the_dict_as_it_was(key, value):
    tracking = tracked(n=1)
    with pytest.raises(NotSerializable):
        tracking.mutate(lambda data: data.update({key: value, "m": 2}))
    assert tracking.data == {"n": 1}
    assert not tracking.modified


@pytest.mark.parametrize("key", [5, None, (), b"a"])
def test_a_mutation_that_gives_a_key_that_is_no_text_leaves_the_dict_as_it_was(key):
    tracking = tracked(n=1)
    with pytest.raises(TypeError):
        tracking.mutate(lambda data: data.update({"n": 2, key: 1}))
    assert tracking.data == {"n": 1}
    assert not tracking.modified


def test_a_value_into_which_a_refused_mutation_put_something_is_as_it_was():
    tracking = tracked(cart=[1])
    with pytest.raises(NotSerializable):
        tracking.mutate(lambda data: data["cart"].append(object()))
    assert tracking.data == {"cart": [1]}
    assert not tracking.modified


def test_a_mutation_that_gives_a_key_that_is_no_text_is_refused_as_an_assignment_is():
    with pytest.raises(TypeError, match="a session's key is text, not int"):
        tracked(n=1).mutate(lambda data: data.update({5: 1}))


def failing(change):
    def function(data):
        change(data)
        raise LookupError

    return function


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data.update(n=2), id="assigned"),
        pytest.param(lambda data: data.update(n=True), id="assigned what is equal and of another type"),
        pytest.param(lambda data: data.update(new=1), id="a new key"),
        pytest.param(lambda data: data.pop("n"), id="deleted"),
        pytest.param(lambda data: data["cart"].append(2), id="changed inside"),
        pytest.param(lambda data: data.clear(), id="cleared"),
        pytest.param(lambda data: None, id="nothing"),
    ],
)
def test_a_mutation_that_raises_leaves_the_dict_as_it_was(change):
    tracking = tracked(n=1, cart=[1])
    with pytest.raises(LookupError):
        tracking.mutate(failing(change))
    assert image(tracking.data) == image({"n": 1, "cart": [1]})
    assert list(tracking.data) == ["n", "cart"]
    assert tracking.changes() == {}
    assert not tracking.modified


def test_a_mutation_that_is_interrupted_leaves_the_dict_as_it_was():
    def function(data):
        data.clear()
        raise KeyboardInterrupt

    tracking = tracked(n=1)
    with pytest.raises(KeyboardInterrupt):
        tracking.mutate(function)
    assert tracking.data == {"n": 1}


def test_a_value_that_a_failing_mutation_did_not_change_stays_the_object_that_the_app_holds():
    tracking = tracked(n=1, cart=[1])
    cart = handed_out(tracking, "cart")
    with pytest.raises(LookupError):
        tracking.mutate(failing(lambda data: data.update(n=2)))
    assert tracking.data["cart"] is cart
    cart.append(2)
    assert tracking.changes() == {"cart": [1, 2]}


def test_what_was_changed_before_a_failing_mutation_is_still_a_change():
    tracking = tracked(n=1, cart=[1])
    tracking.set("n", 2)
    handed_out(tracking, "cart").append(2)
    with pytest.raises(LookupError):
        tracking.mutate(failing(lambda data: data.clear()))
    assert tracking.changes() == {"n": 2, "cart": [1, 2]}
    assert replayed(tracking, {"n": 1, "cart": [1]}) == {"n": 2, "cart": [1, 2]}


def test_a_failing_mutation_is_not_done_again_on_newer_data():
    tracking = tracked(n=1)
    with pytest.raises(LookupError):
        tracking.mutate(failing(increment))
    assert replayed(tracking, {"n": 5}) == {"n": 5}


def test_a_mutation_after_one_that_failed_counts():
    tracking = tracked(n=1)
    with pytest.raises(LookupError):
        tracking.mutate(failing(increment))
    tracking.mutate(increment)
    assert tracking.modified
    assert replayed(tracking, {"n": 5}) == {"n": 6}


@pytest.mark.parametrize(
    ("left", "error"), [({"x": object()}, NotSerializable), ({"x": "\ud800"}, NotSerializable), ({5: 1}, TypeError)]
)
def test_a_function_that_leaves_what_cannot_be_stored_on_newer_data_is_refused_there(left, error):
    tracking = tracked(n=1)
    tracking.mutate(lambda data: data.update(left if data["n"] > 1 else {}))
    with pytest.raises(error):
        replayed(tracking, {"n": 2})


# settle


def test_what_was_written_is_unchanged():
    tracking = tracked(a=1, cart=[1])
    tracking.set("b", 2)
    tracking.remove("a")
    handed_out(tracking, "cart").append(2)
    tracking.mutate(increment)
    tracking.rebase()
    assert not tracking.modified
    assert replayed(tracking, {}) == {}


def test_a_value_handed_out_before_it_was_written_is_still_watched():
    tracking = tracked(cart=[1])
    cart = handed_out(tracking, "cart")
    tracking.rebase()
    cart.append(2)
    assert tracking.changes() == {"cart": [1, 2]}


# Merging


def test_what_was_loaded_can_be_asked_for():
    tracking = tracked(a=[1])
    tracking.set("a", [2])
    tracking.set("new", 1)
    assert tracking.before("a") == [1]
    assert tracking.before("new") is None


def test_deleting_again_what_is_gone_already_is_fine():
    tracking = tracked(a=1)
    tracking.remove("a")
    assert replayed(tracking, {"b": 1}) == {"b": 1}


@pytest.mark.parametrize(
    ("theirs", "overwritten"),
    [
        ({"a": 1, "b": 1}, 0),
        ({"a": 9, "b": 1}, 1),
        ({"a": True, "b": 1}, 1),
        ({"a": [1], "b": 1}, 1),
        ({"b": 1}, 1),
        ({"a": 1, "b": 9}, 0),
        ({"a": 1, "new": 5}, 1),
    ],
)
def test_keys_that_both_have_changed_are_counted(theirs, overwritten):
    tracking = tracked(a=1, b=1)
    tracking.set("a", 2)
    tracking.set("new", 3)
    assert tracking.overwritten(theirs) == overwritten


def adopted(theirs, **data):
    """Track `data`, change a key, merge into `theirs` and go on from there; return the tracking and data's values."""
    tracking = tracked(**data)
    values = {key: handed_out(tracking, key) for key in data}
    tracking.set("mine", 1)
    merged = replayed(tracking, theirs)
    tracking.adopt(merged)
    return tracking, values


def test_what_was_merged_and_written_is_unchanged():
    tracking, _ = adopted({"cart": [1], "theirs": 2}, cart=[1])
    assert tracking.data == {"cart": [1], "theirs": 2, "mine": 1}
    assert not tracking.modified


def test_a_value_the_app_still_holds_stays_watched_after_a_merge():
    tracking, values = adopted({"cart": [1]}, cart=[1])
    values["cart"].append(2)
    assert tracking.changes() == {"cart": [1, 2]}


@pytest.mark.parametrize("theirs", [{"cart": [9]}, {}])
def test_a_held_value_that_the_merge_replaced_is_no_change_while_it_stays_as_it_is(theirs):
    tracking, _ = adopted(dict(theirs), cart=[1])
    assert not tracking.modified
    assert tracking.data == {**theirs, "mine": 1}


@pytest.mark.parametrize("theirs", [{"cart": [9]}, {}])
def test_a_held_value_that_the_merge_replaced_counts_as_assigned_once_it_changes(theirs):
    tracking, values = adopted(theirs, cart=[1])
    values["cart"].append(2)
    assert tracking.modified
    assert tracking.changes() == {"cart": [1, 2]}


@pytest.mark.parametrize("theirs", [{"cart": [9]}, {}])
def test_a_held_value_that_was_replaced_and_changed_is_counted_as_overwriting(theirs):
    tracking, values = adopted(dict(theirs), cart=[1])
    values["cart"].append(2)
    assert tracking.overwritten({"cart": ["newer"]}) == 1


def test_a_key_that_was_removed_here_is_not_brought_back_by_a_merge():
    tracking = tracked(cart=[1])
    handed_out(tracking, "cart")
    tracking.remove("cart")
    tracking.adopt(replayed(tracking, {"cart": [1]}))
    assert tracking.data == {}
    assert not tracking.modified


# Against a plain dict as oracle

KEYS = st.sampled_from("abc")
SMALL = st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2) | st.sampled_from([True, 1.0, None, (), {}])


def image(data):
    """Key by key what a dict holds; the order of a session's keys says nothing."""
    return {key: exact(value) for key, value in data.items()}


class TrackedDict(RuleBasedStateMachine):
    """Do the same to a `Tracked` and to a plain dict; compare with a copy of what was loaded."""

    @initialize(data=st.dictionaries(KEYS, SMALL))
    def load(self, data):
        self.loaded = copy.deepcopy(data)
        self.oracle = copy.deepcopy(data)
        self.tracking = Tracked(copy.deepcopy(data), CODEC)

    @rule(key=KEYS, value=SMALL)
    def assign(self, key, value):
        self.tracking.set(key, copy.deepcopy(value))
        self.oracle[key] = copy.deepcopy(value)

    @rule(key=KEYS)
    def delete(self, key):
        if key in self.oracle:
            self.tracking.remove(key)
            del self.oracle[key]

    @rule(key=KEYS, item=st.integers(0, 2))
    def append_inside(self, key, item):
        if isinstance(self.oracle.get(key), list):
            handed_out(self.tracking, key).append(item)
            self.oracle[key].append(item)

    @rule(key=KEYS)
    def pop_inside(self, key):
        if isinstance(self.oracle.get(key), list) and self.oracle[key]:
            handed_out(self.tracking, key).pop()
            self.oracle[key].pop()

    @rule(key=KEYS, item=st.integers(0, 2), kind=st.sampled_from(["assign", "delete", "append", "nothing"]))
    def mutate(self, key, item, kind):
        def function(data):
            if kind == "assign":
                data[key] = [item]
            elif kind == "delete":
                data.pop(key, None)
            elif kind == "append" and isinstance(data.get(key), list):
                data[key].append(item)

        self.tracking.mutate(function)
        function(self.oracle)

    @precondition(lambda self: self.tracking.modified)
    @rule()
    def write(self):
        self.tracking.rebase()
        self.loaded = copy.deepcopy(self.oracle)

    @invariant()
    def holds_what_the_dict_holds(self):
        assert image(self.tracking.data) == image(self.oracle)

    @invariant()
    def is_modified_exactly_if_the_encoding_differs(self):
        assert self.tracking.modified == (image(self.oracle) != image(self.loaded))

    @invariant()
    def replays_to_the_same_dict(self):
        assert image(replayed(self.tracking, copy.deepcopy(self.loaded))) == image(self.oracle)


TestTrackedDict = TrackedDict.TestCase
TestTrackedDict.settings = settings(max_examples=examples(300), stateful_step_count=20, deadline=None)


@given(SESSIONS, SESSIONS)
def test_any_session_turned_into_any_other_replays_to_it(before, after):
    tracking = Tracked(copy.deepcopy(before), CODEC)
    for key in before.keys() - after.keys():
        tracking.remove(key)
    for key, value in after.items():
        tracking.set(key, value)
    assert image(replayed(tracking, copy.deepcopy(before))) == image(after)
    assert tracking.modified == (image(before) != image(after))
