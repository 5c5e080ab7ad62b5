"""What both apps need and what is not about sessions: the users, the headers of each page, redirects that stay here."""

import hashlib
import hmac
import os
import re

# No script, style or picture but this site's own; nobody may frame the buttons; nothing is kept for the back button.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
LEAST_PASSWORD = 8


class Users:
    """Names, e-mail addresses and hashed passwords, in a dict: yours are in a database.

    Args:
        cost: scrypt's N. 2^14 is what OWASP's Password Storage Cheat Sheet has with r = 8 and p = 5.
    """

    def __init__(self, cost: int = 2**14) -> None:
        self._cost = cost
        self._hashes: dict[str, tuple[bytes, bytes]] = {}
        self.emails = {"ann": "ann@teahouse.example", "bob": "bob@teahouse.example"}
        for name, password in {"ann": "green tea", "bob": "black tea"}.items():
            self.set_password(name, password)

    def set_password(self, name: str, password: str) -> None:
        salt = os.urandom(16)
        self._hashes[name] = salt, self._hash(password, salt)

    def knows(self, name: str, password: str) -> bool:
        """Whether it is the user's password. An unknown name takes as long to refuse as a wrong password."""
        salt, wanted = self._hashes.get(name, (bytes(16), b""))
        return hmac.compare_digest(self._hash(password, salt), wanted)

    def _hash(self, password: str, salt: bytes) -> bytes:
        return hashlib.scrypt(password.encode(), salt=salt, n=self._cost, r=8, p=5)


def on_this_site(path: str | None) -> str:
    """Return `path` if it leads to a page of this site, else "/": anybody can make a link with another ``next``."""
    return path if path and re.fullmatch(r"/(?!/)[\w./-]*", path, re.ASCII) else "/"
