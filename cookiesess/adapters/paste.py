"""Sessions for apps that PasteDeploy puts together from an ini file.

::

    [filter:session]
    use = egg:cookiesess
    keys = %(here)s/keys.txt
    store = sqlite:////var/lib/shop/sessions.db
    lifetime.idle = 2 hours
    cookie.name = __Host-shop

    [pipeline:main]
    pipeline = session shop

The settings are those of `cookiesess.manager.flat_settings`, each with or without ``cookiesess.`` before its name. In
``[DEFAULT]``, which all parts of the file share, the prefix is needed. ``keys`` may be an absolute path as well: what
begins as one names a file, as ``keys_file`` does. In an ini file ``%`` is written ``%%``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cookiesess.errors import ConfigurationError
from cookiesess.manager.flat_settings import NAMES, Entry, read_settings, unknown
from cookiesess.wsgi.middleware import SessionMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["filter_app_factory"]

_PREFIX: Final = "cookiesess."


def filter_app_factory(app: "WSGIApplication", global_conf: Mapping[str, str], **local_conf: str) -> "WSGIApplication":
    """Return `app` in a `SessionMiddleware`; what ``use = egg:cookiesess`` calls.

    Args:
        app: The app, or the next filter.
        global_conf: The section ``[DEFAULT]``, of which only ``cookiesess.…`` counts.
        **local_conf: The filter's own section, which counts first.

    Raises:
        ConfigurationError: A setting that is unknown, given twice, empty or unreadable, or contradicts another; no
            keys.
        MissingDependency: The client of a store's URL is not installed.
        StoreUnavailable: A store cannot be reached.
    """
    shared = _entries((name, text) for name, text in global_conf.items() if name.startswith(_PREFIX))
    entries = {**shared, **_entries(local_conf.items())}
    keys = entries.get("keys")
    if keys is not None and "keys_file" not in entries and Path(keys.text).is_absolute():
        entries["keys_file"] = entries.pop("keys")
    return SessionMiddleware(app, **read_settings(entries))


def _entries(settings: Iterable[tuple[str, str]]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for spelling, text in settings:
        name = spelling.removeprefix(_PREFIX)
        prefix = spelling.removesuffix(name)
        if name not in NAMES:
            raise unknown(spelling, name=name, spell=prefix.__add__)
        if name in entries:
            raise ConfigurationError(f"{spelling} is given twice, as {entries[name].spelling} as well; remove one")
        entries[name] = Entry(spelling, text)
    return entries
