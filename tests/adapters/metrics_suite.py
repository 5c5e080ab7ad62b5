"""What every adapter to a system of metrics does with events; each test module runs it with its own."""

import dataclasses
import inspect
import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import pytest

from cookiesess import SessionMiddleware, events, get_session
from cookiesess.events import (
    ConflictMerged,
    Event,
    SessionAccepted,
    SessionEnded,
    SessionExpired,
    SessionNearLimit,
    SessionRejected,
    SessionsEvicted,
    StoreFailed,
    TouchedLate,
)
from kit.constants import KEY

SECRETS = "deadbeef", "hunter2"
CLASSES = [
    value for _, value in inspect.getmembers(events, inspect.isclass) if issubclass(value, Event) and value is not Event
]
EXAMPLES = {bool: True, str: "idle", int: 3, str | None: None}
THREADS, EACH = 8, 200


@dataclass(frozen=True)
class Untold(Event):
    """An event that no adapter was written for."""

    reason: str
    user_agent: str
    waited: float
    retried: bool
    name: ClassVar[str] = "tests.untold"


@dataclass(frozen=True)
class Twin(Event):
    """Another class of the same name, without those fields."""

    name: ClassVar[str] = "tests.untold"


@dataclass(frozen=True)
class Postponed(Event):
    """An event whose types are texts."""

    reason: "str"
    tries: "int"
    name: ClassVar[str] = "tests.postponed"


def example(cls):
    return cls(**{field.name: EXAMPLES[field.type] for field in dataclasses.fields(cls)})


def visit(app, cookie=""):
    """Send one request to a WSGI app."""
    environ = {"PATH_INFO": "/", "HTTP_COOKIE": cookie, "wsgi.url_scheme": "https", "REQUEST_METHOD": "GET"}
    return b"".join(app(environ, lambda status, headers: None))


class MetricsSuite(ABC):
    """The tests. A subclass says how to make its adapter and how to read what it has counted."""

    @abstractmethod
    def make(self):
        """Return an adapter that has counted nothing."""

    @abstractmethod
    def counted(self, adapter):
        """Return ``{(event's name, labels as a sorted tuple of pairs): times}`` of what was counted at all."""

    @abstractmethod
    def measured(self, adapter):
        """Return ``{(event's name, field): (times, sum)}`` of what was measured at all."""

    @abstractmethod
    def shown(self, adapter):
        """Return all that the system shows, as text."""

    @pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
    def test_an_event_is_counted_under_its_name(self, cls):
        adapter = self.make()
        adapter(example(cls))
        adapter(example(cls))
        ((name, _), times), *more = self.counted(adapter).items()
        assert (name, times, more) == (cls.name, 2, [])

    def test_the_reasons_of_an_event_are_told_apart(self):
        adapter = self.make()
        for reason in ("forged", "malformed", "forged"):
            adapter(SessionRejected(reason, None))
        adapter(SessionExpired("idle"))
        adapter(SessionAccepted("FlaskReader"))
        assert self.counted(adapter) == {
            ("session.rejected", (("reason", "forged"),)): 2,
            ("session.rejected", (("reason", "malformed"),)): 1,
            ("session.expired", (("deadline", "idle"),)): 1,
            ("session.accepted", (("reader", "FlaskReader"),)): 1,
        }

    def test_the_flags_of_an_event_are_told_apart(self):
        adapter = self.make()
        for emptied in (True, False, False):
            adapter(SessionEnded(emptied=emptied))
        assert self.counted(adapter) == {
            ("session.ended", (("emptied", "true"),)): 1,
            ("session.ended", (("emptied", "false"),)): 2,
        }

    def test_an_event_without_fields_has_no_labels(self):
        adapter = self.make()
        adapter(TouchedLate())
        assert self.counted(adapter) == {("session.touched_late", ()): 1}

    def test_sizes_and_tries_and_counts_are_measured(self):
        adapter = self.make()
        adapter(SessionNearLimit(3500, 4093))
        adapter(SessionNearLimit(4000, 4093))
        adapter(ConflictMerged(2, 0))
        adapter(SessionsEvicted(40))
        assert self.measured(adapter) == {
            ("session.near_limit", "size_bytes"): (2, 7500),
            ("session.conflict_merged", "tries"): (1, 2),
            ("session.conflict_merged", "overwritten"): (1, 0),
            ("store.evicted", "count"): (1, 40),
        }

    def test_neither_a_key_id_nor_a_cause_is_shown(self):
        adapter = self.make()
        adapter(SessionRejected("unknown-key", SECRETS[0]))
        adapter(StoreFailed(SECRETS[1]))
        shown = self.shown(adapter)
        assert "unknown-key" in shown
        assert not [secret for secret in SECRETS if secret in shown]

    @pytest.mark.parametrize("reason", ["1st", "two words", "", "x" * 33, "名字", 'a"b', None, 7], ids=repr)
    def test_a_reason_that_is_no_word_is_another(self, reason):
        adapter = self.make()
        adapter(SessionRejected(reason, None))
        ((_, labels),) = self.counted(adapter)
        assert labels == (("reason", "none" if reason is None else "other"),)

    def test_an_amount_that_is_no_number_is_not_measured(self):
        adapter = self.make()
        adapter(ConflictMerged("two", None))
        assert self.counted(adapter) == {("session.conflict_merged", ()): 1}
        assert self.measured(adapter) == {}

    def test_an_event_that_is_told_later_is_counted_without_the_texts_that_anything_may_stand_in(self):
        adapter = self.make()
        adapter(Untold("busy", "Mozilla/5.0", 0.5, retried=True))
        assert self.counted(adapter) == {("tests.untold", (("reason", "busy"), ("retried", "true"))): 1}
        assert self.measured(adapter) == {("tests.untold", "waited"): (1, 0.5)}
        assert "Mozilla" not in self.shown(adapter)

    def test_an_event_whose_class_is_defined_after_the_adapter_was_made_is_counted(self):
        adapter = self.make()

        @dataclass(frozen=True)
        class Late(Event):
            reason: str
            name: ClassVar[str] = f"tests.late_{type(self).__name__.lower()}"

        adapter(Late("busy"))
        adapter(Late("busy"))
        assert self.counted(adapter) == {(Late.name, (("reason", "busy"),)): 2}

    def test_another_class_of_the_same_name_is_counted_with_the_labels_of_the_first(self):
        adapter = self.make()
        adapter(Twin())
        assert self.counted(adapter) == {("tests.untold", (("reason", "none"), ("retried", "none"))): 1}

    def test_types_that_are_texts_are_understood(self):
        adapter = self.make()
        adapter(Postponed("busy", 2))
        assert self.counted(adapter) == {("tests.postponed", (("reason", "busy"),)): 1}
        assert self.measured(adapter) == {("tests.postponed", "tries"): (1, 2)}

    def test_what_many_threads_count_at_once_adds_up(self):
        adapter, barrier = self.make(), threading.Barrier(THREADS)

        @dataclass(frozen=True)
        class Crowded(Event):
            name: ClassVar[str] = f"tests.crowded_{type(self).__name__.lower()}"

        def count(_):
            barrier.wait()
            for _ in range(EACH):
                adapter(Crowded())
                adapter(ConflictMerged(1, 0))

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(count, range(THREADS)))
        assert self.counted(adapter) == {
            (Crowded.name, ()): THREADS * EACH,
            ("session.conflict_merged", ()): THREADS * EACH,
        }
        assert self.measured(adapter)["session.conflict_merged", "tries"] == (THREADS * EACH, THREADS * EACH)

    def test_a_middleware_counts_by_it(self):
        def app(environ, start_response):
            get_session(environ)["a"] = 1
            start_response("200 OK", [])
            return [b"done"]

        adapter = self.make()
        wrapped = SessionMiddleware(app, KEY, on_event=adapter)
        visit(wrapped)
        visit(wrapped, "__Host-session=nothing-of-ours")
        counted = self.counted(adapter)
        assert counted["session.created", (("login", "false"),)] == 2
        assert counted["session.rejected", (("reason", "malformed"),)] == 1
