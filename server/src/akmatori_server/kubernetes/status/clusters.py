"""Clusters and folders: asked every minute, and shown as they answered."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import structlog

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.aotanami import models
from akmatori_server.engine import Engine
from akmatori_server.errors import NotFound
from akmatori_server.http.optional import or_left_out
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.status import store
from akmatori_server.kubernetes.status.asking import LONGEST_MESSAGE, ask
from akmatori_server.kubernetes.status.model import INTERVAL, Condition, ConditionType, Heartbeat, judge
from akmatori_server.kubernetes.status.standing import NOTHING_KNOWN, Standing, Standings, no_standings
from akmatori_server.kubernetes.targets import FolderTarget, Mode, Target

EVERY_MINUTE = "* * * * *"
ASKED_AT_ONCE = 8
# What a folder is called where the provider of a cluster stands.
FOLDER = "manifests"
# Names are unique in an installation, and an id follows from the name: it is the same after every start.
_IDS = uuid.UUID("0f1c2d52-64bb-4d31-9a39-7e1c5e6d8a02")

_T = TypeVar("_T")

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.status")


class ClusterService:
    """Keeps heartbeats, and says how clusters are."""

    def __init__(self, site: KubernetesSite, *, standings: Standings = no_standings) -> None:
        self._site = site
        self._standings = standings
        self._lock = threading.Lock()
        self._has_asked = False

    def declare(self, engine: Engine) -> None:
        """Have every cluster asked once a minute."""
        if self._site.clusters:
            engine.schedule("k8s-heartbeat", EVERY_MINUTE, self.beat)

    def beat(self) -> None:
        """Ask all clusters how they are, and store what they say."""
        configs = [target.config for target in self._site.clusters]
        with self._site.database.read() as connection:
            before = store.heartbeats(connection)

        def asked(config: ClusterConfig) -> Heartbeat:
            return ask(config, before.get(config.name), self._site.now)

        # No transaction is open while somebody is waited for.
        with ThreadPoolExecutor(max(1, min(ASKED_AT_ONCE, len(configs)))) as pool:
            beats = [*pool.map(asked, configs)]
        with self._site.database.write() as connection:
            store.replace(connection, beats, [config.name for config in configs])
        for beat in beats:
            if beat.error and not (beat.name in before and before[beat.name].error):
                _log.warning("cluster_does_not_answer", cluster=beat.name, reason=beat.error)

    def list(self, statuses: frozenset[models.ClusterHealth]) -> list[models.Cluster]:
        """Return clusters and folders by name; an empty set of states means any."""
        now, beats, standings = self._read()
        shown = (
            _cluster(target, beats.get(target.name), standings.get(target.name, NOTHING_KNOWN), now)
            for target in sorted(self._site.targets, key=lambda target: target.name)
        )
        return [one for one in shown if not statuses or one.status in statuses]

    def status(self, name: str) -> models.ClusterStatus:
        """Return one in detail.

        Raises:
            NotFound: there is none of this name.
        """
        target = self._site.target(name)
        if target is None:
            raise NotFound(f"No cluster is named {name}.")
        now, beats, standings = self._read()
        return _status(target, beats.get(name), standings.get(name, NOTHING_KNOWN), now)

    def healths(self) -> Mapping[str, models.ClusterHealth]:
        """Return how every target is, without asking anybody."""
        now = self._site.now()
        with self._site.database.read() as connection:
            beats = store.heartbeats(connection)
        return {target.name: _health(target, beats.get(target.name), now) for target in self._site.targets}

    def _read(self) -> tuple[datetime, Mapping[str, Heartbeat], Mapping[str, Standing]]:
        self._ask_first()
        with self._site.database.read() as connection:
            return self._site.now(), store.heartbeats(connection), self._standings(connection)

    def _ask_first(self) -> None:
        """Do not make whoever looks right after the start wait for the next minute."""
        with self._lock:
            if self._has_asked:
                return
            self._has_asked = True
            with self._site.database.read() as connection:
                known = store.heartbeats(connection)
            late = self._site.now() - INTERVAL
            names = {target.name for target in self._site.clusters}
            if any(name not in known or known[name].asked_at < late for name in names):
                self.beat()


def identifier(name: str) -> str:
    """Return the id of a cluster or folder."""
    return str(uuid.uuid5(_IDS, name))


def is_readable(target: FolderTarget) -> bool:
    """Whether all paths of a folder are there and can be read."""
    try:
        return all(_can_be_read(path) for path in target.paths)
    except OSError:
        return False


def _can_be_read(path: Path) -> bool:
    if path.is_dir():
        next(path.iterdir(), None)
        return True
    with path.open("rb"):
        return True


def _health(
    target: Target, beat: Heartbeat | None, now: datetime, standing: Standing = NOTHING_KNOWN
) -> models.ClusterHealth:
    if isinstance(target, FolderTarget):
        if not is_readable(target):
            return models.ClusterHealth.UNREACHABLE
        is_degraded = standing.is_last_scan_degraded
        return models.ClusterHealth.DEGRADED if is_degraded else models.ClusterHealth.HEALTHY
    return judge(beat, now, is_scan_degraded=standing.is_last_scan_degraded)


def _cluster(target: Target, beat: Heartbeat | None, standing: Standing, now: datetime) -> models.Cluster:
    status = _status(target, beat, standing, now)
    return models.Cluster(
        name=status.name,
        id=status.id,
        status=status.status,
        api_endpoint=status.api_endpoint,
        region=status.region,
        provider=status.provider,
        kubernetes_version=status.kubernetes_version,
        last_heartbeat=status.last_heartbeat,
        security_score=status.security_score,
        violation_count=status.violation_count,
        node_count=status.node_count,
        pod_count=status.pod_count,
    )


def _status(
    target: Target, beat: Heartbeat | None, standing: Standing, now: datetime
) -> models.ClusterStatus:
    known = beat or Heartbeat(name=target.name, asked_at=now)
    conditions = known.conditions
    if isinstance(target, FolderTarget):
        conditions = (_of_folder(target, now),)
    heard = known.heartbeat_at
    return models.ClusterStatus(
        name=target.name,
        id=identifier(target.name),
        status=_health(target, beat, now, standing),
        api_endpoint=known.endpoint or UNSET,
        region=known.region or UNSET,
        provider=FOLDER if target.mode is Mode.MANIFESTS else known.provider or UNSET,
        kubernetes_version=known.version or UNSET,
        last_heartbeat=or_left_out(heard),
        heartbeat_age_seconds=UNSET if heard is None else max(0, int((now - heard).total_seconds())),
        security_score=or_left_out(standing.security_score),
        violation_count=or_left_out(standing.violations),
        node_count=UNSET if known.nodes is None else known.nodes.total,
        pod_count=or_left_out(known.pods),
        conditions=[
            *(_condition(one, is_watched=target.mode is not Mode.MANIFESTS) for one in conditions),
            *(_condition(one, is_watched=False) for one in _of_scan(standing)),
        ],
        nodes=UNSET
        if known.nodes is None
        else models.ClusterNodes(
            total=known.nodes.total, ready=known.nodes.ready, pressure=known.nodes.pressed
        ),
        components=UNSET
        if known.components is None
        else [
            models.ClusterComponent(
                name=one.name,
                status=models.ClusterHealth.HEALTHY if one.is_available else models.ClusterHealth.DEGRADED,
                message=one.message or UNSET,
            )
            for one in known.components
        ],
        open_incidents=or_left_out(standing.open_incidents),
        findings_by_severity=or_left_out(standing.findings),
        last_scan_at=or_left_out(standing.last_scan_at),
    )


def _of_folder(target: FolderTarget, now: datetime) -> Condition:
    can = is_readable(target)
    return Condition(
        type=ConditionType.MANIFESTS_READABLE,
        status="True" if can else "False",
        reason="Readable" if can else "NotReadable",
        message="This is a folder of manifests, not a cluster."
        if can
        else "This is a folder of manifests, and it cannot be read.",
        since=now,
    )


def _of_scan(standing: Standing) -> Iterator[Condition]:
    if standing.last_scan_at is None:
        return
    missed = standing.is_last_scan_degraded
    yield Condition(
        type=ConditionType.LAST_SCAN_COMPLETE,
        status="False" if missed else "True",
        reason="ScanIncomplete" if missed else "ScanComplete",
        message=f"The last scan did not see everything: {standing.missed}".removesuffix(": ")[
            :LONGEST_MESSAGE
        ]
        if missed
        else "The last scan saw everything that it was to look at.",
        since=standing.last_scan_at,
    )


def _condition(one: Condition, *, is_watched: bool) -> models.ClusterCondition:
    return models.ClusterCondition(
        type=one.type.value,
        status=models.ConditionStatus(one.status),
        reason=one.reason,
        message=one.message or UNSET,
        # Nobody watches a folder, or what scans see, so nobody knows since when it is so.
        last_transition_time=one.since if is_watched else UNSET,
    )
