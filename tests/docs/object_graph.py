"""Who holds whom, drawn from live objects: a manager of each kind, and one request."""

from enum import Enum
from types import MethodType

from cookiesess import CookieAttributes, CookiePolicy, Lifetime, Session, SessionManager
from cookiesess.events.base import Emitter
from cookiesess.http.envelope import CookieIdentity, Envelope
from cookiesess.http.protected import JarContext
from cookiesess.manager.operations import Operations
from cookiesess.stores.base import Store
from cookiesess.stores.memory import MemoryStore
from cookiesess.tokens.values import ValueCodec
from cookiesess.wsgi.attachment import Attachment
from kit.constants import KEY

# What nearly every part is handed, and what is a value: drawn everywhere, they would hide the rest.
LEFT_OUT = (CookiePolicy, Lifetime, ValueCodec, Emitter, CookieAttributes, CookieIdentity, Enum, type)


class LastingStore(MemoryStore):
    """A store that revocations take: it forgets nothing before its time."""

    evicts = False


KINDS = {
    "SessionManager(keys)": {},
    "SessionManager(keys, store=…)": {"store": MemoryStore},
    "SessionManager(keys, overflow=…)": {"overflow": MemoryStore},
    "SessionManager(keys, revocations=…)": {"revocations": LastingStore},
}


def manager_of(kind):
    """Return a manager of one of the `KINDS`."""
    return SessionManager(KEY, **{name: make() for name, make in KINDS[kind].items()})


def request():
    """Return a server-side request in the middle: its session was loaded, changed and logged in, and not committed."""
    manager = manager_of("SessionManager(keys, store=…)")
    session = manager.open("")
    session["cart"] = ["tea"]
    (cookie,) = manager.commit(session).cookies
    environ = {"HTTP_COOKIE": f"{cookie.name}={cookie.value}", "wsgi.url_scheme": "https"}
    attachment = Attachment(manager, environ, Session)
    attachment.session["cart"].append("honey")
    attachment.session.flash("thank you")
    attachment.session.login("user-42")
    return attachment


def draw_manager(kind):
    """Return what a manager holds; what is the same in all kinds is drawn in the first."""
    alike = (Envelope, JarContext) if kind != next(iter(KINDS)) else ()
    return drawing(manager_of(kind), closed=alike)


def draw_request():
    """Return what a request holds; its manager, and what all requests share, is drawn with the managers."""
    return drawing(request(), closed=(SessionManager, Operations, JarContext))


def drawing(root, *, closed=()):
    """Return what `root` holds, directly and through others, as an indented list.

    A part that has several holders is drawn where it is closest to the root. Elsewhere ``…`` stands behind its name.

    Args:
        root: An object of the library.
        closed: Classes of parts that are drawn in another list.
    """

    def held(holder):
        return [] if holder is not root and isinstance(holder, (Store, *closed)) else parts(holder)

    home, reached = {id(root): None}, [root]
    for holder in reached:
        for part, _ in held(holder):
            if id(part) not in home:
                home[id(part)] = holder
                reached.append(part)

    def lines(holder, depth):
        for part, attributes in held(holder):
            at_home = home[id(part)] is holder
            mark = "" if at_home and not isinstance(part, closed) else " …"
            yield f"{'    ' * depth}{type(part).__name__}{mark}  ({', '.join(attributes)})"
            if at_home:
                yield from lines(part, depth + 1)

    return "\n".join([type(root).__name__, *lines(root, 1)])


def parts(holder):
    """Return the parts that an object holds, each with the attributes that hold it: itself, a method of it, or many."""
    found = {}
    for attribute, value in sorted(attributes(holder)):
        for part in {type(each): each for each in held_by(value)}.values():
            found.setdefault(id(part), (part, []))[1].append(attribute)
    return list(found.values())


def attributes(holder):
    """Return the attributes of an object with their values, those of its slots and its class's defaults included."""
    names = {*getattr(holder, "__dict__", ()), *getattr(holder, "_fields", ())}
    for cls in type(holder).__mro__:
        if cls.__module__.startswith("cookiesess."):
            names |= {*vars(cls).get("__slots__", ())}
            names |= {name for name, value in vars(cls).items() if is_part(value)}
    return [(name, getattr(holder, name)) for name in names if hasattr(holder, name)]


def held_by(value):
    """Yield the parts that a value is, belongs to, or holds."""
    if isinstance(value, MethodType):
        value = value.__self__
    if is_part(value):
        yield value
    elif isinstance(value, tuple | list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from held_by(each)


def is_part(value):
    """Whether a value is an object of the library, of those that the drawing shows."""
    cls = type(value)
    return cls.__module__.startswith("cookiesess.") and not isinstance(value, LEFT_OUT)
