"""The whole page, and the headers it goes out with."""

from typing import Final

from webob import Response

from examples.inspector import sections, telling
from examples.inspector.markup import Html, tag
from examples.inspector.model import Page

# Nothing but this server's own stylesheet and icon may load, no script at all, and nobody may frame the page.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_JUMPS: Final = (
    ("actions", "Do"),
    ("browser", "Browser"),
    ("server", "Server"),
    ("sessions", "Sessions"),
    ("events", "Events"),
)


def respond(title: str, *children: Html, status: str = "200") -> Response:
    """Return a page of the inspector's."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("title", title),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="/inspect.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/inspect.css"),
    )
    html = tag("html", head, tag("body", children), lang="en")
    response = Response(f"<!DOCTYPE html>\n{html}\n", status=status, content_type="text/html", charset="utf-8")
    response.headers.update(HEADERS)
    return response


def inspector(page: Page) -> Response:
    """Return the inspector, drawn."""
    return respond(
        "Inspector · cookiesess",
        tag("a", "Skip to the page", href="#main", class_="skip"),
        _header(page),
        tag(
            "main",
            tag("div", telling.outcome(page), _flashes(page), class_="outcomes"),
            tag(
                "div",
                telling.start(page),
                sections.actions(page),
                tag("div", sections.browser(page), sections.server(page), sections.sessions(page), class_="seen"),
                sections.visits(page),
                class_="sheets",
            ),
            id="main",
        ),
    )


def refusal(title: str, text: str, *, status: str, allow: str | None = None) -> Response:
    """Return a page that says why there is none; `allow`: the methods that there are."""
    back = tag("p", tag("a", "Back to the inspector", href="/inspect"))
    main = tag("main", tag("h1", title), tag("p", text), back, class_="refusal")
    response = respond(title, main, status=status)
    if allow is not None:
        response.headers["Allow"] = allow
    return response


def _header(page: Page) -> Html:
    return tag(
        "header",
        tag("h1", "Session inspector"),
        tag("ul", [tag("li", each) for each in page.setup], class_="chips", role="list", aria_label="Set-up"),
        tag("nav", [tag("a", text, href=f"#{name}") for name, text in _JUMPS], aria_label="Sections"),
        tag("a", "Look again", href="/inspect", class_="again"),
    )


def _flashes(page: Page) -> list[Html]:
    return [tag("p", tag("strong", "Flash"), " ", text, role="status", class_="outcome") for text in page.flashes]
