"""The oldest versions that the package says it works with, as constraints for pip: ``python -m kit.minimum``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What users install; the rest are tools of this project.
EXTRAS = (
    "redis",
    "memcached",
    "sql",
    "postgresql",
    "mysql",
    "flask",
    "pyramid",
    "django",
    "prometheus",
    "opentelemetry",
    "devices",
)
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)")
# Has to be of the same version as the other half of it.
_TOGETHER = {"opentelemetry-api": "opentelemetry-sdk"}


def constraints() -> Iterator[str]:
    """Yield ``name==version`` for each requirement of the package and of its users' extras.

    Raises:
        ValueError: One has no least version, and nothing else.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for requirement in (*project["dependencies"], *(each for extra in EXTRAS for each in extras[extra])):
        if requirement.startswith("cookiesess["):
            continue
        match = _REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise ValueError(f"{requirement!r} in pyproject.toml; write name>=version")
        name, version = match.groups()
        yield f"{name}=={version}"
        if name in _TOGETHER:
            yield f"{_TOGETHER[name]}=={version}"


if __name__ == "__main__":
    print(*constraints(), sep="\n")
