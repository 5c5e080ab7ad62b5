"""Several sessions that are each spread over several cookies, as a deploy leaves them: each piece finds its own."""

import pytest

from cookiesess import CookiePolicy
from cookiesess.http.pieces import Pieces
from kit.browser import Browser
from kit.constants import MAX_BYTES
from kit.jars import Wanderer
from kit.views import every, invalidate, login, put
from kit.world import World

NAME, PAGE = "session", "/shop/page"
DEPLOYS = {
    "host-only, then a domain": ({}, {"domain": "shop.example"}),
    "a domain, then host-only": ({"domain": "shop.example"}, {}),
    "everywhere, then below a path": ({}, {"path": "/shop"}),
    "below a path, then everywhere": ({"path": "/shop"}, {}),
}


def policy(**fields):
    return CookiePolicy(NAME, max_bytes=MAX_BYTES, chunks=5, **fields)


def log_in(owner, pieces):
    """Log in to a session that takes so many cookies."""
    return every(login(owner), put("text", "x" * (340 * pieces - 200)))


@pytest.fixture(params=DEPLOYS)
def deploy(request):
    """A deploy: the managers before and after it, which share a clock."""
    before, after = DEPLOYS[request.param]
    world = World()
    return world, world.make_manager(cookie=policy(**before)), world.make_manager(cookie=policy(**after))


@pytest.fixture(params=[True, False], ids=["sealed", "signed"])
def shop(request, deploy):
    """A visitor whose login from before a deploy takes some cookies, in front of what is there since."""
    world, before, after = deploy
    if not request.param:
        before, after = (world.make_manager(cookie=manager.cookie, encrypt=False) for manager in (before, after))

    def visit(pieces):
        visitor = Wanderer(before)
        visitor.visit(log_in("before", pieces), PAGE)
        assert len(visitor.kept) == pieces
        world.clock.advance(60)
        visitor.manager = after
        return visitor

    return visit


@pytest.mark.parametrize(("earlier", "later"), [(2, 2), (3, 3), (4, 4), (5, 5), (5, 2), (2, 5), (4, 3), (3, 4), (1, 5)])
def test_each_login_after_a_deploy_sticks_however_many_cookies_it_takes(shop, earlier, later):
    visitor = shop(earlier)
    for owner in ("ann", "bob", "carla"):
        visitor.visit(log_in(owner, later), PAGE)
        assert visitor.owner(PAGE) == owner


@pytest.mark.parametrize(("earlier", "later"), [(3, 3), (5, 5), (5, 2)])
def test_pieces_that_a_logout_could_not_guess_hide_no_later_login(shop, earlier, later):
    visitor = shop(earlier)
    visitor.visit(log_in("ann", earlier), PAGE)
    visitor.visit(invalidate, PAGE)
    assert visitor.owner(PAGE) is None
    visitor.visit(log_in("bob", later), PAGE)
    assert visitor.owner(PAGE) == "bob"


# Planters


@pytest.fixture
def victim():
    visitor = Wanderer(World().make_manager(cookie=policy()))
    visitor.visit(log_in("ann", 5))
    return visitor


def planted(victim, *, path):
    """Whose session it is where a subdomain has planted further pieces, of which the browser sends each in front."""
    theirs = Browser(World().make_manager(cookie=policy()))
    theirs.visit(log_in("mallory", 5))
    for name, value in theirs.cookies.items():
        if name != NAME:
            victim.plant(name, value, path=path, domain="shop.example")
    return victim.owner(PAGE)


def test_one_planted_set_of_pieces_hides_no_session(victim):
    assert planted(victim, path="/shop") == "ann"


def test_many_planted_pieces_hide_a_session_and_open_as_nothing(victim):
    """What the security page says of them. A logout forgets the victim's own; a planter's stay, and open nothing."""
    for path in ("/shop", "/shop/page", "/shop/", "/shop/page/"):
        planted(victim, path=path)
    victim.plant(f"{NAME}.1", "x", path="/shop", domain="shop.example")
    for index, path in enumerate(("/shop", PAGE)):
        victim.plant(f"{NAME}.2", f"y{index}", path=path)
        victim.plant(f"{NAME}.3", f"z{index}", path=path)
    assert victim.owner(PAGE) is None
    assert victim.owner("/") == "ann"


def test_ways_to_put_pieces_together_are_tried_once_each_and_four_at_most():
    pieces = Pieces(policy())
    header = "; ".join(f"{NAME}.{at}={value}" for at in (1, 2) for value in "abab")
    assert pieces.gather("3~", header) == ["3~"]
    assert pieces.gather("3~x", header) == ["xaa", "xbb", "xab", "xba"]
    assert pieces.gather("3~x", header, earlier=1) == ["xbb", "xaa", "xab", "xba"]
    assert pieces.gather("3~x", header, earlier=9)[0] == "xbb"
