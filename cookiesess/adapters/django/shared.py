"""What the settings of a Django project describe, read once in each process."""

from threading import Lock
from typing import ClassVar

from django.core.signals import setting_changed

from cookiesess.adapters.django import responses
from cookiesess.adapters.django.settings import DEPENDS_ON, Setup
from cookiesess.events import StoreNotShared
from cookiesess.manager.manager import SessionManager


class Shared:
    """The one setup of a process: Django's engines are modules, so it cannot be handed to them.

    Attributes:
        lock: Held while the settings are read.
        setup: What they describe, once somebody has asked.
    """

    lock = Lock()
    setup: ClassVar[Setup | None] = None

    @classmethod
    def get(cls) -> Setup:
        """Return the setup; the first call reads the settings."""
        setup = cls.setup or cls._read()
        if setup.manager.unshared and responses.Server.several_processes:
            setup.manager.unshared = False  # each process says it once
            setup.manager.emit(StoreNotShared())
        return setup

    @classmethod
    def _read(cls) -> Setup:
        with cls.lock:
            cls.setup = cls.setup or Setup.read()
            return cls.setup

    @classmethod
    def forget(cls, *, setting: str, **_: object) -> None:
        """Read the settings again where a test has changed one of them."""
        if setting in DEPENDS_ON:
            cls.setup = None


setting_changed.connect(Shared.forget)


def session_manager() -> SessionManager:
    """Return the manager behind the engine: ``session_manager().sessions_of(str(user.pk))``, ``.end_all(…)``.

    The owner of a session is the user's primary key as text, after a login by `django.contrib.auth`.

    Raises:
        ConfigurationError: A setting is missing, is wrong, or contradicts another one.
    """
    return Shared.get().manager
