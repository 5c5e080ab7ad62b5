"""Counts what happens to sessions for OpenTelemetry.

::

    from cookiesess.adapters.opentelemetry import OpenTelemetryEvents

    app = SessionMiddleware(app, keys, on_event=OpenTelemetryEvents())

Each event (`cookiesess.events`) is a counter such as ``cookiesess.session.rejected``, with the attribute ``reason``,
and each of its amounts a histogram such as ``cookiesess.session.near_limit.size_bytes``. Where they go is for the app's
OpenTelemetry SDK to say; without one they go nowhere.
"""

import re

from cookiesess.adapters.measures import CountedEvents, Instrument, Shape, bounds
from cookiesess.errors import MissingDependency

try:
    from opentelemetry.metrics import Meter, get_meter
except ImportError as error:
    raise MissingDependency("opentelemetry-api", extra="opentelemetry") from error

__all__ = ["OpenTelemetryEvents"]


class OpenTelemetryEvents(CountedEvents):
    """Counts events, as ``on_event=`` of a middleware, a manager or an adapter. Thread-safe.

    No attribute holds text that visitors choose: neither the key id of a rejected cookie nor the cause of a store's
    failure.

    Args:
        meter: The meter that makes the instruments. None: the meter ``cookiesess`` of the global meter provider, which
            you may set before or after.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = get_meter("cookiesess") if meter is None else meter
        super().__init__()

    def _instrument(self, shape: Shape) -> Instrument:
        return _Instruments(shape, self._meter)


class _Instruments(Instrument):
    def __init__(self, shape: Shape, meter: Meter) -> None:
        name = "cookiesess." + re.sub(r"[^a-zA-Z0-9_.]", "_", shape.name)
        self._counter = meter.create_counter(name, unit="{event}", description=shape.help)
        self._histograms = {
            field: meter.create_histogram(
                f"{name}.{field}",
                # UCUM's names, as OpenTelemetry asks.
                unit="By" if field.endswith("_bytes") else "1",
                description=f"{field} of {shape.name}",
                explicit_bucket_boundaries_advisory=bounds(field),
            )
            for field in shape.amounts
        }

    def count(self, labels: dict[str, str]) -> None:
        self._counter.add(1, labels)

    def measure(self, field: str, amount: float) -> None:
        self._histograms[field].record(amount)
