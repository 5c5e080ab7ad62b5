"""The files of docs/deploy on this machine: their paths and ports become those of a test, and nothing else changes."""

import os
import re
import shlex
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cookiesess import Key
from docs.pages import ROOT
from kit.servers.process import Server, find, free_port

FILES = ROOT / "docs" / "deploy"
SECONDS = 20
HOST = "shop.example"
BIN = Path(sys.executable).parent

# The main file of nginx, which distributions bring along; it includes the site's.
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/errors; {user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/shop.conf;
}}
"""


class Machine:
    """A folder that stands for a server's file system, with what runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http, self.https = free_port(), free_port()
        self._running: list[Server] = []
        for name in ("run", "lib", "etc"):
            (folder / name).mkdir()
        for path in FILES.iterdir():
            if path.suffix in {".py", ".wsgi"}:
                (folder / path.name).write_text(self.file(path.name))
        for name in ("keys.txt", "forum-keys.txt"):
            (folder / "etc" / name).write_text(Key.generate())
        certify(folder / "etc")

    def placed(self, text: str) -> str:
        """Return a text with this machine's paths and ports in place of a server's."""
        places = {
            "/srv/shop/venv/bin/": f"{BIN}/",
            "/srv/shop/venv": sys.prefix,
            "/srv/shop": str(self.folder),
            "/run/secrets/cookiesess_keys": f"{self.folder}/etc/keys.txt",
            "/run/shop": f"{self.folder}/run",
            "/var/lib/shop": f"{self.folder}/lib",
            "/data/": f"{self.folder}/lib/",
            "/etc/shop": f"{self.folder}/etc",
            "/etc/letsencrypt/live/shop.example": f"{self.folder}/etc",
            "listen 80;": f"listen 127.0.0.1:{self.http};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.https} ssl;",
            "include uwsgi_params;": "include /etc/nginx/uwsgi_params;",
        }
        for theirs, ours in places.items():
            text = text.replace(theirs, ours)
        return text

    def file(self, name: str) -> str:
        return self.placed((FILES / name).read_text(encoding="utf-8"))

    def start(self, command: list[str], variables: dict[str, str], *, port: int, ready) -> Server:
        """Run a command with these environment variables until the test is over."""
        named = {"PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)]), **variables}
        server = Server(
            ["env", *(f"{name}={value}" for name, value in named.items()), *command],
            port=port, folder=self.folder, ready=ready,
        )  # fmt: skip
        self._running.append(server)
        server.start()
        return server

    def nginx(self, site: str) -> None:
        """Start nginx with this text as the site's file."""
        binary = find("nginx")
        if binary is None:
            pytest.skip("nginx is missing: apt-get install nginx-light")
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "shop.conf").write_text(site)
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, user=user))
        command = [binary, "-c", f"{self.folder}/nginx.conf", "-e", f"{self.folder}/errors"]
        self.start(command, {}, port=self.https, ready=lambda: listens(self.https))

    def stop(self) -> None:
        for server in reversed(self._running):
            server.stop()

    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8")


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine whose paths are short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="shop-"))
    made = Machine(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def certify(folder: Path) -> None:
    """Write a certificate for the shop, and its key, under the names that certbot gives them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(private)


def listens(port: int) -> bool:
    with closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True


def listens_at(path: Path) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(str(path))
        return True


class Browser:
    """Asks for pages of the shop over HTTPS, and keeps its cookies."""

    def __init__(self, machine: Machine) -> None:
        self._port = machine.https
        self._context = ssl.create_default_context(cafile=f"{machine.folder}/etc/fullchain.pem")
        self._context.check_hostname = False  # the name leads elsewhere, or nowhere
        self.cookies: dict[str, str] = {}
        self.lines: list[str] = []

    def get(self, path: str, **headers: str) -> str:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with closing(HTTPSConnection("127.0.0.1", self._port, timeout=SECONDS, context=self._context)) as connection:
            connection.request("GET", path, headers={"Host": HOST, "Cookie": cookies, **headers})
            response = connection.getresponse()
            text = response.read().decode()
        assert response.status == 200, (response.status, text)
        for line in response.headers.get_all("Set-Cookie", []):
            self.lines.append(line)
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return text


def over_http(machine: Machine, path: str) -> tuple[int, str | None]:
    """Return status and location of the answer to a request over plain HTTP."""
    with closing(HTTPConnection("127.0.0.1", machine.http, timeout=SECONDS)) as connection:
        connection.request("GET", path, headers={"Host": HOST})
        response = connection.getresponse()
        return response.status, response.headers["Location"]


def unit_of(text: str) -> dict[str, list[str]]:
    """Return the settings of a systemd unit, each with its values."""
    settings: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        settings.setdefault(name, []).append(value)
    return settings


def variables_of(lines: list[str]) -> dict[str, str]:
    """Return the environment variables that ``NAME=value`` lines set."""
    pairs = [shlex.split(line)[0].partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}
