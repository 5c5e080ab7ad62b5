"""Whether a user's type checker knows every type of what `from cookiesess import …` offers.

``python -m kit.verified_types`` (`make types`) has pyright verify them, which reports an attribute or a parameter whose
type it has to infer: another checker may infer another one. Prints what is wrong, and fails if anything is.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cookiesess

ROOT = Path(cookiesess.__file__).parents[1]


def homes() -> set[str]:
    """Return where each public name is defined: ``cookiesess.http.policy.CookiePolicy``."""
    values = [getattr(cookiesess, name) for name in cookiesess.__all__]
    return {v.__name__ if inspect.ismodule(v) else f"{v.__module__}.{v.__qualname__}" for v in values}


def report() -> list[dict[str, Any]]:
    """Return what pyright says of each symbol of the package."""
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "--outputjson"]
    command += ["--ignoreexternal", "--verifytypes", "cookiesess"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    symbols: list[dict[str, Any]] = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    return symbols


def incomplete(symbols: list[dict[str, Any]], public: set[str]) -> Iterator[str]:
    """Yield each symbol at or below a public name whose type is unknown, or may be inferred differently."""
    for symbol in symbols:
        name = symbol["name"]
        if symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"]:
            continue
        if any(name == home or name.startswith(f"{home}.") for home in public):
            yield "\n    ".join([name, *(note["message"] for note in symbol["diagnostics"])])


def main() -> int:
    """Print what is incomplete."""
    symbols, public = report(), homes()
    found = sorted(incomplete(symbols, public))
    print(*found, sep="\n")
    print(
        f"{len(cookiesess.__all__)} public names, {len(found)} symbols of them without a type that all checkers share"
    )
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
