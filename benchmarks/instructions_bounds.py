"""What rows of the table are to reach: at most so much, or so much of another row, or so much more than another one."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Bound(NamedTuple):
    """At most `factor` times the row `of`, and `more`; without a row, at most `more`."""

    more: int = 0
    of: str | None = None
    factor: float = 1.0

    def limit(self, figures: Mapping[str, int]) -> int | None:
        """Return the figure that it comes to; None where the other row was not counted."""
        if self.of is None:
            return self.more
        return round(self.factor * figures[self.of]) + self.more if self.of in figures else None

    def shown(self, figure: int, figures: Mapping[str, int]) -> str:
        """Return what the table says of a row that costs `figure`."""
        limit = self.limit(figures)
        if limit is None:
            return ""
        return f"{limit:,}" if figure <= limit else f"{limit:,}: missed by {(figure / limit - 1) * 100:.1f} %"


BOUNDS: Final[Mapping[str, Bound]] = {
    "cookie untouched": Bound(18_000),
    "cookie read": Bound(113_000),
    "cookie write": Bound(180_000),
    "cookie first": Bound(245_000),
    "http write": Bound(3_000, of="cookie write"),
    "http first": Bound(3_000, of="cookie first"),
    "signed read": Bound(of="cookie read"),
    "signed write": Bound(of="cookie write"),
    "persistent write": Bound(14_000, of="cookie write"),
    "eight headers write": Bound(20_000, of="cookie write"),
    "ten datetimes read": Bound(80_000, of="cookie read"),
    "one list read": Bound(45_000, of="cookie read"),
    "list of 200 dicts, one field written": Bound(1_900_000),
    "SQLite read": Bound(192_000),
    "SQLite write": Bound(318_000),
    "SQLite first": Bound(384_000),
    "SQLite logged-in write": Bound(330_000),
    "memory read": Bound(166_000),
    "memory write": Bound(255_000),
    "Flask adapter untouched": Bound(90_000),
    "Flask adapter write": Bound(300_000),
    "Pyramid adapter first": Bound(of="Pyramid's own first"),
    "Django adapter first": Bound(of="Django's own first"),
    "changed token": Bound(of="cookie read", factor=1.3),
    "invented token": Bound(of="cookie read", factor=1.3),
    "cookie read, Python calls": Bound(36),
    "cookie write, Python calls": Bound(58),
    "cookie first, Python calls": Bound(112),
    "WAL of a logged-in write": Bound(4_200),
}
"""By the name of the row."""
