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

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cookiesess.manager.flat_settings import INI, INI_PREFIX, read_settings
from cookiesess.wsgi.middleware import SessionMiddleware

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["filter_app_factory"]


def filter_app_factory(app: "WSGIApplication", global_conf: Mapping[str, str], **local_conf: str) -> "WSGIApplication":
    """Return `app` in a `SessionMiddleware`. ``use = egg:cookiesess`` calls this.

    Args:
        app: The app, or the next filter.
        global_conf: The section ``[DEFAULT]``. Only its settings ``cookiesess.…`` count.
        **local_conf: The filter's own section. Its settings take precedence.

    Raises:
        ConfigurationError: A setting is unknown, given twice, empty or unreadable, or contradicts another one; or there
            are no keys.
        MissingDependency: A store's URL needs a client that is not installed.
        StoreUnavailable: A store does not answer.
    """
    own = {name.removeprefix(INI_PREFIX) for name in local_conf}
    shared = {name: text for name, text in global_conf.items() if name.startswith(INI_PREFIX)}
    texts = {name: text for name, text in shared.items() if name.removeprefix(INI_PREFIX) not in own} | local_conf
    said = {INI.get(name): text for name, text in texts.items()}
    by_path = "keys_file" not in said and Path(said.get("keys", "")).is_absolute()
    names = INI | dict.fromkeys(("keys", f"{INI_PREFIX}keys"), "keys_file") if by_path else INI
    return SessionMiddleware(app, **read_settings(texts, names))
