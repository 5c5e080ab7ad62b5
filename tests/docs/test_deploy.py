"""The files of docs/deploy: each is shown by a page, and says what its program takes.

`servers/test_deploy` and `servers/test_apache` start them.
"""

import json
import re
import runpy
import shutil
import subprocess
import sys

import pytest
import yaml
from webob import Request

from cookiesess import Key
from docs.pages import ROOT

FILES = ROOT / "docs" / "deploy"
COPIED = sorted(path for path in FILES.iterdir() if path.suffix != ".md" and path.is_file())
PAGES = {path.name: path.read_text(encoding="utf-8") for path in FILES.glob("*.md")}
# Which instructions a Dockerfile may have; a misspelt one is another.
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "CMD"}
# A second interpreter of the kind that mod_wsgi and uWSGI make, as each version of Python calls it.
INTERPRETERS = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import cookiesess
try:
    second = interpreters.create("legacy")
except TypeError:
    second = interpreters.create(isolated=False)
try:
    failed = interpreters.run_string(second, "import cookiesess")
except Exception as error:
    failed = error
print(getattr(failed, "msg", failed))
"""


def text_of(name):
    return (FILES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", COPIED, ids=lambda path: path.name)
def test_a_page_shows_each_file(path):
    assert [name for name, page in PAGES.items() if f"```{{literalinclude}} {path.name}\n" in page]


@pytest.mark.parametrize("path", COPIED, ids=lambda path: path.name)
def test_the_variables_of_a_file_are_settings(path):
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in re.findall(r"\bCOOKIESESS_[A-Z_]+", path.read_text(encoding="utf-8")):
        assert f"| `{name}` |" in settings, name


@pytest.mark.parametrize("name", ["install.sh", "install-apache.sh", "container.sh"])
def test_a_script_is_one_and_copies_files_that_there_are(name):
    subprocess.run(["bash", "-n", FILES / name], check=True, timeout=30)
    copied = re.findall(r"^cp (.+) \S+$", text_of(name), re.MULTILINE)
    for file in " ".join(copied).split():
        assert (FILES / file).exists(), file


def test_the_container_runs_as_somebody_who_may_write_to_the_volume_alone():
    lines = re.findall(r"^([A-Z]+) (.*)$", text_of("Dockerfile"), re.MULTILINE)
    names = [name for name, _ in lines]
    assert set(names) <= INSTRUCTIONS
    assert names.index("USER") < names.index("CMD")
    arguments = dict(lines)
    assert arguments["USER"] == "shop"
    assert arguments["VOLUME"] == "/data"
    program, *words = json.loads(arguments["CMD"])
    assert (program, words) == ("gunicorn", ["--config", "gunicorn.conf.py", "shop:app"])
    for line in [arguments for name, arguments in lines if name == "COPY"]:
        *sources, _ = line.split()
        assert all((FILES / source).exists() or source == "cookiesess-*.whl" for source in sources)


def test_compose_names_what_it_uses():
    compose = yaml.safe_load(text_of("compose.yaml"))
    (shop,) = compose["services"].values()
    assert set(shop["secrets"]) == set(compose["secrets"])
    assert [volume.partition(":")[0] for volume in shop["volumes"]] == list(compose["volumes"])
    assert shop["environment"]["COOKIESESS_KEYS_FILE"] == f"/run/secrets/{shop['secrets'][0]}"
    assert all(port.startswith("127.0.0.1:") for port in shop["ports"])


@pytest.mark.parametrize(("name", "program"), [("shop.service", "gunicorn"), ("uwsgi.service", "uwsgi")])
def test_systemd_takes_the_unit(name, program, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing")
    unit = tmp_path / "shop.service"
    unit.write_text(text_of(name).replace(f"/srv/shop/venv/bin/{program}", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60, check=False
    )
    assert [line for line in done.stderr.splitlines() if "shop.service" in line] == []


def test_mod_wsgi_gets_an_application(monkeypatch, tmp_path):
    (tmp_path / "keys.txt").write_text(Key.generate())
    monkeypatch.setenv("COOKIESESS_KEYS_FILE", str(tmp_path / "keys.txt"))
    monkeypatch.setenv("COOKIESESS_STORE", f"sqlite:///{tmp_path}/sessions.db")
    monkeypatch.syspath_prepend(FILES)
    application = runpy.run_path(str(FILES / "shop.wsgi"))["application"]
    sys.modules.pop("shop")
    answer = Request.blank("/", base_url="https://shop.example").get_response(application)
    assert answer.text == "visit number 1\n"


def test_apache_s_file_is_whole_and_has_the_main_interpreter():
    text = text_of("apache.conf")
    assert len(re.findall(r"^ *<(\w+)", text, re.MULTILINE)) == len(re.findall(r"^ *</(\w+)>", text, re.MULTILINE))
    assert re.search(r"^    WSGIApplicationGroup %\{GLOBAL\}$", text, re.MULTILINE)
    group = re.search(r"WSGIDaemonProcess (\w+)", text)[1]
    assert f"WSGIProcessGroup {group}\n" in text


def test_in_a_second_interpreter_the_import_fails_as_the_page_says():
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETERS], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    (said,) = re.findall(r"`(PyO3 modules [^`]+)`", " ".join(PAGES["apache.md"].split()))
    assert said in done.stdout
