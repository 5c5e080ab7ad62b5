"""Several cookies of the session's name: a login closes and a logout ends them all, and no browser keeps one."""

import pytest

from cookiesess import CookiePolicy, Transport
from cookiesess.http.places import CookieIdentity
from cookiesess.session.state import Origin
from kit.browser import Browser
from kit.constants import BIG, MAX_BYTES, OTHER_KEY
from kit.jars import HOST, Wanderer
from kit.lines import expired, issued, places
from kit.views import clear, every, invalidate, login, put
from kit.world import World

NAME, REF = "session", "session.ref"
POLICY = CookiePolicy(NAME, max_bytes=MAX_BYTES)
SETTINGS = {
    "cookie": lambda world: world,
    "store": lambda world: World(world.probe),
    "overflow": lambda world: world.with_overflow(),
    "revocations": lambda world: world.with_revocations(),
    "both": lambda world: world.with_both(),
}
FILLINGS = {"cookie": "", "store": "", "overflow": BIG, "revocations": "", "both": BIG}
MOVED = ("overflow", "both")


@pytest.fixture(params=SETTINGS)
def side(request):
    return request.param


@pytest.fixture
def world(side):
    """A world of each kind of session; of the last one they have moved to the store."""
    return SETTINGS[side](World())


def session_of(world, *views, policy=POLICY, filling=""):
    """Return a browser with a session of its own."""
    browser = Browser(world.make_manager(cookie=policy))
    browser.visit(every(put("text", filling), *views))
    world.forget()
    return browser


def headers(*browsers):
    return "; ".join(browser.header for browser in browsers)


def request(world, header, *views, policy=POLICY):
    """Make a request with a header of its own, and return the lines of the answer."""
    manager = world.make_manager(cookie=policy)
    session = manager.open(header)
    every(*views)(session)
    return list(manager.commit(session).cookies)


# On the server


@pytest.fixture(params=["store", "overflow", "revocations", "both"])
def stored(request):
    """A world of the sides that know what has ended."""
    world = SETTINGS[request.param](World())
    world.filling = FILLINGS[request.param]
    return world


@pytest.mark.parametrize("owner", [None, "ann", "bob"])
def test_a_login_closes_every_session_that_the_request_brought(stored, owner):
    views = [login(owner)] if owner else []
    twins = [session_of(stored, *views, filling=stored.filling) for _ in range(3)]
    request(stored, headers(*twins), login("ann"))
    for twin in twins:
        assert stored.make_manager(cookie=POLICY).open(twin.header).origin is Origin.REPLACED


def test_a_login_in_the_cookie_closes_the_records_that_came_with_it():
    world = SETTINGS["overflow"](World())
    twins = [session_of(world, filling=BIG), session_of(world, login("ann"))]
    request(world, headers(*twins), login("ann"))
    assert world.make_manager(cookie=POLICY).open(twins[0].header).origin is Origin.REPLACED


def test_a_login_that_moves_closes_the_records_that_came_with_it():
    world = SETTINGS["overflow"](World())
    twins = [session_of(world, filling=BIG), session_of(world, login("ann"))]
    request(world, headers(*twins), login("ann"), put("text", BIG))
    assert world.make_manager(cookie=POLICY).open(twins[0].header).origin is Origin.REPLACED


def test_a_logout_under_a_twin_of_the_same_owner_ends_what_the_login_made(stored):
    twins = [session_of(stored, login("ann"), filling=stored.filling) for _ in range(2)]
    browser = Browser(stored.make_manager(cookie=POLICY))
    browser.keep(request(stored, headers(*twins), login("ann")))
    for twin in twins:
        request(stored, twin.header, invalidate)
    assert browser.owner() is None


def test_a_logout_under_a_planted_twin_ends_nothing(stored):
    planted, ours = session_of(stored, filling=stored.filling), session_of(stored, login("ann"), filling=stored.filling)
    browser = Browser(stored.make_manager(cookie=POLICY))
    browser.keep(request(stored, headers(planted, ours), login("ann")))
    request(stored, planted.header, invalidate)
    assert browser.owner() == "ann"


def test_a_csrf_token_from_before_the_login_is_good_under_a_twin(stored):
    tokens = []
    twins = [session_of(stored, filling=stored.filling) for _ in range(2)]
    twins[0].visit(lambda session: tokens.append(session.csrf_token()))
    request(stored, headers(*twins), login("ann"))
    assert stored.make_manager(cookie=POLICY).open(twins[0].header).check_csrf(tokens[0])


def test_a_logout_ends_every_session_that_the_request_brought(stored):
    twins = [session_of(stored, filling=stored.filling), session_of(stored, login("ann"), filling=stored.filling)]
    twins.append(session_of(stored, login("bob"), filling=stored.filling))
    request(stored, headers(*twins), invalidate)
    assert stored.taken_names().count("session.ended") == 1
    assert [twin.read() for twin in twins] == [{}] * 3


def test_a_logout_ends_them_at_once_also_where_the_app_fails(stored):
    twins = [session_of(stored, filling=stored.filling) for _ in range(2)]
    manager = stored.make_manager(cookie=POLICY)
    session = manager.open(headers(*twins))
    session.invalidate()
    manager.abandon(session)
    assert [twin.read() for twin in twins] == [{}] * 2


def test_a_session_that_was_emptied_ends_no_twin(stored):
    twin, ours = session_of(stored, filling=stored.filling), session_of(stored, filling=stored.filling)
    request(stored, headers(twin, ours), clear)
    assert twin.read() != {}


def test_a_login_is_not_lost_where_the_store_fails_as_its_twins_are_closed():
    world = SETTINGS["store"](World())
    twin, ours = session_of(world), session_of(world, login("ann"))
    closed = []

    def one_only(called, outcome, _):
        closed.extend([called] if called == "update" else [])
        if len(closed) == 1:
            world.probe.down = {"update", "load"}
        return outcome

    manager = world.make_manager(cookie=POLICY)
    session = manager.open(headers(twin, ours))
    session.login("ann")
    world.probe.answer = one_only
    lines = manager.commit(session).cookies
    world.probe.down, world.probe.answer = set(), None
    assert issued(lines) == [NAME]
    assert "store.failed" in world.taken_names()


def test_a_twin_that_is_written_while_a_login_closes_it_is_closed_all_the_same(stored):
    twin, ours = session_of(stored, filling=stored.filling), session_of(stored, login("ann"), filling=stored.filling)
    manager = stored.make_manager(cookie=POLICY)
    session = manager.open(headers(twin, ours))
    session.login("ann")
    twin.visit(put("b", 2))
    manager.commit(session)
    assert manager.open(twin.header).origin is Origin.REPLACED


def test_a_twin_that_is_ended_while_a_login_closes_it_is_no_matter(stored):
    twin, ours = session_of(stored, filling=stored.filling), session_of(stored, login("ann"), filling=stored.filling)
    manager = stored.make_manager(cookie=POLICY)
    session = manager.open(headers(twin, ours))
    session.login("ann")
    twin.visit(invalidate)
    assert issued(manager.commit(session).cookies) != []


# What the browser is told


def two(world, side, policy=POLICY):
    """The Cookie header of a deploy: one session from before it, one from after it."""
    return headers(*[session_of(world, policy=policy, filling=FILLINGS[side]) for _ in range(2)])


VERBS = {
    "login": login("ann"),
    "login and save": lambda session: session.login("ann") or session.save(),
    "cycle": lambda session: session.cycle(),
    "logout": invalidate,
    "logout and write": every(invalidate, put("a", 1)),
    "logout, write and save": lambda session: session.invalidate() or session.update(a=1) or session.save(),
    "emptied": clear,
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_where_several_came_a_verb_that_settles_it_forgets_them_wherever_they_stand(world, side, verb):
    lines = request(world, two(world, side), verb)
    name = REF if side in MOVED else NAME
    everywhere = {CookieIdentity(name, "/", None, partitioned) for partitioned in (False, True)}
    kept = {
        CookieIdentity(line.name, line.attributes.path, line.attributes.domain, line.attributes.partitioned)
        for line in lines
        if line.attributes.max_age != 0
    }
    assert set(places(lines)) == everywhere - kept


@pytest.mark.parametrize("verb", [put("b", 2), lambda session: session.renew(), lambda session: session.flash("hello")])
def test_another_write_forgets_no_twin(world, side, verb):
    assert places(request(world, two(world, side), verb)) == []


def test_a_login_with_one_cookie_forgets_nothing(world, side):
    alone = session_of(world, filling=FILLINGS[side]).header
    assert places(request(world, alone, login("ann"))) == []


def test_a_logout_with_one_cookie_forgets_it_wherever_it_stands_since_a_deploy_may_have_changed_that(world, side):
    alone = session_of(world, filling=FILLINGS[side]).header
    assert {place.partitioned for place in places(request(world, alone, invalidate))} == {False, True}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_only_names_that_came_are_forgotten(world, side, verb):
    name = REF if side in MOVED else NAME
    assert set(expired(request(world, two(world, side), verb))) == {name}


@pytest.mark.parametrize("verb", [login("ann"), clear])
def test_a_login_does_not_forget_what_did_not_open(verb):
    world = World().with_overflow()
    twins = [session_of(world) for _ in range(2)]
    lines = request(world, f"{headers(*twins)}; {REF}=another-key's", verb)
    assert expired(lines) == [NAME]


def test_a_line_that_sets_comes_last(world, side):
    *forgets, sets = request(world, two(world, side), login("ann"))
    assert issued(forgets) == []
    assert issued([sets]) == [REF if side in MOVED else NAME]


def test_where_it_is_set_nothing_is_forgotten(world, side):
    *forgets, sets = request(world, two(world, side), login("ann"))
    name, _, attributes = sets
    assert CookieIdentity(name, attributes.path, attributes.domain, attributes.partitioned) not in places(forgets)


# Whole deploys, in a browser that tells cookies apart

DEPLOYS = {
    "host-only, then a domain": ({}, {"domain": "shop.example"}),
    "a domain, then host-only": ({"domain": "shop.example"}, {}),
    "the host's domain, then its parent": ({"domain": HOST}, {"domain": "shop.example"}),
    "the parent, then the host's own domain": ({"domain": "shop.example"}, {"domain": HOST}),
    "everywhere, then below a path": ({}, {"path": "/shop"}),
    "below a path, then everywhere": ({"path": "/shop"}, {}),
    "below a path, then above it": ({"path": "/shop/page"}, {"path": "/shop"}),
    "partitioned": ({"samesite": "None"}, {"samesite": "None", "partitioned": True}),
    "no longer partitioned": ({"samesite": "None", "partitioned": True}, {"samesite": "None"}),
    "all at once": ({}, {"domain": "shop.example", "path": "/shop", "samesite": "None", "partitioned": True}),
}
PAGE = "/shop/page"


@pytest.fixture(params=DEPLOYS)
def deploy(request, world, side):
    """A visitor with a login from before a deploy, in front of what is there since."""
    before, after = (CookiePolicy(NAME, max_bytes=MAX_BYTES, **fields) for fields in DEPLOYS[request.param])
    visitor = Wanderer(world.make_manager(cookie=before))
    visitor.visit(every(put("text", FILLINGS[side]), login("before")), PAGE)
    world.clock.advance(60)
    visitor.manager = world.make_manager(cookie=after)
    return visitor


def test_after_a_deploy_the_visitor_is_still_logged_in(deploy):
    assert deploy.owner(PAGE) == "before"


def test_a_login_after_a_deploy_sticks(deploy):
    deploy.visit(login("ann"), PAGE)
    assert deploy.owner(PAGE) == "ann"
    deploy.visit(put("a", 1), PAGE)
    assert (deploy.owner(PAGE), deploy.read(path=PAGE)["a"]) == ("ann", 1)


def test_a_logout_after_a_deploy_leaves_no_cookie_behind(deploy):
    deploy.visit(invalidate, PAGE)
    assert deploy.kept == {}


def test_a_logout_after_a_login_after_a_deploy_leaves_no_cookie_behind(deploy):
    deploy.visit(login("ann"), PAGE)
    deploy.visit(invalidate, PAGE)
    assert deploy.kept == {}
    assert deploy.owner(PAGE) is None


def test_two_logins_after_a_deploy_leave_one_cookie(deploy):
    for _ in range(2):
        deploy.visit(login("ann"), PAGE)
    assert len(deploy.kept) == 1
    assert deploy.owner(PAGE) == "ann"


def test_a_visitor_from_before_who_only_writes_goes_on_with_one_session(deploy):
    deploy.visit(put("a", 1), PAGE)
    deploy.visit(put("b", 2), PAGE)
    assert (deploy.owner(PAGE), deploy.read(path=PAGE)["a"], deploy.read(path=PAGE)["b"]) == ("before", 1, 2)


def test_a_deploy_is_over_for_those_who_log_in_anew(deploy, world):
    """They have one cookie, and no event says anything of several."""
    deploy.visit(invalidate, PAGE)
    deploy.visit(login("ann"), PAGE)
    world.forget()
    assert deploy.owner(PAGE) == "ann"
    assert world.taken_events() == []


# Planters


def planted(world, *views, filling=""):
    """Return the name and value of the cookie of somebody else's session."""
    ((name, value),) = session_of(world, *views, filling=filling).cookies.items()
    return name, value


@pytest.mark.parametrize("filling", ["", BIG], ids=["a session", "a reference"])
@pytest.mark.parametrize("first", [True, False], ids=["planted before", "planted after"])
def test_an_anonymous_session_that_a_subdomain_planted_never_beats_a_login(first, filling):
    world = World().with_overflow()
    victim = Wanderer(world.make_manager(cookie=POLICY))
    if first:
        victim.plant(*planted(world, filling=filling), domain="shop.example")
    victim.visit(login("ann"))
    world.clock.advance(60)
    if not first:
        victim.plant(*planted(world, filling=filling), domain="shop.example")
    assert victim.owner() == "ann"


@pytest.mark.parametrize("name", [NAME, REF], ids=["ours is in the cookie", "ours has moved"])
@pytest.mark.parametrize("theirs", ["", BIG], ids=["a session", "a reference"])
def test_a_planted_login_that_is_older_than_the_victims_is_passed_over_in_either_order(name, theirs):
    world = World().with_overflow()
    mallory = session_of(world, login("mallory"), filling=theirs).header
    world.clock.advance(60)
    alice = session_of(world, login("alice"), filling="" if name == NAME else BIG).header
    manager = world.make_manager(cookie=POLICY)
    assert [manager.open(f"{alice}; {mallory}").owner, manager.open(f"{mallory}; {alice}").owner] == ["alice"] * 2
    assert world.taken_names() == ["cookie.twins_of_owners"] * 2


@pytest.mark.parametrize("theirs", ["", BIG], ids=["a session", "a reference"])
def test_a_planted_login_that_is_newer_counts_with_a_warning_until_the_next_login(theirs):
    """This is what a planter can do without the prefix: have the victim use the planter's account (login CSRF)."""
    world = World().with_overflow()
    victim = Wanderer(world.make_manager(cookie=POLICY))
    victim.visit(login("alice"))
    world.clock.advance(60)
    victim.plant(*planted(world, login("mallory"), filling=theirs), domain="shop.example")
    world.forget()
    assert victim.owner() == "mallory"
    assert "cookie.twins_of_owners" in world.taken_names()
    world.clock.advance(60)
    victim.visit(login("alice"))
    assert victim.owner() == "alice"
    assert len(victim.kept) == 1


def test_a_logout_forgets_what_a_subdomain_planted():
    world = World().with_overflow()
    victim = Wanderer(world.make_manager(cookie=POLICY))
    victim.visit(login("alice"))
    victim.plant(*planted(world, login("mallory")), domain="shop.example")
    victim.plant(*planted(world, filling=BIG), domain=HOST)
    victim.visit(invalidate)
    assert victim.kept == {}


def test_planted_pieces_neither_mix_with_the_victims_nor_outlive_its_logout():
    policy = CookiePolicy(NAME, max_bytes=MAX_BYTES, chunks=3)
    world = World()
    victim = Wanderer(world.make_manager(cookie=policy))
    victim.visit(every(login("alice"), put("text", "a" * 800)))
    mallory = Browser(world.make_manager(cookie=policy))
    mallory.visit(every(login("mallory"), put("text", "m" * 800)))
    victim.plant(f"{NAME}.1", mallory.cookies[f"{NAME}.1"], domain="shop.example")
    assert victim.read() == {"text": "a" * 800}
    victim.visit(invalidate)
    assert {each.name for each in victim.kept} == {f"{NAME}.1"}  # the only one that no session can begin in
    assert victim.owner() is None


def test_a_token_of_another_key_in_another_place_stays_through_a_login():
    """It may be a login on a server with the next key, and counts there by the same rules."""
    world = World()
    victim = Wanderer(world.make_manager(cookie=POLICY))
    theirs = Browser(world.make_manager(OTHER_KEY, cookie=POLICY))
    theirs.visit(login("alice"))
    victim.plant(NAME, theirs.cookies[NAME], domain="shop.example")
    victim.visit(login("alice"))
    assert len(victim.kept) == 2


# Over plain HTTP


def test_over_plain_http_nothing_is_named_that_needs_https():
    world = World()
    policy = CookiePolicy(NAME, secure=False)
    visitor = Wanderer(world.make_manager(cookie=policy), transport=Transport.PLAIN)
    visitor.visit(login("ann"))
    lines = visitor.visit(invalidate)
    assert [(line.attributes.secure, line.attributes.partitioned) for line in lines] == [(False, False)] * len(lines)
    assert visitor.kept == {}
