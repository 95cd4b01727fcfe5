"""A scan of a live cluster: the same checks over what its API server gives."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from akmatori_server.kubernetes.checks.controls import cis_version_for
from akmatori_server.kubernetes.clusters.connection import ClusterError, Connection
from akmatori_server.kubernetes.clusters.facts import minor_version, read_version
from akmatori_server.kubernetes.clusters.objects import ClusterObjects
from akmatori_server.kubernetes.pod_security import POD_SECURITY_LATEST
from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult, WorkloadVerdict
from akmatori_server.kubernetes.scans.scan import scan_objects
from akmatori_server.kubernetes.scans.selection import Selection
from akmatori_server.kubernetes.unread import ALL_READ


def scan_cluster(
    connection: Connection,
    options: ScanOptions,
    *,
    follow_version: bool = True,
    on_verdict: Callable[[WorkloadVerdict], None] | None = None,
) -> ScanResult:
    """Scan a cluster. Kinds that cannot be read are problems of the result, which is then partial.

    Args:
        connection: To the cluster.
        options: What to check, and how; the cluster's name is the connection's.
        follow_version: Take the versions of the CIS benchmark and the Pod Security Standards that belong to the
            cluster's own, whatever the options say.
        on_verdict: Called with the Pod Security verdict on every workload that is checked.

    Raises:
        ClusterError: the cluster does not answer at all, or does not accept the credentials.
    """
    version = minor_version(read_version(connection))
    options = attrs.evolve(
        options, cluster=connection.config.name, live=True, release=options.release or version
    )
    if follow_version and version is not None:
        options = attrs.evolve(
            options,
            cis_version=cis_version_for(version),
            pod_security=min(version, POD_SECURITY_LATEST),
        )
    source = ClusterObjects.of(connection, kinds=_kinds(options))
    context = source.context()
    result = scan_objects(source.each(), context, options, on_verdict=on_verdict)
    if result.objects == 0:
        raise ClusterError(
            f"No object of the cluster {connection.config.name} could be read. "
            + " ".join(problem.message for problem in result.problems[:1])
        )
    return result


def _kinds(options: ScanOptions) -> frozenset[str]:
    """Return the kinds that are looked at, so that nothing is asked for that nobody wants to know."""
    return Selection.of(options, ALL_READ).kinds
