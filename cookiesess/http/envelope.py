"""The envelope: from a Cookie header to the plaintext of a session, and from a plaintext to Set-Cookie lines.

In: a list of places to look, each a cookie name with what opens its tokens, asked in order. `Envelope.read` finds our
own tokens, whole or in pieces; `Envelope.accept` asks the readers of other libraries' cookies, where the user listed
some and no token of ours opened.

Out: `Envelope.answer` makes the token, spreads it, and has the browser forget what this answer replaces: of the cookies
that a session may travel in, those that the request brought and that are not set anew. They are pieces that are no
longer needed, the cookie or the reference of a session that has moved, and another library's cookie that was taken
over. Whether a session fits is computed from its length; nothing is encrypted to answer a question.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple, TypeAlias

from cookiesess.errors import InvalidToken
from cookiesess.events import Event, SecureCookieOverHttp
from cookiesess.http.arrival import Arrival
from cookiesess.http.cookies import CookieAttributes
from cookiesess.http.foreign import Accepted, Foreign, ForeignReader
from cookiesess.http.grammar import values_of
from cookiesess.http.headers import SetCookie
from cookiesess.http.pieces import MAX_CANDIDATES, Pieces
from cookiesess.http.places import CookieIdentity, Forgetting
from cookiesess.http.policy import CookiePolicy, Transport
from cookiesess.session.lifetime import Lifetime
from cookiesess.session.state import PERSISTENT, REFERENCE, State
from cookiesess.session.steps import Done, Line
from cookiesess.tokens.encoding import purpose
from cookiesess.tokens.sealing import Opened

# A Max-Age of so many digits is beyond every timeout: 300 years.
LONGEST_MAX_AGE = 10**10 - 1
# How full a cookie is when an event tells the operator of it.
NEAR_PER_CENT = 80

_EXTEND, _EXPIRE, _HTTPS = Line.EXTEND, Line.EXPIRE, Transport.HTTPS

Reading: TypeAlias = tuple[list[Opened], InvalidToken | None]
"""Our own tokens that opened, in the header's order, and why the first of the others did not."""


class Protection(NamedTuple):
    """Makes and opens tokens, sealed or signed.

    Attributes:
        write: Returns a token over a plaintext, for a purpose.
        read: Opens what `write` made.
        added_bytes: How much longer the token is than the plaintext, before both become base64url.
        added_length: How much longer it is than that text.
    """

    write: Callable[[bytes, bytes], str]
    read: Callable[[str, bytes], Opened]
    added_bytes: int
    added_length: int

    def length(self, plaintext_bytes: int) -> int:
        """Return how many characters a token over so many bytes has."""
        return ((plaintext_bytes + self.added_bytes) * 8 + 5) // 6 + self.added_length


class Envelope:
    """Opens what a session travels in, and makes it. Thread-safe.

    Args:
        policy: The cookies' names, attributes and limits.
        lifetime: For how long they are kept, where they outlive the window.
        protection: Makes and opens the tokens.
        reference: Sessions may be moved to a store, so that a reference may travel in a cookie of its own.
        readers: Open the cookies of other libraries.
        emit: Is told of a cookie that browsers drop.

    Attributes:
        name: Of the cookie that holds the session.
        names: Of all cookies that a session may travel in.
        limit_bytes: How long the Set-Cookie lines of one session may be together.
        easy_bytes: A plaintext of at most so many bytes fits, and is far from the limit, whatever its Max-Age.
        wide: Whether a session may travel in more cookies than one.
    """

    def __init__(
        self,
        policy: CookiePolicy,
        lifetime: Lifetime,
        *,
        protection: Protection,
        reference: bool = False,
        readers: Sequence[ForeignReader] = (),
        emit: Callable[[Event], object] = id,
    ) -> None:
        self._policy = policy
        self._lifetime = lifetime
        self._write, self._read, self._length = protection.write, protection.read, protection.length
        self._emit = emit
        self._warned_of_http = False
        self._readers = readers
        self._pieces = Pieces(policy)
        self.name: str = policy.name
        self._whole = policy.chunks == 1
        self._purpose = purpose("session", policy.name)
        self._reference = policy.reference_name if reference else None
        self._reference_purpose = purpose("session", policy.reference_name)
        self.names: tuple[str, ...] = (*self._pieces.names, policy.reference_name) if reference else self._pieces.names
        self._own = tuple(CookieIdentity(name, policy.path, policy.domain, policy.partitioned) for name in self.names)
        theirs = (CookieIdentity(each.cookie_name, each.path, each.domain, each.partitioned) for each in readers)
        self._family = tuple(dict.fromkeys((*self._own, *theirs)))
        self._forgetting = Forgetting(policy, self._own, spread={policy.name, self._reference})
        self.wide: bool = len(self._family) > 1
        self._usual = {transport: policy.attributes(transport) for transport in Transport}
        self._measure()

    def _measure(self) -> None:
        """Compute once what most sessions need not compute: up to where a token fits, and is far from the limit."""
        self.limit_bytes: int = self._policy.max_bytes * self._policy.chunks
        self._near_bytes = self.limit_bytes * NEAR_PER_CENT // 100
        longest = partial(self._pieces.size_bytes, max_age=LONGEST_MAX_AGE)
        far = bisect_right(range(self.limit_bytes), self._near_bytes, key=longest) - 1
        easy_length = min(far, self._pieces.rooms(LONGEST_MAX_AGE)[0])
        self.easy_bytes: int = bisect_right(range(self.limit_bytes), easy_length, key=self._length) - 1

    # In

    def read(self, header: str) -> Reading:
        """Open what a Cookie header holds of ours: at most four tokens, and as many references."""
        name, purpose, read = self.name, self._purpose, self._read
        tokens = values_of(header, name, limit=MAX_CANDIDATES) if self._whole else self.candidates(header)
        opened: list[Opened] = []
        failure = None
        for token in tokens:
            try:
                opened.append(read(token, purpose))
            except InvalidToken as error:
                failure = failure or error
        if self._reference is None or self._reference not in header:
            return opened, failure
        references, other = self._read_references(header, self._reference)
        return [*references, *opened], other or failure

    def _read_references(self, header: str, name: str) -> Reading:
        opened, failure = [], None
        tokens = values_of(header, name, limit=MAX_CANDIDATES)
        for token in tokens:
            try:
                opened.append(self._read(token, self._reference_purpose))
            except InvalidToken as error:
                failure = failure or error
        return opened, failure

    def is_behind_a_comma(self, header: str) -> bool:
        """Whether the session's cookie stands where a proxy has joined a second Cookie field.

        It is not taken from there: a comma may stand in any other cookie's value, so that a subdomain could plant a
        ``__Host-`` name.
        """
        return f",{self.name}=" in header.replace(" ", "")

    def open_token(self, token: str, name: str) -> Opened:
        """Open the token in one cookie; for tools, which have it without a header.

        Raises:
            InvalidToken: It is not one of ours, or not one of this name.
        """
        return self._read(token, purpose("session", name))

    def candidates(self, header: str) -> list[str]:
        """Return what may be the session's token, whole or put together, most likely first."""
        firsts = values_of(header, self.name, limit=MAX_CANDIDATES)
        gathered = (token for first in firsts for token in self._pieces.gather(first, header))
        return list(islice(gathered, MAX_CANDIDATES))

    def accept(self, header: str, *, now: int) -> Accepted | InvalidToken | None:
        """Return the session in another library's cookie, else why the first of them did not open, else None."""
        failure = None
        for reader in self._readers:
            for value in values_of(header, reader.cookie_name, limit=MAX_CANDIDATES):
                try:
                    return Accepted(type(reader).__name__, self._state(reader.open(value, now=now), now))
                except InvalidToken as error:
                    failure = failure or error
        return failure

    def _state(self, foreign: Foreign, now: int) -> State:
        """Return a foreign session as one of ours; where no time is known, a refresh is due at once."""
        written_at = foreign.refreshed_at
        if written_at is None:
            written_at = now - self._lifetime.refresh_seconds
        created_at = written_at if foreign.created_at is None else foreign.created_at
        authenticated_at = None if foreign.owner is None else created_at
        ends_at = self._lifetime.ends_at(created_at)
        return State(created_at, written_at, ends_at, authenticated_at, foreign.owner, foreign.data)

    def _present(self, header: str) -> Iterator[CookieIdentity]:
        """Yield those of the session's cookies of which a Cookie header has the name; it does not tell their paths."""
        # Most requests bring one of them, and looking for a text is quick.
        return (each for each in self._family if each.name in header and values_of(header, each.name, limit=1))

    # Out

    def max_age(self, state: State, *, now: int) -> int | None:
        """Return for how many seconds the browser keeps the session's cookie; None: until the window closes."""
        own = state.extras.get(PERSISTENT)
        if self._policy.persistent if own is None else own:
            return max(self._lifetime.deadline(state) - now, 0)
        return None

    def token_length(self, plaintext: bytes) -> int:
        """Return how many characters a token over `plaintext` has."""
        return self._length(len(plaintext))

    def fits(self, plaintext: bytes, *, max_age: int | None = None) -> bool:
        """Whether a token over `plaintext` can travel within the limits."""
        return len(plaintext) <= self.easy_bytes or self._pieces.fit(self._length(len(plaintext)), max_age)

    def size_bytes(self, plaintext: bytes, *, max_age: int | None = None) -> int:
        """Return how long the Set-Cookie lines of a token over `plaintext` are together."""
        return self._pieces.size_bytes(self._length(len(plaintext)), max_age)

    def near(self, size_bytes: int) -> bool:
        """Whether lines of `size_bytes` together are so near the limit that somebody should look at the session."""
        return size_bytes > self._near_bytes

    def answer(
        self,
        done: Done,
        state: State,
        *,
        now: int,
        arrival: Arrival,
        header: str,
        forget: bool = False,
    ) -> tuple[SetCookie, ...]:
        """Return the Set-Cookie lines of a response.

        Args:
            done: What was done: what the cookie needs, and what it is to hold, a session that fits or a reference.
            state: The session's.
            now: Unix seconds.
            arrival: How the request came.
            header: The request's Cookie header.
            forget: The browser is to forget all other cookies of the session, wherever they may stand: after a logout,
                and after a login where several of the name came.
        """
        if done.line is _EXPIRE:
            return tuple(self._forgetting.everywhere(self._present(header), arrival))
        own = state.extras.get(PERSISTENT) if state.extras else None
        max_age = self.max_age(state, now=now) if own or (own is None and self._policy.persistent) else None
        if max_age is None and done.line is _EXTEND:
            return ()
        how = arrival.transport()
        attributes = self._usual[how] if max_age is None else self._policy.attributes(how, max_age, now=now)
        if how is not _HTTPS and attributes.secure and not self._warned_of_http:
            self._warned_of_http = True
            self._emit(SecureCookieOverHttp())
        if not (self.wide or forget):
            return (SetCookie(self.name, self._write(done.plaintext, self._purpose), attributes),)
        cookies = self._cut(done.plaintext, attributes, max_age)
        issued = {identity for cookie in cookies for identity in self._own if identity.name == cookie.name}
        if forget:
            others = self._forgetting.everywhere(self._present(header), arrival, spared=issued)
        else:
            others = (self._forgetting.line(each, how) for each in self._present(header) if each not in issued)
        return (*others, *cookies)  # what sets comes last: a browser takes them in order

    def _cut(self, plaintext: bytes, attributes: CookieAttributes, max_age: int | None) -> list[SetCookie]:
        """Return the cookies that carry `plaintext`."""
        if self._reference is not None and plaintext[:1] == REFERENCE:
            return [SetCookie(self._reference, self._write(plaintext, self._reference_purpose), attributes)]
        pieces = self._pieces.cut(self._write(plaintext, self._purpose), max_age)
        return [SetCookie(name, piece, attributes) for name, piece in zip(self._pieces.names, pieces, strict=False)]

    def several(self, header: str) -> bool:
        """Whether a Cookie header brings several cookies of the session's name."""
        return len(values_of(header, self.name, limit=2)) > 1 or (
            self._reference is not None and len(values_of(header, self._reference, limit=2)) > 1
        )
