"""The store contract as a test suite that any store can run."""

from cookiesess.testing.contract_lifetimes import LifetimeCases
from cookiesess.testing.contract_owners import OwnerCases
from cookiesess.testing.contract_pages import PageCases
from cookiesess.testing.contract_threads import ThreadCases
from cookiesess.testing.contract_verbs import VerbCases


class StoreContract(VerbCases, LifetimeCases, OwnerCases, PageCases, ThreadCases):
    """A test suite for stores: the contract of `cookiesess.stores.base`, case by case.

    Sessions in a store that passes behave as this library promises. Write a subclass whose name your test runner
    collects, and say how to make a store. With pytest::

        class TestMyStore(StoreContract):
            def make_store(self):
                return MyStore("localhost", prefix=uuid4().hex)

    With unittest: ``class TestMyStore(StoreContract, TestCase)``. If `make_store` needs the value of a fixture, write
    an autouse fixture that puts it on ``self``; a store is made only when a case asks for it.

    Each case gets a store of its own, tests one thing, and is named after it. No case sleeps: all of them call with
    times near ``now``, or 8,000 years from it. A case is skipped if it needs something that the store does not have.

    Override these:

    - ``make_store()`` returns a new, *empty* store. You must override it.
    - ``open_again(store)`` returns a second store on the same data, as another process would open it; None (the
      default) if there can be none.
    - ``close_store(store)`` runs after each case; by default it calls ``store.close()``.
    - ``now`` is the Unix second at which the cases happen. If the engine expires records by its own clock, set ``now =
      int(time.time())``; no case relies on the engine's expiry.
    - ``expires_by_itself``: set it to True if the engine deletes expired records by itself, so that ``delete_expired``
      returns 0.
    """
