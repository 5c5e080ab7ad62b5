"""Counts what happens to sessions for Prometheus.

::

    from cookiesess.adapters.prometheus import PrometheusEvents

    app = SessionMiddleware(app, keys, on_event=PrometheusEvents())

Each event (`cookiesess.events`) is a counter, and each of its amounts a histogram::

    cookiesess_session_rejected_total{reason="forged"} 3.0
    cookiesess_session_near_limit_size_bytes_bucket{le="3584.0"} 12.0

They are in the registry that ``prometheus_client.make_wsgi_app()`` shows, unless another one is given.
"""

import re
from typing import Final

from cookiesess.adapters.measures import CountedEvents, Instrument, Shape, bounds
from cookiesess.errors import ConfigurationError, MissingDependency

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
except ImportError as error:
    raise MissingDependency("prometheus-client", extra="prometheus") from error

__all__ = ["PrometheusEvents"]

# As Prometheus has the names of metrics, without the colon, which is for recording rules.
_NAMESPACE: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class PrometheusEvents(CountedEvents):
    """Counts events, as ``on_event=`` of a middleware, a manager or an adapter. Thread-safe.

    A counter without labels begins with zero. A counter with labels begins with the first event of each kind. No label
    holds text that visitors choose: neither the key id of a rejected cookie nor the cause of a store's failure.

    Args:
        registry: The registry of the metrics; None: the client's own ``REGISTRY``.
        namespace: The text with which the names of all metrics begin: ASCII letters, digits and ``_``.

    Raises:
        ConfigurationError: The namespace is not allowed; or the registry has these metrics already. Share one object,
            or choose another namespace for each app.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, namespace: str = "cookiesess") -> None:
        if type(namespace) is not str or not _NAMESPACE.fullmatch(namespace):
            raise ConfigurationError(
                f"namespace is {namespace!r}; it is a word of ASCII letters, digits and _, which begins with no digit"
            )
        self._registry = REGISTRY if registry is None else registry
        self._namespace = namespace
        try:
            super().__init__()
        except ValueError as error:
            raise ConfigurationError(
                f"the registry has metrics called {namespace}_… already; make one PrometheusEvents and give it to each"
                " on_event=, or give each a namespace= of its own"
            ) from error

    def _instrument(self, shape: Shape) -> Instrument:
        return _Metrics(shape, registry=self._registry, namespace=self._namespace)


class _Metrics(Instrument):
    def __init__(self, shape: Shape, *, registry: CollectorRegistry, namespace: str) -> None:
        name = re.sub(r"[^a-zA-Z0-9_]", "_", shape.name)
        self._counter = Counter(name, shape.help, shape.labels, namespace=namespace, registry=registry)
        self._histograms = {
            field: Histogram(
                f"{name}_{field}",
                f"{field} of {shape.name}",
                namespace=namespace,
                registry=registry,
                buckets=bounds(field),
            )
            for field in shape.amounts
        }

    def count(self, labels: dict[str, str]) -> None:
        (self._counter.labels(**labels) if labels else self._counter).inc()

    def measure(self, field: str, amount: float) -> None:
        self._histograms[field].observe(amount)
