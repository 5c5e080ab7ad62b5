"""The mapping underneath a session: loaded at the first touch, and written where the gate lets a write through."""

from collections.abc import Iterator, MutableMapping
from typing import Any

from cookiesess.errors import NotSerializable, drop_locals
from cookiesess.session.changes import check_key
from cookiesess.session.context import SessionContext
from cookiesess.session.gate import Stage, refusal
from cookiesess.session.state import Origin
from cookiesess.session.working_copy import WorkingCopy
from cookiesess.tokens.values import SCALARS

_OPEN, _UNAVAILABLE = Stage.OPEN, Origin.UNAVAILABLE


class LoadedMapping(MutableMapping[str, Any]):
    """The part of a `Session` that is a dict.

    These names with an underscore are for subclasses, an adapter's among them: `_load` and `_storable`, to be extended,
    `_writable`, `_leave_unanswered`, `_context` and `_csrf_secret`.
    """

    __slots__ = ("_context", "_passive", "_source", "_stage", "_working")

    def __init__(self, context: SessionContext, source: str) -> None:
        self._context = context
        self._source = source
        self._working: WorkingCopy | None = None
        self._stage = _OPEN
        self._passive = False

    # The mapping

    def __getitem__(self, key: str) -> Any:
        working = self._working or self._load()
        value = working.state.data[key]
        if type(value) not in SCALARS:
            working.data.watch(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        if type(key) is not str or not key.isascii():
            check_key(key)
        working = self._working
        # `_writable` asks the same, and would let nearly every write through: to call it is a third of what one costs.
        if working is None or self._stage is not _OPEN or working.loaded.origin is _UNAVAILABLE:
            working = self._writable()
        try:
            (working.tracked_data or working.data).set(key, value)
        except NotSerializable:
            storable = self._storable(key, value)
            if storable is value:
                raise
            working.data.set(key, storable)

    def __delitem__(self, key: str) -> None:
        self._writable().data.remove(key)

    def __iter__(self) -> Iterator[str]:
        return iter((self._working or self._load()).state.data)

    def __len__(self) -> int:
        return len((self._working or self._load()).state.data)

    def __contains__(self, key: object) -> bool:
        return key in (self._working or self._load()).state.data

    def __repr__(self) -> str:
        # Neither loads nor shows values: a repr ends up in logs and error pages.
        if self._working is None:
            return "<Session, not touched yet>"
        return f"<Session, {self._working.loaded.origin.name.lower()}, {len(self._working.state.data)} keys>"

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under `key`, or `default`."""
        return self[key] if key in (self._working or self._load()).state.data else default

    def _storable(self, key: str, value: Any) -> Any:
        """Return what is stored under `key` in place of a value that sessions do not carry; the same: an error is."""
        del key
        return value

    def _load(self) -> WorkingCopy:
        context = self._context
        try:
            working = self._working = context.load(self._source, now=int(context.clock()))
        except Exception as error:
            drop_locals(error)  # the Cookie header stands in each
            raise
        if self._passive:
            working.be_passive()
        if self._stage is not _OPEN:
            self._context.touched_late(self._stage)
        return working

    def _leave_unanswered(self) -> None:
        """Note that the request has become a WebSocket: what needs a cookie is refused, and a close saves the rest."""
        self._stage = Stage.UNANSWERED

    def _writable(self, *, new_id: bool = False) -> WorkingCopy:
        """Return the working copy, where the gate lets a write through."""
        working = self._working or self._load()
        loaded = working.loaded
        if self._stage is not _OPEN or loaded.origin is _UNAVAILABLE:
            refused = refusal(self._stage, loaded.origin, needs_cookie=new_id or working.needs_cookie)
            if refused is not None:
                raise refused()
        return working
