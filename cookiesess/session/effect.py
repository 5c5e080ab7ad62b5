"""How a request changes the binding of its session: a login offers one, and the first proof puts it into effect."""

from cookiesess.session.binding import Binding
from cookiesess.session.closing import How
from cookiesess.session.state import BINDING, Origin
from cookiesess.session.working_copy import WorkingCopy


def binding_of(working: WorkingCopy) -> Binding | None:
    """Return what a session holds of its binding; None where it has none."""
    return Binding.unpack(working.state.extras.get(BINDING))


def proven(working: WorkingCopy) -> Binding | None:
    """Return the binding of a request that has shown its bound cookie, or None."""
    loaded = working.loaded
    return None if loaded.origin is Origin.UNBOUND else loaded.binding


def offer(working: WorkingCopy, binding_id: bytes) -> None:
    """After a login: keep the binding of a request that has shown its bound cookie, else begin a new one."""
    binding = proven(working)
    if binding is None:
        working.extras.set(BINDING, Binding(binding_id).packed())
        working.ask(How.REAUTHENTICATION, registers=True)
    else:
        working.extras.set(BINDING, binding.packed())


def shown_first(working: WorkingCopy) -> Binding | None:
    """Return the binding of a request that has shown its bound cookie as the first one; else None."""
    loaded, binding = working.loaded, proven(working)
    first = binding is not None and not binding.at and loaded.origin is Origin.LOADED and loaded.closed is None
    return binding if first else None


def take_effect(working: WorkingCopy, now: int) -> None:
    """Where the request has shown its bound cookie as the first one: have every copy without it be worth nothing."""
    binding = shown_first(working)
    if binding is None:
        return
    effective = binding._replace(at=now)
    working.extras.set(BINDING, effective.packed())
    working.note(binding=effective)
    if working.loaded.sid is not None and working.asked.how is None:
        working.ask(How.PERIODIC)


def takes_effect_alone(working: WorkingCopy) -> bool:
    """Whether nothing but the binding has changed, so that a store which fails costs the request nothing."""
    asked, extras = working.asked, working.tracked_extras
    if asked.login or asked.how not in {None, How.PERIODIC} or extras is None:
        return False
    data = working.tracked_data
    return set(extras.changes()) == {BINDING} and not (data is not None and data.modified)
