"""What the page says to its user: where to start, and what came of a button."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from cookiesess import events
from cookiesess.events import Event
from examples.inspector.controls import PLACES, TITLES
from examples.inspector.markup import Html, tag
from examples.inspector.model import Page
from examples.inspector.terms import words
from examples.inspector.visits import Visit


class Step(NamedTuple):
    """Something to try: the button's action, what to press, and what it shows."""

    action: str
    press: str
    shows: str


_APPEND: Final = Step(
    "append", "Press *Append to a nested list* twice.", "The cart grows. The code assigns nothing to the session."
)
_LOGIN: Final = Step(
    "login", "Log in as ann.", "The session gets another ID, so that one which somebody knew before is worth nothing."
)
_REPLAY: Final = Step("replay", "Log out, and then *Replay* the first cookie of the list.", "")
_DEAD: Final = "A copy of the cookie opens nothing any more."
_ALIVE: Final = "Without a store nobody can end a copy of the cookie: it works until its time is over."
_GROW: Final = Step("kilobyte", "Press *Grow by 1 KB* a few times.", "")
_MOVES: Final = "The cookie gets full, and then the session moves to the store. Nothing is lost."
_FULL: Final = "The cookie gets full, and then you see an error, and not a browser that drops it."
_END: Final = Step(
    "end", "Log in as ann here and in a second browser, and *End* that one.", "The other browser is logged out."
)


def _steps(page: Page) -> Iterator[Step]:
    yield _APPEND
    yield _LOGIN
    if page.server_side:
        yield _END
    yield _REPLAY._replace(shows=_DEAD if page.can_end_others else _ALIVE)
    if not page.server_side:
        yield _GROW._replace(shows=_MOVES if "overflow" in page.setup else _FULL)


def start(page: Page) -> Html:
    """Return where to start: things to try in their order, with those marked that have been."""
    steps = [*_steps(page)]
    tried = sum(step.action in page.pressed for step in steps)
    count = f"{tried} of {len(steps)} tried" if tried else f"{len(steps)} things to try"
    return tag(
        "details",
        tag("summary", tag("strong", "Start here"), " ", tag("span", count, class_="role")),
        tag("ol", [_step(step, done=step.action in page.pressed) for step in steps]),
        words(page.setup),
        class_="start",
        open=not page.pressed,
    )


def _step(step: Step, *, done: bool) -> Html:
    before, *named = step.press.split("*")
    text = tag("strong", before, tag("em", named[0]), named[1]) if named else tag("strong", before)
    link = tag("a", text, href=f"#{PLACES[step.action]}")
    tried = tag("span", " ✓", tag("span", " tried", class_="hidden"), class_="tick") if done else None
    return tag("li", link, tried, " ", step.shows, class_="done" if done else None)


def outcome(page: Page) -> Html | None:
    """Return what the last button did, where this page answers to it: for its user, and below as the log has it."""
    last = page.last_action
    if last is None:
        return None
    told = [each.name if isinstance(each, Event) else each.words for each in last.happened]
    title = TITLES.get(last.path.removeprefix("/inspect/"), last.path)
    log = last.error or "; ".join(dict.fromkeys(told)) or "nothing was set or written, and there was no event"
    first, full_stop, rest = _says(last, page).partition(". ")
    return tag(
        "div",
        tag("p", tag("strong", first, full_stop), rest),
        tag("p", tag("b", f"{title}:"), " ", log, class_="log"),
        role="alert" if last.error else "status",
        class_="outcome failed" if last.error else "outcome",
    )


def _says(visit: Visit, page: Page) -> str:
    if visit.error:
        return "That did not work, and your session is as it was. The reason is below."
    more = [_MORE[type(event)] for event in visit.events if type(event) in _MORE]
    if visit.path.rpartition("/")[2] in {"flip", "replay"}:
        more.append(page.inside.verdict)
    return " ".join([visit.says, *dict.fromkeys(more)])


_MORE: Final[Mapping[type[Event], str]] = {
    events.SessionNearLimit: "The cookie is nearly full.",
    events.SessionOverflowed: "It no longer fits into its cookie, so it is in the server's store now.",
    events.SessionRejected: "The cookie that came with it did not open, so this is a new session.",
    events.SessionsEvicted: "The store was full, and dropped somebody else's session.",
}
