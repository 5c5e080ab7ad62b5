"""``python -m cookiesess``: make keys, look into tokens, prepare and sweep stores, list and end sessions, and more."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pprint import pformat

from cookiesess.backends.epochs import renew_epoch
from cookiesess.errors import ConfigurationError, CookiesessError, InvalidToken
from cookiesess.http.policy import CookiePolicy
from cookiesess.manager.assembly import make_envelope
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.settings import Configuration
from cookiesess.session.compression import expand
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import REFERENCE, State, unpack
from cookiesess.stores.urls import open_store
from cookiesess.tokens.encoding import decode
from cookiesess.tokens.keys import KEYS_FILE_VARIABLE, KEYS_VARIABLE, Key, Keyring
from cookiesess.tokens.sealing import VERSION, Opened, Sealer
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec

STORE_VARIABLE = "COOKIESESS_STORE"

# Unix seconds far ahead of every token: the clock check is for servers, a tool should show a token from the future.
_NO_LATEST = 1 << 62
# The app's timeouts are not known here, and shorter ones would hide sessions that live. The deadline that was fixed
# when a session began, or logged in, stands in its record and counts.
_LIFETIME = Lifetime(absolute=None)
# The same for a manager, which warns of sessions without an end: here nobody can do anything about it.
_LONGEST = Lifetime(absolute=timedelta(days=36_500))
# Other writers wait while a batch is deleted: some milliseconds for this many.
_SWEEP_BATCH = 200


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code is 0 done, 1 not found or does not open, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except CookiesessError as error:
        print(f"cookiesess: {error}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cookiesess", description="Keys and tokens of cookiesess.")
    parser.add_argument("--version", action="version", version=f"cookiesess {sys.modules['cookiesess'].__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    keygen = commands.add_parser("keygen", help="print a new random key")
    keygen.add_argument("--file", metavar="PATH", help="write it to a new file that its owner alone can read")
    keygen.set_defaults(run=_keygen)
    inspect = commands.add_parser("inspect", help="show what a session token says")
    inspect.add_argument("text", metavar="TOKEN", help="the cookie's value, or name=value; - reads standard input")
    _add_keys(inspect)
    inspect.add_argument("--name", help="the cookie's name (default: __Host-session, then session)")
    inspect.set_defaults(run=_inspect)
    migrate = commands.add_parser("migrate", help="create the table of an SQL database, where it is missing")
    _add_store(migrate, "postgresql://user:password@host/database")
    migrate.set_defaults(run=_migrate)
    sweep = commands.add_parser("sweep", help="delete a store's expired sessions, in small batches")
    _add_store(sweep)
    sweep.add_argument(
        "--batch", type=_positive, default=_SWEEP_BATCH, help="rows in one transaction (default: %(default)s)"
    )
    sweep.set_defaults(run=_sweep)
    sessions = commands.add_parser("sessions", help="list an owner's sessions, or end them")
    _add_store(sessions)
    _add_keys(sessions)
    sessions.add_argument("owner", metavar="OWNER", help="as given to session.login()")
    sessions.add_argument("verb", nargs="?", choices=["end"], help="end the sessions named by HANDLE, or --all")
    sessions.add_argument("handles", nargs="*", metavar="HANDLE", help="as the list shows them")
    sessions.add_argument("--all", action="store_true", help="end all of the owner's sessions")
    sessions.set_defaults(run=_sessions)
    revocations = commands.add_parser("revocations", help="what to do after a store of revocations was restored")
    _add_store(revocations)
    revocations.add_argument(
        "verb", choices=["renew-epoch"], help="have sessions from before logged out, or as on_lost_revocations= says"
    )
    revocations.set_defaults(run=_renew_epoch)
    return parser


def _add_store(parser: argparse.ArgumentParser, example: str = "sqlite:///sessions.db") -> None:
    # The default may hold a password, so the help names the variable alone.
    text = f"such as {example} (default: ${STORE_VARIABLE})"
    parser.add_argument("--store", metavar="URL", default=os.environ.get(STORE_VARIABLE), help=text)


def _store_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the store that was given or set."""
    if not arguments.store:
        raise ConfigurationError(f"which store? Give --store, or set {STORE_VARIABLE}")
    url: str = arguments.store
    return url


def _add_keys(parser: argparse.ArgumentParser) -> None:
    text = f"keys, parted by commas (default: ${KEYS_VARIABLE}, or the file that ${KEYS_FILE_VARIABLE} names)"
    parser.add_argument("--keys", default=os.environ.get(KEYS_VARIABLE), help=text)


def _keyring(arguments: argparse.Namespace) -> Keyring | None:
    """Return the keys that were given or set, or None."""
    path = os.environ.get(KEYS_FILE_VARIABLE)
    if arguments.keys:
        return Keyring.parse(arguments.keys)
    try:
        return Keyring.from_file(path) if path else None
    except ConfigurationError as error:
        raise ConfigurationError(f"{KEYS_FILE_VARIABLE}: {error}") from error


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _keygen(arguments: argparse.Namespace) -> int:
    if arguments.file is None:
        print(Key.generate())
    else:
        _write_key(arguments.file)
        print(f"a new key is in {arguments.file}, which its owner alone can read")
    return 0


def _write_key(path: str) -> None:
    """Write a new key to a new file. A shell's ``>`` would make one that others can read, and replace older keys."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
            file.write(f"{Key.generate()}\n")
    except OSError as error:
        raise ConfigurationError(f"no key was written to {path}: {error.strerror}; name a new file") from error


def _inspect(arguments: argparse.Namespace) -> int:
    text = sys.stdin.read() if arguments.text == "-" else arguments.text
    # Tokens are base64url without padding, so "=" can only part a name from its value.
    name, _, token = text.strip().rpartition("=")
    name = name or arguments.name
    print(_outside(token))
    keyring = _keyring(arguments)
    if keyring is None:
        print(f"opens: not tried; give --keys, or set {KEYS_VARIABLE} or {KEYS_FILE_VARIABLE}")
        return 0
    try:
        plaintext, current = _open(token, keyring, [name] if name else _usual_names())
    except InvalidToken as error:
        print(f"opens: no ({error.reason})")
        return 1
    print(f"opens: yes, with {'the current' if current else 'an accepted'} key")
    print(_inside(plaintext))
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    # Imported here: SQLAlchemy is an extra.
    table: str = import_module("cookiesess.stores.sql").migrate(_store_url(arguments))
    print(f"the table {table} is there")
    return 0


def _sweep(arguments: argparse.Namespace) -> int:
    store, swept = open_store(_store_url(arguments), must_exist=True), 0
    try:
        while deleted := store.delete_expired(now=int(time.time()), limit=arguments.batch):
            swept += deleted
    finally:
        store.close()
    print(f"swept {swept} expired sessions")
    return 0


def _sessions(arguments: argparse.Namespace) -> int:
    keyring = _keyring(arguments)
    if keyring is None:
        raise ConfigurationError(
            f"owners are stored as keyed hashes; give --keys, or set {KEYS_VARIABLE} or {KEYS_FILE_VARIABLE}"
        )
    named = bool(arguments.handles) + arguments.all
    if named != (arguments.verb == "end"):
        raise ConfigurationError("say which sessions to end: `end HANDLE …`, or `end --all`")
    store = open_store(_store_url(arguments), must_exist=True)
    try:
        manager = SessionManager(keyring, store=store, lifetime=_LONGEST)
        if arguments.verb is None:
            found, code = _list(manager, arguments.owner)
        else:
            found, code = _end(manager, arguments.owner, [] if arguments.all else arguments.handles)
    finally:
        store.close()
    if not found:
        # To who ends sessions in a hurry, with the wrong keys, it would say that nobody is logged in.
        kids = ", ".join(key.kid.hex() for key in keyring.keys)
        print(f"(under the keys with the ids {kids}; under others there is another owner of that name)")
    return code


def _renew_epoch(arguments: argparse.Namespace) -> int:
    store = open_store(_store_url(arguments), must_exist=True)
    try:
        renew_epoch(store, random_bytes=os.urandom, now=int(time.time()))
    finally:
        store.close()
    print("the epoch is renewed: client-side sessions from before are logged out, or as on_lost_revocations= says")
    return 0


def _list(manager: SessionManager, owner: str) -> tuple[int, int]:
    """Print an owner's sessions; return how many there are, and the exit code."""
    sessions = manager.sessions_of(owner)
    for info in sessions:
        times = f"created {_utc(info.created_at)}  last seen {_utc(info.last_seen_at)}"
        # As a literal: a label is mostly what a browser called itself, and may hold a terminal's control characters.
        print(f"{info.handle}  {times}  {info.label!r}")
    print(f"{len(sessions)} sessions")
    return len(sessions), 0


def _end(manager: SessionManager, owner: str, handles: Sequence[str]) -> tuple[int, int]:
    """End the sessions of `handles`, or all where there are none; return how many, and 1 where one was not found."""
    ended = sum(manager.end(owner, handle) for handle in handles) if handles else manager.end_all(owner) or 0
    print(f"ended {ended} sessions")
    return ended, 0 if ended >= len(handles) else 1


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
    if raw[:1] != VERSION:
        return f"no token of a known version: {len(token)} characters"
    return f"sealed token, {len(token)} characters, version {raw[:1].hex()}, kid {raw[1:5].hex()}"


def _open(token: str, keyring: Keyring, names: Sequence[str]) -> Opened:
    settings = Configuration(encrypt="." not in token)
    envelope = make_envelope(settings, Sealer(keyring), Signer(keyring))
    failure = InvalidToken("malformed")
    for name in names:
        try:
            return envelope.open_token(token, name)
        except InvalidToken as error:
            failure = error
    raise failure


def _inside(plaintext: bytes) -> str:
    if plaintext[:1] == REFERENCE:
        return "holds: a reference to a record in a store"
    try:
        state = unpack(expand(plaintext), ValueCodec(), now=_NO_LATEST)
    except InvalidToken:
        return "holds: values of types that only the app knows (types=)"
    return "\n".join([*_times(state), f"owner: {state.owner!r}", f"data: {pformat(state.data)}"])


def _times(state: State) -> list[str]:
    times = {
        "created": state.created_at,
        "authenticated": state.authenticated_at,
        "refreshed": state.refreshed_at,
        "ends at the latest": state.ends_at,
    }
    return [f"{name}: {_utc(at)}" for name, at in times.items()]


def _utc(at: int | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, UTC).isoformat()
