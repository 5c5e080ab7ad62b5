"""What the app still holds when its request has been merged, or saved: it is watched on, and the last word counts."""

import pytest

from kit.views import count, drop, every, put


@pytest.fixture
def browser(world):
    return world.browser(put("cart", ["tea"]))


def save(session):
    session.save()


def test_an_append_after_save_is_not_lost(browser):
    def view(session):
        cart = session["cart"]
        cart.append("milk")
        session.save()
        cart.append("salt")

    browser.visit(view)
    assert browser.read() == {"cart": ["tea", "milk", "salt"]}


def test_an_append_to_what_was_assigned_before_save_is_not_lost(browser):
    def view(session):
        pages = session["pages"] = ["home"]
        session.save()
        pages.append("shop")

    browser.visit(view)
    assert browser.read()["pages"] == ["home", "shop"]


def test_an_append_to_what_a_mutation_has_made_is_not_lost(browser):
    def view(session):
        session.mutate(lambda data: data.update(pages=[]))
        pages = session["pages"]
        session.save()
        pages.append("shop")

    browser.visit(view)
    assert browser.read()["pages"] == ["shop"]


def merged(browser, theirs):
    """A request that holds the cart and has been saved, merged with `theirs`."""
    request = browser.open()
    cart = request.session["cart"]
    browser.visit(theirs)
    request.session["x"] = 1
    request.session.save()
    return request, cart


def test_after_a_merge_the_session_shows_what_the_other_wrote(browser):
    request, _ = merged(browser, put("y", 2))
    assert dict(request.session) == {"cart": ["tea"], "x": 1, "y": 2}


def test_an_append_after_a_merge_is_not_lost(browser):
    request, cart = merged(browser, put("y", 2))
    cart.append("milk")
    request.finish()
    assert browser.read() == {"cart": ["tea", "milk"], "x": 1, "y": 2}


def test_a_value_that_the_other_replaced_counts_as_assigned_if_it_is_changed_after_all(browser):
    request, cart = merged(browser, put("cart", ["theirs"]))
    assert request.session["cart"] == ["theirs"]
    cart.append("milk")
    request.finish()
    assert browser.read()["cart"] == ["tea", "milk"]


def test_a_value_that_the_other_replaced_is_left_alone_while_it_does_not_change(browser):
    request, _ = merged(browser, put("cart", ["theirs"]))
    request.finish(put("z", 3))
    assert browser.read()["cart"] == ["theirs"]


def test_a_value_that_the_other_deleted_counts_as_assigned_if_it_is_changed_after_all(browser):
    request, cart = merged(browser, every(drop("cart"), put("z", 3)))
    assert "cart" not in request.session
    cart.append("milk")
    browser.visit(put("y", 2))
    request.finish()
    assert browser.read() == {"cart": ["tea", "milk"], "x": 1, "y": 2, "z": 3}


def test_an_assignment_after_a_merge_counts_and_not_the_value_that_was_held_before(browser):
    request, cart = merged(browser, put("cart", ["theirs"]))
    cart.append("milk")
    request.finish(put("cart", ["final"]))
    assert browser.read()["cart"] == ["final"]


def test_an_assignment_after_a_second_save_counts_and_not_the_value_that_was_held_before(browser):
    request, cart = merged(browser, put("cart", ["theirs"]))
    cart.append("milk")
    request.session.save()
    request.finish(put("cart", ["final"]))
    assert browser.read()["cart"] == ["final"]


def test_a_deletion_after_a_merge_counts_and_not_the_value_that_was_held_before(browser):
    request, cart = merged(browser, put("cart", ["theirs"]))
    cart.append("milk")
    request.finish(drop("cart"))
    assert "cart" not in browser.read()


def test_a_value_that_was_written_after_a_merge_is_not_written_again_and_again(world, browser):
    request, cart = merged(browser, put("cart", ["theirs"]))
    cart.append("milk")
    request.session.save()
    world.probe.taken()
    request.finish()
    assert world.probe.taken() == []


def test_a_mutation_is_not_applied_again_by_a_second_save(browser):
    request = browser.open(every(count, save, count, save))
    browser.visit(count)
    request.finish(count)
    assert browser.read()["n"] == 4


def test_a_request_that_is_merged_twice_keeps_all_three(browser):
    request, _ = merged(browser, put("y", 2))
    browser.visit(put("z", 3))
    request.finish(put("w", 4))
    assert browser.read() == {"cart": ["tea"], "w": 4, "x": 1, "y": 2, "z": 3}


def test_a_flash_after_a_merge_is_not_lost(world, browser):
    request = browser.open(lambda s: s.flash("one"))
    browser.visit(lambda s: s.flash("two"))
    request.session.save()
    request.finish(lambda s: s.flash("three"))
    shown = [flash.message for flash in world.manager.open(browser.header).pop_flashes()]
    assert shown == ["two", "one", "three"]
