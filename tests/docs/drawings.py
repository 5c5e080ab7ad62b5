"""The drawings of docs/images that are made from data: who asks whom, and what happens when.

``make drawings`` writes them. By hand: ``cd tests && PYTHONPATH=.. python -m docs.drawings``. The colours can be read
on a light and on a dark page.
"""

from html import escape
from textwrap import wrap

from docs.pages import ROOT

FOLDER = ROOT / "docs" / "images"
STYLE = (
    ".b{fill:none;stroke:#7a869a;stroke-width:1.5}.c{fill:#2f6f9f}.l{fill:#7a869a}.t{fill:#fff}"
    ".h{fill:#2f6f9f;font-weight:600}.w{fill:#c2571a}.x{stroke:#c2571a;stroke-width:1.5;fill:none}.g{fill:#2e8b57}"
)
WIDTH, STEP, TOP = 720, 46, 74
# Where each of the four stands who take part, from the left.
COLUMNS = {"tab 1": 70, "tab 2": 240, "server": 440, "store": 640}
PIXELS = 6.4  # of a letter, on average, in the size of a span's words
BETWEEN = 14  # characters of a note, at most, beside a line of the drawing: more than fits would be cut off


def text(x, y, words, kind="l", anchor="middle", size=13):
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


def arrow(start, end, y, kind="b"):
    """Draw a line with a head at its end."""
    back = -8 if end > start else 8
    return f'<path class="{kind}" d="M{start} {y}H{end}m{back} -5l{-back} 5l{back} 5"/>'


def frame(title, description, height, parts):
    """Put the parts into a drawing that says in words what it shows."""
    size = f'viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="14"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(description)}</desc>',
            f"<style>{STYLE}</style>",
            *parts,
            "</svg>\n",
        ]
    )


def head(name, x, bottom):
    """Draw one who takes part, and the line of its time below."""
    yield f'<rect class="c" x="{x - 55}" y="16" width="110" height="30" rx="6"/>'
    yield text(x, 36, name, "t")
    yield f'<path class="b" stroke-dasharray="3 5" d="M{x} 46V{bottom}"/>'


def message(y, start, end, words):
    """Draw what one says to another; a `!` in front of the words marks what is refused or lost."""
    kind, line = ("w", "x") if words.startswith("!") else ("h", "b")
    words = words.removeprefix("!")
    if start == end:
        return [text(COLUMNS[start] + 8, y + 4, words, kind, "start")]
    left, right = COLUMNS[start], COLUMNS[end]
    return [arrow(left, right, y, line), text((left + right) / 2, y - 6, words, kind)]


def sequence(title, steps):
    """Draw a sequence of messages: (who, to whom, words)."""
    bottom = TOP + STEP * len(steps)
    there = {name for start, end, _ in steps for name in (start, end)}
    parts = [part for name, x in COLUMNS.items() if name in there for part in head(name, x, bottom)]
    for number, step in enumerate(steps):
        parts += message(TOP + STEP * number + 18, *step)
    told = "; ".join(f"{start} to {end}: {words.removeprefix('!')}" for start, end, words in steps)
    return frame(title, told, bottom + 10, parts)


def timeline(title, spans, marks):
    """Draw a line of time: spans are (words, from, to, row), marks (words, at, refused), all in parts of the whole."""

    def at(part):
        return round(40 + part * (WIDTH - 80))

    rows = max(row for *_, row in spans) + 1
    line = 40 + rows * 40
    parts = [arrow(30, WIDTH - 15, line)]
    for words, start, end, row in spans:
        y = 30 + row * 40
        assert len(words) * PIXELS < at(end) - at(start), f"{words!r} is longer than its span"
        parts.append(f'<rect class="c" x="{at(start)}" y="{y}" width="{at(end) - at(start)}" height="26" rx="6"/>')
        parts.append(text((at(start) + at(end)) / 2, y + 18, words, "t", size=12))
    for words, where, refused in marks:
        parts.append(f'<path class="{"x" if refused else "b"}" d="M{at(where)} {line - 7}v14"/>')
        for number, part in enumerate(wrap(words, BETWEEN)):
            parts.append(text(at(where), line + 24 + 15 * number, part, "w" if refused else "l", size=12))
    told = "; ".join(words for words, *_ in [*spans, *marks])
    lines = max(len(wrap(words, BETWEEN)) for words, *_ in marks)
    return frame(title, told, line + 24 + 15 * lines, parts)


DRAWINGS = {
    "parallel-store.svg": sequence(
        "Two parallel requests in a store: both changes stay",
        [
            ("tab 1", "server", "add tea to the cart"),
            ("tab 2", "server", "choose a language"),
            ("server", "store", "both load version 1"),
            ("server", "store", "cart, if still version 1"),
            ("server", "store", "!language, if still version 1"),
            ("store", "server", "no: here is version 2"),
            ("server", "store", "language, on version 2"),
            ("server", "tab 1", "200"),
            ("server", "tab 2", "200: both are kept"),
        ],
    ),
    "parallel-cookie.svg": sequence(
        "Two parallel requests with a cookie session: the last cookie wins",
        [
            ("tab 1", "server", "add tea; the cookie comes along"),
            ("tab 2", "server", "language; the same cookie"),
            ("server", "tab 1", "a new cookie, with the tea"),
            ("server", "tab 2", "!a new cookie, no tea"),
            ("tab 2", "tab 2", "the browser keeps the last one"),
        ],
    ),
    "parallel-logout.svg": sequence(
        "A slow request beside a logout: what it writes is dropped",
        [
            ("tab 1", "server", "a slow request"),
            ("server", "store", "load the session"),
            ("tab 2", "server", "log out"),
            ("server", "store", "end the session"),
            ("server", "tab 2", "the cookie is deleted"),
            ("server", "store", "!write the change"),
            ("store", "server", "no: it has ended"),
            ("server", "tab 1", "200, and no cookie"),
        ],
    ),
    "timeouts.svg": timeline(
        "The two deadlines of a session",
        [
            ("idle: 14 days from the last look", 0.0, 0.33, 0),
            ("moved by a look on day 9", 0.21, 0.54, 1),
            ("moved again", 0.47, 0.8, 2),
            ("absolute: 30 days from the login", 0.0, 0.714, 3),
        ],
        [
            ("login", 0.0, False),
            ("a look, day 9", 0.21, False),
            ("a look, day 20", 0.47, False),
            ("day 30: the end", 0.714, True),
        ],
    ),
    "old-ids.svg": timeline(
        "What an old ID is good for after renew()",
        [
            ("the ID is a session", 0.0, 0.25, 0),
            ("dead: reads empty; a logout still counts", 0.25, 0.8, 1),
            ("unknown", 0.8, 1.0, 1),
        ],
        [
            ("login", 0.0, False),
            ("renew()", 0.25, True),
            ("5 minutes: session. replayed", 0.53, False),
            ("10 minutes", 0.8, False),
        ],
    ),
}


def write() -> None:
    """Write all drawings."""
    for name, drawing in DRAWINGS.items():
        (FOLDER / name).write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    write()
