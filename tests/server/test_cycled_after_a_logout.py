"""An ID that is cycled while another request logs out: what the request set goes on, whose session it was does not."""

from kit.views import ann, every, invalidate, put


def cycle(session):
    session.cycle()


def test_nobody_is_logged_in_by_an_id_that_was_cycled_beside_a_logout(world):
    browser = world.browser(ann)
    slow = browser.open(every(put("new", 1), cycle))
    browser.copy().visit(invalidate)
    slow.finish()
    assert (browser.owner(), browser.read()) == (None, {"new": 1})
    assert world.manager.sessions_of("ann") == []


def test_who_logs_in_and_cycles_beside_a_logout_is_logged_in(world):
    browser = world.browser(ann)
    slow = browser.open(every(lambda session: session.login("ann"), put("new", 1), cycle))
    browser.copy().visit(invalidate)
    slow.finish()
    assert (browser.owner(), browser.read()) == ("ann", {"new": 1})
