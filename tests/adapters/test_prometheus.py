"""Events as Prometheus sees them: by its own client, in its own formats."""

import logging
import runpy
import sys
from dataclasses import dataclass
from typing import ClassVar

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest, make_wsgi_app
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from adapters.metrics_suite import CLASSES, MetricsSuite, example, visit
from cookiesess.adapters import prometheus
from cookiesess.adapters.prometheus import PrometheusEvents
from cookiesess.errors import ConfigurationError, MissingDependency
from cookiesess.events import Event, SessionEnded, SessionNearLimit, SessionRejected, SessionRenewed, TouchedLate


def samples_of(adapter):
    for family in parse(generate_latest(adapter._registry).decode()):
        yield from family.samples


def dotted(name):
    """The name of an event, of which Prometheus has made an identifier."""
    for cls in [*CLASSES, *Event.__subclasses__()]:
        if cls.name.replace(".", "_") == name:
            return cls.name
    raise AssertionError(name)


class TestPrometheus(MetricsSuite):
    def make(self):
        return PrometheusEvents(CollectorRegistry())

    def counted(self, adapter):
        return {
            (
                dotted(each.name.removeprefix("cookiesess_").removesuffix("_total")),
                tuple(sorted(each.labels.items())),
            ): (each.value)
            for each in samples_of(adapter)
            if each.name.endswith("_total") and each.value
        }

    def measured(self, adapter):
        values = {each.name.removeprefix("cookiesess_"): each.value for each in samples_of(adapter)}
        found = {}
        for name, times in values.items():
            stem = name.removesuffix("_count")
            if stem != name and f"{stem}_sum" in values and times:
                cls = max(
                    (cls for cls in Event.__subclasses__() if stem.startswith(cls.name.replace(".", "_") + "_")),
                    key=lambda cls: len(cls.name),
                )
                found[cls.name, stem[len(cls.name) + 1 :]] = times, values[f"{stem}_sum"]
        return found

    def shown(self, adapter):
        return generate_latest(adapter._registry).decode()


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def count(registry):
    return PrometheusEvents(registry)


def test_counters_and_histograms_are_shown_as_documented(registry, count):
    count(SessionRejected("forged", "deadbeef"))
    count(SessionNearLimit(3500, 4093))
    lines = generate_latest(registry).decode().splitlines()
    assert 'cookiesess_session_rejected_total{reason="forged"} 1.0' in lines
    assert 'cookiesess_session_near_limit_size_bytes_bucket{le="3328.0"} 0.0' in lines
    assert 'cookiesess_session_near_limit_size_bytes_bucket{le="3584.0"} 1.0' in lines


def test_an_event_is_explained_by_the_first_words_of_its_class(registry, count):
    shown = generate_latest(registry).decode()
    assert "# HELP cookiesess_session_overflowed_total A session got too large for its cookie, and is" in shown
    assert "_session_created_total A visitor got a session. If login is True, login() made it.\n" in shown


def test_a_counter_without_labels_is_there_before_its_first_event(registry, count):
    assert registry.get_sample_value("cookiesess_session_touched_late_total") == 0


def test_settings_are_not_measured(registry, count):
    count(SessionNearLimit(3500, 4093))
    assert "limit_bytes" not in generate_latest(registry).decode()


def test_all_events_together_are_valid_openmetrics(registry, count):
    for cls in CLASSES:
        count(example(cls))
    families = {family.name for family in parse_openmetrics(generate_openmetrics(registry).decode())}
    assert {f"cookiesess_{cls.name.replace('.', '_')}" for cls in CLASSES} <= families


def test_the_clients_own_app_shows_them(registry, count):
    count(SessionEnded(emptied=False))
    assert b'cookiesess_session_ended_total{emptied="false"} 1.0' in visit(make_wsgi_app(registry))


def test_the_clients_own_registry_is_taken_where_none_is_given():
    PrometheusEvents(namespace="tests_of_the_default")(TouchedLate())
    assert REGISTRY.get_sample_value("tests_of_the_default_session_touched_late_total") == 1


def test_two_apps_count_apart_by_namespaces(registry):
    shop, blog = PrometheusEvents(registry, namespace="shop"), PrometheusEvents(registry, namespace="blog")
    shop(TouchedLate())
    blog(SessionRenewed(login=True))
    assert registry.get_sample_value("shop_session_touched_late_total") == 1
    assert registry.get_sample_value("blog_session_touched_late_total") == 0


def test_a_second_one_in_the_same_registry_is_refused(registry, count):
    with pytest.raises(ConfigurationError, match=r"has metrics called cookiesess_… already; make one PrometheusEvents"):
        PrometheusEvents(registry)


def test_after_a_second_one_was_refused_the_first_one_counts_on(registry, count):
    with pytest.raises(ConfigurationError):
        PrometheusEvents(registry)
    count(TouchedLate())
    assert registry.get_sample_value("cookiesess_session_touched_late_total") == 1


@pytest.mark.parametrize("namespace", ["", "1st", "my-app", "my app", "a:b", "Größe", "a\n", None, 7], ids=repr)
def test_a_namespace_that_prometheus_would_not_take_is_refused(registry, namespace):
    with pytest.raises(ConfigurationError, match="a word of ASCII letters"):
        PrometheusEvents(registry, namespace=namespace)


def test_an_event_whose_name_another_metric_has_is_left_out_with_one_warning(registry, count, caplog):
    @dataclass(frozen=True)
    class Taken(Event):
        name: ClassVar[str] = "tests.taken"

    theirs = Counter("cookiesess_tests_taken", "of the app's own", registry=registry)
    with caplog.at_level(logging.WARNING, "cookiesess"):
        count(Taken())
        count(Taken())
    assert caplog.messages == ["events tests.taken are not counted, because another metric has that name already"]
    assert theirs.collect()[0].samples[0].value == 0


def test_without_the_package_the_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[prometheus\]"'):
        runpy.run_path(prometheus.__file__)
