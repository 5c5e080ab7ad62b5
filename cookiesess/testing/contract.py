"""The store contract as a test suite that any store can run."""

from cookiesess.testing.contract_lifetimes import LifetimeCases
from cookiesess.testing.contract_owners import OwnerCases
from cookiesess.testing.contract_pages import PageCases
from cookiesess.testing.contract_threads import ThreadCases
from cookiesess.testing.contract_verbs import VerbCases


class StoreContract(VerbCases, LifetimeCases, OwnerCases, PageCases, ThreadCases):
    """`cookiesess.stores.base`, case by case. A store that passes keeps what this library promises about sessions.

    Subclass it under a name that your test runner collects, and say how a store is made. With pytest::

        class TestMyStore(StoreContract):
            def make_store(self):
                return MyStore("localhost", prefix=uuid4().hex)

    or with unittest: ``class TestMyStore(StoreContract, TestCase)``. A fixture's value reaches `make_store` by an
    autouse fixture that puts it on ``self``; the store is made only when a case asks for it.

    Each case gets a store of its own, says one thing, and is named after it. The clock is the cases' own: all of them
    call with `now` or a few seconds, or 8,000 years, beside it, and none of them sleeps. Cases that need what a store
    does not have are skipped.

    What to override:

    - ``make_store()``: a new, *empty* store. Must be overridden.
    - ``open_again(store)``: a second store on the same data, as another process would open it; None (the default) where
      there is no such thing.
    - ``close_store(store)``: after each case; calls ``store.close()``.
    - ``now``: the Unix second at which the cases happen. An engine that expires by a clock of its own needs
      ``now = int(time.time())``; no case then relies on the engine's expiry, only on the store's.
    - ``expires_by_itself``: True for an engine whose ``delete_expired`` has nothing to do and returns 0.
    """
