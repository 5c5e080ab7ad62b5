"""A cookie that does not open is kept, on every edge; and what a client or a proxy has bent opens."""

import pytest

from adapters.edges import EDGES
from cookiesess.stores.memory import MemoryStore

SIDES = {"client-side": dict, "store": lambda: {"store": MemoryStore()}}
PATHS = ["/who", "/form", "/visit", "/write", "/login"]
SPOILT = {
    "junk": lambda name, value: f"{name}=junk",
    "nothing": lambda name, value: f"{name}=",
    "cut": lambda name, value: f"{name}={value[:-9]}",
    "forged": lambda name, value: f"{name}={value[:-4]}AAAA",
    "a comma inside": lambda name, value: f"{name}=AQ,{value}",
    "behind a comma": lambda name, value: f"theme=dark, {name}={value}",
    "another key's": lambda name, value: f"{name}={'AQIDBAUG' * 12}",
}
BENT = {
    "quotes": lambda name, value: f'{name}="{value}"',
    "in front of a comma": lambda name, value: f"{name}={value}, theme=dark",
    "blanks": lambda name, value: f"theme=dark;{name}= {value} ;a=b",
}


@pytest.fixture(params=SIDES)
def settings(request):
    return SIDES[request.param]()


@pytest.fixture(params=EDGES, ids=lambda kind: kind.__name__)
def edge(request, settings):
    with request.param(settings).running() as edge:
        browser = edge.browser()
        browser.get("/login")
        edge.cookie = next(iter(browser.cookies.items()))
        yield edge


def ask(edge, path, header):
    """Return the page, and the names of the session's cookies that the answer has the browser forget."""
    response = edge.browser().get(path, HTTP_COOKIE=header)
    lines = response.headers.getall("Set-Cookie")
    return response.text, [line for line in lines if "max-age=0" in line.lower() and edge.cookie[0] in line]


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_does_not_open_is_deleted_by_nothing_but_a_logout(edge, spoil):
    header = spoil(*edge.cookie)
    clears = type(edge).__name__ == "FlaskClearing"  # its login begins with a logout
    for path in PATHS[:-1] if clears else PATHS:
        assert ask(edge, path, header)[1] == [], path
    if not (type(edge).__name__ == "Django" and header.startswith("theme")):  # where Django sees no such cookie
        assert ask(edge, "/logout", header)[1] != []


@pytest.mark.parametrize("path", PATHS[:2])
def test_what_is_from_the_future_is_kept_until_the_clock_is_right(edge, path):
    name, value = edge.cookie
    edge.clock.advance(-86_400)
    assert ask(edge, path, f"{name}={value}")[1] == []
    edge.clock.advance(86_400)
    assert ask(edge, "/who", f"{name}={value}")[0].startswith("ann")


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_what_was_bent_on_its_way_opens(edge, bend):
    assert ask(edge, "/who", bend(*edge.cookie)) == ("ann, None, None", [])
