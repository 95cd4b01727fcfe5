"""Asking clusters every minute what their containers use: their metrics API has no memory of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

import structlog

from akmatori_server.database import Database
from akmatori_server.kubernetes.clusters.access import PODS
from akmatori_server.kubernetes.clusters.connection import ClusterError, Connection, connect
from akmatori_server.kubernetes.clusters.metrics import ContainerUsage, read_metrics
from akmatori_server.kubernetes.clusters.objects import read_kinds
from akmatori_server.kubernetes.costs import store
from akmatori_server.kubernetes.costs.demands import owner_of_pod
from akmatori_server.kubernetes.costs.store import ContainerKey, Round
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.targets import ClusterTarget
from akmatori_server.kubernetes.workloads import Reference, read_workload

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.costs")


class Sampler:
    """Adds what is used right now to the day's rows."""

    def __init__(
        self, database: Database, clusters: tuple[ClusterTarget, ...], *, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._clusters = clusters
        self._now = now
        # Which workload a pod belongs to does not change.
        self._owners: dict[str, dict[tuple[str, str], Reference]] = {}

    def sample(self) -> None:
        """Ask each cluster once. One that does not answer is passed over: the next minute it is asked again."""
        for cluster in self._clusters:
            try:
                self._sample(cluster)
            except ClusterError as error:
                _log.warning("usage_not_read", cluster=cluster.name, reason=str(error))
        with self._database.write() as connection:
            store.forget(connection, self._now())

    def _sample(self, cluster: ClusterTarget) -> None:
        connection = connect(cluster.config, cluster.limits)
        try:
            metrics = read_metrics(connection)
            if not metrics.containers:
                return
            owners = self._owners_of(
                cluster.name, connection, {(one.namespace, one.pod) for one in metrics.containers}
            )
        finally:
            connection.close()
        rounds = _rounds(metrics.containers, owners)
        with self._database.write() as written:
            store.add_round(written, cluster.name, rounds, self._now())

    def _owners_of(
        self, cluster: str, connection: Connection, pods: set[tuple[str, str]]
    ) -> dict[tuple[str, str], Reference]:
        known = self._owners.get(cluster, {})
        if not pods <= known.keys():
            known = {}
            for found in read_kinds(connection, [PODS]):
                workload = read_workload(found) if isinstance(found, ManifestObject) else None
                if workload is not None and isinstance(found, ManifestObject):
                    known[found.namespace, found.name] = owner_of_pod(found, workload)
            self._owners[cluster] = known
        return known


def _rounds(
    containers: tuple[ContainerUsage, ...], owners: dict[tuple[str, str], Reference]
) -> dict[ContainerKey, Round]:
    cpu: defaultdict[ContainerKey, list[float]] = defaultdict(list)
    memory: defaultdict[ContainerKey, list[float]] = defaultdict(list)
    for one in containers:
        owner = owners.get((one.namespace, one.pod))
        if owner is None or one.usage.cpu is None or one.usage.memory is None:
            continue
        key = (one.namespace, owner.kind, owner.name, one.container)
        cpu[key].append(max(0.0, float(one.usage.cpu)))
        memory[key].append(max(0.0, float(one.usage.memory)))
    return {key: Round(cpu=tuple(cpu[key]), memory=tuple(memory[key])) for key in cpu}
