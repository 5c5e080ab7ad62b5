"""``python -m cookiesess``: make keys, look into tokens."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pprint import pformat

from cookiesess.encoding import decode, purpose
from cookiesess.errors import CookiesessError, InvalidToken
from cookiesess.keys import Key, Keyring
from cookiesess.policy import CookiePolicy
from cookiesess.sealing import Opened, Sealer
from cookiesess.signing import Signer
from cookiesess.state import REFERENCE, State, unpack
from cookiesess.values import ValueCodec

KEYS_VARIABLE = "COOKIESESS_KEYS"

# Unix seconds far ahead of every token: the clock check is for servers, a tool should show a token from the future.
_NO_LATEST = 1 << 62


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code: 0 done, 1 the token does not open, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except CookiesessError as error:
        print(f"cookiesess: {error}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cookiesess", description="Keys and tokens of cookiesess.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    keygen = commands.add_parser("keygen", help="print a new random key")
    keygen.set_defaults(run=_keygen)
    inspect = commands.add_parser("inspect", help="show what a session token says")
    inspect.add_argument("text", metavar="TOKEN", help="the cookie's value, or name=value; - reads standard input")
    inspect.add_argument(
        "--keys", default=os.environ.get(KEYS_VARIABLE), help=f"keys, parted by commas (default: ${KEYS_VARIABLE})"
    )
    inspect.add_argument("--name", help="the cookie's name (default: __Host-session, then session)")
    inspect.set_defaults(run=_inspect)
    return parser


def _keygen(_: argparse.Namespace) -> int:
    print(Key.generate())
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    text = sys.stdin.read() if arguments.text == "-" else arguments.text
    # Tokens are base64url without padding, so "=" can only part a name from its value.
    name, _, token = text.strip().rpartition("=")
    name = name or arguments.name
    print(_outside(token))
    if not arguments.keys:
        print(f"opens: not tried; give --keys or set {KEYS_VARIABLE}")
        return 0
    try:
        plaintext, current = _open(token, Keyring.parse(arguments.keys), [name] if name else _usual_names())
        print(f"opens: yes, with {'the current' if current else 'an accepted'} key")
        print(_inside(plaintext))
    except InvalidToken as error:
        print(f"opens: no ({error.reason})")
        return 1
    return 0


def _usual_names() -> list[str]:
    return [CookiePolicy().name, CookiePolicy.development().name]


def _outside(token: str) -> str:
    """Describe what anybody can see; never content, which of a signed token would be all of it."""
    if "." in token:
        return f"signed token, {len(token)} characters"
    try:
        raw = decode(token)
    except ValueError:
        return f"no token: {len(token)} characters that are not base64url"
    return f"sealed token, {len(token)} characters, version {raw[:1].hex() or '-'}, kid {raw[1:5].hex() or '-'}"


def _open(token: str, keyring: Keyring, names: Sequence[str]) -> Opened:
    read = Signer(keyring).unsign if "." in token else Sealer(keyring).unseal
    failure = InvalidToken("malformed")
    for name in names:
        try:
            return read(token, purpose("session", name))
        except InvalidToken as error:
            failure = error
    raise failure


def _inside(plaintext: bytes) -> str:
    if plaintext[:1] == REFERENCE:
        return "holds: a reference to a record in a store"
    state = unpack(plaintext, ValueCodec(), now=_NO_LATEST)
    return "\n".join([*_times(state), f"owner: {state.owner!r}", f"data: {pformat(state.data)}"])


def _times(state: State) -> list[str]:
    times = {
        "created": state.created_at,
        "authenticated": state.authenticated_at,
        "refreshed": state.refreshed_at,
        "ends at the latest": state.ends_at,
    }
    return [
        f"{name}: {'-' if at is None else datetime.fromtimestamp(at, UTC).isoformat()}" for name, at in times.items()
    ]
