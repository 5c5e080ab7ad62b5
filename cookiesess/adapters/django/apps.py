"""The app ``"cookiesess.adapters.django"`` of ``INSTALLED_APPS``: lets ``manage.py check`` check the settings."""

from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from cookiesess.adapters.django.shared import session_manager
from cookiesess.errors import ConfigurationError, StoreUnavailable

_ENGINE: Final = "cookiesess.adapters.django"


class CookiesessConfig(AppConfig):  # type: ignore[misc]  # Django ships no types
    """Registers the check; it has neither models nor templates."""

    name = _ENGINE
    label = "cookiesess"
    verbose_name = "cookiesess"

    def ready(self) -> None:
        """Register `check_settings`."""
        checks.register(check_settings)


def check_settings(app_configs: Any, **_: Any) -> list[checks.CheckMessage]:  # noqa: ARG001 (Django's)
    """Return what is wrong with the settings of the session engine, where that is this library's.

    Args:
        app_configs: The apps to check, or None for all, as Django hands it in; the settings are the project's.
        **_: What else it hands in.

    Returns:
        ``cookiesess.E001``: a setting is missing, wrong, or contradicts another. ``cookiesess.W001``: the store cannot
        be reached from here, as in a build.
    """
    if settings.SESSION_ENGINE != _ENGINE:
        return []
    try:
        session_manager()
    except ConfigurationError as error:
        return [checks.Error(str(error), id="cookiesess.E001")]
    except StoreUnavailable as error:
        return [checks.Warning(f"the store of sessions cannot be reached from here: {error}", id="cookiesess.W001")]
    return []
