"""Keys in a file: read at the start, and again while the process runs, so that a rotation needs no restart."""

import threading
from datetime import timedelta

import pytest

from cookiesess import ConfigurationError, Key, Keyring, SessionManager, SessionMiddleware, events, get_session
from cookiesess.stores.memory import MemoryStore
from kit.browser import Browser
from kit.views import login, put
from kit.wsgi import WebBrowser

A, B, C = (letter * 3 + Key.generate() for letter in "ABC")
LOOK = timedelta(seconds=60)
WAIT = timedelta(seconds=120)


@pytest.fixture
def seen():
    return []


@pytest.fixture
def write(tmp_path):
    """Write keys into the file, and return its path."""
    path = tmp_path / "keys.txt"

    def write(*keys):
        path.write_text("\n".join(keys))
        return path

    return write


@pytest.fixture
def start(write, clock, seen, tmp_path):
    """Start a process of the site: a manager with what the file holds by now."""

    def start(*keys, **settings):
        path = write(*keys) if keys else tmp_path / "keys.txt"
        return SessionManager(Keyring.from_file(path), clock=clock, on_event=seen.append, **settings)

    return start


def current(manager):
    """The key that seals at the moment, after a request."""
    manager.look_at_keys()
    return next(key for key in (A, B, C) if Key(key).kid == manager.operations.parts.keyring.current.kid)


def opens(manager):
    """The keys that open at the moment, after a request."""
    manager.look_at_keys()
    kids = {key.kid for key in manager.operations.parts.keyring.keys}
    return {key for key in (A, B, C) if Key(key).kid in kids}


# A ring by its file, or by the environment


@pytest.mark.parametrize("text", [f"{A}\n{B}", f"{A},{B}", f"\ufeff{A},\n\n{B}\n".replace(",\n", "\n")])
def test_a_file_holds_a_ring(tmp_path, text):
    path = tmp_path / "keys.txt"
    path.write_text(text)
    ring = Keyring.from_file(path)
    assert [key.kid for key in ring.keys] == [Key(A).kid, Key(B).kid]
    assert ring.path == path


@pytest.mark.parametrize("path", ["no-such-file", ".", "\0", ""])
def test_a_file_that_cannot_be_read_is_an_error_that_does_not_repeat_its_name(path):
    with pytest.raises(ConfigurationError, match="there is no file that can be read as text"):
        Keyring.from_file(path)


@pytest.mark.parametrize("path", [None, b"keys.txt", 5], ids=repr)
def test_a_path_of_another_type_is_refused(path):
    with pytest.raises(ConfigurationError, match=f"is text, or a Path, not {type(path).__name__}; is the variable set"):
        Keyring.from_file(path)


def test_a_path_in_the_place_of_keys_is_told_how_a_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"not PosixPath; write Keyring\.from_file\(path\)"):
        Keyring.of(tmp_path / "keys.txt")


@pytest.mark.parametrize("environ", ["COOKIESESS_KEYS", 5], ids=repr)
def test_what_is_no_environment_is_refused(environ):
    with pytest.raises(ConfigurationError, match=r"environ is a mapping such as os\.environ, not (str|int)"):
        Keyring.from_env(environ)


def test_the_environment_holds_keys_or_names_their_file(write):
    assert Keyring.from_env({"COOKIESESS_KEYS": f"{A},{B}"}).current.kid == Key(A).kid
    assert Keyring.from_env({"COOKIESESS_KEYS_FILE": str(write(B))}).current.kid == Key(B).kid


def test_the_environment_is_that_of_the_process_by_default(monkeypatch):
    monkeypatch.setenv("COOKIESESS_KEYS", A)
    assert Keyring.from_env().current.kid == Key(A).kid


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "neither COOKIESESS_KEYS nor COOKIESESS_KEYS_FILE is set.*keygen"),
        ({"COOKIESESS_KEYS": A, "COOKIESESS_KEYS_FILE": "x"}, "both set; remove one"),
        ({"COOKIESESS_KEYS": ""}, "^COOKIESESS_KEYS: a key is empty"),
        ({"COOKIESESS_KEYS": "short"}, "^COOKIESESS_KEYS: .*too short"),
        ({"COOKIESESS_KEYS_FILE": "no-such-file"}, "^COOKIESESS_KEYS_FILE: there is no file"),
    ],
)
def test_an_environment_without_usable_keys_says_which_variable(environ, words):
    with pytest.raises(ConfigurationError, match=words):
        Keyring.from_env(environ)


# While the process runs


def test_a_new_key_opens_at_the_next_look_and_seals_two_minutes_later(start, write, clock, seen):
    manager = start(A)
    write(B, A)
    clock.advance(LOOK)
    assert current(manager) == A
    assert opens(manager) == {A, B}
    clock.advance(WAIT - timedelta(seconds=1))
    assert current(manager) == A
    clock.advance(LOOK)
    assert current(manager) == B
    kid_a, kid_b = Key(A).kid.hex(), Key(B).kid.hex()
    assert seen == [
        events.KeysChanged(kid_a, added=1, removed=0, waiting=True),
        events.KeysChanged(kid_b, added=0, removed=0, waiting=False),
    ]


def test_no_process_seals_what_another_cannot_open(start, write, clock):
    """Processes that look at other moments of the same minute."""
    processes = []
    for _ in range(4):
        processes.append(start(A) if not processes else start())
        clock.advance(LOOK / 4)
    write(B, A)
    for _ in range(40):
        clock.advance(timedelta(seconds=7))
        sealing = {current(each) for each in processes}
        assert all(sealing <= opens(each) for each in processes)
    assert sealing == {B}


def test_a_key_that_was_accepted_before_seals_at_once(start, write, clock):
    manager = start(A, B)
    write(B, A)
    clock.advance(LOOK)
    assert current(manager) == B


def test_a_key_that_is_gone_stops_at_once(start, write, clock, seen):
    manager = start(A, B)
    write(A)
    clock.advance(LOOK)
    assert opens(manager) == {A}
    assert seen == [events.KeysChanged(Key(A).kid.hex(), added=0, removed=1, waiting=False)]


def test_where_the_current_key_is_gone_the_new_one_seals_at_once(start, write, clock):
    """It has leaked: whoever holds it must not be let in for another two minutes."""
    manager = start(A)
    write(B)
    clock.advance(LOOK)
    assert current(manager) == B
    assert opens(manager) == {B}


def test_a_key_that_was_put_back_waits_again(start, write, clock):
    manager = start(A)
    for keys in ((B, A), (A,), (B, A)):
        write(*keys)
        clock.advance(LOOK)
        assert current(manager) == A


def test_a_process_that_starts_takes_the_file_as_it_is(start):
    assert current(start(B, A)) == B


def test_the_file_is_looked_at_once_a_minute_at_most(start, write, clock):
    manager = start(A)
    write(A, B)
    clock.advance(LOOK - timedelta(seconds=1))
    assert opens(manager) == {A}
    clock.advance(timedelta(seconds=1))
    assert opens(manager) == {A, B}
    write(A, B, C)
    assert opens(manager) == {A, B}


def test_a_clock_that_was_set_back_has_the_file_looked_at_all_the_same(start, write, clock):
    manager = start(A, B)
    clock.advance(timedelta(hours=-1))
    write(A)
    assert opens(manager) == {A}


@pytest.mark.parametrize("text", ["", "short", f"{A}\n{A}", "\xff" * 40])
def test_a_bad_file_keeps_the_old_keys_and_says_so(start, write, clock, seen, text):
    manager = start(A)
    write().write_bytes(text.encode("latin-1"))
    clock.advance(LOOK)
    assert current(manager) == A
    (event,) = seen
    assert isinstance(event, events.KeysFileRejected)
    assert A not in str(event)


def test_a_file_that_is_gone_keeps_the_old_keys(start, write, clock, seen):
    manager = start(A)
    write(A).unlink()
    clock.advance(LOOK)
    assert current(manager) == A
    write(A, B)
    clock.advance(LOOK)
    assert opens(manager) == {A, B}
    assert [event.name for event in seen] == ["keys.file_rejected", "keys.changed"]


@pytest.mark.parametrize("settings", [dict, lambda: {"store": MemoryStore()}, lambda: {"encrypt": False}])
def test_nobody_is_logged_out_by_a_rotation(start, write, clock, settings):
    manager = start(A, **settings())
    browser = Browser(manager)
    browser.visit(login("ann"))
    for count, keys in enumerate(((A, B), (B, A), (B, A))):
        write(*keys)
        clock.advance(WAIT)
        manager.look_at_keys()
        browser.visit(put("count", count))
        assert browser.owner() == "ann"
    write(B)
    clock.advance(WAIT)
    manager.look_at_keys()
    assert browser.owner() == "ann"


def test_lists_and_ends_use_the_new_keys(start, write, clock):
    manager = start(A, store=MemoryStore())
    Browser(manager).visit(login("ann"))
    write(B, A)
    for _ in range(3):
        clock.advance(LOOK)
        manager.look_at_keys()
    Browser(manager).visit(login("ann"))
    assert len(manager.sessions_of("ann")) == 2
    assert manager.end_all("ann") == 2


@pytest.mark.parametrize("settings", [dict, lambda: {"store": MemoryStore()}])
def test_a_request_goes_on_with_the_keys_that_it_began_with(start, write, clock, settings):
    manager = start(A, **settings())
    browser = Browser(manager)
    browser.visit(login("ann"))
    request = browser.open(put("a", 1))
    write(B)
    clock.advance(LOOK)
    manager.look_at_keys()
    request.finish()
    old = SessionManager(A, clock=clock, **({"store": manager._opened.configuration.store} if settings() else {}))
    assert Browser(old, browser.cookies).read() == {"a": 1}


def test_a_middleware_looks_by_itself(write, clock):
    path = write(A)

    def app(environ, start_response):
        session = get_session(environ)
        session["n"] = session.get("n", 0) + 1
        start_response("200 OK", [])
        return [str(session["n"]).encode()]

    browser = WebBrowser(SessionMiddleware(app, Keyring.from_file(path), clock=clock))
    assert browser.get().text == "1"
    write(B)
    clock.advance(LOOK)
    assert browser.get().text == "1"  # the key has leaked, so the session is gone
    assert browser.get().text == "2"


def test_of_many_threads_one_looks(start, write, clock, seen):
    manager = start(A)
    write(A, B)
    clock.advance(LOOK)
    barrier = threading.Barrier(8)

    def ask():
        barrier.wait()
        manager.look_at_keys()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1
    assert opens(manager) == {A, B}


def test_keys_that_are_no_file_are_not_looked_at(clock):
    manager = SessionManager(A, clock=clock)
    before = manager.operations
    manager.look_at_keys()
    assert manager.watched is None
    assert manager.operations is before
