"""Apache and mod_wsgi serve the shop with the files of docs/deploy, in a virtual environment of the system's Python."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from docs.pages import ROOT
from kit.servers.process import find
from servers.deployed import FILES, Browser, listens, machine, over_http

MODULES = Path("/usr/lib/apache2/modules")
PYTHON = "/usr/bin/python3"
# Neither Apache's workers nor the app's processes run as root. Like the page's user, nobody has no home.
USER, GROUP = ("nobody", "nogroup") if os.geteuid() == 0 else (None, None)
# The main file, which distributions bring along, with the modules that `a2enmod` switches on.
APACHE = """
ServerRoot {folder}
ServerName shop.example
PidFile {folder}/run/apache.pid
ErrorLog {folder}/errors
WSGISocketPrefix {folder}/run/wsgi
Listen 127.0.0.1:{http}
Listen 127.0.0.1:{https}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule wsgi_module {modules}/mod_wsgi.so
{user}
Include {folder}/shop.conf
"""


def needed():
    """Return Apache's path; without it, or with another Python than this one, the test is skipped."""
    binary, module = find("apache2"), MODULES / "mod_wsgi.so"
    if binary is None or not module.exists():
        pytest.skip("Apache or mod_wsgi is missing: apt-get install apache2 libapache2-mod-wsgi-py3")
    linked = subprocess.run(["ldd", module], capture_output=True, text=True, check=True, timeout=30).stdout
    ours = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so"
    if ours not in linked:
        pytest.skip(f"mod_wsgi is built for another Python than this one, whose library is {ours}")
    return binary


def virtual_environment(folder):
    """Make the page's environment at `folder`, which finds this one's packages and this checkout."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    command = [folder / "bin" / "python", "-c", "import flask, cookiesess"]
    if subprocess.run(command, user=USER, cwd="/", timeout=60, check=False).returncode != 0:
        pytest.skip(f"the user {USER} of the app's processes cannot read this checkout, or its packages")


def give_to_the_app(folder):
    """Let the app's processes write into a folder, and Apache's workers look into it."""
    folder.chmod(0o755)
    for path in [folder, *folder.rglob("*")]:
        if USER is not None:
            shutil.chown(path, USER, GROUP)


@pytest.fixture
def apache():
    """A machine on which Apache runs with the page's file, of which the user, the ports and the paths are others."""
    binary = needed()
    with machine() as one:
        site = (FILES / "apache.conf").read_text(encoding="utf-8")
        for theirs, ours in {
            "*:80>": f"127.0.0.1:{one.http}>", "*:443>": f"127.0.0.1:{one.https}>",
            "/srv/shop/venv": f"{one.folder}/venv",
            "user=shop group=shop": f"user={USER} group={GROUP}" if USER else "",
        }.items():  # fmt: skip
            assert theirs in site
            site = site.replace(theirs, ours)
        (one.folder / "shop.conf").write_text(one.placed(site))
        user = "User www-data\nGroup www-data" if USER else ""
        main = APACHE.format(folder=one.folder, modules=MODULES, http=one.http, https=one.https, user=user)
        (one.folder / "apache.conf").write_text(main)
        give_to_the_app(one.folder)
        virtual_environment(one.folder / "venv")
        command = [binary, "-D", "FOREGROUND", "-f", f"{one.folder}/apache.conf"]
        # No other path than the file's own leads to the app.
        one.start(command, {"PYTHONPATH": ""}, port=one.https, ready=lambda: listens(one.https))
        yield one


def test_apache_serves_the_shop_over_https_in_several_processes(apache):
    browser = Browser(apache)
    assert [browser.get("/tea") for _ in range(6)] == [f"visit number {number}\n" for number in range(1, 7)]
    assert list(browser.cookies) == ["__Host-session"]
    assert over_http(apache, "/tea") == (301, "https://shop.example/tea")
    said = (apache.folder / "errors").read_text(encoding="utf-8")
    assert "cookie.secure_over_http" not in said
    assert not re.search(r"\[wsgi:(error|alert)\]", said), said


def test_the_processes_load_the_app_anew_when_its_file_is_touched(apache):
    browser = Browser(apache)
    browser.get("/")
    text = (apache.folder / "shop.py").read_text(encoding="utf-8")
    (apache.folder / "shop.py").write_text(text.replace("visit number", "the visit number"))
    (apache.folder / "shop.wsgi").touch()
    assert browser.get("/") == "the visit number 2\n"
