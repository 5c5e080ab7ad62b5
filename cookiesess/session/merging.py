"""Merges the changes of a request if another request of the same session was faster, or has ended the session.

The log of what this request did is replayed on what the other one left: mine win on the keys that I changed, theirs
stay on those that I did not. Flashes merge message by message, and an existing CSRF secret wins.
"""

from dataclasses import replace
from typing import Any

from cookiesess.session import flash
from cookiesess.session.binding import merged_binding
from cookiesess.session.changes import ABSENT, replay
from cookiesess.session.closing import How
from cookiesess.session.lifetime import NAMED_AT
from cookiesess.session.state import BINDING, CSRF, EPOCH, FLASHES, GENERATION, State
from cookiesess.session.working_copy import WorkingCopy


def merged(working: WorkingCopy, theirs: State, *, renewed: bool = False) -> State | None:
    """Return what a faster request has left, with this one's changes; None where it is another owner's now.

    Args:
        working: What this request has made of the session.
        theirs: What the other one has left; it is changed, and returned.
        renewed: The other one has given the session a new ID, and this one does not.
    """
    before, mine, asked = working.loaded.owner, working.state, working.asked
    if theirs.owner != before:
        return None
    if mine.owner == before or before is None:
        replay(working.data.log(), theirs.data, working.codec)
        _merge_extras(working, theirs.extras, renewed=renewed)
    else:
        # Logged in over another owner: nothing of that one's is taken along, not even what came in meanwhile.
        theirs.data, theirs.extras = mine.data, mine.extras
    theirs.owner = mine.owner
    if asked.how is not None and not renewed:
        theirs.sid = mine.sid  # else theirs stands: it may have been renewed, and mine be ended
        if NAMED_AT in mine.extras:
            theirs.extras[NAMED_AT] = mine.extras[NAMED_AT]
    if asked.login:
        theirs.authenticated_at, theirs.ends_at = mine.authenticated_at, mine.ends_at
    theirs.cover_own_end()
    return theirs


def _merge_extras(working: WorkingCopy, theirs: dict[str, Any], *, renewed: bool) -> None:
    asked, changes = working.asked, working.extras.changes()
    secret = changes.pop(CSRF, ABSENT)
    anew = asked.login or asked.authenticates or (asked.how is How.RENEWAL and working.state.owner is None)
    if anew and not (renewed and theirs.get(CSRF) != working.loaded_secrets.csrf):
        # Whoever planted the old ID may have had this one made just now. (With a new ID a new one has come.)
        theirs.pop(CSRF, None)
    if secret is not ABSENT:
        # An existing CSRF secret wins: forms that hold tokens of it have been sent already.
        theirs.setdefault(CSRF, secret)
    for key, value in changes.items():
        if key == FLASHES:
            base, mine = working.extras.before(key) or [], [] if value is ABSENT else value
            theirs[key] = flash.merge(base, mine, theirs.get(key, []), encode=working.codec.pack)
        elif value is ABSENT:
            theirs.pop(key, None)
        elif key == BINDING and not asked.login:
            theirs[key] = merged_binding(value, theirs.get(key))
        else:
            theirs[key] = value


def own(working: WorkingCopy) -> State:
    """Return what a request has set itself, without what was loaded.

    Whose it is counts only where this request has logged them in: else a session that was ended would live on.
    """
    state, changes = working.state, working.extras.changes()
    extras = {key: value for key, value in changes.items() if value is not ABSENT}
    if FLASHES in extras:
        base = working.extras.before(FLASHES) or []
        extras[FLASHES] = flash.merge(base, extras[FLASHES], [], encode=working.codec.pack)
    # By what it can be ended, and how old its ID is. They are written here, also where they are what they were.
    extras |= {key: state.extras[key] for key in (GENERATION, EPOCH, NAMED_AT) if key in state.extras}
    mine = replace(state, data=working.data.assigned(), extras=extras)
    if not working.asked.login:
        mine.owner = mine.authenticated_at = None
    return mine
