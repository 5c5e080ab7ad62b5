"""Serves the demo on waitress: ``python -m examples [--host HOST] [--port PORT] [--server-side [--store URL]]``.

With ``--inspect`` it also serves a page at ``/inspect`` that shows what the browser holds and what the server sees.
``--account [flask|wsgi]`` serves another app instead: a whole account page, with a login and "my devices".
"""

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import waitress

from cookiesess import ConfigurationError, CookiePolicy, DeviceBinding, Key, Keyring, StoreError
from cookiesess.manager.settings import Settings
from cookiesess.stores.urls import open_store
from examples.four_routes import make_app
from examples.inspector.app import is_loopback, make_inspector

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

KEYS_VARIABLE = "COOKIESESS_KEYS"
DEFAULT_STORE = "sqlite:///sessions.db"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted. Exit code 2 where it cannot start."""
    arguments = _parser().parse_args(argv)
    keys = os.environ.get(KEYS_VARIABLE)
    origin = (
        f"from {KEYS_VARIABLE}"
        if keys
        else f"made for this run; sessions end with it (set {KEYS_VARIABLE} to keep them)"
    )
    try:
        keyring = Keyring.parse(keys or Key.generate())
    except ConfigurationError as error:
        return _refuse(f"{KEYS_VARIABLE} is not usable: {error}")
    try:
        app, place = _make_app(arguments, keyring)
        server = waitress.create_server(app, host=arguments.host, port=arguments.port)
    except (ConfigurationError, StoreError) as error:
        return _refuse(str(error))
    except (OSError, ValueError) as error:
        another = another_port(arguments.port)
        hint = f"such as --port {another}" if arguments.account else f"or type `make demo PORT={another}`"
        where = f"{arguments.host}:{arguments.port}"
        return _refuse(f"cannot listen on {where}: {error}; choose another --port or --host, {hint}")
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    # A name with several addresses makes a server of several, which has no port of its own.
    port = getattr(server, "effective_port", None) or server.effective_listen[0][1]
    print(_banner(f"http://{host}:{port}", origin, place, arguments), flush=True)
    try:
        server.run()
    finally:
        server.close()
    return 0


def _make_app(arguments: argparse.Namespace, keyring: Keyring) -> "tuple[WSGIApplication, str]":
    """Return the app that the command line asks for, and where it keeps its sessions, in words.

    Raises:
        ConfigurationError: The options contradict each other, or a store cannot be used so.
        StoreError: A store cannot be reached.
    """
    server_side = arguments.server_side or arguments.account
    url = DEFAULT_STORE if arguments.store is None and server_side else arguments.store
    _check_inspect(arguments, server_side=url is not None)
    # A file is made where there is none; a server should be there before the first request asks for it.
    store = None if url is None else open_store(url, must_exist=not url.startswith("sqlite:"))
    place = "client-side, encrypted in the cookie" if url is None else f"on the server, in {_without_secrets(url)}"
    if arguments.account:
        # Imported here: Flask and Jinja are for whoever asks for them.
        make_account = import_module(f"examples.account.{arguments.account}_app").make_app
        return make_account(keyring, store=store), place
    if not arguments.inspect:
        return make_app(keyring, store=store), place
    anyone = arguments.inspect_anyone
    binding = DeviceBinding() if arguments.bind else None
    if store is not None:
        return make_inspector(keyring, anyone=anyone, store=store, binding=binding), place
    url = DEFAULT_STORE if arguments.overflow is None else arguments.overflow
    place = f"{place}; those that outgrow it, and which have ended, in {_without_secrets(url)}"
    policy = dataclasses.replace(CookiePolicy.development(), chunks=1 if arguments.chunks is None else arguments.chunks)
    kept = open_store(url)
    if kept.evicts:
        raise ConfigurationError(
            f"--overflow {_without_secrets(url)} may forget what has ended; give another store's URL"
        )
    settings: Settings = {"cookie": policy, "compress": arguments.compress, "overflow": kept, "revocations": kept}
    settings["binding"] = binding
    return make_inspector(keyring, anyone=anyone, **settings), place


def _check_inspect(arguments: argparse.Namespace, *, server_side: bool) -> None:
    if arguments.inspect and arguments.account:
        raise ConfigurationError("--inspect and --account serve two different apps; leave one of them out")
    client_side = {"--overflow": arguments.overflow, "--chunks": arguments.chunks, "--compress": arguments.compress}
    either = {"--inspect-anyone": arguments.inspect_anyone, "--bind": arguments.bind}
    for option, value in {**either, **client_side}.items():
        given = value is not None and value is not False
        if given and not arguments.inspect:
            raise ConfigurationError(f"{option} is about the inspector; give --inspect as well, or leave it out")
        if given and server_side and option in client_side:
            raise ConfigurationError(f"{option} is for sessions in cookies; leave out --server-side and --store, or it")
    if arguments.inspect and not arguments.inspect_anyone and not is_loopback(arguments.host):
        raise ConfigurationError(
            f"--inspect shows what is in sessions, and --host {arguments.host} lets other machines ask for it; leave"
            " --host out, or allow that with --inspect-anyone"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples", description="Serve the demo routes.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8080, help="port to listen on, 0 for any (default: %(default)s)")
    parser.add_argument("--server-side", action="store_true", help="keep the sessions in a store")
    parser.add_argument("--store", metavar="URL", help=f"which one (default: {DEFAULT_STORE}); implies --server-side")
    parser.add_argument(
        "--account",
        nargs="?",
        const="flask",
        choices=("flask", "wsgi"),
        help="serve a whole account page instead, with Flask (the default) or without; implies --server-side",
    )
    inspector = parser.add_argument_group("the inspector")
    inspector.add_argument(
        "--inspect", action="store_true", help="serve a page at /inspect that shows cookies, sessions"
    )
    inspector.add_argument(
        "--inspect-anyone", action="store_true", help="let other machines look too; without it --host is a loopback one"
    )
    inspector.add_argument(
        "--overflow",
        metavar="URL",
        help=f"where client-side sessions go that outgrow their cookie (default: {DEFAULT_STORE})",
    )
    inspector.add_argument("--chunks", type=int, help="over how many cookies they may be spread before (default: 1)")
    inspector.add_argument("--compress", action="store_true", help="compress them")
    inspector.add_argument("--bind", action="store_true", help="bind sessions to devices, in browsers that can do it")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; choose 0 to 65535")
    return int(text)


def another_port(port: int) -> int:
    """Return a port to try where `port` is taken."""
    return port + 1 if port < 65535 else 8080


def _without_secrets(url: str) -> str:
    """Return a store's URL without user, password and parameters."""
    scheme, _, rest = url.partition("?")[0].partition("://")
    server, slash, path = rest.partition("/")
    return f"{scheme}://{server.rpartition('@')[2]}{slash}{path}"


def _refuse(reason: str) -> int:
    print(f"examples: {reason}", file=sys.stderr)
    return 2


def _banner(url: str, origin: str, place: str, arguments: argparse.Namespace) -> str:
    what = "account page" if arguments.account else "demo"
    where = f"cookiesess {what} on {url} (Ctrl-C stops it)\nkey: {origin}\nsessions: {place}"
    if arguments.account:
        return f"{where}\nopen it in two browsers, and log in as the page says"
    page = f"\ninspector: {url}/inspect" if arguments.inspect else ""
    return f"""\
{where}{page}
try, in another terminal:
  curl -c jar -b jar {url}/set_cookie
  curl -c jar -b jar {url}/get_cookie
  curl -c jar -b jar {url}/set_session
  curl -c jar -b jar {url}/get_session"""


if __name__ == "__main__":
    sys.exit(main())
