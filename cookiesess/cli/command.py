"""The command line: its arguments, and what each command does."""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cookiesess.backends.epochs import renew_epoch
from cookiesess.cli.answers import Answer, counted
from cookiesess.cli.importing import import_lines
from cookiesess.cli.inspecting import STORE_VARIABLE, inspect
from cookiesess.errors import ConfigurationError, CookiesessError
from cookiesess.manager.importing import Importer
from cookiesess.manager.manager import SessionManager
from cookiesess.session.lifetime import Lifetime
from cookiesess.stores.parameters import split
from cookiesess.stores.urls import import_for, open_store
from cookiesess.tokens.keys import KEYS_FILE_VARIABLE, KEYS_VARIABLE, Key, Keyring

# The app's timeouts are not known here, and shorter ones would hide sessions that live. The deadline that was fixed
# when a session began, or logged in, stands in its record and counts.
# (Of sessions without any end a manager warns, and here nobody can do anything about it.)
_LONGEST = Lifetime(absolute=timedelta(days=36_500))
# Other writers wait while a batch is deleted: some milliseconds for this many.
_SWEEP_BATCH = 200
_JSON = "print one line of JSON; its times are Unix seconds"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line. Return the exit code: 0 done, 1 not found or not opened, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        answer: Answer = arguments.run(arguments)
    except CookiesessError as error:
        print(f"cookiesess: {error}", file=sys.stderr)
        return 2
    try:
        print(answer.text(as_json=arguments.json), flush=True)
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` has. What Python writes as it ends goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return answer.code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cookiesess", description="Keys and tokens of cookiesess.")
    parser.add_argument("--version", action="version", version=f"cookiesess {sys.modules['cookiesess'].__version__}")
    parser.add_argument("--json", action="store_true", help=_JSON)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    keygen = commands.add_parser("keygen", help="print a new random key")
    keygen.add_argument("--file", metavar="PATH", help="write it to a new file that its owner alone can read")
    keygen.set_defaults(run=_keygen)
    looking = commands.add_parser("inspect", help="show what is in a session's cookie, and in its record")
    looking.add_argument(
        "text", metavar="COOKIE", help="the cookie's value, name=value or a whole Cookie header; - reads standard input"
    )
    _add_keys(looking)
    _add_store(looking)
    looking.add_argument("--name", help="the cookie's name (default: __Host-session, then session)")
    looking.set_defaults(run=_inspect)
    migrate = commands.add_parser("migrate", help="create the table in an SQL database, if it is missing")
    _add_store(migrate, "postgresql://user:password@host/database")
    migrate.set_defaults(run=_migrate)
    sweep = commands.add_parser("sweep", help="delete a store's expired sessions, in small batches")
    _add_store(sweep)
    sweep.add_argument(
        "--batch", type=_positive, default=_SWEEP_BATCH, help="rows in one transaction (default: %(default)s)"
    )
    sweep.set_defaults(run=_sweep)
    sessions = commands.add_parser("sessions", help="list a user's sessions, or end them")
    _add_store(sessions)
    _add_keys(sessions)
    sessions.add_argument("owner", metavar="OWNER", help="the user, as the app gives it to session.login()")
    sessions.add_argument("verb", nargs="?", choices=["end"], help="end the sessions with the given HANDLEs, or --all")
    sessions.add_argument("handles", nargs="*", metavar="HANDLE", help="a session's handle, as in the list")
    sessions.add_argument("--all", action="store_true", help="end all sessions of the user")
    sessions.set_defaults(run=_sessions)
    revocations = commands.add_parser("revocations", help="repair a store of revocations after it was restored")
    _add_store(revocations)
    revocations.add_argument(
        "verb", choices=["renew-epoch"], help="log out older sessions, or do as on_lost_revocations= says"
    )
    revocations.set_defaults(run=_renew_epoch)
    importing = commands.add_parser("import", help="put exported sessions of another library into the app's store")
    importing.add_argument("file", metavar="FILE", help="JSON lines; - reads standard input")
    _add_store(importing)
    _add_keys(importing)
    importing.add_argument("--dry-run", action="store_true", help="say what would be imported, and import nothing")
    importing.set_defaults(run=_import)
    for each in commands.choices.values():
        # Without a default of its own, which would count for more than what stood before the command.
        each.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=_JSON)
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
    parser.add_argument("--keys", help=text)


def _keyring(arguments: argparse.Namespace) -> Keyring | None:
    """Return the keys that were given, or set as the app reads them, or None."""
    return Keyring.found_in(os.environ) if arguments.keys is None else Keyring.parse(arguments.keys)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _keygen(arguments: argparse.Namespace) -> Answer:
    path: str | None = arguments.file
    if path is None:
        key = Key.generate()
        return Answer([key], {"key": key})
    _write_key(path)
    return Answer([f"a new key is in {path}, which its owner alone can read"], {"file": path})


def _write_key(path: str) -> None:
    """Write a new key to a new file. A shell's ``>`` would make one that others can read, and replace older keys."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask took away
            file.write(f"{Key.generate()}\n")
    except OSError as error:
        raise ConfigurationError(f"no key was written to {path}: {error.strerror}; name a new file") from error


def _inspect(arguments: argparse.Namespace) -> Answer:
    text = sys.stdin.read() if arguments.text == "-" else arguments.text
    keyring, now = _keyring(arguments), int(time.time())
    return inspect(text, name=arguments.name, keyring=keyring, store=arguments.store, now=now)


def _migrate(arguments: argparse.Namespace) -> Answer:
    # Imported here: SQLAlchemy is an extra.
    url = _store_url(arguments)
    table: str = import_for(split(url).scheme, "cookiesess.stores.sql").migrate(url)
    return Answer([f"the table {table} is there"], {"table": table})


def _sweep(arguments: argparse.Namespace) -> Answer:
    store, swept = open_store(_store_url(arguments), must_exist=True), 0
    try:
        while deleted := store.delete_expired(now=int(time.time()), limit=arguments.batch):
            swept += deleted
    finally:
        store.close()
    return Answer([f"swept {counted(swept, 'expired session')}"], {"swept": swept})


def _sessions(arguments: argparse.Namespace) -> Answer:
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
            found, answer = _list(manager, arguments.owner)
        else:
            found, answer = _end(manager, arguments.owner, [] if arguments.all else arguments.handles)
    finally:
        store.close()
    if found:
        return answer
    # To who ends sessions in a hurry, with the wrong keys, it would say that nobody is logged in.
    kids = [key.kid.hex() for key in keyring.keys]
    hint = f"(looked under the keys with the ids {', '.join(kids)}; with other keys, sessions are not found)"
    return Answer([*answer.lines, hint], {**answer.facts, "kids": kids}, answer.code)


def _renew_epoch(arguments: argparse.Namespace) -> Answer:
    store = open_store(_store_url(arguments), must_exist=True)
    try:
        renew_epoch(store, random_bytes=os.urandom, now=int(time.time()))
    finally:
        store.close()
    done = "the epoch is renewed: older client-side sessions are logged out, or as on_lost_revocations= says"
    return Answer([done], {"renewed": True})


def _import(arguments: argparse.Namespace) -> Answer:
    keyring, now = _keyring(arguments), int(time.time())
    if keyring is None:
        raise ConfigurationError(
            f"sessions are sealed under the app's keys; give --keys, or set {KEYS_VARIABLE} or {KEYS_FILE_VARIABLE}"
        )
    dry_run: bool = arguments.dry_run
    # No `must_exist`: the app may never have run yet, and the file is made as the app would make it.
    store = open_store(_store_url(arguments))
    try:
        importer = Importer(keyring, store, now=now, random_bytes=os.urandom, dry_run=dry_run)
        with _opened(arguments.file) as lines:
            return import_lines(lines, importer, now=now, dry_run=dry_run)
    finally:
        store.close()


def _opened(path: str) -> AbstractContextManager[Iterable[bytes]]:
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error


def _list(manager: SessionManager, owner: str) -> tuple[int, Answer]:
    """Return how many sessions an owner has, and what they are."""
    sessions = manager.sessions_of(owner)
    # As a literal: a label is mostly what a browser called itself, and may hold a terminal's control characters.
    lines = [
        f"{info.handle}  created {_utc(info.created_at)}  last seen {_utc(info.last_seen_at)}  {info.label!r}"
        for info in sessions
    ]
    names = ("handle", "created_at", "last_seen_at", "label")
    facts = [{name: getattr(info, name) for name in names} for info in sessions]
    number = counted(len(sessions), "session") + (", and more that are not shown" if sessions.more else "")
    return len(sessions), Answer([*lines, number], {"sessions": facts, "more": sessions.more})


def _end(manager: SessionManager, owner: str, handles: Sequence[str]) -> tuple[int, Answer]:
    """End the sessions of `handles`, or all where there are none; return how many, and 1 where one was not found."""
    ended = sum(manager.end(owner, handle) for handle in handles) if handles else manager.end_all(owner) or 0
    return ended, Answer([f"ended {counted(ended, 'session')}"], {"ended": ended}, 0 if ended >= len(handles) else 1)


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
