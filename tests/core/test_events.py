"""Events: small frozen values that reach the callable and the log, and never break a request."""

import dataclasses
import inspect
import logging

import pytest

from cookiesess import events
from cookiesess.events import (
    Event,
    SecureCookieOverHttp,
    SessionCreated,
    SessionEnded,
    SessionRejected,
    StoreFailed,
    TouchedLate,
)
from cookiesess.events.base import Emitter

CLASSES = [
    value for _, value in inspect.getmembers(events, inspect.isclass) if issubclass(value, Event) and value is not Event
]
ALL = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
# Examples for fields of each type; what an event holds is told by the annotations.
EXAMPLES = {bool: True, str: "idle", int: 3, str | None: None}


def example(cls):
    return cls(**{field.name: EXAMPLES[field.type] for field in dataclasses.fields(cls)})


@pytest.mark.parametrize(("cls", "field"), [(cls, field.name) for cls in CLASSES for field in dataclasses.fields(cls)])
def test_a_field_of_an_event_cannot_be_changed(cls, field):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(example(cls), field, "changed")


@ALL
def test_an_event_has_a_dotted_name_of_its_own_and_a_level(cls):
    assert cls.name.count(".") == 1
    assert [other.name for other in CLASSES].count(cls.name) == 1
    assert logging.getLevelName(cls.level) in {"DEBUG", "INFO", "WARNING", "ERROR"}


@ALL
def test_an_event_is_documented(cls):
    # A dataclass without a docstring gets its signature for one.
    assert not cls.__doc__.startswith(f"{cls.__name__}(")


@ALL
def test_an_event_reads_as_one_line_of_name_and_fields(cls):
    fields = dataclasses.fields(cls)
    expected = " ".join([cls.name, *(f"{field.name}={EXAMPLES[field.type]}" for field in fields)])
    assert str(example(cls)).removesuffix(f": {example(cls).remedy()}") == expected


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.advice], ids=lambda cls: cls.__name__)
def test_an_event_that_asks_for_something_says_what_at_the_end_of_its_line(cls):
    assert str(example(cls)).endswith(f": {example(cls).remedy()}")


# What may be an everyday matter (a foreign form, a deploy), and has a remedy where it is not.
ADVISED_WITHOUT_A_WARNING = {"SessionWithheld", "CookieTwins"}


def test_what_is_said_of_a_warning_is_what_to_do():
    advised = {cls.__name__ for cls in CLASSES if cls.advice}
    warnings = {cls.__name__ for cls in CLASSES if cls.level == logging.WARNING}
    assert advised == warnings | ADVISED_WITHOUT_A_WARNING


def test_who_has_followed_the_advice_already_gets_another_one():
    assert "CookiePolicy.development()" in str(SecureCookieOverHttp())
    assert "development()" not in str(SecureCookieOverHttp(auto=True))
    assert 'CookiePolicy("session", secure=False)' in str(SecureCookieOverHttp(auto=True))


def test_an_event_without_advice_ends_with_its_fields():
    assert str(SessionEnded(emptied=True)) == "session.ended emptied=True"


def test_advice_is_of_the_class_and_no_field():
    assert "advice" not in [field.name for cls in CLASSES for field in dataclasses.fields(cls)]


def test_a_store_that_failed_is_said_with_its_cause():
    assert str(StoreFailed("no such host")) == "store.failed cause=no such host"


@ALL
def test_equal_events_are_equal(cls):
    assert example(cls) == example(cls)
    assert len({example(cls), example(cls)}) == 1


@ALL
def test_an_event_reaches_the_callable_and_the_log_at_its_level(cls, caplog):
    caplog.set_level(logging.DEBUG, "cookiesess")
    seen = []
    Emitter(seen.append)(example(cls))
    assert seen == [example(cls)]
    assert caplog.record_tuples == [("cookiesess", cls.level, str(example(cls)))]


def test_without_a_callable_an_event_is_logged(caplog):
    Emitter()(TouchedLate())
    assert caplog.record_tuples == [("cookiesess", logging.WARNING, str(TouchedLate()))]


def test_a_silent_logger_does_not_keep_an_event_from_the_callable(caplog):
    caplog.set_level(logging.CRITICAL, "cookiesess")
    seen = []
    Emitter(seen.append)(SessionCreated())
    assert seen == [SessionCreated()]
    assert caplog.records == []


@pytest.mark.parametrize("error", [LookupError, OSError, TypeError, AssertionError])
def test_an_error_of_the_callable_is_logged_and_goes_no_further(error, caplog):
    caplog.set_level(logging.INFO, "cookiesess")

    def fail(event):
        raise error("no such counter")

    Emitter(fail)(SessionEnded(emptied=False))
    event, failure = caplog.records
    assert event.getMessage() == "session.ended emptied=False"
    assert failure.getMessage() == "on_event failed for session.ended"
    assert (failure.levelname, failure.exc_info[0]) == ("ERROR", error)


def test_what_ends_the_process_is_not_swallowed():
    def stop(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Emitter(stop)(SessionCreated())


def test_an_event_without_a_kid_says_so():
    assert str(SessionRejected("malformed", None)) == "session.rejected reason=malformed kid=None"


def test_an_event_whose_cause_is_known_says_that_too():
    event = SessionRejected("future", "0a1b2c3d", "this clock is behind")
    assert str(event) == "session.rejected reason=future kid=0a1b2c3d cause=this clock is behind"


# What repeats, by the clock


def logged(caplog, *events_and_waits):
    """Emit events, and wait where a number comes; return the lines of the log."""
    caplog.set_level(logging.INFO, "cookiesess")
    seconds = [0.0]
    emit = Emitter(clock=lambda: seconds[0])
    for each in events_and_waits:
        if isinstance(each, int):
            seconds[0] += each
        else:
            emit(each)
    return caplog.messages


REJECTED, LINE = SessionRejected("forged", "0a1b2c3d"), "session.rejected reason=forged kid=0a1b2c3d"


def test_the_same_cause_is_logged_once_a_minute(caplog):
    assert logged(caplog, REJECTED, 59, REJECTED, REJECTED) == [LINE]


def test_after_a_minute_the_log_says_how_many_it_has_left_out(caplog):
    lines = logged(caplog, REJECTED, REJECTED, REJECTED, 60, REJECTED)
    assert lines == [LINE, f"{LINE} (and 2 more since it was logged last)"]


def test_after_a_minute_of_silence_there_is_nothing_to_count(caplog):
    assert logged(caplog, REJECTED, 60, REJECTED) == [LINE, LINE]


def test_another_cause_is_logged_at_once(caplog):
    assert len(logged(caplog, REJECTED, SessionRejected("future", None), StoreFailed("away"))) == 3


def test_what_does_not_repeat_is_logged_each_time(caplog):
    assert len(logged(caplog, SessionEnded(emptied=True), SessionEnded(emptied=True))) == 2


def test_the_callable_gets_every_event_of_those_that_repeat():
    seen = []
    emit = Emitter(seen.append, clock=lambda: 0.0)
    for _ in range(3):
        emit(REJECTED)
    assert seen == [REJECTED] * 3


def test_a_flood_of_causes_is_forgotten_before_it_fills_the_memory(caplog):
    caplog.set_level(logging.INFO, "cookiesess")
    emit = Emitter(clock=lambda: 0.0)
    for number in range(1000):
        emit(SessionRejected(f"reason {number}", None))
    assert len(caplog.messages) == 1000
    assert len(emit._silent) <= 256
