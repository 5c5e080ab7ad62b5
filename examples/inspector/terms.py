"""What the page's words mean: each section explains at its foot those that it shows."""

import re
from collections.abc import Iterable, Mapping
from inspect import cleandoc
from typing import Final

from cookiesess import events
from cookiesess.events import Event
from examples.inspector.markup import Html, tag

TERMS: Final[Mapping[str, str]] = {
    # How this server keeps sessions
    "client-side": "The whole session travels in the cookie. The server keeps nothing of it.",
    "server-side": "The session is in the server's store. The cookie holds an ID, by which it is found.",
    "sealed": "Encrypted and authenticated: without the key nobody can read it, and nobody can change it.",
    "signed": "Authenticated, and not encrypted: without the key nobody can change it, and anybody can read it.",
    "compress": "What is in the cookie is compressed first.",
    "overflow": "A session that outgrows its cookie moves to a store. The app sees nothing of it.",
    "revocations": "The server remembers which cookie sessions have ended, so that no copy of their cookies opens.",
    "binding": "A browser proves that it is on the device where the user logged in, so that copied cookies are no use.",
    "chunks": "A session that is too long for one cookie is spread over several.",
    # Cookies
    "Path": "The pages to which the browser sends the cookie.",
    "Domain": "The hosts to which the browser sends the cookie. Without it: this host alone.",
    "HttpOnly": "Scripts of the page cannot read the cookie.",
    "Secure": "The browser sends the cookie over HTTPS alone.",
    "SameSite": "Whether the browser sends the cookie with requests that another site began. Lax: when a link is"
    " followed; not with another site's forms.",
    "Max-Age": "After so many seconds the browser forgets the cookie. Without it: when the browser is closed.",
    "Expires": "The same as a date, for old browsers.",
    "Partitioned": "In another site's frame the browser keeps a cookie of its own for each such site.",
    "bytes": "The cookie's name, value and attributes together. Browsers drop one of more than about 4,096 bytes, and"
    " tell nobody.",
    # What the server reads
    "Where it is": "The place in which the session waits between two requests.",
    "Protection": "What keeps others from reading the cookie, and from changing it.",
    "Key": "Which of the server's keys opened the cookie. The current one makes new cookies; an accepted one is older.",
    "Record": "What the store holds for this session: one sealed piece, which is found by the cookie's ID.",
    "Owner": "The user who is logged in: what the app gave to session.login().",
    "Label": "The name under which a list of devices shows this session. The page takes it from the browser.",
    "Flags": "What the session holds beside the app's data.",
    "Bound to a device": "Whether a copy of the cookie needs the proof of this device as well.",
    "CSRF secret": "Random bytes, from which the tokens in this page's forms are made. Other sites do not know them.",
    "flash message": "A message that is kept for the next page, and shown once.",
    "the window": "Whether the cookie stays in the browser when its window is closed.",
    "idle timeout of its own": "This session ends after another time without requests than the others do.",
    "generation": "A number of the user's. Logging out everywhere raises it, and sessions with a lower one are over.",
    "can be revoked": "The session has an ID, by which the server can remember that it has ended.",
    "its store of revocations": "By this the server notices when its memory of ended sessions was lost.",
    "Type and bytes": "The Python type, which comes back as it was, and how much room the value takes.",
    "created": "When the session began.",
    "logged in": "When the user logged in. The session ends a fixed time after this, however busy it is.",
    "refreshed": "When the end by the idle timeout was last put off. A request that only reads does so once a minute"
    " here.",
    "ends if nobody comes": "The idle timeout: each use puts it off.",
    "ends at the latest": "The absolute timeout: nothing but a new login puts it off.",
    # Buttons
    "Set": "Assigns a text to a key of the session.",
    "Append to a nested list": 'Runs session["cart"]["items"].append(…): saved, though nothing is assigned.',
    "Grow by 1 KB": "Puts a kilobyte of random letters into the session.",
    "Grow ×2": "Makes those letters twice as many.",
    "Shrink": "Removes half of them.",
    "Log in": "Calls session.login(owner): another ID, so that one which somebody knew before is worth nothing.",
    "Renew": "Calls session.renew(): another ID, and the same data.",
    "Log out": "Calls session.invalidate(): the session ends, and its data with it.",
    "End": "Ends one session of the user's, on whatever device it is.",
    "End all others": "Ends all sessions of the user's but yours: log out everywhere else.",
    "Flash": "Leaves a message in the session for the next page.",
    "Flip a bit": "Changes one bit of the cookie, as somebody might who tries to forge one.",
    "Replay": "Gives your browser the cookies back that it had then, as a thief would use a copy.",
    "Copy all cookies as a thief would": "Asks what somebody would see who sent all your cookies from another device.",
    # What happened
    "cookie set": "The response had the browser keep this cookie.",
    "cookie deleted": "The response had the browser forget this cookie.",
    "record created": "A new record was written to the store.",
    "record updated": "A record in the store was written anew.",
    "record kept longer": "A record's end was put off. Nothing else in it was written.",
    "record deleted": "A record was removed from the store.",
}
_EVENTS: Final = {
    kind.name: re.sub("`+", "", cleandoc(kind.__doc__ or "").partition("\n")[0])
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}
# What stands beside a term on the page: "3 chunks", "SameSite=Lax", "signed, readable".
_BESIDE: Final = re.compile(r"^[0-9]+ |=.*|, readable$")


def words(shown: Iterable[str]) -> Html | None:
    """Return the explanations of what a section shows, folded; None where it shows nothing that has one."""
    names = dict.fromkeys(_BESIDE.sub("", name) for name in shown)
    found = {name: meaning for name in names if (meaning := TERMS.get(name) or _EVENTS.get(name))}
    if not found:
        return None
    rows = [tag("div", tag("dt", name), tag("dd", meaning)) for name, meaning in found.items()]
    return tag("details", tag("summary", "What these words mean"), tag("dl", rows), class_="words")


def within(text: str) -> list[str]:
    """Return the terms that stand in a text."""
    return [name for name in TERMS if name in text]
