"""What a request does with its session: short functions, and functions that make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cookiesess import Session

View = Callable[[Session], Any]


def put(key: str, value: Any) -> View:
    """Return a view that stores `value` under `key`."""
    return lambda session: session.__setitem__(key, value)


def drop(key: str) -> View:
    """Return a view that deletes `key`."""
    return lambda session: session.__delitem__(key)


def append(key: str, value: Any) -> View:
    """Return a view that changes the list under `key` in its place."""
    return lambda session: session[key].append(value)


def login(owner: str) -> View:
    """Return a view that logs `owner` in."""
    return lambda session: session.login(owner)


def every(*views: View) -> View:
    """Return a view that runs `views` one after the other."""

    def view(session: Session) -> None:
        for each in views:
            each(session)

    return view


def renew(session: Session) -> None:
    """Give the session a new ID."""
    session.renew()


def invalidate(session: Session) -> None:
    """Log out."""
    session.invalidate()


def clear(session: Session) -> None:
    """Delete every key."""
    session.clear()


def persist(session: Session) -> None:
    """Have the cookie outlive the window."""
    session.persistent = True


def count(session: Session, key: str = "n") -> None:
    """Count up, whoever else does."""
    session.mutate(lambda data: data.update({key: data.get(key, 0) + 1}))


def fill(session: Session) -> None:
    """Store a scalar and a list."""
    session.update(a=1, cart=[1])


def ann(session: Session) -> None:
    """A session of Ann's with something in it."""
    session.login("ann")
    session["a"] = 1


anonymous = every(put("a", 1), put("b", 2))
"""A session of nobody's, with two keys."""

owned = every(login("ann"), anonymous)
"""The same of Ann's."""
