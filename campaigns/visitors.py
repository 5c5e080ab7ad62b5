"""The visitors of a campaign: threads that log in, count upwards, look, log out, and tell the ledger."""

import threading
import time
from http.client import HTTPConnection, HTTPException

from campaigns.ledger import Account, Ledger

SECONDS = 30
"""How long a request may take before it counts as an error."""

WRITES = 25
"""After so many numbers a visitor logs out, and in again."""


class Visitor:
    """One browser, with a cookie and a keep-alive connection.

    Args:
        port: Of the server, on 127.0.0.1.
        ledger: Is told.
        name: Whom it logs in.
    """

    def __init__(self, port: int, ledger: Ledger, name: str) -> None:
        self.cookie = ""
        self.account = Account()
        self._port = port
        self._ledger = ledger
        self._name = name

    def ask(self, path: str, cookie: str | None = None) -> str | None:
        """Return the body of an answer, or None where there was none, or it was an error."""
        began, error, body = time.monotonic(), None, None
        # A connection for each request: a worker that was killed takes only those along that it is answering.
        connection = HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
        try:
            connection.request("GET", path, headers={"Cookie": self.cookie if cookie is None else cookie})
            response = connection.getresponse()
            body = response.read().decode()
            if response.status != 200:
                error, body = body.strip()[:40] or str(response.status), None
            elif cookie is None:
                self._keep(response.getheader("Set-Cookie"))
        except (OSError, HTTPException) as failure:
            error = type(failure).__name__
        finally:
            connection.close()
        self._ledger.took(time.monotonic() - began, error)
        return body

    def _keep(self, line: str | None) -> None:
        if line is not None:
            self.cookie = "" if "Max-Age=0" in line else line.partition(";")[0]

    def log_in(self) -> bool:
        """Log in; return whether that was answered."""
        self.cookie = ""
        if self.ask(f"/login?v={self._name}") is None:
            self._ledger.doubt(self.account)
            return False
        self._ledger.begun(self.account)
        return True

    def write(self) -> None:
        """Write the next number."""
        number = self._ledger.attempt(self.account)
        body = self.ask(f"/write?v={number}")
        if body == str(number):
            self._ledger.written(self.account, number)
        elif body is not None:
            self._ledger.seen(self.account, None)

    def look(self) -> None:
        """Look at the number."""
        body = self.ask("/look")
        if body is not None:
            self._ledger.seen(self.account, None if body == "none" else int(body))

    def log_out(self) -> None:
        """Log out."""
        cookie = self.cookie
        if self.ask("/logout") is None:
            self._ledger.doubt(self.account)
        else:
            self._ledger.ended_by(self.account, cookie)

    def stay(self, until: threading.Event) -> None:
        """Come and go until told to stop."""
        while not until.is_set():
            if not self.log_in():
                until.wait(0.05)
                continue
            for number in range(WRITES):
                if until.is_set() or self.account.acknowledged is None:
                    break
                self.write()
                if number % 3 == 0:
                    self.look()
            else:
                self.log_out()


def look_at_all(visitors: list[Visitor], ledger: Ledger) -> None:
    """After the fault: look at each live session, and at each that has ended."""
    for visitor in visitors:
        if visitor.account.acknowledged is not None:
            visitor.look()
    for cookie in ledger.ended:
        body = visitors[0].ask("/look", cookie)
        ledger.seen_after_logout(None if body in {None, "none"} else int(str(body)))
