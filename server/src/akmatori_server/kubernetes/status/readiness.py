"""Looking at everything the server needs, each time somebody asks, but not more often than every few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import attrs
import structlog

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.aotanami.models import (
    Readiness,
    ReadinessCheck,
    ReadinessCheckName,
    ReadinessCheckStatus,
)
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Limits,
    NotServedError,
    RefusedError,
    UnreachableError,
    connect,
)
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.status.clusters import is_readable
from akmatori_server.kubernetes.targets import ClusterTarget, FolderTarget

# Anybody may ask, so that clusters are not asked each time.
REMEMBERED_SECONDS = 5.0
LIMITS = Limits(connect=3.0, read=5.0, total=5.0, bytes=4 * 1024 * 1024, wait=1.0)
METRICS = "/apis/metrics.k8s.io/v1beta1"
LOOKED_AT_ONCE = 16
MOST_SHOWN = 20
_OK, _FAILED, _SKIPPED = (
    ReadinessCheckStatus.OK,
    ReadinessCheckStatus.FAILED,
    ReadinessCheckStatus.SKIPPED,
)
_ORDER = {_FAILED: 0, _OK: 1, _SKIPPED: 2}

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.status")


class _SkippedError(Exception):
    """There is nothing to look at; the text says why."""


@attrs.frozen
class _Check:
    name: ReadinessCheckName
    look: Callable[[], str | None]
    """Returns what is wrong, in a sentence without addresses: anybody may read it."""


class ReadinessService:
    """Says whether the server can answer requests."""

    def __init__(
        self,
        site: KubernetesSite,
        *,
        check_database: Callable[[], str | None],
        has_prometheus: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = tuple(_checks(site, check_database, has_prometheus=has_prometheus))
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, Sequence[ReadinessCheck]] | None = None

    def readiness(self, *, verbose: bool) -> Readiness:
        """Run every check; list them all, or those that failed.

        One cluster of several that does not answer is a failed check, but leaves the server ready for the others.
        So does the metrics API, without which costs rest on what workloads ask for.
        """
        found = self._results()
        needed = {ReadinessCheckName.DATABASE, ReadinessCheckName.MANIFEST_SOURCE}
        apis = [one.status for one in found if one.name is ReadinessCheckName.KUBERNETES_API]
        is_ready = all(one.status is not _FAILED for one in found if one.name in needed)
        shown = [one for one in found if verbose or one.status is _FAILED]
        return Readiness(
            ready=is_ready and not all(status is _FAILED for status in apis),
            # Were there more than are shown, the failed ones come first.
            checks=sorted(shown, key=lambda one: _ORDER[one.status])[:MOST_SHOWN],
        )

    def _results(self) -> Sequence[ReadinessCheck]:
        with self._lock:
            if self._known is not None and self._clock() - self._known[0] < REMEMBERED_SECONDS:
                return self._known[1]
            with ThreadPoolExecutor(min(LOOKED_AT_ONCE, len(self._checks))) as pool:
                found = list(pool.map(_run, self._checks))
            self._known = (self._clock(), found)
            return found


def _run(check: _Check) -> ReadinessCheck:
    began = time.monotonic()
    try:
        wrong = check.look()
    except _SkippedError as why:
        return ReadinessCheck(name=check.name, status=_SKIPPED, message=str(why))
    except Exception as error:  # noqa: BLE001  whatever it is, the thing that was looked at does not work
        _log.warning("readiness_check_failed", check=check.name.value, error=type(error).__name__)
        wrong = "It does not answer."
    return ReadinessCheck(
        name=check.name,
        status=_OK if wrong is None else _FAILED,
        message=UNSET if wrong is None else wrong,
        latency_ms=int((time.monotonic() - began) * 1000),
    )


def _checks(
    site: KubernetesSite, check_database: Callable[[], str | None], *, has_prometheus: bool
) -> Sequence[_Check]:
    checks = [_Check(ReadinessCheckName.DATABASE, check_database)]
    checks += [
        _Check(ReadinessCheckName.KUBERNETES_API, partial(_look_at_cluster, target, "/readyz"))
        for target in site.clusters
    ]
    if not site.clusters:
        checks.append(_Check(ReadinessCheckName.KUBERNETES_API, partial(_skip, "No cluster is configured.")))
    if has_prometheus:
        why = "Usage is asked of Prometheus."
        checks.append(_Check(ReadinessCheckName.METRICS_API, partial(_skip, why)))
    else:
        checks += [
            _Check(ReadinessCheckName.METRICS_API, partial(_look_at_metrics, target))
            for target in site.clusters
        ]
    folders = [target for target in site.targets if isinstance(target, FolderTarget)]
    checks += [
        _Check(ReadinessCheckName.MANIFEST_SOURCE, partial(_look_at_folder, target)) for target in folders
    ]
    if not folders:
        why = "No folder of manifests is configured."
        checks.append(_Check(ReadinessCheckName.MANIFEST_SOURCE, partial(_skip, why)))
    return checks


def _skip(why: str) -> None:
    raise _SkippedError(why)


def _look_at_folder(target: FolderTarget) -> str | None:
    return None if is_readable(target) else f"The manifests of {target.name} cannot be read."


def _look_at_metrics(target: ClusterTarget) -> str | None:
    return _look_at_cluster(target, METRICS)


def _look_at_cluster(target: ClusterTarget, path: str) -> str | None:
    try:
        connection = connect(target.config, LIMITS)
        try:
            connection.text(path)
        finally:
            connection.close()
    except NotServedError:
        if path == METRICS:
            raise _SkippedError(f"The cluster {target.name} has no metrics API.") from None
        return f"The Kubernetes API of {target.name} does not say whether it is ready."
    except UnreachableError:
        return f"The Kubernetes API of {target.name} did not answer within {LIMITS.total:g} seconds."
    except RefusedError:
        return f"The Kubernetes API of {target.name} does not accept the server's credentials."
    except ClusterError:
        return f"The Kubernetes API of {target.name} is not ready, or may not be asked."
    return None
