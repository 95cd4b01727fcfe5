"""Usage from Prometheus: it has weeks of it, where the metrics API has a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs
import httpx

from akmatori_server.kubernetes.costs.model import Demand, Usage
from akmatori_server.kubernetes.costs.store import ContainerKey

STEP_SECONDS = 300
TIMEOUT_SECONDS = 60
_PERCENTILES = (90.0, 95.0, 99.0)
_PER_CONTAINER = "sum by (namespace, pod, container)"
_CONTAINERS = 'container!="",container!="POD"'
_CPU = f"{_PER_CONTAINER} (rate(container_cpu_usage_seconds_total{{{_CONTAINERS}}}[5m]))"
_MEMORY = f"{_PER_CONTAINER} (container_memory_working_set_bytes{{{_CONTAINERS}}})"

PodKey = tuple[str, str, str]


class PrometheusError(Exception):
    """It did not answer as it should; the sentence says what is wrong."""


@attrs.frozen
class Summary:
    """A distribution by its percentiles, as Prometheus reckons them."""

    count: int = 0
    # Of the pod that was there longest.
    longest: int = 0
    mean: float = 0.0
    largest: float = 0.0
    percentiles: Mapping[float, float] = attrs.field(factory=dict[float, float])

    def percentile(self, percent: float) -> float:
        """Return the next higher percentile that was asked for; of the highest, the largest."""
        above = [known for known in sorted(self.percentiles) if known >= percent]
        return self.percentiles[above[0]] if above else self.largest

    def __add__(self, other: Summary) -> Summary:
        """Join two pods' samples; the higher of their percentiles counts, which is safe."""
        count = self.count + other.count
        total = self.mean * self.count + other.mean * other.count
        names = {*self.percentiles, *other.percentiles}
        return Summary(
            count=count,
            longest=max(self.longest, other.longest),
            mean=total / count if count else 0.0,
            largest=max(self.largest, other.largest),
            percentiles={
                name: max(self.percentiles.get(name, 0.0), other.percentiles.get(name, 0.0)) for name in names
            },
        )


class Prometheus:
    """Asks a Prometheus that the administrator names."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._transport = transport

    def usage(self, demands: Iterable[Demand], window_seconds: int) -> dict[ContainerKey, Usage]:
        """Return what the containers of workloads used.

        Raises:
            PrometheusError: it cannot be asked.
        """
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, transport=self._transport) as client:
            cpu = self._summaries(client, _CPU, window_seconds)
            memory = self._summaries(client, _MEMORY, window_seconds)
        by_namespace: defaultdict[str, list[Demand]] = defaultdict(list)
        for demand in demands:
            by_namespace[demand.reference.namespace].append(demand)
        joined: dict[ContainerKey, tuple[Summary, Summary]] = {}
        for pod, used in cpu.items():
            owner = _owner(pod, by_namespace.get(pod[0], []))
            if owner is None or pod not in memory:
                continue
            key = (pod[0], owner.reference.kind, owner.reference.name, pod[2])
            before = joined.get(key, (Summary(), Summary()))
            joined[key] = (before[0] + used, before[1] + memory[pod])
        return {key: _usage(*both, window_seconds) for key, both in joined.items()}

    def _summaries(self, client: httpx.Client, expression: str, window: int) -> dict[PodKey, Summary]:
        over = f"({expression})[{window}s:{STEP_SECONDS}s]"
        counts = self._query(client, f"count_over_time({over})")
        means = self._query(client, f"avg_over_time({over})")
        largest = self._query(client, f"max_over_time({over})")
        percentiles = {
            percent: self._query(client, f"quantile_over_time({percent / 100:g}, {over})")
            for percent in _PERCENTILES
        }
        return {
            pod: Summary(
                count=int(count),
                longest=int(count),
                mean=means.get(pod, 0.0),
                largest=largest.get(pod, 0.0),
                percentiles={percent: values.get(pod, 0.0) for percent, values in percentiles.items()},
            )
            for pod, count in counts.items()
        }

    def _query(self, client: httpx.Client, expression: str) -> dict[PodKey, float]:
        try:
            answer = client.post(f"{self._url}/api/v1/query", data={"query": expression})
        except httpx.HTTPError as error:
            raise PrometheusError(f"Prometheus does not answer ({type(error).__name__}).") from None
        if answer.status_code != 200:
            raise PrometheusError(f"Prometheus answered {answer.status_code}.")
        try:
            series = answer.json()["data"]["result"]
            return {
                (one["metric"]["namespace"], one["metric"]["pod"], one["metric"]["container"]): float(
                    one["value"][1]
                )
                for one in series
            }
        except (ValueError, KeyError, TypeError, IndexError):
            raise PrometheusError("What answers at the address of Prometheus is not Prometheus.") from None


def _owner(pod: PodKey, demands: list[Demand]) -> Demand | None:
    """Find the workload by the name of its pod, which begins with its own: pods of the past are not listed any more."""
    fitting = [
        demand
        for demand in demands
        if pod[1] == demand.reference.name or pod[1].startswith(f"{demand.reference.name}-")
    ]
    return max(fitting, key=lambda demand: len(demand.reference.name), default=None)


def _usage(cpu: Summary, memory: Summary, window: int) -> Usage:
    observed = min(float(window), float(cpu.longest * STEP_SECONDS))
    return Usage(
        cpu=cpu, memory=memory, observed_seconds=observed, expected_samples=max(1.0, observed / STEP_SECONDS)
    )
