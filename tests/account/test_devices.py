"""The account page's devices and password: what ends which login."""

import pytest

from kit.account import Device


@pytest.fixture
def both(laptop, phone):
    laptop.log_in()
    phone.log_in(remember="on")
    return laptop, phone


def end(device, label):
    """Press "End" beside that label."""
    button = device.look("/devices").page.html.find("button", {"aria-label": f"End {label}"})
    device.page = device.send("/devices", handle=button["value"]).follow()


def test_each_device_is_on_the_list_with_its_name_and_when_it_was_there(both, clock):
    laptop, phone = both
    clock.advance(200)
    rows = laptop.look("/devices").rows
    assert sorted(rows) == [
        "Firefox on Linux This device Logged in 3 minutes ago",
        "Safari on iOS Logged in 3 minutes ago, last seen 3 minutes ago End",
    ]
    assert any(row.startswith("Safari on iOS This device") for row in phone.look("/devices").rows)


def test_the_overview_counts_them(both):
    laptop, _ = both
    assert "2 devices are logged in" in laptop.look("/").rows[0]


def test_one_device_is_ended_and_no_other(app, both):
    laptop, phone = both
    tablet = Device(app, "curl/8").log_in()
    end(laptop, "Safari on iOS")
    assert laptop.messages == ["That device is logged out."]
    assert [device.logged_in for device in (laptop, phone, tablet)] == [True, False, True]


def test_all_others_are_ended_and_this_one_goes_on(app, both):
    laptop, phone = both
    tablet = Device(app).log_in()
    laptop.look("/devices")
    laptop.page = laptop.send("/devices", others="all").follow()
    assert laptop.messages == ["All other devices are logged out."]
    assert laptop.page.html.find(class_="note").text == "No other device is logged in."
    assert [device.logged_in for device in (laptop, phone, tablet)] == [True, False, False]


def test_nobody_ends_another_users_device(app, both):
    laptop, _ = both
    handle = laptop.look("/devices").page.html.find("button", {"name": "handle"})["value"]
    bob = Device(app).log_in("bob", "black tea").look("/devices")
    assert bob.send("/devices", handle=handle).follow().status_int == 200
    assert bob.send("/devices", others="all").status_int == 303
    assert [device.logged_in for device in both] == [True, True]


@pytest.mark.parametrize("handle", ["", "x", "00" * 32, "é\0"])
def test_a_handle_that_is_none_ends_nothing(both, handle):
    laptop, phone = both
    laptop.look("/devices")
    assert laptop.send("/devices", handle=handle).follow().status_int == 200
    assert phone.logged_in


def test_a_new_password_ends_all_other_devices_and_each_copy_of_this_ones_cookie(app, both):
    laptop, phone = both
    copy = laptop.copy(app)
    laptop.fill_in("/password", old="green tea", new="white tea")
    assert laptop.messages == ["Your password is changed, and all other devices are logged out."]
    assert [device.logged_in for device in (laptop, phone, copy)] == [True, False, False]
    assert phone.log_in(password="green tea").page.status_int == 403
    assert phone.log_in(password="white tea").logged_in


@pytest.mark.parametrize(
    ("old", "new", "status", "says"),
    [
        ("wrong", "white tea", 403, "That is not your current password."),
        ("", "white tea", 403, "That is not your current password."),
        ("green tea", "short", 422, "That is too short."),
        ("green tea", "", 422, "That is too short."),
    ],
)
def test_a_wrong_or_a_short_password_changes_nothing(both, old, new, status, says):
    laptop, phone = both
    laptop.fill_in("/password", old=old, new=new)
    assert laptop.page.status_int == status
    assert laptop.page.html.find(class_="error").text == says
    assert phone.logged_in
    assert phone.log_in().logged_in
