"""Mistakes in the place of a key: a placeholder that nobody filled in, a path, or a text that others can guess.

The first two are refused, since they never were a secret. The last ones are only warned of: they may have sessions out
under them, and no rule tells every bad key from a good one.

No rule may hit what a generator made. A key in standard base64 begins with a slash once in 64 times, so a path is told
apart by characters that base64 lacks, or by the letters that are all small, or all large.
"""

import re
from typing import Final

# Where the documentation shows a key, it says which command makes one; no generated key has a blank.
_PLACEHOLDER: Final = b"cookiesess keygen"
PLACEHOLDER_REMEDY: Final = (
    "this is the placeholder of the documentation; run `python -m cookiesess keygen`, and give the text that it prints"
    " as the key"
)
# ${NAME} or ${NAME:-default}, also with a name's characters around it; $NAME, $(command), {{ name }}, %NAME%, <name>.
_UNFILLED: Final = re.compile(
    r"[\w./:-]*(?:\$\{[A-Za-z_]\w*(?:[:?+=-][^{}]*)?\}[\w./:-]*)+"
    r"|\$[A-Za-z_]\w*|\$\([\w ./-]+\)|\{\{.+\}\}|%\w+%|<[\w .-]+>"
)
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+|arn:[\w:/.-]+")
_ROOTED: Final = re.compile(r"(?:~?[/\\]|\.\.?[/\\]|[A-Za-z]:[/\\])[\w .~@:/\\-]+")
_WITH_SUFFIX: Final = re.compile(r"[\w .~@:/\\-]+[/\\][\w ~@-]+(?:\.[A-Za-z]{2,6}){1,2}")
_BASE64: Final = re.compile(r"[A-Za-z0-9/]+")
# 32 random bytes hold about 30 different ones, and the same in hexadecimal 15 or 16.
_FEW: Final = 8
# By what is left without signs and case: "change-me", "CHANGE_ME". Django begins its own generated keys so.
_MARKERS: Final = {"changeme": "changeme", "djangoinsecure": "django-insecure-"}


def is_placeholder(secret: bytes) -> bool:
    """Whether it is what the documentation shows where a key belongs."""
    return _PLACEHOLDER in secret


def mistake_in(secret: bytes) -> str | None:
    """Return what is wrong with a key that cannot be one, and what to do; None where it may be one."""
    text = _text(secret)
    if is_placeholder(secret):
        return PLACEHOLDER_REMEDY
    if _UNFILLED.fullmatch(text):
        return (
            "a key is a variable's name, or a place in a template, that was not filled in (such as ${NAME}); have the"
            " shell, or whatever reads the file, put the value there"
        )
    if _is_path(text):
        return (
            "a key looks like a path or an address, which others can guess; give the text that stands there, or name"
            " the file in COOKIESESS_KEYS_FILE"
        )
    return None


def weakness_of(secret: bytes) -> str:
    """Return why others could guess a key, in a few words that show nothing of it; ``""`` for no known reason."""
    different = len(set(secret))
    if different < _FEW:
        return f"it has {different} different character{'s' * (different != 1)}"
    text = _text(secret)
    plain = "".join(filter(str.isalnum, text.lower()))
    for marker, written in _MARKERS.items():
        if marker in plain:
            return f"it holds {written!r}"
    if mistake_in(secret):
        return "it looks like a path, an address, or a variable that was not filled in"
    return ""


def _text(secret: bytes) -> str:
    """Return a key as text; ``""`` where it holds other bytes than visible ASCII, as random ones do."""
    return secret.decode() if secret.isascii() and secret.decode().isprintable() else ""


def _is_path(text: str) -> bool:
    if _ADDRESS.fullmatch(text) or _WITH_SUFFIX.fullmatch(text):
        return True
    return bool(_ROOTED.fullmatch(text)) and not _is_base64(text)


def _is_base64(text: str) -> bool:
    """Whether it may be random bytes in standard base64, nearly all of which hold small and large letters."""
    return bool(_BASE64.fullmatch(text)) and text.lower() != text != text.upper()
