"""A chain of renewals is followed, but not without end."""

from cookiesess.backends import vault
from kit.views import invalidate, put, renew


def test_a_chain_that_is_longer_than_any_visitors_makes_no_request_endless(world, monkeypatch):
    monkeypatch.setattr(vault, "MAX_HOPS", 2)
    browser = world.browser(put("a", 1))
    old = browser.copy()
    for _ in range(3):
        browser.visit(renew)
    old.visit(invalidate)
    assert browser.read() == {"a": 1}
