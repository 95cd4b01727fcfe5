"""Numbers for Prometheus: requests and their time by operation, incidents by status. No names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The numbers of one running server."""

    def __init__(self, count_incidents: Callable[[], Mapping[str, int]]) -> None:
        """Take the function that counts incidents by status; it is asked at each reading."""
        self._registry = CollectorRegistry()
        self._registry.register(_Incidents(count_incidents))
        self._requests = Counter(
            "akmatori_http_requests",
            "Answered requests.",
            ["operation", "method", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "akmatori_http_request_seconds",
            "Time from a request's first byte to its answer's last.",
            ["operation"],
            registry=self._registry,
        )

    def observe(self, *, operation: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        # Anybody may send a method of any name, and each would become a line here for ever.
        known = method if method in _METHODS else "other"
        self._requests.labels(operation=operation or "none", method=known, status=str(status)).inc()
        self._seconds.labels(operation=operation or "none").observe(seconds)

    def render(self) -> bytes:
        """Return all numbers in Prometheus's text form."""
        return generate_latest(self._registry)


class _Incidents(Collector):
    """Incidents by status, counted when asked."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def describe(self) -> Iterator[Metric]:
        """Name the metric without counting, which registering would do otherwise."""
        yield GaugeMetricFamily("akmatori_incidents", "Incidents by status.", labels=["status"])

    def collect(self) -> Iterator[Metric]:
        """Count."""
        family = GaugeMetricFamily("akmatori_incidents", "Incidents by status.", labels=["status"])
        for status, number in sorted(self._count().items()):
            family.add_metric([status], number)
        yield family
