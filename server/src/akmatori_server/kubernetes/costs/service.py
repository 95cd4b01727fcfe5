"""What workloads cost and how they could be sized better, reckoned when it is asked for."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs
import structlog

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami.models import (
    Budget,
    BudgetState,
    CostAnalysis,
    MetricsBasis,
    MetricsSource,
    PriceModel,
    Recommendation,
    RecommendationType,
    ResizeStrategy,
)
from akmatori_server.engine import Engine
from akmatori_server.errors import Unavailable
from akmatori_server.incidents.storable import storable_text
from akmatori_server.kubernetes.clusters.access import Feature
from akmatori_server.kubernetes.clusters.connection import ClusterError
from akmatori_server.kubernetes.costs import answers, store
from akmatori_server.kubernetes.costs.demands import read_demands
from akmatori_server.kubernetes.costs.idle import Idle, IdleReader
from akmatori_server.kubernetes.costs.model import (
    GIB,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    Demand,
    Demands,
    Prices,
    Usage,
)
from akmatori_server.kubernetes.costs.prometheus import Prometheus, PrometheusError
from akmatori_server.kubernetes.costs.rightsizing import Strategy, advise, is_idle, month_of
from akmatori_server.kubernetes.costs.sampling import Sampler
from akmatori_server.kubernetes.costs.store import ContainerKey
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import Mode, Target

EVERY_MINUTE, EVERY_HOUR = "* * * * *", "7 * * * *"
USUAL_WINDOW = 7 * 86_400
# Reading a cluster takes its time, and what it asks for changes slowly.
REMEMBERED_SECONDS = 60.0
MOST_WORKLOADS = 1000
MOST_PROBLEMS = 100
LONGEST_PROBLEM = 2000
WARNING_FROM = 0.8

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.costs")


@attrs.frozen(kw_only=True)
class CostOptions:
    """How costs are reckoned."""

    prices: Prices = attrs.field(factory=Prices)
    strategy: Strategy = Strategy.CONSERVATIVE
    # US dollars; None for no budget.
    monthly_budget: float | None = None
    # Where usage is asked for; None: the metrics API, sampled by ourselves.
    prometheus_url: str | None = None


@attrs.frozen
class _Picture:
    """What was read for one window of time."""

    demands: tuple[Demand, ...]
    storage: Mapping[str, float]
    usage: Mapping[tuple[str, ContainerKey], Usage]
    source: MetricsSource
    problems: tuple[str, ...]
    """What could not be read, in sentences."""
    idle: tuple[Idle, ...]

    def of(self, demand: Demand) -> list[Usage | None]:
        reference = demand.reference
        return [
            self.usage.get(
                (demand.target, (reference.namespace, reference.kind, reference.name, container.name))
            )
            for container in demand.containers
        ]


class CostService:
    """Reckons costs of the clusters, or where there is none, of what manifests ask for."""

    def __init__(self, site: KubernetesSite, options: CostOptions) -> None:
        self._site = site
        self._options = options
        self._sampler = Sampler(site.database, site.clusters, now=site.now)
        self._lock = threading.Lock()
        self._remembered: dict[int, tuple[float, _Picture]] = {}

    def declare(self, engine: Engine) -> None:
        """Have usage sampled every minute, and the day's cost kept."""
        if self._site.clusters:
            if self._options.prometheus_url is None:
                engine.schedule("k8s-usage", EVERY_MINUTE, self._sampler.sample)
            engine.schedule("k8s-costs", EVERY_HOUR, self.keep_day)

    def sample(self) -> None:
        """Ask the clusters what is used right now."""
        self._sampler.sample()

    def keep_day(self) -> None:
        """Store what everything costs today, so that tomorrow can be compared with it."""
        try:
            picture = self._picture(USUAL_WINDOW)
        except Unavailable as error:
            _log.warning("costs_not_reckoned", reason=error.message)
            return
        with self._site.database.write() as connection:
            store.put_cost(connection, self._total(picture, picture.demands), self._site.now())

    def analysis(self, *, namespaces: frozenset[str], window_seconds: int) -> CostAnalysis:
        """Reckon the costs of some namespaces, or of all.

        Raises:
            Unavailable: there is nothing to reckon with.
        """
        picture = self._picture(window_seconds)
        demands = [one for one in picture.demands if not namespaces or one.reference.namespace in namespaces]
        with_usage = [(demand, picture.of(demand)) for demand in demands]
        costs = {demand.key: self._cost(demand, usages) for demand, usages in with_usage}
        storage = {
            name: self._storage(size)
            for name, size in picture.storage.items()
            if not namespaces or name in namespaces
        }
        monthly = sum(costs.values()) + sum(storage.values())
        by_namespace: defaultdict[str, list[tuple[Demand, list[Usage | None]]]] = defaultdict(list)
        for demand, usages in with_usage:
            by_namespace[demand.reference.namespace].append((demand, usages))
        of_namespace = {
            name: sum(costs[demand.key] for demand, _ in by_namespace.get(name, ())) + storage.get(name, 0.0)
            for name in {*by_namespace, *storage}
        }
        advised = [one for one in self._recommended(picture) if _is_wanted(one, namespaces)]
        totals = answers.totals(with_usage)
        samples = [usage for _, usages in with_usage for usage in usages if usage is not None]
        return CostAnalysis(
            currency="USD",
            estimated_monthly_cost=answers.money(monthly),
            estimated_daily_cost=answers.money(monthly * HOURS_PER_DAY / HOURS_PER_MONTH),
            price_model=self._price_model(),
            totals=totals,
            cpu_efficiency=_share(totals.cpu_usage_millicores, totals.cpu_request_millicores),
            memory_efficiency=_share(totals.memory_usage_mi_b, totals.memory_request_mi_b),
            by_namespace=[
                answers.namespace_cost(name, cost, by_namespace.get(name, ()))
                for name, cost in sorted(of_namespace.items(), key=lambda one: (-one[1], one[0]))
            ],
            by_workload=[
                answers.workload_cost(demand, costs[demand.key], usages)
                for demand, usages in sorted(with_usage, key=lambda one: (-costs[one[0].key], one[0].key))
            ][:MOST_WORKLOADS],
            idle_workloads=[
                answers.resource_ref(demand.reference)
                for demand, usages in with_usage
                if demand.containers
                and all(
                    usage is not None and is_idle(container, usage)
                    for container, usage in zip(demand.containers, usages, strict=True)
                )
            ][:MOST_WORKLOADS],
            rightsizing_recommendations=len(advised),
            potential_monthly_savings=answers.money(sum(max(0.0, _savings(one)) for one in advised)),
            resize_strategy=ResizeStrategy(self._options.strategy.value),
            budget=self._budget(monthly) if not namespaces else UNSET,
            metrics=MetricsBasis(
                source=picture.source if samples else MetricsSource.NONE,
                window_seconds=window_seconds if samples else UNSET,
                samples=sum(usage.cpu.count for usage in samples) if samples else UNSET,
            ),
            problems=[
                storable_text(problem, LONGEST_PROBLEM) for problem in picture.problems[:MOST_PROBLEMS]
            ],
            evaluated_at=self._site.now(),
        )

    def recommendations(
        self,
        *,
        namespaces: frozenset[str],
        types: frozenset[RecommendationType],
        kinds: frozenset[str],
        least_savings: float | None,
    ) -> list[Recommendation]:
        """Return better sizes, the largest savings first.

        Raises:
            Unavailable: there is nothing to reckon with.
        """
        found = [
            one
            for one in self._recommended(self._picture(USUAL_WINDOW))
            if _is_wanted(one, namespaces)
            and (not types or one.type in types)
            and (not kinds or one.resource.kind in kinds)
            and (least_savings is None or _savings(one) >= least_savings)
        ]
        return sorted(found, key=lambda one: (-_savings(one), one.id))

    def _recommended(self, picture: _Picture) -> list[Recommendation]:
        options, now = self._options, self._site.now()
        unused = {one.key: one for one in picture.idle}
        costs = {one.key: self._cost(one, picture.of(one)) for one in picture.demands if one.key in unused}
        advices = (
            advise(demand, container, usage, prices=options.prices, strategy=options.strategy)
            for demand in picture.demands
            # What serves nobody need not have another size.
            if demand.key not in unused
            for container, usage in zip(demand.containers, picture.of(demand), strict=True)
        )
        return [
            *(answers.recommendation(one, now) for one in advices if one is not None),
            *(
                answers.idle_recommendation(one, self._storage(one.storage_bytes) + costs.get(key, 0.0), now)
                for key, one in unused.items()
            ),
        ]

    def _cost(self, demand: Demand, usages: Sequence[Usage | None]) -> float:
        return sum(
            month_of(demand, container, usage, self._options.prices)
            for container, usage in zip(demand.containers, usages, strict=True)
        )

    def _storage(self, size: float) -> float:
        return size / GIB * self._options.prices.storage_gib_hour * HOURS_PER_MONTH

    def _total(self, picture: _Picture, demands: Sequence[Demand]) -> float:
        return sum(self._cost(demand, picture.of(demand)) for demand in demands) + sum(
            self._storage(size) for size in picture.storage.values()
        )

    def _price_model(self) -> PriceModel:
        prices = self._options.prices
        return PriceModel(
            cpu_core_hour=prices.cpu_core_hour,
            memory_gi_b_hour=prices.memory_gib_hour,
            storage_gi_b_hour=prices.storage_gib_hour,
            source=prices.source,
        )

    def _budget(self, monthly: float) -> Budget:
        budget = self._options.monthly_budget
        with self._site.database.read() as connection:
            before = store.cost_of(connection, self._site.now() - timedelta(days=1))
        state = BudgetState.OK
        if budget is not None and monthly > budget:
            state = BudgetState.EXCEEDED
        elif budget is not None and monthly > WARNING_FROM * budget:
            state = BudgetState.WARNING
        return Budget(
            monthly_budget=UNSET if budget is None else budget,
            daily_budget=UNSET if budget is None else answers.money(budget * HOURS_PER_DAY / HOURS_PER_MONTH),
            state=state,
            increase_percent=round(100 * (monthly - before) / before, 1) if before else UNSET,
        )

    def _picture(self, window_seconds: int) -> _Picture:
        with self._lock:
            known = self._remembered.get(window_seconds)
            if known is None or time.monotonic() - known[0] > REMEMBERED_SECONDS:
                # Whoever asks for the same meanwhile waits, and gets the same.
                known = (time.monotonic(), self._read(window_seconds))
                self._remembered = {**dict(list(self._remembered.items())[-7:]), window_seconds: known}
            return known[1]

    def _read(self, window_seconds: int) -> _Picture:
        targets: Sequence[Target] = self._site.clusters or self._site.targets
        if not targets:
            raise Unavailable(
                "There is nothing to reckon with: configure a cluster or a folder of manifests."
            )
        demands: list[Demand] = []
        problems: list[str] = []
        idle: list[Idle] = []
        storage: defaultdict[str, float] = defaultdict(float)
        for target in targets:
            read = _demands(target, self._site.now())
            demands += read.workloads
            problems += read.problems
            idle += read.idle
            for namespace, size in read.storage_bytes.items():
                storage[namespace] += size
        usage: dict[tuple[str, ContainerKey], Usage] = {}
        source = MetricsSource.NONE
        if self._options.prometheus_url is not None and self._site.clusters:
            # One Prometheus has the series of one cluster.
            first = self._site.clusters[0].name
            try:
                asked = Prometheus(self._options.prometheus_url).usage(
                    [one for one in demands if one.target == first], window_seconds
                )
            except PrometheusError as error:
                raise Unavailable(str(error), retry_after=60) from None
            usage = {(first, key): one for key, one in asked.items()}
            source = MetricsSource.PROMETHEUS
        else:
            since = self._site.now() - timedelta(seconds=window_seconds)
            with self._site.database.read() as connection:
                for cluster in self._site.clusters:
                    stored = store.usage(connection, cluster.name, since)
                    usage |= {(cluster.name, key): one for key, one in stored.items()}
            if usage:
                source = MetricsSource.METRICS_API
        return _Picture(tuple(demands), storage, usage, source, tuple(problems), tuple(idle))


def _demands(target: Target, now: datetime) -> Demands:
    idle = IdleReader(target.name, now) if target.mode is Mode.LIVE else None
    try:
        with target.reading(Feature.COSTS) as reading:
            reading.context()
            read = read_demands(target.name, reading.each(), idle)
    except ClusterError as error:
        raise Unavailable(str(error), retry_after=60) from None
    if read.blind and not read.workloads and target.mode is Mode.LIVE:
        raise Unavailable(read.blind[:500], retry_after=60)
    return read


def _is_wanted(one: Recommendation, namespaces: frozenset[str]) -> bool:
    return not namespaces or one.resource.namespace in namespaces


def _savings(one: Recommendation) -> float:
    return one.estimated_monthly_savings or 0.0


def _share(used: int | Unset, asked: int) -> float | Unset:
    return round(used / asked, 3) if isinstance(used, int) and asked else UNSET
