"""The page's sections: from the values of `model` to markup."""

from cookiesess.events import Event
from examples.inspector.controls import TITLES, button, form, groups, press
from examples.inspector.markup import Child, Html, tag
from examples.inspector.model import Cookie, Inside, Page, Value
from examples.inspector.reading import Happening, happening
from examples.inspector.timeline import clock, distance, timeline
from examples.inspector.visits import Sent, Visit, Written


def section(name: str, title: str, *children: Child, note: Child = None) -> Html:
    """Return a section with its heading, and a line below that says what it is."""
    head = [tag("h2", title, id=name), tag("p", note, class_="note") if note else None]
    return tag("section", head, *children, aria_labelledby=name, class_=name)


# What the browser holds


def browser(page: Page) -> Html:
    cookies: Child = tag("p", "No cookie came with this request. This page sets one; look again.", class_="empty")
    if page.cookies:
        cookies = tag(
            "ul", [_cookie(cookie, page.csrf_token) for cookie in page.cookies], class_="cookies", role="list"
        )
    return section(
        "browser",
        "In the browser",
        cookies,
        note="The cookies that came with this request. Browsers send no attributes back: they are shown as this"
        " server set them last.",
    )


def _cookie(cookie: Cookie, csrf_token: str) -> Html:
    size = f"{cookie.size_bytes:,} of {cookie.limit_bytes:,} bytes"
    if cookie.attributes is None:
        size = f"{size}, and its attributes"
    attributes = [tag("li", each) for each in cookie.attributes or ["not set by this server since it started"]]
    return tag(
        "li",
        tag("div", tag("h3", tag("code", cookie.name)), tag("span", cookie.role, class_="role"), class_="title"),
        tag(
            "div",
            tag(
                "meter",
                size,
                min=0,
                max=cookie.limit_bytes,
                high=0 if cookie.near else cookie.limit_bytes,
                optimum=0,
                value=cookie.size_bytes,
                aria_label=f"Size of {cookie.name}",
            ),
            tag("span", size, ", near the limit" if cookie.near else None, class_="near" if cookie.near else "size"),
            class_="gauge",
        ),
        tag("p", tag("code", cookie.value), tag("span", f"{cookie.length:,} characters"), class_="value"),
        tag("ul", attributes, class_="chips", role="list", aria_label=f"Attributes of {cookie.name}"),
        form("flip", csrf_token, button(TITLES["flip"], name="cookie", value=cookie.name), class_="corner")
        if cookie.own
        else None,
    )


# What the server sees


def server(page: Page) -> Html:
    seen = page.inside
    facts = tag("dl", [tag("div", tag("dt", name), tag("dd", text)) for name, text in seen.facts], class_="facts")
    return section(
        "server",
        "On the server",
        tag("p", seen.verdict, class_="verdict refused" if seen.facts and not seen.alive else "verdict"),
        facts if seen.facts else None,
        _values(seen),
        None if seen.timeline is None else timeline(seen.timeline, page.now),
        note="What the token in the session’s cookie says, and what became of it.",
    )


def _values(seen: Inside) -> Html:
    if not seen.values:
        return tag("p", "The session holds no data.", class_="empty")
    head = tag("tr", [tag("th", name, scope="col") for name in ("Key", "Value", "Type and bytes")])
    return tag(
        "table",
        tag("caption", "Data"),
        tag("thead", head),
        tag("tbody", [_value(value) for value in seen.values]),
        class_="data",
    )


def _value(value: Value) -> Html:
    return tag(
        "tr",
        tag("th", tag("code", value.key), scope="row"),
        tag("td", tag("pre", value.text)),
        tag("td", value.type, " ", tag("span", f"{value.size_bytes:,}"), class_="measure"),
    )


# The buttons


def actions(page: Page) -> Html:
    return section("actions", "Do something", groups(page.kept, page.csrf_token, now=page.now))


# The owner's sessions


def sessions(page: Page) -> Html:
    token = page.csrf_token
    if page.owner is None:
        return section("sessions", "Sessions of the owner", tag("p", "Nobody is logged in.", class_="empty"))
    others = form(None, token, press("end-others")) if page.can_end_others else None
    if page.sessions is None:
        text = "Client-side sessions live in browsers alone, so nobody can list them"
        listing = tag("p", f"{text}{'; all others can still be ended.' if others else '.'}", class_="empty")
    else:
        listing = form("end", token, _listing(page), class_="listing")
    return section("sessions", f"Sessions of {page.owner}", listing, others)


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


def _sent(sent: Sent) -> Html:
    size = None if sent.deletes else f" {sent.length:,} characters"
    return tag("li", tag("b", "cookie deleted" if sent.deletes else "cookie set"), " ", tag("code", sent.name), size)


def _written(written: Written) -> Html:
    size = f" {written.payload_bytes:,} bytes" if written.payload_bytes else None
    return tag("li", tag("b", f"record {written.verb}"), size)


def outcome(page: Page) -> Html | None:
    """Return what the last button did, where this page answers to it."""
    last = page.last_action
    if last is None:
        return None
    told = [each.name if isinstance(each, Event) else each.words for each in last.happened]
    text = last.error or "; ".join(dict.fromkeys(told)) or "nothing was set or written, and there was no event"
    return tag(
        "p",
        tag("strong", TITLES.get(last.path.removeprefix("/inspect/"), last.path)),
        " ",
        text,
        role="alert" if last.error else "status",
        class_="outcome failed" if last.error else "outcome",
    )
