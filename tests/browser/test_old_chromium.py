"""How the tests come by a Chromium that binds sessions: it is there whole, or the reason is told."""

import os
import stat

import pytest

from browser import old_chromium
from browser.old_chromium import UNPACKED, NotHere, fetched

# What each does in place of the real one. `dpkg` unpacks a browser that says its version.
BROWSER = "usr/lib/chromium/chromium"
GIVES = 'case "$*" in *download*) touch a.deb ;; esac'
UNPACKS = f'mkdir -p "$3/usr/lib/chromium" && printf "#!/bin/sh\\necho Chromium 150.0.7871.100 x\\n" >"$3/{BROWSER}"'
WORKS = f'{UNPACKS} && chmod +x "$3/{BROWSER}"'


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Have tools of our own stand in front of the machine's."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def tools(**scripts):
        for name, script in scripts.items():
            tool = folder / name.replace("_", "-")
            tool.write_text(f"#!/bin/sh\n{script}\n")
            tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
        (tmp_path / "browser").mkdir(exist_ok=True)
        return tmp_path / "browser"

    return tools


def refused(folder):
    with pytest.raises(NotHere) as refusal:
        fetched(folder)
    return str(refusal.value)


def test_it_is_fetched_once(tools):
    folder = tools(apt_get=GIVES, dpkg=WORKS)
    first = fetched(folder)
    tools(apt_get="exit 1", dpkg="exit 1")
    assert fetched(folder) == first == folder / UNPACKED / BROWSER
    assert list(folder.glob("**/*.deb")) == []


def test_where_the_archive_has_it_no_more_the_reason_is_told(tools):
    folder = tools(apt_get="echo W: something >&2; echo E: Version was not found >&2; exit 100", dpkg=WORKS)
    assert refused(folder).endswith("cannot be had: the list of packages failed: E: Version was not found")


def test_stale_lists_of_packages_are_made_anew(tools):
    gives_to_a_list_of_its_own = f'case "$*" in *Dir::State::Lists*) {GIVES} ;; *) exit 100 ;; esac'
    assert fetched(tools(apt_get=gives_to_a_list_of_its_own, dpkg=WORKS)).exists()


def test_what_was_unpacked_by_half_is_not_there(tools):
    folder = tools(apt_get=GIVES, dpkg=f"{UNPACKS}; exit 2")
    assert "the unpacking failed" in refused(folder)
    assert not (folder / UNPACKED).exists()
    tools(dpkg=WORKS)
    assert fetched(folder).exists()


def test_one_that_does_not_start_or_is_another_is_not_it(tools):
    folder = tools(apt_get=GIVES, dpkg=UNPACKS)
    assert "the start of Chromium 150 failed" in refused(folder)
    other = folder / UNPACKED / BROWSER
    other.write_text("#!/bin/sh\necho Chromium 156.0.1\n")
    other.chmod(0o755)
    assert "is another browser: Chromium 156.0.1" in refused(folder)


def test_without_the_tools_it_is_told_which_one_is_missing(tools, monkeypatch):
    folder = tools()
    monkeypatch.setenv("PATH", str(folder))
    assert refused(folder) == "apt-get is missing, by which Chromium 150 could be had"


def test_nobody_waits_for_ever(tools, monkeypatch):
    monkeypatch.setattr(old_chromium, "MOST_SECONDS", 0.1)
    assert "timed out" in refused(tools(apt_get="exec sleep 30", dpkg=WORKS))
