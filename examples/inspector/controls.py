"""The forms and buttons of the page: each is a POST to an action's address, with the session's CSRF token."""

from collections.abc import Mapping
from typing import Final

from examples.inspector.actions import FILLER
from examples.inspector.markup import Child, Html, tag
from examples.inspector.model import Page
from examples.inspector.notes import Kept
from examples.inspector.timeline import clock, distance

# What each action is called, on its button and afterwards.
TITLES: Final = {
    "set": "Set",
    "append": "Append to a nested list",
    "kilobyte": "Grow by 1 KB",
    "double": "Grow ×2",
    "shrink": "Shrink",
    "login": "Log in",
    "renew": "Renew",
    "logout": "Log out",
    "end": "End",
    "end-others": "End all others",
    "flash": "Flash",
    "flip": "Flip a bit",
    "replay": "Replay",
    "theft": "Copy all cookies as a thief would",
}
# Where on the page each button is, so that the page can come back to it.
PLACES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("set", "append", "kilobyte", "double", "shrink"), "do-data"),
    **dict.fromkeys(("login", "renew", "logout"), "do-identity"),
    "flash": "do-messages",
    "replay": "do-replay",
    "theft": "do-theft",
    "flip": "do-flip",
    **dict.fromkeys(("end", "end-others"), "do-end"),
}


def groups(page: Page) -> list[Html]:
    """Return what can be done with any session. What could not do anything now is off, and says why."""
    token = page.csrf_token
    return [
        _group("do-data", "Data", _set(token), _data(page)),
        _group("do-identity", "Identity", _logins(token), _identity(page)),
        _group("do-messages", "Messages", _flash(token)),
        _group("do-replay", "Replay an old cookie", _kept(page)),
        _group("do-theft", "Steal", form(None, token, press("theft"))),
    ]


def _group(name: str, title: str, *children: Child) -> Html:
    return tag("div", tag("h3", title), children, class_="group", id=name)


def _set(token: str) -> Html:
    return form(
        "set",
        token,
        _field("Key", "key", "note"),
        _field("Value", "value", "萧兮"),
        button(TITLES["set"]),
        class_="fields",
    )


def _data(page: Page) -> Child:
    off = None if any(value.key == FILLER for value in page.inside.values) else "nothing has been grown yet"
    growing = [press(name) for name in ("append", "kilobyte", "double")]
    return form(None, page.csrf_token, growing, press("shrink", off=off)), why("shrink", off)


def _logins(token: str) -> Html:
    names = (("ann", f"{TITLES['login']} as ann"), ("bob", f"{TITLES['login']} as bob"))
    return form("login", token, [button(text, name="owner", value=owner) for owner, text in names])


def _identity(page: Page) -> Child:
    off = "nobody is logged in" if page.owner is None else None
    return form(None, page.csrf_token, press("renew"), press("logout", off=off)), why("logout", off)


def _flash(token: str) -> Html:
    return form("flash", token, _field("Text", "message", "Saved."), button(TITLES["flash"]), class_="fields")


def _kept(page: Page) -> Html:
    rows = [tag("li", _old(each, page.now), _replay(each)) for each in page.kept]
    if not rows:
        return tag("p", "None yet: each cookie that comes is kept here, the last five.", class_="empty")
    return form("replay", page.csrf_token, tag("ul", rows, role="list"), class_="rows")


def _old(kept: Kept, now: int) -> Html:
    """Return what tells an old cookie from the others: whose it was, when, and how it looks."""
    facts = tag("span", clock(kept.at), f" ({distance(kept.at - now)}), ", kept.looks, class_="role")
    return tag("div", tag("p", kept.says), tag("p", facts))


def _replay(kept: Kept) -> Html:
    return button(TITLES["replay"], name="kept", value=kept.handle, about=f"{kept.says}, {kept.looks}")


def form(action: str | None, token: str, *children: Child, class_: str = "buttons") -> Html:
    hidden = tag("input", type="hidden", name="csrf_token", value=token)
    return tag("form", hidden, children, method="post", action=f"/inspect/{action or 'none'}", class_=class_)


def _field(label: str, name: str, value: str) -> Html:
    return tag("label", label, tag("input", name=name, value=value, maxlength=2000, autocomplete="off"))


def button(text: str, *, name: str | None = None, value: str | None = None, about: str | None = None) -> Html:
    """Return a submit button for its form's action; `about`: what tells it from others, for who cannot see the row."""
    return tag("button", text, name=name, value=value, aria_label=about and f"{text}: {about}")


def press(action: str, *, off: str | None = None) -> Html:
    """Return a submit button for an action of its own, which cannot be pressed where `off` says why."""
    return tag("button", TITLES[action], formaction=f"/inspect/{action}", disabled=off is not None)


def why(action: str, off: str | None) -> Html | None:
    """Return a line that says why a button cannot do anything now."""
    return tag("p", f"{TITLES[action]} is off: {off}.", class_="why") if off else None
