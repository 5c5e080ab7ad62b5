"""The forms and buttons of the page: each is a POST to an action's address, with the session's CSRF token."""

from collections.abc import Iterable
from typing import Final

from examples.inspector.markup import Child, Html, tag
from examples.inspector.timeline import distance
from examples.inspector.visits import Kept

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
}
_DATA: Final = ("append", "kilobyte", "double", "shrink")


def groups(kept: Iterable[Kept], token: str, *, now: int) -> list[Html]:
    """Return what can be done with any session."""
    return [
        _group("Data", _set(token), form(None, token, [press(name) for name in _DATA])),
        _group(
            "Identity",
            form(
                "login",
                token,
                button(f"{TITLES['login']} as ann", name="owner", value="ann"),
                button(f"{TITLES['login']} as bob", name="owner", value="bob"),
            ),
            form(None, token, press("renew"), press("logout")),
        ),
        _group("Messages", _flash(token)),
        _group("Replay an old cookie", _kept(kept, token, now)),
    ]


def _group(title: str, *children: Child) -> Html:
    return tag("div", tag("h3", title), children, class_="group")


def _set(token: str) -> Html:
    return form(
        "set",
        token,
        _field("Key", "key", "note"),
        _field("Value", "value", "萧兮"),
        button(TITLES["set"]),
        class_="fields",
    )


def _flash(token: str) -> Html:
    return form("flash", token, _field("Text", "message", "Saved."), button(TITLES["flash"]), class_="fields")


def _kept(kept: Iterable[Kept], token: str, now: int) -> Html:
    rows = [
        tag(
            "li",
            tag("span", each.says, ", ", distance(each.at - now)),
            button(TITLES["replay"], name="kept", value=each.handle, about=each.says),
        )
        for each in kept
    ]
    if not rows:
        return tag("p", "None yet: each cookie that comes is kept here, the last five.", class_="empty")
    return form("replay", token, tag("ul", rows, role="list"), class_="rows")


def form(action: str | None, token: str, *children: Child, class_: str = "buttons") -> Html:
    hidden = tag("input", type="hidden", name="csrf_token", value=token)
    return tag("form", hidden, children, method="post", action=f"/inspect/{action or 'none'}", class_=class_)


def _field(label: str, name: str, value: str) -> Html:
    return tag("label", label, tag("input", name=name, value=value, maxlength=2000, autocomplete="off"))


def button(text: str, *, name: str | None = None, value: str | None = None, about: str | None = None) -> Html:
    """Return a submit button for its form's action; `about`: what tells it from others, for who cannot see the row."""
    return tag("button", text, name=name, value=value, aria_label=about and f"{text}: {about}")


def press(action: str) -> Html:
    """Return a submit button for an action of its own."""
    return tag("button", TITLES[action], formaction=f"/inspect/{action}")
