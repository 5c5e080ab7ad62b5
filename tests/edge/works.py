"""What an app does to its session between two requests, the same to a `Session` and to the dict of a model."""

from copy import deepcopy

from hypothesis import strategies as st

from kit.strategies import VALUES

KEYS = st.sampled_from(["a", "b", "cart", "萧兮"])
# A cookie holds 4 KB; what is kept is cut to fit.
MOST_ITEMS, MOST_TEXT = 5, 1000


def put(data, key, value):
    if len(repr({**dict(data), key: value})) > MOST_TEXT:
        clear(data, key, value)
        value = "too much"
    data[key] = deepcopy(value)


def append(data, key, value):
    """Whatever stood there becomes a list, which grows from inside in later requests."""
    if type(data.get(key)) is not list or len(data[key]) >= MOST_ITEMS:
        data[key] = []
    data[key].append(value)


def mutate(data, key, value):
    if isinstance(data, dict):
        data[key] = value
    else:
        data.mutate(lambda each: each.update({key: value}))


def put_what_is_there(data, key, _):
    if key in data:
        data[key] = deepcopy(data[key])


def append_and_take_back(data, key, _):
    if type(data.get(key)) is list:
        data[key].append(1)
        data[key].pop()


def delete(data, key, _):
    data.pop(key, None)


def clear(data, _key, _value):
    for name in list(data):
        del data[name]


WORKS = st.lists(
    st.tuples(st.just(put), KEYS, VALUES)
    | st.tuples(st.sampled_from([append, mutate]), KEYS, st.integers(0, 9))
    | st.tuples(st.sampled_from([delete, put_what_is_there, append_and_take_back, clear]), KEYS, st.none()),
    max_size=3,
)


def work_on(data, works):
    """Do the same to a session and to the model's dict."""
    for work, key, value in works:
        work(data, key, value)
