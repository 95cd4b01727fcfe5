"""Comparing by the clock and when asked, and telling what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
import structlog

from akmatori_sdk._generated.aotanami.models import (
    DriftTypeCounts,
    NamespaceDrift,
    Severity,
    SeverityCounts,
)
from akmatori_server.database import Database
from akmatori_server.engine import Engine
from akmatori_server.errors import Conflict, NotFound, Unavailable
from akmatori_server.kubernetes.clusters.access import FEATURES, Feature
from akmatori_server.kubernetes.clusters.connection import ClusterError
from akmatori_server.kubernetes.drift import store
from akmatori_server.kubernetes.drift.comparison import compare_states
from akmatori_server.kubernetes.drift.model import Identity
from akmatori_server.kubernetes.drift.source import DesiredState
from akmatori_server.kubernetes.drift.store import Checked, Wanted
from akmatori_server.kubernetes.manifests import ManifestObject, Problem
from akmatori_server.kubernetes.scans.model import SEVERITIES, rank
from akmatori_server.kubernetes.targets import Mode, Target
from akmatori_server.kubernetes.unread import Unread

EVERY = "*/5 * * * *"
# How the contract calls what is in no namespace, where a name is needed.
CLUSTER = "_cluster"
MOST_PROBLEMS = 100
# Of those, so many are told with each namespace.
MOST_TOLD = 20
LONGEST_PROBLEM = 2000
# No namespace has this name: not even what is in no namespace.
EVERYWHERE = "*"
_READ_KINDS = frozenset(resource.kind for resource in FEATURES[Feature.DRIFT])

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.drift")


@attrs.frozen(kw_only=True)
class DriftOptions:
    """What is compared with what. Without a desired state or a target nothing is."""

    desired: DesiredState | None = None
    target: Target | None = None
    default_namespace: str = "default"
    # Fields that are no drift, as `Kind:path` with stars.
    ignore: tuple[str, ...] = ()


class DriftService:
    """Keeps the newest comparison of one target with its desired state."""

    def __init__(self, database: Database, options: DriftOptions, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._options = options
        self._now = now

    def declare(self, engine: Engine) -> None:
        """Have it compared every five minutes."""
        if self._options.desired is not None and self._options.target is not None:
            engine.schedule("k8s-drift", EVERY, self._check_quietly)

    def check(self) -> None:
        """Compare now, and store what comes of it.

        Raises:
            Conflict: no desired state, or nothing to compare it with, is configured.
            Unavailable: the cluster cannot be read.
        """
        desired, target = self._configured()
        problems: list[str] = []
        wanted = _objects(desired.read(), problems)
        try:
            with target.reading(Feature.DRIFT) as reading:
                # It holds back what others are judged by until it was asked for.
                reading.context()
                live = _objects(reading.each(), problems)
                unread = reading.unread
        except ClusterError as error:
            raise Unavailable(str(error), retry_after=60) from None
        read = _Read(target.mode, unread)
        comparison = compare_states(
            wanted,
            live,
            default_namespace=self._options.default_namespace,
            patterns=self._options.ignore,
            is_read=read.holds,
        )
        live_namespaces = {one.namespace for one in live} | {
            one.name for one in live if one.kind == "Namespace"
        }
        # Where nothing was compared, that is told: it is no sign that nothing differs.
        managed = {**dict.fromkeys(comparison.skipped, 0), **comparison.managed}
        checked = Checked(
            checked_at=self._now(),
            source=desired.described(),
            managed=managed,
            unmanaged=comparison.unmanaged,
            namespaces=sorted(live_namespaces | set(managed)),
            problems={
                EVERYWHERE: problems[:MOST_PROBLEMS],
                **{
                    namespace: [f"Not compared, because they are not read: {', '.join(sorted(kinds))}."]
                    for namespace, kinds in comparison.skipped.items()
                },
            },
        )
        with self._database.write() as connection:
            store.replace(connection, target.name, comparison, checked)
        _log.info("drift_checked", target=target.name, drifts=len(comparison.drifts), problems=len(problems))

    def namespaces(self, *, only_drifted: bool, wanted: frozenset[str]) -> list[NamespaceDrift]:
        """Return how each namespace differs, the worst first.

        Raises:
            Conflict: no desired state is configured.
            Unavailable: nothing was compared yet, and the cluster cannot be read.
        """
        target, checked = self._newest()
        with self._database.read() as connection:
            counted = store.counts(connection, target.name)
        by_namespace: defaultdict[str, list[tuple[Any, Severity, int]]] = defaultdict(list)
        for namespace, kind, severity, number in counted:
            by_namespace[namespace].append((kind, severity, number))
        names = [
            name
            for name in {*checked.managed, *checked.unmanaged, *by_namespace}
            if not wanted or name in wanted
        ]
        found = [_summary(name, by_namespace.get(name, []), checked) for name in names]
        if only_drifted:
            found = [one for one in found if one.drift_count]
        return sorted(found, key=_badness)

    def entries(
        self, namespace: str, wanted: Wanted, *, offset: int, limit: int
    ) -> tuple[Sequence[sa.Row[Any]], int]:
        """Return a part of the differences of a namespace, and how many there are.

        Raises:
            NotFound: the namespace is neither live nor desired.
            Conflict: no desired state is configured.
            Unavailable: nothing was compared yet, and the cluster cannot be read.
        """
        target, checked = self._newest()
        namespace = "" if namespace == CLUSTER else namespace
        if namespace and namespace not in checked.namespaces:
            raise NotFound(
                f"There is no namespace {namespace}, neither in {target.name} nor in the desired state."
            )
        with self._database.read() as connection:
            return store.page(connection, target.name, namespace, wanted, offset=offset, limit=limit)

    def _newest(self) -> tuple[Target, Checked]:
        _, target = self._configured()
        for attempt in (1, 2):
            with self._database.read() as connection:
                checked = store.newest(connection, target.name)
            if checked is not None:
                return target, checked
            if attempt == 1:
                # Nobody needs to wait for the clock the first time.
                self.check()
        raise Unavailable("The comparison was not stored; try again.", retry_after=5)

    def _configured(self) -> tuple[DesiredState, Target]:
        options = self._options
        if options.desired is None:
            raise Conflict(
                "No desired state is configured; set AKMATORI_DRIFT_SOURCE to a folder of manifests.",
                code="SourceNotConfigured",
            )
        if options.target is None:
            raise Conflict(
                "There is nothing to compare with the desired state; configure a cluster.",
                code="SourceNotConfigured",
            )
        return options.desired, options.target

    def _check_quietly(self) -> None:
        try:
            self.check()
        except Unavailable as error:
            _log.warning("drift_not_checked", reason=error.message)


@attrs.frozen
class _Read:
    """What was read of a target, so that what is not there is not there."""

    _mode: Mode
    _unread: Unread

    def holds(self, identity: Identity) -> bool:
        if self._mode is Mode.MANIFESTS:
            return True
        return identity.kind in _READ_KINDS and self._unread.is_known(identity.kind, identity.namespace)


def _objects(found: Iterable[ManifestObject | Problem], problems: list[str]) -> list[ManifestObject]:
    objects: list[ManifestObject] = []
    for one in found:
        if isinstance(one, ManifestObject):
            objects.append(one)
        else:
            problems.append(str(one))
    return objects


def _summary(
    namespace: str, counted: Sequence[tuple[Any, Severity, int]], checked: Checked
) -> NamespaceDrift:
    by_type: defaultdict[str, int] = defaultdict(int)
    by_severity: defaultdict[Severity, int] = defaultdict(int)
    for kind, severity, number in counted:
        by_type[kind.value] += number
        by_severity[severity] += number
    summary = NamespaceDrift(
        namespace=namespace,
        drift_count=sum(number for _, _, number in counted),
        checked_at=checked.checked_at,
        by_type=DriftTypeCounts(
            added=by_type["added"], modified=by_type["modified"], deleted=by_type["deleted"]
        ),
        by_severity=SeverityCounts(
            critical=by_severity[Severity.CRITICAL],
            high=by_severity[Severity.HIGH],
            medium=by_severity[Severity.MEDIUM],
            low=by_severity[Severity.LOW],
            info=by_severity[Severity.INFO],
        ),
        source=checked.source,
        managed_resources=checked.managed.get(namespace, 0),
        unmanaged_resources=checked.unmanaged.get(namespace, 0),
        problems=[
            problem[:LONGEST_PROBLEM]
            for problem in (*checked.problems.get(namespace, ()), *checked.problems.get(EVERYWHERE, ()))
        ][:MOST_TOLD],
    )
    worst = next((severity for severity in SEVERITIES if by_severity[severity]), None)
    if worst is not None:
        summary.highest_severity = worst
    return summary


def _badness(summary: NamespaceDrift) -> tuple[int, int, str]:
    worst = summary.highest_severity
    return (
        rank(worst) if isinstance(worst, Severity) else len(SEVERITIES),
        -summary.drift_count,
        summary.namespace,
    )
