"""What the buttons do: a name in the form's address, and a function that does it."""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cookiesess import Session, SessionManager
from examples.inspector.visits import Notes, Visit

OWNERS: Final = ("ann", "bob")
CART, FILLER = "cart", "filler"
_FIRST_FILLER, _KILOBYTE, _MOST_FILLER = 256, 1024, 1 << 18
_GOODS: Final = ("a cup of tea", "an apple", "a book", "a pair of socks", "a candle")
# RFC 4648 section 5: each letter is six bits.
_BASE64URL: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
# How a cookie was set that this server knows nothing of any more.
_USUAL_SUFFIX: Final = "; Path=/; HttpOnly; SameSite=Lax"
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
        device: The browser, in a few words.
    """

    session: Session
    manager: SessionManager
    form: Mapping[str, str]
    visit: Visit
    notes: Notes
    cookies: Mapping[str, str]
    device: str


def set_value(desk: Desk) -> None:
    """Assign a text to a key."""
    desk.session[desk.form.get("key") or "note"] = desk.form.get("value", "")


def append(desk: Desk) -> None:
    """Change a list inside a dict inside the session: nobody assigns to the session here."""
    if type(desk.session.get(CART)) is not dict:
        desk.session[CART] = {"items": []}
    items = desk.session[CART]["items"]
    items.append(_GOODS[len(items) % len(_GOODS)])


def double(desk: Desk) -> None:
    """Make the session about twice as large."""
    _fill(desk, _filler(desk) or _FIRST_FILLER // 2)


def add_kilobyte(desk: Desk) -> None:
    """Make the session a kilobyte larger."""
    _fill(desk, _KILOBYTE)


def shrink(desk: Desk) -> None:
    """Remove half of what made the session large."""
    half = _filler(desk) // 2
    if half >= _FIRST_FILLER:
        desk.session[FILLER] = desk.session[FILLER][:half]
    else:
        desk.session.pop(FILLER, None)


def login(desk: Desk) -> None:
    """Log in as one of the page's users."""
    owner = desk.form.get("owner", "")
    if owner not in OWNERS:
        raise Refused(f"the users here are {' and '.join(OWNERS)}")
    desk.session.login(owner, label=desk.device)


def renew(desk: Desk) -> None:
    """Give the session a new ID."""
    desk.session.renew()


def logout(desk: Desk) -> None:
    """End the session."""
    desk.session.invalidate()


def end(desk: Desk) -> None:
    """End one session of the owner's, by the handle that the list shows."""
    if desk.session.owner is not None:
        desk.manager.end(desk.session.owner, desk.form.get("handle", ""))


def end_others(desk: Desk) -> None:
    """End all sessions of the owner's but this one."""
    if desk.session.owner is not None:
        desk.manager.end_all(desk.session.owner, keep=desk.session)


def flash(desk: Desk) -> None:
    """Leave a message for the next page."""
    desk.session.flash(desk.form.get("message") or "Hello.")


def flip(desk: Desk) -> None:
    """Give the browser its cookie back with one bit changed, in the middle of the token."""
    name = desk.form.get("cookie", "")
    if name not in desk.cookies:
        raise Refused("that cookie did not come with this request")
    _plant(desk, {name: flipped(desk.cookies[name])})


def replay(desk: Desk) -> None:
    """Give the browser the cookies back that it once had, as a thief would who had copied them then."""
    kept = next((each for each in desk.notes.kept if each.handle == desk.form.get("kept")), None)
    if kept is None:
        raise Refused("those cookies are not kept any more")
    _plant(desk, kept.cookies)
    desk.visit.planted.update((name, _FORGET) for name in desk.cookies if name not in kept.cookies)


ACTIONS: Final[Mapping[str, Callable[[Desk], None]]] = {
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


def _fill(desk: Desk, length: int) -> None:
    before = desk.session[FILLER] if _filler(desk) else ""
    if len(before) + length > _MOST_FILLER:
        raise Refused(f"{_MOST_FILLER >> 10} KB are enough; shrink it first")
    # Chance does not compress: the growth is the same with compress=True.
    desk.session[FILLER] = before + secrets.token_urlsafe(length)[:length]


def _plant(desk: Desk, cookies: Mapping[str, str]) -> None:
    for name, value in cookies.items():
        desk.visit.planted[name] = value + desk.notes.suffixes.get(name, _USUAL_SUFFIX)
