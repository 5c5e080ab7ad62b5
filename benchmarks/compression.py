"""What compressing a session in a cookie saves, and what it costs: ``python -m benchmarks.compression`` (20 seconds).

What goes in is what `cookiesess.session.compression` gets: the whole state, packed. Each codec runs as a cookie needs
it: in
memory, with a bound on what may come out, and with whatever can be built beforehand built beforehand.
"""

import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from random import Random
from typing import Any, NamedTuple

from benchmarks.apps import available
from benchmarks.harness import SMALL, TYPICAL, Cell, Environ, run_interleaved
from benchmarks.overhead import parser, versions
from benchmarks.tables import table

PACKAGES = ("cookiesess", "Brotli", "zstandard")
LIMIT = 1 << 18  # bytes that may come out of one cookie
# What a token holds besides: version, key id, nonce and tag.
TOKEN_BYTES = 1 + 4 + 24 + 16

_RANDOM = Random(4711)  # the same sessions in every run
_START = 1_763_877_600

Codec = tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]


class Session(NamedTuple):
    """What a state is made of, where it differs."""

    data: Mapping[str, Any]
    owner: str | None = None
    extras: Mapping[str, Any] = {}


def _letters(count: int) -> str:
    """Return text that nothing makes shorter than three quarters."""
    return b64encode(_RANDOM.randbytes(count)).decode()[:count]


def _line(number: int) -> dict[str, Any]:
    return {
        "sku": f"{_RANDOM.choice(['BK', 'TE', 'PO', 'KI'])}-{_RANDOM.randrange(100_000):05}",
        "title": " ".join(
            _RANDOM.choices(["Black", "Green", "Small", "Large", "Tea", "Pot", "Cup", "Tin", "Set"], k=4)
        ),
        "count": _RANDOM.randrange(1, 5),
        "price": Decimal(_RANDOM.randrange(100, 9_999)) / 100,
        "added_at": datetime.fromtimestamp(_START, UTC) + timedelta(seconds=37 * number),
    }


SESSIONS: Mapping[str, Session] = {
    "small": Session(SMALL),
    "typical": Session(TYPICAL),
    "login with flashes": Session(
        {"name": "萧兮 Grünwald", "locale": "zh-Hans-CN", "next": "/account/orders?page=2&sort=date"},
        owner="user-48151623",
        extras={
            "c": _RANDOM.randbytes(32),
            "f": [["Welcome back!", "success"], ["Your order BK-20417 has been sent.", "message"]],
        },
    ),
    "cart of 30 lines": Session({**TYPICAL, "cart": [_line(number) for number in range(30)]}),
    "random token": Session({"access_token": _letters(900), "token_type": "Bearer", "expires_in": 3600}),
}


def plaintext_of(session: Session) -> bytes:
    """Return what the library would seal, without the byte that names its kind."""
    from cookiesess.session.state import State, pack
    from cookiesess.tokens.values import ValueCodec

    state = State(
        _START,
        _START + 600,
        _START + 30 * 24 * 3600,
        authenticated_at=_START if session.owner else None,
        owner=session.owner,
        data=dict(session.data),
        extras=dict(session.extras),
    )
    return pack(state, ValueCodec())[1:]


def deflate(level: int) -> Codec:
    def out(data: bytes) -> bytes:
        compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        return compressor.compress(data) + compressor.flush()

    return out, lambda data: zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, LIMIT)


def brotli(level: int) -> Codec:
    import brotli

    def into(data: bytes) -> bytes:
        return brotli.Decompressor().process(data, output_buffer_limit=LIMIT)  # type: ignore[no-any-return]

    return lambda data: brotli.compress(data, quality=level), into


def zstandard(level: int) -> Codec:
    import zstandard

    # One for all requests; an app with threads would need one for each, since they are not to be shared.
    compressor, decompressor = zstandard.ZstdCompressor(level=level), zstandard.ZstdDecompressor()

    def into(data: bytes) -> bytes:
        # The frame says how much will come out, and the decompressor trusts it.
        assert zstandard.frame_content_size(data) <= LIMIT
        return decompressor.decompress(data)

    return compressor.compress, into


FAMILIES = {"DEFLATE": (deflate, (1, 6, 9)), "Brotli": (brotli, (4, 5, 11)), "Zstandard": (zstandard, (3, 19))}


def codecs() -> tuple[dict[str, Codec], list[str]]:
    """Return all codecs whose package is installed, by name, and a line on each family that is left out."""

    def family(name: str, make: Callable[[int], Codec], levels: Iterable[int]) -> Callable[[], list[tuple[str, Codec]]]:
        def build() -> list[tuple[str, Codec]]:
            return [(f"{name} {level}", make(level)) for level in levels]

        build.__name__ = name
        return build

    built, missing = available(*(family(name, *how) for name, how in FAMILIES.items()))
    return {name: codec for family in built for name, codec in family}, missing


class Row(NamedTuple):
    """What one codec does to one session."""

    codec: str
    size_bytes: int
    out: Cell
    into: Cell


def prepare(codec: str, ways: Codec, data: bytes) -> Row:
    """Return the cells that are to be timed; what went in has come out again."""
    out, into = ways
    packed = out(data)
    assert into(packed) == data, f"{codec} lost something"
    return Row(codec, len(packed), _cell(out, data), _cell(into, packed))


def _cell(work: Callable[[bytes], bytes], data: bytes) -> Cell:
    def app(environ: Environ, start_response: Any) -> tuple[()]:
        work(data)
        return ()

    return Cell(app, {})


def cookie_bytes(size_bytes: int) -> int:
    """Return how long a cookie's value becomes, its kind byte included."""
    return ceil((TOKEN_BYTES + 1 + size_bytes) * 4 / 3)


def render(data: bytes, rows: Iterable[Row], nothing: Cell) -> str:
    """Render what became of one session."""
    lines = [["as it is", str(len(data)), "", str(cookie_bytes(len(data))), "", ""]]
    for row in rows:
        part = f"{row.size_bytes / len(data):.0%}"
        times = [f"{cell.us - nothing.us:.1f}" for cell in (row.out, row.into)]
        lines.append([row.codec, str(row.size_bytes), part, str(cookie_bytes(row.size_bytes)), *times])
    return table(["", "bytes", "", "cookie value, bytes", "µs out", "µs in"], lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. The exit code says nothing about speed."""
    options = parser(__doc__).parse_args(argv)
    found, missing = codecs()
    texts = {name: plaintext_of(session) for name, session in SESSIONS.items()}
    rows = {name: [prepare(codec, ways, data) for codec, ways in found.items()] for name, data in texts.items()}
    nothing = _cell(bytes, b"")  # what it takes to call anything
    cells = [cell for each in rows.values() for row in each for cell in (row.out, row.into)]
    run_interleaved([nothing, *cells], seconds=options.seconds or (8 if options.quick else 20))
    print(versions(PACKAGES), *(f"left out: {line}" for line in missing), sep="\n")
    for name, data in texts.items():
        print(f"\n### {name}\n\n{render(data, rows[name], nothing)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
