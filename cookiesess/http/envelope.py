"""The envelope: from a Cookie header to the plaintext of a session, and from a plaintext to Set-Cookie lines.

In: a list of places to look, each a cookie name with what opens its tokens, asked in order. `Envelope.read` finds our
own tokens, whole or in pieces; `Envelope.accept` asks the readers of other libraries' cookies where none opened.

Out: `Envelope.answer` makes the token, spreads it, and has the browser forget what this answer replaces: of the cookies
that a session may travel in, those that opened and that are not set anew. They are pieces that are no longer needed,
the cookie or the reference of a session that has moved, and another library's cookie that was taken over. What did not
open stays, since it may be good on another server or later; only a logout has the browser forget that as well. Whether
a session fits is computed from its length; nothing is encrypted to answer a question.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from cookiesess.errors import InvalidToken
from cookiesess.events import Event
from cookiesess.http.arrival import Arrival
from cookiesess.http.candidates import Candidates, Protection, Reading
from cookiesess.http.cookies import CookieAttributes
from cookiesess.http.foreign import Accepted, Foreign, ForeignReader, parted
from cookiesess.http.grammar import each_value, is_behind_comma, values_of
from cookiesess.http.headers import SetCookie
from cookiesess.http.pieces import MAX_CANDIDATES, Pieces
from cookiesess.http.places import CookieIdentity, Forgetting
from cookiesess.http.policy import CookiePolicy, Transport
from cookiesess.http.reach import Reach
from cookiesess.http.scheme import Scheme
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
        accepts: Whether cookies of other libraries are opened.
        limit_bytes: How long the Set-Cookie lines of one session may be together.
        easy_bytes: A plaintext of at most so many bytes fits, and is far from the limit, whatever its Max-Age.
        reference_name: Of the cookie that refers to a session which has moved to a store; of that of all where none do.
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
        self._persistent = policy.persistent
        self._lifetime = lifetime
        self._write, self._read, self._length = protection.write, protection.read, protection.length
        self._scheme = Scheme(policy, emit=emit)
        # What answers HTTPS is Secure: there is nothing to say, and no need to ask further.
        self._marked = policy.secure_over(_HTTPS)
        self._reach = Reach(policy, emit=emit)
        self._readers, stored = parted(readers)  # those of stores are asked by `cookiesess.backends.takeover`
        self.accepts: bool = bool(self._readers)
        self._pieces = Pieces(policy)
        self.name: str = policy.name
        self._purpose = purpose("session", policy.name)
        self.reference_name = policy.reference_name if reference else policy.name
        self._reference_purpose = purpose("session", policy.reference_name)
        self.names: tuple[str, ...] = (*self._pieces.names, policy.reference_name) if reference else self._pieces.names
        # By the name of each cookie: where what it is part of begins.
        own = dict.fromkeys(self._pieces.names, policy.name) | {self.reference_name: self.reference_name}
        self._begins = {each.cookie_name: each.cookie_name for each in stored} | own
        self._candidates = None
        if len(self.names) > 1:
            purposes = {self.reference_name: self._reference_purpose, policy.name: self._purpose}
            self._candidates = Candidates(self._pieces, protection, purposes)
        self._counts = protection.counts
        self._own = tuple(CookieIdentity(name, policy.path, policy.domain, policy.partitioned) for name in self.names)
        theirs = (CookieIdentity(each.cookie_name, each.path, each.domain, each.partitioned) for each in readers)
        self._family = tuple(dict.fromkeys((*self._own, *theirs)))
        self._forgetting = Forgetting(policy, self._own, spread={policy.name, self.reference_name})
        self.wide: bool = len(self._family) > 1
        self._usual = {transport: policy.attributes(transport) for transport in Transport}
        self._last_lasting = (_HTTPS, 0, 0), policy.attributes(_HTTPS, 0)
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
        """Open what a Cookie header holds of ours: at most four tokens."""
        if self._candidates is not None:
            return self._candidates.read(header)
        # The same for one name and one token a cookie, spelled out: every request with a session comes by here.
        purpose, read, left = self._purpose, self._read, MAX_CANDIDATES
        opened: list[Opened] = []
        failure = None
        for token in each_value(header, self.name):
            try:
                opened.append(read(token, purpose))
            except InvalidToken as error:
                failure = failure or error.unraised()
                left -= self._counts(error)
            else:
                left -= 1
            if not left:
                break
        return opened, None if opened else failure

    def tokens(self, header: str) -> list[tuple[str, str]]:
        """Return what may be our tokens in a Cookie header, in its order, each with its cookie's name; for tools."""
        if self._candidates is None:
            return [(value, self.name) for value in each_value(header, self.name)]
        return self._candidates.all(header)

    def is_behind_a_comma(self, header: str) -> bool:
        """Whether the session's cookie stands where a proxy has joined a second Cookie field.

        It is not taken from there: a comma may stand in any other cookie's value, so that a subdomain could plant a
        ``__Host-`` name.
        """
        return "," in header and any(is_behind_comma(header, name) for name in self._begins)

    def open_token(self, token: str, name: str) -> Opened:
        """Open the token in one cookie; for tools, which have it without a header.

        Raises:
            InvalidToken: It is not one of ours, or not one of this name.
        """
        return self._read(token, purpose("session", name))

    def accept(self, header: str, *, now: int, name: str | None = None) -> Accepted | InvalidToken | None:
        """Return the session in another library's cookie, else why the first of them did not open, else None.

        Args:
            header: The Cookie header.
            now: Unix seconds.
            name: Of the only cookie to look at; None: of each reader its own.
        """
        failure = None
        for reader in self._readers:
            if name not in {None, reader.cookie_name}:
                continue
            for value in values_of(header, reader.cookie_name, limit=MAX_CANDIDATES):
                try:
                    return Accepted(type(reader).__name__, self.state_of(reader.open(value, now=now), now=now))
                except InvalidToken as error:
                    failure = failure or error.unraised()
        return failure

    def state_of(self, foreign: Foreign, *, now: int) -> State:
        """Return a foreign session as one of ours; where no time is known, a refresh is due at once."""
        written_at = foreign.refreshed_at
        if written_at is None:
            written_at = now - self._lifetime.refresh_seconds
        created_at = written_at if foreign.created_at is None else foreign.created_at
        authenticated_at = None if foreign.owner is None else created_at
        ends_at = self._lifetime.ends_at(created_at)
        return State(created_at, written_at, ends_at, authenticated_at, foreign.owner, foreign.data)

    def _present(self, header: str, opened: Collection[str] | None, now: int) -> Iterator[CookieIdentity]:
        """Yield which of the session's cookies a Cookie header brings, wherever they may be from.

        What another library left behind is among them where it would open: else it may be another app's.

        Args:
            header: The Cookie header.
            opened: Only what begins in these cookies; None: all that are ours, also where a comma hides one.
            now: Unix seconds.
        """
        for each in self._family:
            # Most requests bring one of them, and looking for a text is quick.
            if each.name in header and self._brings(header, each.name, hidden=opened is None):
                begins = self._begins.get(each.name)
                ours = begins is not None and (opened is None or begins in opened)
                if ours or isinstance(self.accept(header, now=now, name=each.name), Accepted):
                    yield each

    @staticmethod
    def _brings(header: str, name: str, *, hidden: bool) -> bool:
        """Whether the browser has a cookie called `name`; `hidden`: also where a comma keeps it from being read."""
        return bool(values_of(header, name, limit=1)) or (hidden and is_behind_comma(header, name))

    # Out

    def max_age(self, state: State, *, now: int) -> int | None:
        """Return for how many seconds the browser keeps the session's cookie; None: until the window closes."""
        own = state.extras.get(PERSISTENT)
        if self._persistent if own is None else own:
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
        opened: Collection[str] | None = (),
        everywhere: bool = False,
    ) -> tuple[SetCookie, ...]:
        """Return the Set-Cookie lines of a response.

        Args:
            done: What was done: what the cookie needs, and what it is to hold, a session that fits or a reference.
            state: The session's.
            now: Unix seconds.
            arrival: How the request came.
            header: The request's Cookie header.
            opened: The cookies in which something opened, so that it may be forgotten when it is replaced; None: all
                of ours that came may be, after a logout.
            everywhere: What is forgotten is forgotten wherever it may stand: after a logout, or where several cookies
                of the name came and a login has settled which one counts. So is what a line forgets that only forgets.
        """
        if done.line is _EXPIRE:
            return self._forgetting.after_logout(self._present(header, opened, now), arrival)
        max_age = self.max_age(state, now=now) if self._persistent or state.extras else None
        if max_age is None and done.line is _EXTEND:
            return ()
        how = _HTTPS if self._marked and arrival.https() else self._scheme.of(arrival)
        attributes = self._usual[how] if max_age is None else self._lasting(how, max_age, now)
        if self._reach.watched:
            self._reach.look_at(arrival)
        if not (self.wide or everywhere):
            return (SetCookie(self.name, self._write(done.plaintext, self._purpose), attributes),)
        cookies = self._cut(done.plaintext, attributes, max_age)
        issued = {identity for identity in self._own for cookie in cookies if identity.name == cookie.name}
        present = self._present(header, opened, now)
        if everywhere:
            others = self._forgetting.everywhere(present, arrival, besides=issued, sent=cookies)
        else:
            others = (self._forgetting.line(each, arrival.transport()) for each in present if each not in issued)
        return (*others, *cookies)  # what sets comes last: a browser takes them in order

    def _lasting(self, how: Transport, max_age: int, now: int) -> CookieAttributes:
        """Return the attributes of a cookie that outlives the window.

        The last ones are kept: nearly all sessions that are written within one second get the same.
        """
        wanted = (how, max_age, now)
        kept, attributes = self._last_lasting
        if kept != wanted:
            attributes = self._policy.attributes(how, max_age, now=now)
            self._last_lasting = wanted, attributes
        return attributes

    def _cut(self, plaintext: bytes, attributes: CookieAttributes, max_age: int | None) -> list[SetCookie]:
        """Return the cookies that carry `plaintext`."""
        if self.reference_name != self.name and plaintext[:1] == REFERENCE:
            return [SetCookie(self.reference_name, self._write(plaintext, self._reference_purpose), attributes)]
        pieces = self._pieces.cut(self._write(plaintext, self._purpose), max_age)
        return [SetCookie(name, piece, attributes) for name, piece in zip(self._pieces.names, pieces, strict=False)]
