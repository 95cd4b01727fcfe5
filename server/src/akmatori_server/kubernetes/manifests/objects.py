"""What reading manifests brings: objects, and problems in their place."""

from __future__ import annotations

import enum

import attrs

from akmatori_server.kubernetes.manifests.nodes import Node

# What nobody writes a file of metadata for, but means to apply.
_WELL_KNOWN = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CronJob",
        "CustomResourceDefinition",
        "DaemonSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "PodDisruptionBudget",
        "ReplicaSet",
        "ReplicationController",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
        "StatefulSet",
        "StorageClass",
    }
)


class ProblemKind(enum.StrEnum):
    """How much of the input a problem costs."""

    UNREADABLE = "unreadable"
    """The document, or the whole file, was not checked."""
    DOUBTFUL = "doubtful"
    """It was checked, but may not mean what its author thinks."""
    FOREIGN = "foreign"
    """It is no Kubernetes object, and was passed over."""
    NOT_READ = "not-read"
    """Objects of this kind, of a live cluster, were not read, or only a part of them."""


@attrs.frozen
class Source:
    """Where something is written; the file is empty for objects of a live cluster."""

    file: str
    line: int


@attrs.frozen
class Problem:
    """What could not be read, or not fully, and where."""

    kind: ProblemKind
    file: str
    line: int | None
    message: str
    missing: frozenset[str] = frozenset()
    """The kinds of which objects are missing, where they are."""
    known_in: frozenset[str] = frozenset()
    """The namespaces in which none of them is."""

    def __str__(self) -> str:
        """Return the place and the sentence."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


@attrs.frozen
class ManifestObject:
    """One object, of a kind that is known or not."""

    api_version: str
    kind: str
    name: str
    namespace: str
    body: Node
    source: Source

    @property
    def group(self) -> str:
        """The API group, such as `apps`; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations of the object itself."""
        return self.body.get("metadata", "annotations").texts()


def object_of(body: Node, file: str, *, list_kind: str = "") -> ManifestObject | Problem:
    """Return the object that a document holds.

    Args:
        body: The document, or an item of a list.
        file: Where it was read.
        list_kind: The kind of the list it is part of: items of a `PodList` need not say that they are Pods.
    """
    if not body.is_mapping:
        return Problem(
            ProblemKind.FOREIGN, file, body.line, "This is no Kubernetes object: it has no members."
        )
    kind = body.get("kind").text() or (list_kind.removesuffix("List") if list_kind != "List" else "")
    if not kind:
        return Problem(ProblemKind.FOREIGN, file, body.line, "This is no Kubernetes object: it has no kind.")
    if not body.get("apiVersion").text() and not list_kind:
        return _without_version(body, file, kind)
    metadata = body.get("metadata")
    return ManifestObject(
        api_version=body.get("apiVersion").text(),
        kind=kind,
        name=metadata.get("name").text() or metadata.get("generateName").text(),
        namespace=metadata.get("namespace").text(),
        body=body,
        source=Source(file, body.line),
    )


def _without_version(body: Node, file: str, kind: str) -> Problem:
    if kind in _WELL_KNOWN and body.get("metadata").is_mapping:
        message = f"This {kind} has no apiVersion, so it cannot be applied; it was not checked."
        return Problem(ProblemKind.UNREADABLE, file, body.line, message)
    return Problem(
        ProblemKind.FOREIGN, file, body.line, f"This {kind} has no apiVersion; it was passed over."
    )
