"""What a start tells of each target: whether a cluster answers, and how many files a folder has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import ClusterError, Limits, connect
from akmatori_server.kubernetes.clusters.facts import read_version
from akmatori_server.kubernetes.manifests import ManifestFile
from akmatori_server.kubernetes.manifests.files import find_files
from akmatori_server.kubernetes.targets import ClusterTarget, FolderTarget, Target

# The start waits for it.
LIMITS = Limits(connect=3.0, read=3.0, total=5.0, wait=0.0)
ASKED_AT_ONCE = 8


def first_look(targets: Sequence[Target]) -> Iterator[str]:
    """Return a sentence on each target, in their order. One that does not answer is no reason not to start."""
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        yield from pool.map(_seen, targets)


def _seen(target: Target) -> str:
    if isinstance(target, ClusterTarget):
        return _answer(target.config)
    return f"Folder {target.name}: {_files(target)}" if isinstance(target, FolderTarget) else target.name


def _answer(config: ClusterConfig) -> str:
    try:
        connection = connect(config, LIMITS)
        try:
            version = read_version(connection) or "of an unknown version"
            return f"Cluster {config.name}: Kubernetes {version} at {connection.endpoint}."
        finally:
            connection.close()
    except ClusterError as error:
        return f"{error} It is asked again every minute."


def _files(target: FolderTarget) -> str:
    number = sum(isinstance(found, ManifestFile) for found in find_files(target.paths))
    files = "1 file" if number == 1 else f"{number} files"
    return f"{files} of manifests in {', '.join(map(str, target.paths))}."
