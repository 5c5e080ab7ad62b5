"""What is common to the listings of stores."""

from cookiesess.http.arrival import HTTPS_ARRIVAL
from cookiesess.stores.listing import first_of


def test_a_listing_goes_on_from_page_to_page():
    pages = {None: ({b"a": 1}, b"next"), b"next": ({b"b": 2}, None)}
    assert first_of(lambda limit, cursor: pages[cursor], 5) == {b"a": 1, b"b": 2}


def test_a_request_of_which_nothing_is_known_claims_nothing_of_a_proxy():
    assert HTTPS_ARRIVAL.forwarded_https() is False
    assert HTTPS_ARRIVAL.skipped() == ""
