"""The page's sections: from the values of `model` to markup."""

from collections.abc import Iterator

from cookiesess.events import Event
from examples.inspector.controls import PLACES, TITLES, button, form, groups, press, why
from examples.inspector.markup import Child, Html, tag
from examples.inspector.model import Cookie, Inside, Page, Value
from examples.inspector.reading import Happening, happening
from examples.inspector.terms import within, words
from examples.inspector.timeline import clock, distance, timeline
from examples.inspector.visits import Sent, Visit, Written


def section(name: str, title: str, *children: Child, note: Child = None) -> Html:
    """Return a section with its heading, and a line below that says what it is."""
    head = [tag("h2", title, id=name), tag("p", note, class_="note") if note else None]
    return tag("section", head, *children, aria_labelledby=name, class_=name)


def mark(page: Page, what: str) -> Html | None:
    """Return a mark where something is new, or not as it was when this browser saw the page last."""
    word = page.changes.marks.get(what)
    return tag("mark", word) if word else None


# What the browser holds


def browser(page: Page) -> Html:
    if not page.cookies:
        text = "No cookie came with this request. This page sets one; look again."
        return section("browser", "In the browser", tag("p", text, class_="empty"))
    attributes = [attribute for cookie in page.cookies for attribute in cookie.attributes or ()]
    return section(
        "browser",
        "In the browser",
        tag("ul", [_cookie(each, page) for each in page.cookies], class_="cookies", role="list", id=PLACES["flip"]),
        words([*attributes, "bytes", TITLES["flip"]]),
        note=f"{_holds(page)} A browser sends no attributes back: they are shown as this server set them last.",
    )


def _holds(page: Page) -> str:
    if page.inside.stored:
        return "The session's cookie holds an ID and no data: the session is in the server's store."
    if page.inside.alive:
        return "The session's cookie holds the whole session."
    return "These cookies came with this request."


def _cookie(cookie: Cookie, page: Page) -> Html:
    attributes = [tag("li", each) for each in cookie.attributes or ["not set by this server since it started"]]
    title = [tag("h3", tag("code", cookie.name)), tag("span", cookie.role, class_="role")]
    return tag(
        "li",
        tag("div", title, mark(page, f"cookie {cookie.name}"), class_="title"),
        _gauge(cookie),
        tag("p", tag("code", cookie.value), tag("span", f"{cookie.length:,} characters"), class_="value"),
        tag("ul", attributes, class_="chips", role="list", aria_label=f"Attributes of {cookie.name}"),
        form("flip", page.csrf_token, button(TITLES["flip"], name="cookie", value=cookie.name), class_="corner")
        if cookie.own
        else None,
    )


def _gauge(cookie: Cookie) -> Html:
    size = f"{cookie.size_bytes:,} of {cookie.limit_bytes:,} bytes"
    if cookie.attributes is None:
        size = f"{size}, and its attributes"
    meter = tag(
        "meter",
        size,
        min=0,
        max=cookie.limit_bytes,
        high=0 if cookie.near else cookie.limit_bytes,
        optimum=0,
        value=cookie.size_bytes,
        aria_label=f"Size of {cookie.name}",
    )
    full = ", near the limit" if cookie.near else None
    return tag("div", meter, tag("span", size, full, class_="near" if full else "size"), class_="gauge")


# What the server sees


def server(page: Page) -> Html:
    seen = page.inside
    return section(
        "server",
        "On the server" if seen.stored else "What the server reads",
        tag("p", seen.verdict, class_="verdict refused" if seen.facts and not seen.alive else "verdict"),
        _facts(page),
        _values(page),
        None if seen.timeline is None else timeline(seen.timeline, page.now),
        words(_terms(seen)),
        note=_kept(page),
    )


def _kept(page: Page) -> str:
    """Return where what the section shows is kept."""
    if page.inside.stored:
        return "The record in the server's store, which was found by the ID in the cookie."
    if page.server_side or not page.inside.alive:
        return "What became of the cookie when it came."
    remembers = ", but which sessions have ended" if "revocations" in page.setup else ""
    return f"What the cookie holds, opened for this request. The server keeps nothing of it{remembers}."


def _terms(seen: Inside) -> Iterator[str]:
    for name, text in seen.facts:
        yield name
        yield from within(text) if name == "Flags" else ()
    if seen.values:
        yield "Type and bytes"
    if seen.timeline is not None:
        yield from (moment.says for moment in seen.timeline.moments)


def _facts(page: Page) -> Html | None:
    rows = [
        tag("div", tag("dt", name), tag("dd", text, mark(page, f"fact {name}"))) for name, text in page.inside.facts
    ]
    return tag("dl", rows, class_="facts") if rows else None


def _values(page: Page) -> list[Html]:
    gone = [what.removeprefix("value ") for what in page.changes.gone if what.startswith("value ")]
    left = [tag("p", "Gone since the last look: ", tag("code", ", ".join(gone)), class_="gone")] if gone else []
    if not page.inside.values:
        return [*left, tag("p", "The session holds no data.", class_="empty")]
    head = tag("tr", [tag("th", name, scope="col") for name in ("Key", "Value", "Type and bytes")])
    table = tag(
        "table",
        tag("caption", "Data"),
        tag("thead", head),
        tag("tbody", [_value(value, page) for value in page.inside.values]),
        class_="data",
    )
    return [table, *left]


def _value(value: Value, page: Page) -> Html:
    changed = mark(page, f"value {value.key}")
    return tag(
        "tr",
        tag("th", tag("code", value.key), scope="row"),
        tag("td", tag("pre", value.text)),
        tag("td", value.type, " ", tag("span", f"{value.size_bytes:,}"), changed, class_="measure"),
        class_="fresh" if changed else None,
    )


# The buttons


def actions(page: Page) -> Html:
    hidden = {"end", "end-others", "flip"}
    names = [title for name, title in TITLES.items() if name not in hidden]
    return section("actions", "Do something", groups(page), words(names))


# The owner's sessions


def sessions(page: Page) -> Html:
    token = page.csrf_token
    if page.owner is None:
        return section("sessions", "Sessions of the owner", tag("p", "Nobody is logged in.", class_="empty"))
    if page.sessions is None:
        still = "; all others can still be ended" if page.can_end_others else ""
        text = f"Sessions in cookies are in browsers alone, so nobody can list them{still}."
        listing = tag("p", text, class_="empty")
    else:
        listing = form("end", token, _listing(page), class_="listing")
    listing = tag("div", listing, id=PLACES["end"])
    others = _others(page) if page.can_end_others else ()
    names = [TITLES["end"]] * bool(page.sessions) + [TITLES["end-others"]] * page.can_end_others
    return section("sessions", f"Sessions of {page.owner}", listing, others, words(names))


def _others(page: Page) -> Child:
    alone = page.sessions is not None and len(page.sessions) == 1
    off = f"{page.owner} is logged in nowhere else" if alone else None
    return form(None, page.csrf_token, press("end-others", off=off)), why("end-others", off)


def _listing(page: Page) -> Html:
    names = ("Device", "Logged in", "Seen", tag("span", "Action", class_="hidden"))
    head = tag("tr", [tag("th", name, scope="col") for name in names])
    rows = [
        tag(
            "tr",
            tag("th", info.label or "no label", tag("strong", "this one") if this else None, scope="row"),
            tag("td", distance((info.authenticated_at or info.created_at) - page.now)),
            tag("td", distance(info.last_seen_at - page.now)),
            tag("td", button(TITLES["end"], name="handle", value=info.handle, about=info.label or "no label")),
        )
        for info, this in page.sessions or ()
    ]
    return tag(
        "table", tag("caption", "Where they are logged in", class_="hidden"), tag("thead", head), tag("tbody", rows)
    )


# What happened


def visits(page: Page) -> Html:
    rows = [_visit(visit) for visit in page.visits]
    return section(
        "events",
        "Events",
        tag("ol", rows, role="list") if rows else tag("p", "Nothing has happened yet.", class_="empty"),
        words(_name(each) for visit in page.visits for each in visit.happened),
        note="The last requests of this browser, newest first: what was written to the store, what the library said,"
        " and the cookies that were set.",
    )


def _visit(visit: Visit) -> Html:
    status = visit.status.partition(" ")[0] or "this page, so far"
    lines = [_happened(each) for each in visit.happened]
    return tag(
        "li",
        tag("p", clock(visit.at), tag("code", f"{visit.method} {visit.path}"), tag("span", status), class_="request"),
        tag("p", visit.error, class_="error") if visit.error else None,
        tag("ul", lines, role="list") if lines else None,
    )


def _happened(what: Event | Written | Sent) -> Html:
    match what:
        case Sent():
            return _sent(what)
        case Written():
            return _written(what)
    return _event(happening(what))


def _event(told: Happening) -> Html:
    advice = tag("span", told.advice, class_="advice") if told.advice else None
    return tag("li", tag("b", told.name), " ", told.details, advice)


def _name(what: Event | Written | Sent) -> str:
    """Return what something that happened is called."""
    match what:
        case Sent():
            return "cookie deleted" if what.deletes else "cookie set"
        case Written():
            return f"record {what.verb}"
    return what.name


def _sent(sent: Sent) -> Html:
    size = None if sent.deletes else f" {sent.length:,} characters"
    return tag("li", tag("b", _name(sent)), " ", tag("code", sent.name), size)


def _written(written: Written) -> Html:
    size = f" {written.payload_bytes:,} bytes" if written.payload_bytes else None
    return tag("li", tag("b", _name(written)), size)
