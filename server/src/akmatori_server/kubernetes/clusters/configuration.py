"""Which clusters there are: from a file, the command line, or the pod that the server runs in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import attrs

from akmatori_server.kubernetes.clusters.kubeconfig import complaint_about
from akmatori_server.kubernetes.manifests import Node
from akmatori_server.kubernetes.manifests.documents import DocumentCutter
from akmatori_server.kubernetes.manifests.yaml_nodes import ManifestError, read_bodies

LOCAL = "local"
LARGEST_FILE = 1024 * 1024
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MEMBERS = frozenset({"name", "kubeconfig", "context", "inCluster", "readableNamespaces"})


class ClustersError(Exception):
    """A file of clusters that cannot be used; the text names the file and the line."""


@attrs.frozen
class ClusterConfig:
    """How a cluster is reached: as the pod's service account, or by a context of a kubeconfig file."""

    name: str
    """Its name in findings and in the API."""
    kubeconfig: Path | None = None
    """The file; None for the usual places: `KUBECONFIG`, then `~/.kube/config`."""
    context: str | None = None
    """The context; None for the one that the file calls current."""
    in_cluster: bool = False
    readable_namespaces: tuple[str, ...] = ()
    """What is read one by one where a list of all namespaces is forbidden; empty: those that the cluster lists, else
    the one of the credentials."""


def cluster_name(text: str) -> str:
    """Make a name that the API accepts of a context's, such as an address with slashes and colons."""
    name = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")
    return name or LOCAL


def read_clusters(path: Path) -> tuple[ClusterConfig, ...]:
    """Read the file of clusters.

    Raises:
        ClustersError: it cannot be read, or says something that has no meaning.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size > LARGEST_FILE:
                raise ClustersError(f"{path}: the file may have {LARGEST_FILE} bytes at most.")
            cutter = DocumentCutter(file)
            bodies = list(read_bodies(cutter, lambda _line, _text: None)) if cutter.next() else []
    except OSError as error:
        raise ClustersError(f"{path}: the file cannot be read: {error.strerror or error}.") from None
    except ManifestError as error:
        raise ClustersError(f"{path}:{error.line}: {error}") from None
    if len(bodies) != 1 or not bodies[0].node.get("clusters").each():
        raise ClustersError(f"{path}: the file needs a list named clusters.")
    found = tuple(_cluster(path, node) for node in bodies[0].node.get("clusters").each())
    _refuse_twins(path, found)
    return found


def _cluster(path: Path, node: Node) -> ClusterConfig:
    for member, value in node.named():
        if member not in _MEMBERS:
            raise ClustersError(
                f"{path}:{value.line}: clusters have no {member}; they have {', '.join(sorted(_MEMBERS))}."
            )
    name = node.get("name").text()
    if not _NAME.fullmatch(name):
        raise ClustersError(
            f"{path}:{node.line}: every cluster needs a name of small letters, digits and hyphens, at most 63."
        )
    kubeconfig, context = node.get("kubeconfig").text(), node.get("context").text()
    in_cluster = node.get("inCluster").boolean() is True
    if in_cluster and (kubeconfig or context):
        raise ClustersError(
            f"{path}:{node.line}: {name} is reached either inCluster or by kubeconfig and context."
        )
    # The usual kubeconfig and whatever it calls current would be a cluster that nobody named.
    if not (in_cluster or kubeconfig or context):
        raise ClustersError(f"{path}:{node.line}: {name} needs a kubeconfig, a context or inCluster: true.")
    # A relative file is beside the one that names it.
    file = path.parent / Path(kubeconfig).expanduser() if kubeconfig else None
    if file is not None and not file.is_file():
        raise ClustersError(f"{path}:{node.get('kubeconfig').line}: there is no file {file}.")
    if file is not None and (complaint := complaint_about(context or None, [file])):
        raise ClustersError(f"{path}:{node.line}: {complaint}")
    return ClusterConfig(name, file, context or None, in_cluster, _readable(path, name, node))


def _readable(path: Path, cluster: str, node: Node) -> tuple[str, ...]:
    listed = node.get("readableNamespaces")
    names = tuple(dict.fromkeys(item.text() for item in listed.each()))
    wrong = next((name for name in names if not is_namespace(name)), None)
    if listed.exists and (wrong is not None or not names):
        raise ClustersError(
            f"{path}:{listed.line}: readableNamespaces of {cluster} is a list of namespaces, such as [shop, pay]."
        )
    return names


def is_namespace(text: str) -> bool:
    """Whether a namespace can have this name."""
    return _NAME.fullmatch(text) is not None


def _refuse_twins(path: Path, clusters: Sequence[ClusterConfig]) -> None:
    seen: set[str] = set()
    for cluster in clusters:
        if cluster.name in seen:
            raise ClustersError(f"{path}: two clusters are named {cluster.name}.")
        seen.add(cluster.name)
