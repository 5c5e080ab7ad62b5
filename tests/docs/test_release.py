"""What is released: a wheel and a source distribution that hold what they should, and nothing else."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import cookiesess
from kit.minimum import constraints
from kit.pythons import VERSIONS

ROOT = Path(__file__).parents[2]
STEM = f"cookiesess-{cookiesess.__version__}"
SOURCES = ROOT / "cookiesess"

pytestmark = pytest.mark.skipif(not SOURCES.is_dir(), reason="an installed wheel is tested, without the sources")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Both distributions, built from the checkout, the wheel from the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_the_package_its_licence_and_nothing_else(wheel):
    package = {f"cookiesess/{path.relative_to(SOURCES)}" for path in SOURCES.rglob("*.py")} | {"cookiesess/py.typed"}
    about = {f"{STEM}.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    assert set(wheel.namelist()) == package | about | {f"{STEM}.dist-info/licenses/LICENSE"}


def test_the_wheel_is_for_every_machine(wheel):
    assert "Tag: py3-none-any" in wheel.read(f"{STEM}.dist-info/WHEEL").decode()


def test_the_package_needs_three_others_and_the_rest_is_optional(wheel):
    metadata = Parser().parsestr(wheel.read(f"{STEM}.dist-info/METADATA").decode())
    needed = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert sorted(line.partition(">")[0] for line in needed) == ["cryptography", "itsdangerous", "ormsgpack"]


def test_the_source_distribution_holds_what_builds_tests_and_documents_it(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.removeprefix(f"{STEM}/") for name in archive.getnames()}
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "SECURITY.md", "benchmarks",
        "campaigns", "cookiesess", "docs", "examples", "pyproject.toml", "tests", ".gitignore",
    }  # fmt: skip
    assert not {name for name in names if "__pycache__" in name or name.startswith("docs/_build")}
    assert {"tests/conftest.py", "tests/golden/version-1.json", "docs/conf.py", "cookiesess/py.typed"} <= names


def test_the_least_versions_become_constraints_to_test_with():
    found = dict(line.split("==") for line in constraints())
    assert {"cryptography", "itsdangerous", "ormsgpack", "flask", "django", "pyramid", "redis"} <= found.keys()
    assert found["ormsgpack"] == "1.13"  # the first with Fragment
    assert found["flask"] == "3.1.3"  # SECRET_KEY_FALLBACKS came with 3.1, and that one has known holes


def test_the_pythons_that_are_claimed_are_those_that_are_tested():
    claimed = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert claimed == ["3.11", *VERSIONS]
