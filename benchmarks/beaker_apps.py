"""Beaker, as all benchmarks set it up."""

from typing import Any, Final

from benchmarks.apps import BARE_WSGI, Handler, plain_app
from benchmarks.harness import App, Contestant, Data

# The like of what all others here do: a session that ends by itself. For that Beaker keeps the time of access, and so
# writes with every read; it does that by default too, without a timeout.
WITH_TIMEOUT: Final = {"session.timeout": 14 * 24 * 3600}
# Its fastest: no time of access, so that nothing ever ends, and what was stolen works for ever.
ENDLESS: Final = {"session.save_accessed_time": False}

# In a store. No `session.secret`: its IDs are random, and a signature would only cost.
PICKLED: Final = {"session.data_serializer": "pickle"}  # its default, and its fastest: JSON costs up to a fifth more


def beaker_contestant(name: str, *settings: dict[str, Any]) -> Contestant:
    """Return Beaker with these settings, of which the later ones count."""
    from beaker.middleware import SessionMiddleware

    config = {"session.key": "session", "session.secure": True, "session.httponly": True, "session.samesite": "Lax"}
    for each in settings:
        config |= each

    def build(data: Data) -> App:
        # Explicit save() where something changed; `session.auto` would save after every read as well.
        handler = Handler(data, lambda environ: environ["beaker.session"], save=lambda session: session.save())
        return SessionMiddleware(plain_app(handler), config)

    return Contestant(name, BARE_WSGI, build)
