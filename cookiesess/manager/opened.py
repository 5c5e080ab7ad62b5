"""Stores that were given by URL: opened for a manager, and closed with it."""

from typing import Any, Final
from weakref import finalize

from cookiesess.errors import ConfigurationError, MissingDependency
from cookiesess.manager.settings import Configuration, Settings
from cookiesess.stores.base import Store
from cookiesess.stores.urls import open_store

_PLACES: Final = ("store", "overflow", "revocations")


class OpenedStores:
    """Settings with a store in the place of each URL. Equal URLs are one store.

    Args:
        settings: As `cookiesess.SessionManager` takes them.

    Attributes:
        configuration: The settings, checked.
        settings: The same, without their defaults.
        close: Closes what was opened here; so does the end of the process, and whoever holds this by going.

    Raises:
        ConfigurationError: A setting is wrong, or a URL is; what was opened is closed again.
        MissingDependency: The client of a URL's store is not installed.
        StoreUnavailable: The store of a URL cannot be reached.
    """

    def __init__(self, settings: Settings) -> None:
        stores: dict[str, Store] = {}
        self.close: finalize[[dict[str, Store]], OpenedStores] = finalize(self, _close_all, stores)
        self.settings: dict[str, Any] = {**settings}
        complete = False
        try:
            for place in _PLACES:
                url = self.settings.get(place)
                if isinstance(url, str):
                    self.settings[place] = stores[url] if url in stores else _open(place, url, stores)
            self.configuration: Configuration = Configuration(**self.settings)
            complete = True
        finally:
            if not complete:
                self.close()


def _open(place: str, url: str, stores: dict[str, Store]) -> Store:
    try:
        store = stores[url] = open_store(url)
    except ConfigurationError as error:
        if isinstance(error, MissingDependency):
            raise
        raise ConfigurationError(f"{place}: {error}") from error
    return store


def _close_all(stores: dict[str, Store]) -> None:
    for store in stores.values():
        store.close()
