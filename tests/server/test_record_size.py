"""How large a session in a store may be, and what the error says of one that is larger."""

import pytest

from cookiesess import RecordTooLarge, SessionManager
from cookiesess.errors import ConfigurationError, StoreUnavailable
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY, SMALL
from kit.views import every, login, put
from kit.world import World

MIB = 1 << 20


def too_large(browser, view):
    """The error of a request whose session does not fit."""
    request = browser.open(view)
    with pytest.raises(RecordTooLarge) as caught:
        request.finish()
    return caught.value


def test_a_session_of_almost_a_mebibyte_is_kept(world):
    browser = world.browser(put("a", "x" * (MIB - 200)))
    assert len(browser.read()["a"]) == MIB - 200


def test_a_larger_one_is_refused_and_the_error_names_the_sizes_and_the_largest_keys(world):
    error = too_large(world.browser(), every(put("photo", bytes(MIB)), put("name", "ann"), put("cart", ["tea"] * 9)))
    assert MIB < error.size_bytes < MIB + 200
    assert error.limit_bytes == MIB
    assert [key for key, _ in error.largest_keys] == ["photo", "cart", "name"]
    assert str(error).startswith(
        f"the session is {error.size_bytes} bytes, and at most 1048576 are allowed; store less"
    )
    assert "(largest keys: 'photo' (1048581 bytes), " in str(error)
    assert str(error).endswith("or raise max_record_bytes")


def test_nothing_is_written_of_it_and_the_session_from_before_stays(world):
    browser = world.browser(put("a", 1))
    too_large(browser, put("photo", bytes(MIB)))
    assert world.probe.taken() == ["load"]
    assert browser.read() == {"a": 1}


def test_a_login_into_it_is_refused_and_the_session_from_before_stays(world):
    browser = world.browser(put("a", 1))
    too_large(browser, every(login("ann"), put("photo", bytes(MIB))))
    assert (browser.owner(), browser.read()) == (None, {"a": 1})


def test_save_raises_it_in_the_view_which_may_take_the_value_back(world):
    browser = world.browser()
    request = browser.open(every(put("a", 1), put("photo", bytes(MIB))))
    with pytest.raises(RecordTooLarge, match="'photo'"):
        request.session.save()
    del request.session["photo"]
    assert len(request.finish()) == 1
    assert browser.read() == {"a": 1}


def test_what_two_requests_have_put_together_counts(world):
    world.use(max_record_bytes=3000)
    browser = world.browser(put("a", 1))
    late = browser.open(put("mine", "x" * 2000))
    browser.visit(put("theirs", "x" * 2000))
    with pytest.raises(RecordTooLarge):
        late.finish()
    assert browser.read().keys() == {"a", "theirs"}


def test_the_limit_can_be_set(world):
    world.use(max_record_bytes=500)
    assert too_large(world.browser(), put("a", "x" * 500)).limit_bytes == 500
    world.use(max_record_bytes=2 * MIB)
    assert world.browser(put("a", bytes(MIB))).read() == {"a": bytes(MIB)}


def test_a_session_that_moves_to_the_overflow_store_has_the_same_limit():
    world = World(cookie=SMALL).with_overflow(max_record_bytes=2000)
    assert too_large(world.browser(), put("a", "x" * 2000)).limit_bytes == 2000
    assert world.browser(put("a", "x" * 1500)).read() == {"a": "x" * 1500}


def test_what_the_store_refuses_is_told_with_the_largest_keys(world):
    def refuse():
        raise RecordTooLarge(70_020, None, remedy="start it with more") from OSError("too large")

    browser = world.browser()
    world.probe.once_before("create", refuse)
    error = too_large(browser, put("photo", bytes(70_000)))
    assert not isinstance(error, StoreUnavailable)
    assert isinstance(error.__cause__, OSError)
    assert str(error) == (
        "the session is 70020 bytes, more than the store takes; store less (largest keys: 'photo' (70005 bytes)),"
        " or start it with more"
    )


@pytest.mark.parametrize("limit", [0, -1, True, 2.0, "2", None, []])
def test_a_wrong_limit_is_refused(limit):
    with pytest.raises(ConfigurationError, match="write a whole number of bytes, from 1"):
        SessionManager(KEY, store=MemoryStore(), max_record_bytes=limit)


@pytest.mark.parametrize("settings", [{}, {"revocations": World().revocations}], ids=["none", "only"])
def test_a_limit_without_records_is_refused(settings):
    with pytest.raises(ConfigurationError, match=r"give store= or overflow= as well"):
        SessionManager(KEY, max_record_bytes=5, **settings)
