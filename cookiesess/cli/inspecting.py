"""``inspect``: what is in a session's cookie, and in the record that it refers to."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pprint import pformat
from typing import Final, NamedTuple, cast

from cookiesess.backends.store import StoreBackend
from cookiesess.cli.answers import Answer
from cookiesess.errors import ConfigurationError, InvalidToken
from cookiesess.events import Event, SessionRejected
from cookiesess.http.envelope import Envelope
from cookiesess.http.grammar import parse
from cookiesess.http.policy import CookiePolicy
from cookiesess.manager.assembly import make_envelope
from cookiesess.manager.manager import SessionManager
from cookiesess.manager.settings import Configuration
from cookiesess.session.compression import expand
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import REFERENCE, Origin, State, unpack
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.urls import open_store
from cookiesess.tokens.encoding import decode
from cookiesess.tokens.keys import KEYS_FILE_VARIABLE, KEYS_VARIABLE, Keyring
from cookiesess.tokens.sealing import VERSION, Opened, Sealer
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec

STORE_VARIABLE: Final = "COOKIESESS_STORE"

# Unix seconds far ahead of every token: the clock check is for servers, a tool should show a token from the future.
_NO_LATEST: Final = 1 << 62
# The app's timeouts are not known here, and shorter ones would hide sessions that live: a record's own expiry counts.
_LONGEST: Final = Lifetime(idle=timedelta(days=36_500), absolute=timedelta(days=36_500))
_MOST_CHUNKS: Final = 5
_MOST_NAMES: Final = 10
_FIELD_NAME: Final = re.compile(r"\s*cookie:", re.IGNORECASE)


class _Token(NamedTuple):
    """A token, and the names of the cookies that it may be from."""

    text: str
    names: Sequence[str]


def inspect(text: str, *, name: str | None, keyring: Keyring | None, store: str | None, now: int) -> Answer:
    """Return what a session's cookie says, and with its keys and its store what it stands for.

    Args:
        text: A cookie's value, ``name=value``, or a whole Cookie header, with or without its own name.
        name: The cookie's name; None: those of `CookiePolicy()` and of its `development()`.
        keyring: The app's keys; without them no content is shown.
        store: The URL of the store that has the record, where the cookie refers to one.
        now: Unix seconds.

    Raises:
        ConfigurationError: The header has no cookie of that name, or the store cannot be opened.
        StoreUnavailable: The store does not answer.
    """
    header = _FIELD_NAME.sub("", text, count=1).strip()
    if not header:
        raise ConfigurationError("there is nothing to look at: the text is empty; give a cookie's value, or a header")
    tokens = _tokens(header, name)
    if keyring is None:
        line, facts = _outside(tokens[0].text)
        hint = f"opens: not tried; give --keys, or set {KEYS_VARIABLE} or {KEYS_FILE_VARIABLE}"
        return Answer([line, hint], {"token": facts, "opens": None})
    found = _first_opened(tokens, keyring)
    if isinstance(found, InvalidToken):
        return _unopened(tokens[0], found, hint=name is None)
    token, cookie, opened = found
    plaintext, current = opened
    line, facts = _outside(token)
    opens = f"opens: yes, with {'the current' if current else 'an accepted'} key"
    inside = _inside(plaintext)
    if plaintext[:1] == REFERENCE and store:
        inside = _record(opened, cookie, keyring, store, now)
    known = {"token": facts, "cookie": cookie, "opens": True, "key": "current" if current else "accepted"}
    return Answer([line, opens, *inside.lines], {**known, **inside.facts}, inside.code)


def _tokens(text: str, name: str | None) -> list[_Token]:
    """Return what may be tokens of the session; never none."""
    usual = [CookiePolicy().name, CookiePolicy.development().name]
    if "=" not in text:  # tokens are base64url without padding
        return [_Token(text, [name] if name else usual)]
    cookies = list(parse(text))
    names = [name] if name else cookies if len(cookies) == 1 else usual
    tokens = [_Token(token, [of]) for each in names for token, of in _envelope(each, encrypt=True).tokens(text)]
    if tokens:
        return tokens
    if not cookies:
        return [_Token("", usual)]
    shown = ", ".join(repr(each) for each in cookies[:_MOST_NAMES])
    more = f" and {len(cookies) - _MOST_NAMES} more" if len(cookies) > _MOST_NAMES else ""
    raise ConfigurationError(
        f"the header has no cookie named {' or '.join(names)}; it has {shown}{more}; name the session's cookie"
        " with --name"
    )


def _envelope(name: str, *, encrypt: bool, keyring: Keyring | None = None) -> Envelope:
    """Return what finds and opens a session's cookies, its pieces and its reference included."""
    ring = keyring or Keyring(bytes(range(32)))
    # Where there is a place that sessions may move to, their references are looked for.
    settings = Configuration(cookie=CookiePolicy(name, chunks=_MOST_CHUNKS), encrypt=encrypt, overflow=MemoryStore())
    return make_envelope(settings, Sealer(ring), Signer(ring))


def _first_opened(tokens: Sequence[_Token], keyring: Keyring) -> tuple[str, str, Opened] | InvalidToken:
    failure: InvalidToken | None = None
    for token, names in tokens:
        for name in names:
            try:
                opened = _envelope(name, encrypt="." not in token, keyring=keyring).open_token(token, name)
            except InvalidToken as error:
                failure = failure or error.unraised()
            else:
                return token, name, opened
    return failure or InvalidToken("malformed")


def _unopened(token: _Token, failure: InvalidToken, *, hint: bool) -> Answer:
    line, facts = _outside(token.text)
    lines = [line, f"opens: no ({failure.reason})"]
    if hint and failure.reason == "forged":
        tried = " and ".join(token.names)
        lines.append(f"hint: a token opens only under its cookie's name; tried {tried}; give another with --name")
    return Answer(lines, {"token": facts, "opens": False, "reason": failure.reason}, 1)


def _outside(token: str) -> tuple[str, dict[str, object]]:
    """Describe what anybody can see; never content, which of a signed token would be all of it."""
    size = f"{len(token)} characters"
    facts: dict[str, object] = {"kind": None, "characters": len(token)}
    if "." in token:
        return f"signed token, {size}", facts | {"kind": "signed"}
    try:
        raw = decode(token)
    except ValueError:
        return f"no token: {size} that are not base64url", facts
    if raw[:1] != VERSION:
        return f"no token of a known version: {size}", facts
    version, kid = raw[:1].hex(), raw[1:5].hex()
    sealed = facts | {"kind": "sealed", "version": version, "kid": kid}
    return f"sealed token, {size}, version {version}, kid {kid}", sealed


def _inside(plaintext: bytes) -> Answer:
    if plaintext[:1] == REFERENCE:
        line = f"holds: a reference to a record in a store; to see the record, give --store, or set {STORE_VARIABLE}"
        return Answer([line], {"holds": "reference"})
    try:
        state = unpack(expand(plaintext), ValueCodec(), now=_NO_LATEST)
    except InvalidToken:
        return Answer(["holds: values of types that only the app knows (types=)"], {"holds": "unknown types"})
    return _session(state, "session")


def _record(opened: Opened, cookie: str, keyring: Keyring, url: str, now: int) -> Answer:
    """Return what the store has under the ID that a cookie refers to; nothing is written, and no idle time begins."""
    events: list[Event] = []
    store = open_store(url, must_exist=True)
    try:
        manager = SessionManager(
            keyring, store=store, cookie=CookiePolicy(cookie), lifetime=_LONGEST, on_event=events.append
        )
        working = cast("StoreBackend", manager.operations.parts.backend).load("", now=now, opened=opened)
    finally:
        store.close()
    held = "holds: a reference to a record in the store"
    loaded, facts = working.loaded, {"holds": "reference"}
    if loaded.origin is Origin.LOADED and loaded.located is not None:
        found, expires_at = _session(working.state, "record"), loaded.located.record.expires_at
        lines = [held, *found.lines, f"ends if not used: {_utc(expires_at)}"]
        return Answer(lines, {**facts, **found.facts, "expires_at": expires_at})
    missing, why = "none", "the session has ended or timed out, or it is in another store"
    if loaded.closed is not None:
        missing, why = "closed", "the session has another ID since a login or a renewal"
    elif rejected := [event for event in events if isinstance(event, SessionRejected)]:
        missing = "unreadable"
        why = (
            f"it does not open ({rejected[0].reason}): other keys, or values of types that only the app knows (types=)"
        )
    return Answer([held, f"record: {missing}; {why}"], {**facts, "record": missing}, 1)


def _session(state: State, where: str) -> Answer:
    times = {
        "created": state.created_at,
        "authenticated": state.authenticated_at,
        "refreshed": state.refreshed_at,
        "ends at the latest": state.ends_at,
    }
    lines = [f"{name}: {_utc(at)}" for name, at in times.items()]
    fields = ("created_at", "authenticated_at", "refreshed_at", "ends_at", "owner", "data")
    facts = {name: getattr(state, name) for name in fields}
    holds = {"holds": "session"} if where == "session" else {"record": "found"}
    return Answer([*lines, f"owner: {state.owner!r}", f"data: {pformat(state.data)}"], {**holds, "session": facts})


def _utc(at: int | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, UTC).isoformat()
