"""Serves the demo on waitress: ``python -m examples [--host HOST] [--port PORT] [--server-side [--store URL]]``."""

import argparse
import os
import sys
from collections.abc import Sequence

import waitress

from cookiesess import ConfigurationError, Key, Keyring, StoreError
from cookiesess.stores.urls import open_store
from examples.four_routes import make_app

KEYS_VARIABLE = "COOKIESESS_KEYS"
DEFAULT_STORE = "sqlite:///sessions.db"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted. Exit code 2 where it cannot start."""
    arguments = _parser().parse_args(argv)
    url = arguments.store or (DEFAULT_STORE if arguments.server_side else None)
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
        store = open_store(url) if url else None
        server = waitress.create_server(make_app(keyring, store=store), host=arguments.host, port=arguments.port)
    except (ConfigurationError, StoreError) as error:
        return _refuse(str(error))
    except (OSError, ValueError) as error:
        return _refuse(f"cannot listen on {arguments.host}:{arguments.port}: {error}; choose another --port or --host")
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    # A name with several addresses makes a server of several, which has no port of its own.
    port = getattr(server, "effective_port", None) or server.effective_listen[0][1]
    place = f"on the server, in {url}" if url else "client-side, encrypted in the cookie"
    print(_banner(f"http://{host}:{port}", origin, place), flush=True)
    try:
        server.run()
    finally:
        server.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples", description="Serve the demo routes.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8080, help="port to listen on, 0 for any (default: %(default)s)")
    parser.add_argument("--server-side", action="store_true", help="keep the sessions in a store")
    parser.add_argument("--store", metavar="URL", help=f"which one (default: {DEFAULT_STORE}); implies --server-side")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; choose 0 to 65535")
    return int(text)


def _refuse(reason: str) -> int:
    print(f"examples: {reason}", file=sys.stderr)
    return 2


def _banner(url: str, origin: str, place: str) -> str:
    return f"""\
cookiesess demo on {url} (Ctrl-C stops it)
key: {origin}
sessions: {place}
try, in another terminal:
  curl -c jar -b jar {url}/set_cookie
  curl -c jar -b jar {url}/get_cookie
  curl -c jar -b jar {url}/set_session
  curl -c jar -b jar {url}/get_session"""


if __name__ == "__main__":
    sys.exit(main())
