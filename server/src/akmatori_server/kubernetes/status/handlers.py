"""The operations on health and on clusters."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_server.http.call import Answer, Call
from akmatori_server.kubernetes.paging import Page, single
from akmatori_server.kubernetes.status.clusters import ClusterService
from akmatori_server.kubernetes.status.readiness import ReadinessService
from akmatori_server.kubernetes.targets import Mode

RETRY_SECONDS = 5
_BAD = frozenset({models.ClusterHealth.DEGRADED, models.ClusterHealth.UNREACHABLE})

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.status")


class HealthHandlers:
    """Handlers of the tag `health`."""

    def __init__(
        self,
        clusters: ClusterService,
        readiness: ReadinessService,
        *,
        version: str,
        mode: Mode,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clusters = clusters
        self._readiness = readiness
        self._version = version
        self._mode = mode
        self._clock = clock
        self._started = clock()

    def get_health(self, _call: Call, /) -> Answer[models.HealthEnvelope]:
        """Say whether the server is alive, from what it knows: nobody is asked for it."""
        status = self._status()
        health = models.Health(
            status=status,
            version=self._version,
            uptime_seconds=int(self._clock() - self._started),
            mode=models.ServerMode(self._mode.value),
            # It only reports: what would change a cluster is not in this server.
            operating_mode=models.OperatingMode.AUDIT,
        )
        is_alive = status is not models.HealthStatus.ERROR
        return Answer(models.HealthEnvelope(data=health, metadata=single()), status=None if is_alive else 503)

    def get_readiness(self, _call: Call, /, *, verbose: bool | Unset) -> Answer[models.ReadinessEnvelope]:
        """Say whether the server can answer requests."""
        readiness = self._readiness.readiness(verbose=verbose is True)
        envelope = models.ReadinessEnvelope(data=readiness, metadata=single())
        if readiness.ready:
            return Answer(envelope)
        return Answer(envelope, headers={"Retry-After": str(RETRY_SECONDS)}, status=503)

    def _status(self) -> models.HealthStatus:
        try:
            healths = self._clusters.healths()
        except Exception as error:  # noqa: BLE001  whatever it is, nothing works without the database
            _log.warning("not_healthy", error=type(error).__name__)
            return models.HealthStatus.ERROR
        is_bad = any(health in _BAD for health in healths.values())
        return models.HealthStatus.DEGRADED if is_bad else models.HealthStatus.OK


class ClusterHandlers:
    """Handlers of the tag `clusters`."""

    def __init__(self, clusters: ClusterService) -> None:
        self._clusters = clusters

    def list_clusters(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        page_size: int | Unset,
        status: list[models.ClusterHealth] | Unset,
    ) -> models.ClusterPage:
        """List the clusters and folders by name."""
        found = self._clusters.list(frozenset(status) if isinstance(status, list) else frozenset())
        asked = Page.asked(page, page_size)
        return models.ClusterPage(
            data=found[asked.offset : asked.offset + asked.size], metadata=asked.metadata(len(found))
        )

    def get_cluster_status(self, _call: Call, /, *, name: str) -> models.ClusterStatusEnvelope:
        """Read one in detail."""
        return models.ClusterStatusEnvelope(data=self._clusters.status(name), metadata=single())
