"""The class of an app's sessions: how it is checked, how a view asks for it, and what type checkers know."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from cookiesess.errors import ConfigurationError, SessionError
from cookiesess.session.session import Session

if TYPE_CHECKING:
    # Checkers know this module without its being installed. `typing` has defaults from Python 3.13 on (PEP 696).
    from typing_extensions import TypeVar

    SessionT_co = TypeVar("SessionT_co", bound=Session, covariant=True, default=Session)
else:
    from typing import TypeVar

    SessionT_co = TypeVar("SessionT_co", bound=Session, covariant=True)

S = TypeVar("S", bound=Session)


def check_session_class(given: type[S] | None, *, base: type[Session], default: type[Session] | None = None) -> type[S]:
    """Return `given`, a subclass of `base`; for None the `default`, or else `base` itself.

    Raises:
        ConfigurationError: It is something else.
    """
    chosen: Any = (default or base) if given is None else given
    if not (isinstance(chosen, type) and issubclass(chosen, base)):
        name = base.__name__
        came = f"the class {chosen.__name__}" if isinstance(chosen, type) else f"of type {type(chosen).__name__}"
        raise ConfigurationError(
            f"session_class must be a subclass of {name}, not {came}; write class ShopSession({name}): …, and"
            " session_class=ShopSession"
        )
    return cast("type[S]", chosen)


def session_of_class(session_class: type[S], environ: Mapping[str, object]) -> S:
    """Return the one session of that class that the `environ` of a request has.

    Raises:
        SessionError: It has none, or several.
    """
    if not issubclass(session_class, Session):
        raise SessionError(f"{session_class.__name__} is no class of sessions; give a subclass of Session, or a key")
    sessions = {key: value for key, value in environ.items() if isinstance(value, Session)}
    found = {key: session for key, session in sessions.items() if isinstance(session, session_class)}
    if len(found) == 1:
        return next(iter(found.values()))
    name = session_class.__name__
    if found:
        raise SessionError(f"the environ has several sessions of the class {name}; name one by its key: {[*found]}")
    present = " and ".join(f"a {type(session).__name__} under {key!r}" for key, session in sessions.items())
    raise SessionError(
        f"the environ has no {name}, but {present or 'no session at all'}; give session_class={name} to"
        " SessionMiddleware, or to the framework's adapter"
    )
