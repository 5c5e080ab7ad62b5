"""Events as OpenTelemetry's own SDK collects them."""

import runpy
import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from adapters.metrics_suite import MetricsSuite
from cookiesess.adapters import opentelemetry
from cookiesess.adapters.opentelemetry import OpenTelemetryEvents
from cookiesess.errors import MissingDependency
from cookiesess.events import ConflictMerged, SessionNearLimit, SessionRejected, TouchedLate


class Collected:
    """An adapter, and a reader of all that it has counted."""

    def __init__(self):
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader], shutdown_on_exit=False)
        self.count = OpenTelemetryEvents(self.provider.get_meter("tests"))

    def __call__(self, event):
        self.count(event)

    @property
    def metrics(self):
        """What there is, by name."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: metric for scope in scopes for metric in scope.metrics}


class TestOpenTelemetry(MetricsSuite):
    def make(self):
        return Collected()

    def counted(self, adapter):
        return {
            (name.removeprefix("cookiesess."), tuple(sorted(point.attributes.items()))): point.value
            for name, metric in adapter.metrics.items()
            for point in metric.data.data_points
            if hasattr(point, "value")
        }

    def measured(self, adapter):
        return {
            tuple(name.removeprefix("cookiesess.").rsplit(".", 1)): (point.count, point.sum)
            for name, metric in adapter.metrics.items()
            for point in metric.data.data_points
            if hasattr(point, "bucket_counts")
        }

    def shown(self, adapter):
        return adapter.reader.get_metrics_data().to_json()


@pytest.fixture
def collected():
    return Collected()


def test_an_instrument_says_what_it_is(collected):
    collected(SessionRejected("forged", None))
    metric = collected.metrics["cookiesess.session.rejected"]
    assert metric.unit == "{event}"
    assert metric.description == "A cookie or a record did not open, and the request got an empty session."
    assert metric.data.is_monotonic


@pytest.mark.parametrize(
    ("event", "name", "unit"),
    [
        (SessionNearLimit(3500, 4093), "cookiesess.session.near_limit.size_bytes", "By"),
        (ConflictMerged(2, 0), "cookiesess.session.conflict_merged.tries", "1"),
    ],
    ids=["bytes", "times"],
)
def test_a_histogram_has_its_unit(collected, event, name, unit):
    collected(event)
    assert collected.metrics[name].unit == unit


def test_sizes_are_sorted_where_a_cookie_becomes_tight(collected):
    collected(SessionNearLimit(3500, 4093))
    (point,) = collected.metrics["cookiesess.session.near_limit.size_bytes"].data.data_points
    bounds = point.explicit_bounds
    assert [bounds[index] for index, times in enumerate(point.bucket_counts) if times] == [3584]


def test_settings_are_not_measured(collected):
    collected(SessionNearLimit(3500, 4093))
    assert not [name for name in collected.metrics if "limit_bytes" in name]


def test_without_an_sdk_events_go_nowhere():
    assert OpenTelemetryEvents()(TouchedLate()) is None


def test_without_the_package_the_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[opentelemetry\]"'):
        runpy.run_path(opentelemetry.__file__)
