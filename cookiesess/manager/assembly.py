"""How a manager's parts are put together: everything that depends on the settings alone is done here, once."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from cookiesess.backends.accepting import AcceptingTokens
from cookiesess.backends.base import SID_BYTES, Backend, Drafts, Tokens
from cookiesess.backends.cookie import CookieBackend
from cookiesess.backends.keeper import RecordKeeper
from cookiesess.backends.overflow import OverflowBackend
from cookiesess.backends.owners import Owners
from cookiesess.backends.records import ID_BYTES, RecordSealer
from cookiesess.backends.revocations import Revocations
from cookiesess.backends.revoking import RevokingBackend
from cookiesess.backends.store import StoreBackend
from cookiesess.errors import ConfigurationError
from cookiesess.events import Emitter, SessionsEvicted
from cookiesess.http.carrier import LONGEST_MAX_AGE, MAX_CANDIDATES, Carrier, Place
from cookiesess.http.cookies import values_of
from cookiesess.http.jar import JarContext, Protection
from cookiesess.manager.engine import Engine
from cookiesess.manager.settings import Configuration
from cookiesess.session.state import REFERENCE
from cookiesess.stores.base import Store
from cookiesess.tokens.keys import Keyring
from cookiesess.tokens.sealing import Sealer
from cookiesess.tokens.signing import Signer
from cookiesess.tokens.values import ValueCodec


class Assembly(NamedTuple):
    """What a manager stands on."""

    engine: Engine
    jars: JarContext
    owners: Owners | None
    revoking: RevokingBackend | None
    emit: Emitter


class _ServerSide(NamedTuple):
    backend: StoreBackend
    keeper: RecordKeeper
    owners: Owners


class _Parts:
    """What the backends share, whatever they are."""

    def __init__(self, keyring: Keyring, settings: Configuration) -> None:
        self.keyring = keyring
        self.settings = settings
        self.codec = ValueCodec(settings.types)
        self.emit = Emitter(settings.on_event)
        self.sealer, self.signer = Sealer(keyring), Signer(keyring)
        identified = settings.overflow is not None or settings.revocations is not None
        self.drafts = Drafts(
            codec=self.codec,
            lifetime=settings.lifetime,
            emit=self.emit,
            random_sid=settings.random_bytes if identified else None,
        )
        foreign = [Place(each.cookie_name, each.path, each.domain, each.partitioned) for each in settings.accept]
        self.carrier = Carrier(
            settings.cookie, settings.lifetime, reference=settings.overflow is not None, foreign=foreign
        )
        self.anonymous = settings.on_store_error == "anonymous"

    def tokens(self, name: str, find: Callable[[str], list[str]] | None = None) -> Tokens:
        """Return what makes and opens the tokens of one cookie name."""
        protection = self.sealer.seal, self.sealer.unseal
        if not self.settings.encrypt:
            protection = self.signer.sign, self.signer.unsign
        write, read = protection
        find = find or partial(values_of, name=name, limit=MAX_CANDIDATES)
        if not self.settings.accept or name != self.settings.cookie.name:
            return Tokens(name, write=write, read=read, find=find)
        readers, lifetime = self.settings.accept, self.settings.lifetime
        return AcceptingTokens(name, write=write, read=read, find=find, readers=readers, lifetime=lifetime)

    def server_side(self, store: Store, tokens: Tokens) -> "_ServerSide":
        """Return what keeps sessions in `store`."""
        settings, random_bytes = self.settings, self.settings.random_bytes
        self._check_reference(tokens)
        if store.evicts and store.on_evict is None:
            store.on_evict = lambda count: self.emit(SessionsEvicted(count))
        records = RecordSealer(self.keyring, sealer=self.sealer, codec=self.codec, random_bytes=random_bytes)
        limit, on_limit = settings.max_sessions_per_owner, settings.on_owner_limit
        owners = Owners(store, records, drafts=self.drafts, limit=limit, on_limit=on_limit)
        keeper = RecordKeeper(store, records, drafts=self.drafts, random_bytes=random_bytes)
        backend = StoreBackend(keeper, tokens=tokens, drafts=self.drafts, owners=owners, anonymous=self.anonymous)
        return _ServerSide(backend, keeper, owners)

    def client_side(self) -> Backend:
        """Return what keeps sessions in cookies; those that outgrow them in the overflow store."""
        settings, carrier = self.settings, self.carrier
        name, references = settings.cookie.name, self.tokens(settings.cookie.reference_name)
        tokens = self.tokens(name, carrier.tokens)
        cookie = CookieBackend(tokens, self.drafts, carrier=carrier, compressed=settings.compress)
        if settings.overflow is None:
            return cookie
        store, keeper, _ = self.server_side(settings.overflow, references)
        return OverflowBackend(cookie, store, name=name, references=references, keeper=keeper, drafts=self.drafts)

    def revoking(self, backend: Backend, store: Store) -> RevokingBackend:
        """Return `backend` behind what knows the ended sessions."""
        revocations = Revocations(
            store,
            self.keyring,
            codec=self.codec,
            lifetime=self.settings.lifetime,
            cache_seconds=self.settings.revocation_cache_seconds,
        )
        return RevokingBackend(backend, revocations, drafts=self.drafts, anonymous=self.anonymous)

    def _check_reference(self, tokens: Tokens) -> None:
        """Raise where not even the reference to a record fits: then nothing ever would."""
        size_bytes = len(tokens.issue(REFERENCE + bytes(ID_BYTES + SID_BYTES))) + self.settings.cookie.overhead_bytes(
            tokens.name, max_age=LONGEST_MAX_AGE
        )
        if size_bytes > self.settings.cookie.max_bytes:
            raise ConfigurationError(
                f"the cookie {tokens.name!r} takes {size_bytes} bytes with its attributes, and max_bytes allows"
                f" {self.settings.cookie.max_bytes}; raise it, or shorten the cookie's name or path"
            )

    def jars(self, engine: Engine) -> JarContext:
        """Return what the jars of plain cookies share."""
        return JarContext(
            policy=self.settings.cookie,
            reserved=self.carrier.names,
            codec=self.codec,
            signed=Protection("signed-cookie", self.signer.sign, self.signer.unsign),
            sealed=Protection("cookie", self.sealer.seal, self.sealer.unseal),
            now=engine.now,
            emit=self.emit,
        )


def assemble(keyring: Keyring, settings: Configuration) -> Assembly:
    """Build a manager's parts.

    Raises:
        ConfigurationError: The store cannot do what the settings ask of it.
    """
    parts = _Parts(keyring, settings)
    backend: Backend
    owners: Owners | None = None
    revoking: RevokingBackend | None = None
    if settings.store is not None:
        backend, _, owners = parts.server_side(settings.store, parts.tokens(settings.cookie.name))
    else:
        backend = parts.client_side()
    if settings.revocations is not None:
        backend = revoking = parts.revoking(backend, settings.revocations)
    engine = Engine(
        backend=backend,
        carrier=parts.carrier,
        drafts=parts.drafts,
        clock=settings.clock,
        random_bytes=settings.random_bytes,
    )
    return Assembly(engine, parts.jars(engine), owners, revoking, parts.emit)
