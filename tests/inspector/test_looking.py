"""What the page shows, and what it never shows."""

from datetime import timedelta

from cookiesess import CookiePolicy, Lifetime, SessionManager
from cookiesess.testing import CookieHeader, session_transaction
from examples.inspector.app import make_inspector
from kit.constants import KEY
from kit.inspector import Person, look


def test_a_first_look_finds_no_cookie_and_sets_two(person):
    assert "No cookie came" in person.part("browser")
    assert "No session came with this request" in person.part("server")
    assert sorted(person.cookies) == ["inspector", "session"]


def test_a_second_look_finds_an_empty_session(person):
    person.look()
    assert "The cookie opens, and this request goes on with its session" in person.part("server")
    assert "The session holds no data" in person.part("server")
    assert "Path=/ HttpOnly SameSite=Lax" in person.part("browser")


def test_a_look_that_changes_nothing_sets_no_cookie(person):
    person.look()
    assert "Set-Cookie" not in person.look().headers


def test_each_value_is_shown_with_its_type_and_size(person):
    person.press("Set", key="name", value="萧兮")
    assert "name '萧兮' str 7" in person.part("server")


def test_what_people_type_is_shown_as_text(person):
    text = "<script>alert(1)</script>"
    page = person.press("Set", key=text, value=text)
    person.press("Flash", message=text)
    assert text in person.part("server")
    assert text in person.outcome or text in person.page.html.get_text()
    for each in (page, person.page):
        assert "<script" not in each.text.lower()


def test_neither_keys_nor_whole_tokens_are_shown(app):
    person = Person(app)
    for text in ("Set", "Log in as ann", "Grow by 1 KB"):
        page = person.press(text)
        assert KEY not in page.text
        for value in person.cookies.values():
            assert value not in page.text
            assert value[10:-4] not in page.text


def test_a_long_text_is_cut(person):
    person.press("Set", key="long", value="x" * 1000)
    assert "x" * 120 + "'… 1,000 characters" in person.part("server")
    assert "x" * 121 not in person.page.text


def test_the_times_are_those_of_the_settings(store, clock):
    lifetime = Lifetime(idle=timedelta(minutes=10), absolute=timedelta(hours=3))
    person = Person(make_inspector(KEY, overflow=store, revocations=store, lifetime=lifetime, clock=clock))
    person.press("Log in as ann")
    clock.advance(timedelta(minutes=5))
    person.look()
    times = [" ".join(each.get_text(" ").split()) for each in person.page.html.select(".moments li")]
    assert [time.partition(" ")[0] for time in times] == ["created", "logged", "refreshed", "now", "ends", "ends"]
    assert times[4].endswith("in 5 min")
    assert times[5].endswith("in 3 h")


def test_a_session_whose_time_is_over_is_said_to_be(store, clock):
    person = Person(make_inspector(KEY, overflow=store, revocations=store, clock=clock))
    clock.advance(timedelta(minutes=11))
    person.look()
    assert "The session's time is over (idle timeout)" in person.part("server")


def test_the_demos_own_requests_are_among_the_events(person):
    person.app.get("/set_cookie")
    person.look()
    assert "GET /set_cookie 200 cookie set user_id" in person.part("events")
    assert "user_id a plain cookie" in person.part("browser")


def test_one_browser_does_not_see_the_events_of_another(app):
    ann, bob = Person(app), Person(app)
    ann.press("Set", key="mine", value="secret")
    bob.look()
    assert "/inspect/set" not in bob.part("events")


# Sizes and kinds


def test_a_session_that_outgrows_its_cookie_is_followed_into_the_store(client_side):
    person = Person(client_side)
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert "in the store; the cookie has its ID" in person.part("server")
    assert "bytes in the store" in person.part("server")
    assert "session.overflowed" in person.part("events")


def test_a_session_near_the_limit_says_so(client_side):
    person = Person(client_side)
    person.press("Grow by 1 KB")
    person.press("Grow by 1 KB")
    person.press("Set", value="x" * 500)
    assert "near the limit" in person.part("browser")
    assert "session.near_limit" in person.outcome


def test_a_session_that_fits_nowhere_is_an_error_that_the_page_shows():
    person = Person(make_inspector(KEY))
    before = person.press("Grow by 1 KB")
    for _ in range(3):
        person.press("Grow by 1 KB")
    assert "largest keys: 'filler'" in person.outcome
    assert person.page.html.find(role="alert")
    assert "2,048 characters" in person.part("server")
    assert before is not person.page


def test_pieces_are_numbered():
    person = Person(make_inspector(KEY, cookie=CookiePolicy("session", secure="auto", chunks=3)))
    for _ in range(4):
        person.press("Grow by 1 KB")
    assert "session the session, piece 1 of 2" in person.part("browser")
    assert "session.1 the session, piece 2 of 2" in person.part("browser")
    assert "4,096 characters" in person.part("server")


def test_a_compressed_session_is_called_so():
    person = Person(make_inspector(KEY, compress=True))
    person.press("Set", value="x" * 1000)
    assert "in the cookie, compressed" in person.part("server")


def test_a_signed_session_is_called_so():
    person = Person(make_inspector(KEY, encrypt=False))
    person.look()
    assert "signed: authenticated; anybody can read it" in person.part("server")
    person.press("Flip a bit")
    assert "The cookie does not open" in person.part("server")


# The rest of what is shown


def test_looks_that_changed_nothing_are_no_events(person):
    person.look()
    before = len(person.page.html.select(".events ol > li"))
    for _ in range(3):
        person.look()
    assert len(person.page.html.select(".events ol > li")) == before


def test_a_session_that_a_login_replaced_is_said_to_be_over(server_side):
    person = Person(server_side)
    person.press("Set", key="name", value="x")
    old = person.cookies["session"]
    person.press("Log in as ann")
    thief = look(server_side, f"session={old}")
    assert "This session was ended, or has another ID by now" in thief.part("server")
    assert "the ID in the cookie is dead" in thief.part("server")


def test_a_session_with_an_idle_timeout_of_its_own_ends_by_that(store, clock):
    policy = CookiePolicy("session", secure="auto")
    person = Person(make_inspector(KEY, store=store, clock=clock, cookie=policy))
    manager = SessionManager(KEY, store=store, clock=clock, cookie=policy)
    with session_transaction(manager, CookieHeader(f"session={person.cookies['session']}")) as session:
        session.idle = timedelta(minutes=3)
        session["deep"] = {"texts": ["y" * 100]}
    person.look()
    assert "has an idle timeout of its own, 180 s" in person.part("server")
    assert "ends if nobody comes 22:16:20 in 3 min" in person.part("server")
    assert "{'texts': ['" + "y" * 40 + "…']}" in person.part("server")


def test_a_cookie_of_a_server_that_was_started_anew_can_still_be_flipped(store):
    person = Person(make_inspector(KEY, overflow=store, revocations=store))
    person.press("Set", key="name", value="x")
    again = Person(make_inspector(KEY, overflow=store, revocations=store))
    for name, value in person.cookies.items():
        again.app.set_cookie(name, value)
    again.look()
    answer = again.post("Flip a bit")
    (line,) = [each for each in answer.headers.getall("Set-Cookie") if each.startswith("session=")]
    assert line.endswith("; Path=/; HttpOnly; SameSite=Lax")


def test_a_cookie_that_does_not_open_is_not_offered_for_a_replay(person):
    person.press("Set", key="name", value="x")
    person.press("Flip a bit")
    flipped = len(person.page.html.select("button[name=kept]"))
    assert len(person.look().html.select("button[name=kept]")) == flipped
