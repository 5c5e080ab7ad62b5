"""What the buttons do: a name in the form's address, and a function that does it and says what it did, to a user."""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cookiesess import Session, SessionManager
from examples.inspector.notes import Notes
from examples.inspector.visits import Visit

OWNERS: Final = ("ann", "bob")
CART, FILLER = "cart", "filler"
_FIRST_FILLER, _KILOBYTE, _MOST_FILLER = 256, 1024, 1 << 18
_LONGEST_KEY: Final = 40
_GOODS: Final = ("a cup of tea", "an apple", "a book", "a pair of socks", "a candle")
# RFC 4648 section 5: each letter is six bits.
_BASE64URL: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
# How a cookie was set that this server knows nothing of any more.
_USUAL_SUFFIX: Final = "; Path=/; HttpOnly; SameSite=Lax"
# After so long a bound cookie has ended, by whatever clock.
_LATER: Final = timedelta(minutes=7)
_FORGET: Final = "; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


class Refused(ValueError):
    """A form holds what none of the page's forms sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a button has at hand.

    Attributes:
        session: The visitor's.
        manager: Behind it.
        form: The form's fields.
        visit: This request.
        notes: Of this browser.
        cookies: The session's cookies as they came, by name.
        header: All cookies as they came.
        device: The browser, in a few words.
        old: What a login or a renewal does to what the browser had, in a sentence.
        copies: What a logout does to copies of the cookie, in a sentence.
    """

    session: Session
    manager: SessionManager
    form: Mapping[str, str]
    visit: Visit
    notes: Notes
    cookies: Mapping[str, str]
    header: str
    device: str
    old: str
    copies: str


def set_value(desk: Desk) -> str:
    """Assign a text to a key."""
    key = desk.form.get("key") or "note"
    desk.session[key] = desk.form.get("value", "")
    return f"{_short(key)} is in your session now."


def append(desk: Desk) -> str:
    """Change a list inside a dict inside the session: nobody assigns to the session here."""
    if type(desk.session.get(CART)) is not dict:
        desk.session[CART] = {"items": []}
    items = desk.session[CART]["items"]
    items.append(_GOODS[len(items) % len(_GOODS)])
    return f"{items[-1].capitalize()} is in your cart now. The code only appended to a list, and the change is saved."


def double(desk: Desk) -> str:
    """Make the session about twice as large."""
    return _fill(desk, _filler(desk) or _FIRST_FILLER // 2)


def add_kilobyte(desk: Desk) -> str:
    """Make the session a kilobyte larger."""
    return _fill(desk, _KILOBYTE)


def shrink(desk: Desk) -> str:
    """Remove half of what made the session large."""
    half = _filler(desk) // 2
    if half >= _FIRST_FILLER:
        desk.session[FILLER] = desk.session[FILLER][:half]
        return "Half of the filler is gone from your session."
    if desk.session.pop(FILLER, None) is None:
        return "There is nothing to shrink. Nothing has changed."
    return "The filler is gone from your session."


def login(desk: Desk) -> str:
    """Log in as one of the page's users."""
    owner = desk.form.get("owner", "")
    if owner not in OWNERS:
        raise Refused(f"the users here are {' and '.join(OWNERS)}")
    desk.session.login(owner, label=desk.device)
    return f"You are now logged in as {owner}. {desk.old}"


def renew(desk: Desk) -> str:
    """Give the session a new ID."""
    desk.session.renew()
    return f"Your session goes on under a new ID, with the same data. {desk.old}"


def logout(desk: Desk) -> str:
    """End the session."""
    was = "You are logged out" if desk.session.owner else "Your session has ended"
    desk.session.invalidate()
    return f"{was}, and what was in the session is gone. {desk.copies}"


def end(desk: Desk) -> str:
    """End one session of the owner's, by the handle that the list shows."""
    owner = desk.session.owner
    if owner is None or not desk.manager.end(owner, desk.form.get("handle", "")):
        return "There is no such session any more. Nothing has changed."
    return f"That session of {owner} has ended. Whoever has its cookie is logged out."


def end_others(desk: Desk) -> str:
    """End all sessions of the owner's but this one."""
    owner = desk.session.owner
    if owner is None:
        return "Nobody is logged in. Nothing has changed."
    count = desk.manager.end_all(owner, keep=desk.session)
    return f"All other sessions of {owner} have ended{'' if count is None else f': {count}'}. Yours goes on."


def flash(desk: Desk) -> str:
    """Leave a message for the next page."""
    desk.session.flash(desk.form.get("message") or "Hello.")
    return "Your message waited in the session for this page. It is shown once."


def flip(desk: Desk) -> str:
    """Give the browser its cookie back with one bit changed, in the middle of the token."""
    name = desk.form.get("cookie", "")
    if name not in desk.cookies:
        raise Refused("that cookie did not come with this request")
    _plant(desk, {name: flipped(desk.cookies[name])})
    return "One bit of your cookie has been changed, and your browser has sent it back."


def replay(desk: Desk) -> str:
    """Give the browser the cookies back that it once had, as a thief would who had copied them then."""
    kept = next((each for each in desk.notes.kept if each.handle == desk.form.get("kept")), None)
    if kept is None:
        raise Refused("those cookies are not kept any more")
    _plant(desk, kept.cookies)
    desk.visit.planted.update((name, _FORGET) for name in desk.cookies if name not in kept.cookies)
    return f"Your browser has sent an old cookie again, as a thief would: {kept.says}."


def theft(desk: Desk) -> str:
    """Say what a copy of all cookies is worth on another device: at once, and some minutes later."""
    operations = desk.manager.operations
    now = int(operations.clock())
    times = (now, now + int(_LATER.total_seconds()))
    at_once, later = (operations.load(desk.header, now=at).state.owner or "nobody" for at in times)
    return f"Whoever copies all your cookies is {at_once} on another device now, and {later} in seven minutes."


ACTIONS: Final[Mapping[str, Callable[[Desk], str]]] = {
    "set": set_value,
    "append": append,
    "double": double,
    "kilobyte": add_kilobyte,
    "shrink": shrink,
    "login": login,
    "renew": renew,
    "logout": logout,
    "end": end,
    "end-others": end_others,
    "flash": flash,
    "flip": flip,
    "replay": replay,
    "theft": theft,
}


def flipped(token: str) -> str:
    """Return `token` with one bit changed, in the middle."""
    middle = next((at for at in range(len(token) // 2, len(token)) if token[at] in _BASE64URL), None)
    if middle is None:
        raise Refused("there is nothing in that cookie to flip a bit of")
    letter = _BASE64URL[_BASE64URL.index(token[middle]) ^ 1]
    return f"{token[:middle]}{letter}{token[middle + 1 :]}"


def _filler(desk: Desk) -> int:
    text = desk.session.get(FILLER, "")
    return len(text) if type(text) is str else 0


def _fill(desk: Desk, length: int) -> str:
    before = desk.session[FILLER] if _filler(desk) else ""
    if len(before) + length > _MOST_FILLER:
        raise Refused(f"{_MOST_FILLER >> 10} KB are enough; shrink it first")
    # Chance does not compress: the growth is the same with compress=True.
    desk.session[FILLER] = before + secrets.token_urlsafe(length)[:length]
    return f"Your session is {length:,} characters longer."


def _plant(desk: Desk, cookies: Mapping[str, str]) -> None:
    for name, value in cookies.items():
        desk.visit.planted[name] = value + desk.notes.suffixes.get(name, _USUAL_SUFFIX)


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}…"
