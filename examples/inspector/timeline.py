"""Times as they are drawn: on a line, in a list, and as distances."""

from datetime import UTC, datetime
from typing import Final

from examples.inspector.markup import Html, tag
from examples.inspector.model import Moment, Timeline

# Where a marker stands is the x of an <svg> of its own; its shape is drawn around that point.
_SHAPES: Final = {
    "created": tag("circle", r="5"),
    "authenticated": tag("path", d="M0-7 7 0 0 7-7 0z"),
    "refreshed": tag("circle", r="5"),
    "now": tag("line", y1="-14", y2="14"),
    "idle": tag("line", y1="-9", y2="9"),
    "absolute": tag("line", y1="-9", y2="9"),
}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def timeline(line: Timeline, now: int) -> Html:
    """Return the line with its markers, and a list that says what they are."""
    places = line.places
    present, start = places["now"], min(places.values())
    parts = ((start, present, "lived"), (present, places.get("idle", present), "ahead"))
    return tag(
        "div",
        tag("h3", "Time", tag("span", " (UTC; marks that would cover each other stand apart)", class_="role")),
        tag(
            "svg",
            tag("rect", class_="rail", width="100%", height="6", y="17", rx="3"),
            [_stretch(*part) for part in parts],
            [_marker(moment, f"{places[moment.marker]}%") for moment in sorted(line.moments, key=_now_last)],
            class_="line",
            height="40",
            aria_hidden="true",
        ),
        tag("ol", [_moment(moment, now) for moment in line.moments], class_="moments", role="list"),
        class_="timeline",
    )


def _now_last(moment: Moment) -> bool:
    return moment.marker == "now"


def _stretch(left: float, right: float, class_: str) -> Html:
    return tag("rect", class_=class_, x=f"{left}%", width=f"{max(right - left, 0):.2f}%", height="6", y="17")


def _marker(moment: Moment, x: str, y: str = "20") -> Html:
    return tag("svg", _SHAPES[moment.marker], x=x, y=y, class_=f"marker {moment.marker}", overflow="visible")


def _moment(moment: Moment, now: int) -> Html:
    return tag(
        "li",
        tag("svg", _marker(moment, "50%", "50%"), class_="key", width="16", height="30", aria_hidden="true"),
        tag("span", moment.says),
        clock(moment.at),
        tag("span", "" if moment.marker == "now" else distance(moment.at - now), class_="distance"),
        class_=moment.marker,
    )


def clock(at: int) -> Html:
    """Return a time of day, with the date for machines."""
    moment = datetime.fromtimestamp(at, UTC)
    return tag("time", f"{moment:%H:%M:%S}", datetime=f"{moment:%Y-%m-%dT%H:%M:%SZ}")


def distance(seconds: int) -> str:
    """Return how far away that is, in a unit of which there are two at least."""
    if seconds == 0:
        return "now"
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= 2 * size), _UNITS[-1])
    words = f"{round(abs(seconds) / size)}\N{NO-BREAK SPACE}{unit}"
    return f"in {words}" if seconds > 0 else f"{words} ago"
