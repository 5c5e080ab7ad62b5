"""How a manager's parts are put together: everything that depends on the settings alone is done here, once."""

from typing import NamedTuple

from cookiesess.backends.base import Backend, Drafts, Tokens
from cookiesess.backends.cookie import CookieBackend
from cookiesess.backends.keeper import RecordKeeper
from cookiesess.backends.owners import Owners
from cookiesess.backends.records import RecordSealer
from cookiesess.backends.store import StoreBackend
from cookiesess.engine import Engine
from cookiesess.events import Emitter, SessionsEvicted
from cookiesess.jar import JarContext, Protection
from cookiesess.keys import Keyring
from cookiesess.sealing import Sealer
from cookiesess.settings import Configuration
from cookiesess.signing import Signer
from cookiesess.stores.base import Store
from cookiesess.values import ValueCodec


class Assembly(NamedTuple):
    """What a manager stands on."""

    engine: Engine
    jars: JarContext
    owners: Owners | None
    emit: Emitter


class _Parts:
    """What the backends share, whatever they are."""

    def __init__(self, keyring: Keyring, settings: Configuration) -> None:
        self.keyring = keyring
        self.settings = settings
        self.codec = ValueCodec(settings.types)
        self.emit = Emitter(settings.on_event)
        self.sealer, self.signer = Sealer(keyring), Signer(keyring)
        self.drafts = Drafts(codec=self.codec, lifetime=settings.lifetime, emit=self.emit)
        self.anonymous = settings.on_store_error == "anonymous"

    def tokens(self, name: str) -> Tokens:
        """Return what makes and opens the tokens of one cookie name."""
        protection = (self.sealer.seal, self.sealer.unseal)
        if not self.settings.encrypt:
            protection = (self.signer.sign, self.signer.unsign)
        return Tokens(name, write=protection[0], read=protection[1])

    def server_side(self, store: Store, tokens: Tokens) -> tuple[StoreBackend, Owners]:
        """Return a backend that keeps sessions in `store`, and the owners' index."""
        settings, random_bytes = self.settings, self.settings.random_bytes
        self.watch(store)
        records = RecordSealer(self.keyring, sealer=self.sealer, codec=self.codec, random_bytes=random_bytes)
        limit, on_limit = settings.max_sessions_per_owner, settings.on_owner_limit
        owners = Owners(store, records, drafts=self.drafts, limit=limit, on_limit=on_limit)
        keeper = RecordKeeper(store, records, drafts=self.drafts, random_bytes=random_bytes)
        backend = StoreBackend(keeper, tokens=tokens, drafts=self.drafts, owners=owners, anonymous=self.anonymous)
        return backend, owners

    def watch(self, store: Store) -> None:
        """Have a store that evicts say so."""
        if store.evicts and store.on_evict is None:
            store.on_evict = lambda count: self.emit(SessionsEvicted(count))

    def jars(self, engine: Engine) -> JarContext:
        """Return what the jars of plain cookies share."""
        return JarContext(
            policy=self.settings.cookie,
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
    tokens = parts.tokens(settings.cookie.name)
    owners: Owners | None = None
    backend: Backend = CookieBackend(tokens, parts.drafts)
    if settings.store is not None:
        backend, owners = parts.server_side(settings.store, tokens)
    engine = Engine(
        backend=backend,
        policy=settings.cookie,
        drafts=parts.drafts,
        clock=settings.clock,
        random_bytes=settings.random_bytes,
    )
    return Assembly(engine, parts.jars(engine), owners, parts.emit)
