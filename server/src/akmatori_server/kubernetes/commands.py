"""The command line `aotanami-server`: scanning manifests and clusters, without a server or a database, or with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs
import click

from akmatori_server.kubernetes.notifications.command import notifications
from akmatori_server.kubernetes.serve_command import readable_namespaces_option, serve

if TYPE_CHECKING:
    from akmatori_sdk._generated.aotanami.models import Severity
    from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
    from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult

# Of the process when nothing could be checked; 1 is for findings.
UNUSABLE = 2
PARTIAL = 3
_STANDARD_INPUT = Path("-")
_SEVERITIES = ("critical", "high", "medium", "low", "info")
_SCANNERS = (
    "container-security-context",
    "resource-limits",
    "image-vulnerability",
    "pod-security",
    "privilege-escalation",
    "secrets-exposure",
    "network-policy",
    "rbac-audit",
)
_FRAMEWORKS = (
    "cis",
    "nist-800-53",
    "soc2",
    "pci-dss",
    "hipaa",
    "iso-27001",
    "nsa-cisa",
    "pss-baseline",
    "pss-restricted",
)
_FEATURES = ("health", "scans", "incidents", "costs", "drift", "auth")


class _UnusableError(click.ClickException):
    exit_code = UNUSABLE


@attrs.frozen
class _Source:
    """Where objects are read from: exactly one of these; a path may be `-`, the standard input."""

    paths: tuple[Path, ...]
    exclude: tuple[str, ...]
    context: str | None
    kubeconfig: Path | None
    in_cluster: bool
    cluster: str | None
    clusters: Path | None
    readable_namespaces: tuple[str, ...]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="akmatori-server")
def main() -> None:
    """Aotanami: what is wrong in your Kubernetes clusters and manifests, and what to do about it."""


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True, allow_dash=True))
@click.option(
    "--exclude",
    multiple=True,
    metavar="GLOB",
    help="Pass over what fits below a folder of PATHS, such as charts/*/templates; repeatable.",
)
@click.option("--context", help="Scan the live cluster of this context of the kubeconfig file.")
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The kubeconfig file; else the usual places.",
)
@click.option(
    "--in-cluster", is_flag=True, help="Scan the cluster that this runs in, as its service account."
)
@click.option("--cluster", help="Scan this cluster of the file of clusters.")
@click.option(
    "--clusters",
    envvar="AKMATORI_CLUSTERS",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file of clusters; also AKMATORI_CLUSTERS.",
)
@readable_namespaces_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "sarif"]),
    default="table",
    show_default=True,
    help="How the findings are written.",
)
@click.option(
    "--fail-on",
    type=click.Choice([*_SEVERITIES[:-1], "none"]),
    default="high",
    show_default=True,
    help="End with 1 when a finding is this bad, or worse.",
)
@click.option("--allow-partial", is_flag=True, help="Do not end with 3 when something could not be read.")
@click.option(
    "--min-severity",
    type=click.Choice(_SEVERITIES),
    default="info",
    help="Leave out what is less bad; it still fails by --fail-on.",
)
@click.option(
    "--scanner",
    "scanners",
    type=click.Choice(_SCANNERS),
    multiple=True,
    help="Run this one only; repeatable.",
)
@click.option(
    "--skip-check",
    "skipped",
    multiple=True,
    metavar="CHECK",
    help="Leave this check out, or all of the pack `reliability`; repeatable. Also AKMATORI_SCAN_SKIP.",
)
@click.option(
    "--registry",
    "registries",
    multiple=True,
    metavar="REGISTRY",
    help="Images may come from this registry, such as ghcr.io/acme, and from no other; repeatable. Also"
    " AKMATORI_SCAN_REGISTRIES.",
)
@click.option(
    "--kubernetes-version",
    metavar="VERSION",
    help="The release that objects are meant for, such as 1.33; else the cluster's, and the newest for manifests. Also"
    " AKMATORI_SCAN_KUBERNETES_VERSION.",
)
@click.option(
    "--framework",
    "frameworks",
    type=click.Choice(_FRAMEWORKS),
    multiple=True,
    default=("cis",),
    show_default=True,
    help="Hold the findings against this framework; repeatable.",
)
@click.option(
    "--exceptions",
    envvar="AKMATORI_SCAN_EXCEPTIONS",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YAML file of accepted findings; also AKMATORI_SCAN_EXCEPTIONS.",
)
@click.option(
    "--cis",
    type=click.Choice(["1.8", "1.9", "1.10", "1.11", "1.12"]),
    help="The version of the CIS benchmark; else the one for the cluster's version, and 1.12 for manifests.",
)
@click.option("--include-system", is_flag=True, help="Check network and rights in the kube-… namespaces too.")
def scan(
    paths: tuple[Path, ...],
    exclude: tuple[str, ...],
    context: str | None,
    kubeconfig: Path | None,
    in_cluster: bool,
    cluster: str | None,
    clusters: Path | None,
    readable_namespaces: tuple[str, ...],
    output: Literal["table", "json", "sarif"],
    fail_on: str,
    allow_partial: bool,
    min_severity: str,
    scanners: tuple[str, ...],
    skipped: tuple[str, ...],
    registries: tuple[str, ...],
    kubernetes_version: str | None,
    frameworks: tuple[str, ...],
    exceptions: Path | None,
    cis: str | None,
    include_system: bool,
) -> None:
    """Check manifests, or a live cluster.

    PATHS are files, and folders with all .yaml, .yml and .json files below them; - is the standard input. A cluster
    is named by --context, --in-cluster or --cluster.

    Ends with 0 when no finding is as bad as --fail-on, 1 when one is, 2 when nothing could be checked, and 3 when a
    part could not be read and what was read has no such finding. What cannot be read is told on the standard error.
    """
    # The models take a moment to import; asking for help should not.
    from akmatori_sdk._generated.aotanami.models import Severity
    from akmatori_server.kubernetes.check_options import for_release, scan_options, with_checks
    from akmatori_server.kubernetes.scans.exceptions import ExceptionsError

    try:
        options = scan_options(min_severity, scanners, frameworks, exceptions, cis, include_system)
    except ExceptionsError as error:
        raise _UnusableError(str(error)) from None
    options = with_checks(options, skipped, registries, kubernetes_version)
    if paths:
        options = for_release(options, options.release, follow_cis=cis is None)
    source = _Source(paths, exclude, context, kubeconfig, in_cluster, cluster, clusters, readable_namespaces)
    result = _scanned(source, options, follow_version=cis is None)
    _write(result, output)
    for problem in result.problems:
        click.echo(_one_line(f"{problem.kind.value}: {problem}"), err=True)
    if result.objects == 0:
        raise _UnusableError("No Kubernetes object could be read, so nothing was checked.")
    if fail_on != "none" and _fails(result, Severity(fail_on)):
        raise click.exceptions.Exit(1)
    if result.partial and not allow_partial:
        click.echo("The result is partial; --allow-partial accepts that.", err=True)
        raise click.exceptions.Exit(PARTIAL)


@main.command()
@click.option(
    "--feature",
    "--features",
    "features",
    type=click.Choice(_FEATURES),
    multiple=True,
    default=("health", "scans"),
    show_default=True,
    help="What the server does with the cluster; repeatable.",
)
@click.option("--name", default="aotanami", show_default=True, help="Name of the role.")
def clusterrole(features: tuple[str, ...], name: str) -> None:
    """Print the ClusterRole that the features need, and not a right more."""
    from akmatori_server.kubernetes.clusters.access import Feature
    from akmatori_server.kubernetes.clusters.role import cluster_role

    click.echo(cluster_role([Feature(feature) for feature in features], name=name), nl=False)


main.add_command(serve)
main.add_command(notifications)


def _fails(result: ScanResult, threshold: Severity) -> bool:
    from akmatori_server.kubernetes.scans.model import reaches
    from akmatori_server.kubernetes.scans.scan import failing

    if any(failing(result.findings, threshold)):
        return True
    left_out = sum(count for severity, count in result.left_out.items() if reaches(severity, threshold))
    if left_out:
        # Else nobody could see why it failed.
        click.echo(
            f"Left out by --min-severity, but failing by --fail-on {threshold.value}: {left_out}.", err=True
        )
    return left_out > 0


def _scanned(source: _Source, options: ScanOptions, *, follow_version: bool) -> ScanResult:
    live = (source.context is not None or source.kubeconfig is not None, source.in_cluster, source.cluster)
    if sum(map(bool, (source.paths, *live))) != 1:
        raise click.UsageError("Name either PATHS, or one cluster by --context, --in-cluster or --cluster.")
    if source.paths:
        return _scan_paths(source, options)
    if source.exclude:
        raise click.UsageError("--exclude is for PATHS; a cluster has no files.")
    from akmatori_server.kubernetes.clusters.connection import ClusterError, connect
    from akmatori_server.kubernetes.clusters.scanning import scan_cluster

    try:
        connection = connect(_cluster(source))
        try:
            return scan_cluster(connection, options, follow_version=follow_version)
        finally:
            connection.close()
    except ClusterError as error:
        raise _UnusableError(_one_line(str(error))) from None


def _scan_paths(source: _Source, options: ScanOptions) -> ScanResult:
    import sys
    import tempfile

    from akmatori_server.kubernetes.manifests import ManifestFile
    from akmatori_server.kubernetes.manifests.files import LARGEST_FILE
    from akmatori_server.kubernetes.scans.scan import scan_folders

    named = [path for path in source.paths if path != _STANDARD_INPUT]
    if len(named) == len(source.paths):
        return scan_folders(named, options, exclude=source.exclude)
    # Manifests are read twice, and the standard input can be read once.
    with tempfile.TemporaryDirectory(prefix="aotanami-") as folder:
        copy, left = Path(folder) / "stdin", LARGEST_FILE + 1
        with copy.open("wb") as file:
            while left > 0 and (piece := sys.stdin.buffer.read(min(left, 1024 * 1024))):
                left -= file.write(piece)
        return scan_folders(named, options, piped=ManifestFile(copy, "stdin"), exclude=source.exclude)


def _cluster(source: _Source) -> ClusterConfig:
    from akmatori_server.kubernetes.clusters.configuration import (
        LOCAL,
        ClusterConfig,
        ClustersError,
        cluster_name,
        read_clusters,
    )

    if source.in_cluster:
        return ClusterConfig(LOCAL, in_cluster=True, readable_namespaces=source.readable_namespaces)
    if source.cluster is None:
        name = LOCAL if source.context is None else cluster_name(source.context)
        return ClusterConfig(
            name, source.kubeconfig, source.context, readable_namespaces=source.readable_namespaces
        )
    if source.clusters is None:
        raise click.UsageError("--cluster needs a file of clusters: --clusters or AKMATORI_CLUSTERS.")
    try:
        known = {config.name: config for config in read_clusters(source.clusters)}
    except ClustersError as error:
        raise _UnusableError(str(error)) from None
    if source.cluster not in known:
        raise _UnusableError(f"{source.clusters} has no cluster {source.cluster}; it has {', '.join(known)}.")
    return known[source.cluster]


def _write(result: ScanResult, output: Literal["table", "json", "sarif"]) -> None:
    if output == "table":
        from rich.console import Console

        from akmatori_server.kubernetes.scans.table import print_table

        # Lines of a pipe are not cut to the width of a terminal that is not there.
        console = Console(highlight=False)
        print_table(result, console if console.is_terminal else Console(highlight=False, width=200))
        return
    from importlib.metadata import version

    if output == "sarif":
        from akmatori_server.kubernetes.scans.sarif import sarif_pieces

        pieces = sarif_pieces(result, version=version("akmatori-server"))
    else:
        from akmatori_server.kubernetes.scans.wire import json_pieces

        pieces = json_pieces(result)
    for piece in pieces:
        click.echo(piece, nl=False)
    click.echo()


def _one_line(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
