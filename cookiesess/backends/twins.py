"""Several cookies of the session's name: which one counts.

A deploy that changed Domain, Path or Partitioned leaves an old cookie beside the new one; a subdomain may plant one. A
header does not tell which is which, so what they hold decides. Only live sessions choose: authenticated before
anonymous, so that a planted anonymous session never beats a login; then authenticated last, so that a login after the
deploy sticks; then refreshed last; then the last in the header, since browsers send the older first.
"""

from collections.abc import Callable, Sequence

from cookiesess.events import CookieTwins, Event, TwinsOfOwners
from cookiesess.session.state import Origin
from cookiesess.session.working_copy import WorkingCopy

_LIVE = (Origin.LOADED, Origin.FOREIGN)
# Where none lives: what was replaced can still be ended, what is gone once opened.
_DEAD = (Origin.REJECTED, Origin.GONE, Origin.REPLACED)


def choose(copies: Sequence[WorkingCopy], emit: Callable[[Event], object]) -> WorkingCopy:
    """Return the one of several that counts, with the others as its twins."""
    for copy in copies:
        if copy.loaded.origin is Origin.UNAVAILABLE:
            return copy  # it may be the one, and nobody can tell
    at = max(range(len(copies)), key=lambda index: (*_rank(copies[index]), index))
    chosen = copies[at]
    chosen.pair(tuple(copy for copy in copies if copy is not chosen))
    owners = {copy.loaded.owner for copy in copies if copy.loaded.origin in _LIVE} - {None}
    emit(TwinsOfOwners(len(copies)) if len(owners) > 1 else CookieTwins(len(copies)))
    return chosen


def _rank(copy: WorkingCopy) -> tuple[int, int, int]:
    origin, state = copy.loaded.origin, copy.state
    if origin in _LIVE:
        return len(_DEAD) + (state.owner is not None), state.authenticated_at or 0, state.refreshed_at
    return _DEAD.index(origin), 0, 0
