"""Puts a manager's parts together. Work that depends only on the settings is done here, once, not at each request."""

from collections.abc import Callable
from typing import NamedTuple

from cookiesess.backends.base import SID_BYTES, Backend, Beginnings, ClientSide
from cookiesess.backends.bound import BoundBackend
from cookiesess.backends.closings import ID_BYTES
from cookiesess.backends.cookie import CookieBackend
from cookiesess.backends.overflow import OverflowBackend
from cookiesess.backends.owners import Owners
from cookiesess.backends.revocations import Revocations
from cookiesess.backends.revoking import RevokingBackend
from cookiesess.backends.store import StoreBackend
from cookiesess.backends.summaries import Summaries
from cookiesess.backends.takeover import Ours, TakeoverBackend
from cookiesess.backends.vault import Vault
from cookiesess.errors import ConfigurationError
from cookiesess.events import Event, SessionsEvicted
from cookiesess.events.base import Emitter
from cookiesess.http.binding import BoundCookies
from cookiesess.http.candidates import Protection
from cookiesess.http.envelope import LONGEST_MAX_AGE, Envelope
from cookiesess.http.foreign import parted
from cookiesess.http.protected import JarContext, JarProtection
from cookiesess.manager.settings import Configuration
from cookiesess.session.binding import GRACE_SECONDS
from cookiesess.session.state import REFERENCE
from cookiesess.stores.base import Store
from cookiesess.stores.pauses import Pauses
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import ADDED_BYTES, RecordSealer, Sealer
from cookiesess.tokens.signing import ADDED_LENGTH, Signer
from cookiesess.tokens.values import ValueCodec


class Assembly(NamedTuple):
    """What a manager stands on.

    Attributes:
        keyring: The keys.
        codec: Encodes values.
        envelope: Opens and fills the cookies.
        backend: Where the sessions live.
        owners: Lists and ends an owner's sessions, where they are in a store.
        revoking: Ends an owner's sessions, where they are in cookies and can be revoked.
        bound: Asks for the proof of those that are bound to devices, where they can be.
        jars: What the jars of plain cookies share.
        emit: Is told of events.
    """

    keyring: Keyring
    codec: ValueCodec
    envelope: Envelope
    backend: Backend
    owners: Owners | None
    revoking: RevokingBackend | None
    bound: BoundBackend | None
    jars: JarContext
    emit: Emitter


class _Parts:
    """The parts that every backend is handed, and the backends that are made of them."""

    def __init__(self, keyring: Keyring, settings: Configuration, emit: Emitter) -> None:
        self.keyring = keyring
        self.settings = settings
        self.codec = ValueCodec(settings.types)
        self.emit = emit
        self.sealer, self.signer = Sealer(keyring), Signer(keyring)
        self.lifetime = settings.lifetime
        if settings.binding is not None and settings.store is None:
            # As a binding takes effect the session gets a new ID, and a page's other requests are under way.
            self.lifetime = settings.lifetime.with_grace(GRACE_SECONDS)
        self.envelope = make_envelope(settings, self.sealer, self.signer, emit=self.emit)
        self.beginnings = Beginnings(
            codec=self.codec,
            lifetime=self.lifetime,
            envelope=self.envelope,
            emit=self.emit,
            anonymous=settings.on_store_error == "anonymous",
        )

    def server_side(self, store: Store) -> tuple[StoreBackend, Vault, Owners]:
        """Return what keeps sessions in `store`."""
        settings = self.settings
        self._check_reference()
        if store.evicts and store.on_evict is None:
            store.on_evict = lambda count: self.emit(SessionsEvicted(count))
        sealer = RecordSealer(self.keyring, random_bytes=settings.random_bytes)
        summaries = Summaries(self.sealer, self.codec)
        owners = Owners(
            store,
            sealer,
            summaries=summaries,
            lifetime=settings.lifetime,
            emit=self.emit,
            limit=settings.max_sessions_per_owner if store is settings.store else None,
            on_limit=settings.on_owner_limit,
            sleep=settings.sleep,
        )
        vault = Vault(
            store,
            sealer,
            summaries=summaries,
            beginnings=self.beginnings,
            random_bytes=settings.random_bytes,
            pauses=Pauses(sleep=settings.sleep, random_bytes=settings.random_bytes),
            max_bytes=settings.max_record_bytes,
        )
        backend = StoreBackend(
            vault,
            envelope=self.envelope,
            beginnings=self.beginnings,
            owners=owners,
        )
        return backend, vault, owners

    def client_side(self) -> ClientSide:
        """Return what keeps sessions in cookies; those that outgrow them in the overflow store."""
        settings = self.settings
        identified = settings.overflow is not None or settings.revocations is not None
        cookie = CookieBackend(
            self.envelope,
            self.beginnings,
            random_sid=settings.random_bytes if identified else None,
            compressed=settings.compress,
        )
        if settings.overflow is None:
            return cookie
        store, vault, _ = self.server_side(settings.overflow)
        return OverflowBackend(cookie, store, envelope=self.envelope, vault=vault, beginnings=self.beginnings)

    def revoking(self, backend: ClientSide, store: Store) -> RevokingBackend:
        """Return `backend` behind what knows the ended sessions."""
        settings = self.settings
        revocations = Revocations(
            store,
            self.keyring,
            codec=self.codec,
            lifetime=self.lifetime,
            random_bytes=settings.random_bytes,
            cache_seconds=settings.revocation_cache_seconds,
        )
        on_lost = settings.on_lost_revocations
        return RevokingBackend(backend, revocations, beginnings=self.beginnings, on_lost=on_lost)

    def taking_over(self, backend: Backend, ours: Ours | None) -> Backend:
        """Return `backend` behind what moves sessions out of other libraries' stores, where readers of such are listed.

        Args:
            backend: The outermost one.
            ours: What has the sessions where all of them are in a store; None: they are in cookies.
        """
        _, readers = parted(self.settings.accept)
        if not readers:
            return backend
        for reader in readers:
            if ours is None and reader.needs_store:
                raise ConfigurationError(
                    f"accept= has {reader!r}, whose sessions were imported into a store: give that store as store="
                )
        return TakeoverBackend(backend, readers, envelope=self.envelope, beginnings=self.beginnings, ours=ours)

    def bound(self, backend: Backend) -> BoundBackend | None:
        """Return `backend` behind what asks for proofs, where sessions are bound to devices; else None."""
        settings = self.settings
        if settings.binding is None:
            return None
        cookies = BoundCookies(settings.binding, settings.cookie, self.sealer)
        return BoundBackend(backend, cookies, beginnings=self.beginnings)

    def _check_reference(self) -> None:
        """Raise where even the reference to a record is too long for a cookie: no session could ever be issued."""
        policy = self.settings.cookie
        name = policy.name if self.settings.overflow is None else policy.reference_name
        size_bytes = self.envelope.token_length(REFERENCE + bytes(ID_BYTES + SID_BYTES)) + policy.overhead_bytes(
            name, max_age=LONGEST_MAX_AGE
        )
        if size_bytes > policy.max_bytes:
            raise ConfigurationError(
                f"the cookie {name!r} takes {size_bytes} bytes with its attributes, and max_bytes allows"
                f" {policy.max_bytes}; raise it, or shorten the cookie's name or path"
            )

    def jars(self) -> JarContext:
        """Return what the jars of plain cookies share."""
        clock = self.settings.clock
        return JarContext(
            policy=self.settings.cookie,
            reserved=(*self.envelope.names, *([self.settings.cookie.bound_name] if self.settings.binding else [])),
            codec=self.codec,
            signed=JarProtection("signed-cookie", self.signer.sign, self.signer.unsign),
            sealed=JarProtection("cookie", self.sealer.seal, self.sealer.unseal),
            now=lambda: int(clock()),
            emit=self.emit,
        )


def make_envelope(
    settings: Configuration, sealer: Sealer, signer: Signer, *, emit: Callable[[Event], object] = id
) -> Envelope:
    """Return what opens and fills the session's cookies."""
    # A signed token does not say whose key made it: one that does not open is another key's.
    protection = Protection(
        signer.sign, signer.unsign, added_bytes=0, added_length=ADDED_LENGTH, recognise=id, keyed=False
    )
    if settings.encrypt:
        protection = Protection(
            sealer.seal, sealer.unseal, ADDED_BYTES, added_length=0, recognise=sealer.recognise, keyed=True
        )
    return Envelope(
        settings.cookie,
        settings.lifetime,
        protection=protection,
        reference=settings.overflow is not None,
        readers=settings.accept,
        emit=emit,
    )


def assemble(keyring: Keyring, settings: Configuration, *, emit: Emitter) -> Assembly:
    """Build a manager's parts.

    Raises:
        ConfigurationError: The store cannot do what the settings ask of it.
    """
    parts = _Parts(keyring, settings, emit)
    backend: Backend
    owners: Owners | None = None
    revoking: RevokingBackend | None = None
    ours: Ours | None = None
    if settings.store is not None:
        backend, vault, owners = parts.server_side(settings.store)
        ours = Ours(backend, vault)
    else:
        backend = inner = parts.client_side()
        if settings.revocations is not None:
            backend = revoking = parts.revoking(inner, settings.revocations)
    backend = parts.taking_over(backend, ours)
    bound = parts.bound(backend)
    return Assembly(
        keyring, parts.codec, parts.envelope, bound or backend, owners, revoking, bound, parts.jars(), parts.emit
    )
