"""Taking in one reading of one cluster: all that comes of it is stored in one transaction, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs
import sqlalchemy as sa

from akmatori_server.kubernetes.costs.histogram import Histogram
from akmatori_server.kubernetes.costs.tables import k8s_usage_days
from akmatori_server.kubernetes.incidents import baselines, store
from akmatori_server.kubernetes.incidents.anomalies import (
    KEPT_HOURS,
    Rate,
    RateKey,
    anomaly,
    counted,
    hour_of,
)
from akmatori_server.kubernetes.incidents.correlation import correlate
from akmatori_server.kubernetes.incidents.marks import put_marks
from akmatori_server.kubernetes.incidents.model import LIVE, Case, Observation, Origin, Rules, Symptom
from akmatori_server.kubernetes.incidents.reading import Picture
from akmatori_server.kubernetes.incidents.sources import Source
from akmatori_server.kubernetes.incidents.store import Cluster, Stored
from akmatori_server.kubernetes.quantities import parse_quantity

_ORIGINS = {Rate.RESTARTS: Origin.PODS, Rate.WARNINGS: Origin.EVENTS}


Tell: TypeAlias = Callable[[sa.Connection, str, Sequence[Case]], None]
"""Hears what has happened to incidents of a cluster, in the transaction that stores it; it never raises."""


def in_silence(_connection: sa.Connection, _target: str, _cases: Sequence[Case]) -> None:
    """Tell nobody."""


@attrs.frozen
class Intake:
    """Turns pictures of clusters into incidents."""

    _rules: Rules
    _sources: Sequence[Source] = ()
    _tell: Tell = in_silence
    # By cluster: the day for which baselines were begun or kept, and those.
    _learned: dict[str, tuple[str, set[RateKey]]] = attrs.field(factory=dict[str, tuple[str, set[RateKey]]])

    def take(
        self, connection: sa.Connection, target: str, picture: Picture, now: datetime
    ) -> list[Case] | None:
        """Store what a reading that began at a moment showed.

        Returns:
            The incidents that have changed; None for a reading that was begun before one that is stored.
        """
        cluster = store.lock_cluster(connection, target, now)
        if cluster.read_at is not None and cluster.read_at >= now:
            return None
        before = store.load(connection, target)
        symptoms = [*picture.symptoms]
        cluster = _observed(cluster, picture, now)
        symptoms += self._anomalies(connection, target, picture, before, cluster, now)
        cluster, results, read = self._results(connection, target, cluster, now)
        observation = Observation(
            at=now,
            symptoms=tuple(_with_peak(connection, target, one, now) for one in (*symptoms, *results)),
            read=picture.read | read,
            read_in=picture.read_in,
        )
        state, resolved = correlate(before.state, observation, self._rules)
        changed = store.save(connection, target, before, state, resolved)
        marks = {one.identity: state.marks[one.identity] for one in observation.symptoms if not one.stands}
        marks |= {one.identity: one.number for one in picture.restarts if one.number}
        put_marks(
            connection, target, marks, (before.state.marks, before.seen), now, all_read=picture.read >= LIVE
        )
        store.put_cluster(connection, target, cluster)
        self._tell(connection, target, changed)
        return changed

    def _results(
        self, connection: sa.Connection, target: str, cluster: Cluster, now: datetime
    ) -> tuple[Cluster, list[Symptom], frozenset[Origin]]:
        generations, found, read = dict(cluster.generations), list[Symptom](), set[Origin]()
        for source in self._sources:
            results = source.newer(connection, target, generations.get(source.origin.value), now)
            if results is not None:
                generations[source.origin.value] = results.generation
                found += results.symptoms
                read.add(source.origin)
        return attrs.evolve(cluster, generations=generations), found, frozenset(read)

    def _anomalies(
        self,
        connection: sa.Connection,
        target: str,
        picture: Picture,
        before: Stored,
        cluster: Cluster,
        now: datetime,
    ) -> list[Symptom]:
        numbers = _counts(picture, before, cluster, now)
        self._learn(connection, target, picture, numbers, now)
        happened = [key for key, number in numbers.items() if number]
        stored = baselines.load(connection, target, happened)
        after = {key: counted(stored[key], numbers[key], now) for key in happened if key in stored}
        baselines.put(connection, target, after)
        found = (
            anomaly(key, baseline, cluster.hours, now, _ORIGINS[key.rate]) for key, baseline in after.items()
        )
        return [one for one in found if one is not None]

    def _learn(
        self,
        connection: sa.Connection,
        target: str,
        picture: Picture,
        numbers: dict[RateKey, int],
        now: datetime,
    ) -> None:
        day = now.date().isoformat()
        learned_day, learned = self._learned.get(target, ("", set[RateKey]()))
        if learned_day != day:
            learned = set[RateKey]()
        keys = set(numbers)
        for one in picture.restarts:
            keys |= {
                RateKey(one.key, one.container, Rate.RESTARTS),
                RateKey(one.key, "", Rate.WARNINGS),
            }
        baselines.learn(connection, target, sorted(keys - learned), now)
        self._learned[target] = (day, learned | keys)


def _observed(cluster: Cluster, picture: Picture, now: datetime) -> Cluster:
    hour = hour_of(now)
    hours = {one for one in cluster.hours if one > hour - KEPT_HOURS} | {hour}
    shows_pods = Origin.PODS in picture.read or Origin.PODS in picture.read_in
    since = now if cluster.pods_since is None and shows_pods else cluster.pods_since
    return attrs.evolve(cluster, read_at=now, hours=tuple(sorted(hours)), pods_since=since)


def _counts(picture: Picture, before: Stored, cluster: Cluster, now: datetime) -> dict[RateKey, int]:
    """Return how often it happened since the reading before."""
    marks, numbers = before.state.marks, defaultdict[RateKey, int](int)
    # What had been restarted before the first reading was so at times that nobody knows.
    if cluster.pods_since is not None and cluster.pods_since < now:
        for one in picture.restarts:
            key = RateKey(one.key, one.container, Rate.RESTARTS)
            numbers[key] += max(one.number - marks.get(one.identity, 0), 0)
    began = now.replace(minute=0, second=0, microsecond=0)
    for symptom in picture.symptoms:
        if symptom.origin is Origin.EVENTS and symptom.at >= began:
            new = symptom.number - marks.get(symptom.identity, 0)
            numbers[RateKey(symptom.key, "", Rate.WARNINGS)] += max(new, 0)
    return numbers


def _with_peak(connection: sa.Connection, target: str, symptom: Symptom, now: datetime) -> Symptom:
    """Add how near to its limit a container that was killed has been seen, where usage is sampled."""
    limit = parse_quantity(symptom.facts.get("memoryLimit", ""))
    if symptom.reason != "OOMKilled" or limit is None or limit <= 0:
        return symptom
    days, key = k8s_usage_days, symptom.key
    query = sa.select(days.c.memory).where(
        days.c.target == target,
        days.c.namespace == key.namespace,
        days.c.kind == key.kind,
        days.c.name == key.name,
        days.c.container == symptom.container,
        days.c.day >= (now - timedelta(days=1)).date().isoformat(),
    )
    peak = max((Histogram.from_stored(row.memory).largest for row in connection.execute(query)), default=0.0)
    if not peak:
        return symptom
    return attrs.evolve(symptom, facts={**symptom.facts, "memoryPeakShare": f"{peak / float(limit):.3f}"})
