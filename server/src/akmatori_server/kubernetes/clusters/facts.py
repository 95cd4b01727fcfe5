"""What a cluster is: its version, its nodes and their conditions, its namespaces, and whether it is ready."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import attrs

from akmatori_server.kubernetes.clusters.access import NAMESPACES, NODES, Resource
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    RefusedError,
    UnreachableError,
)
from akmatori_server.kubernetes.clusters.listing import Item, list_items
from akmatori_server.kubernetes.manifests import Node, json_node

_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_VERSION = re.compile(r"v?(\d{1,3})\.(\d{1,4})")


@attrs.frozen
class NodeCondition:
    """A condition of a node: `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str
    message: str
    since: dt.datetime | None


@attrs.frozen
class NodeFacts:
    """A node, and how it is."""

    name: str
    ready: bool
    conditions: tuple[NodeCondition, ...]
    capacity: dict[str, str]
    allocatable: dict[str, str]
    labels: dict[str, str]

    @property
    def under_pressure(self) -> bool:
        """Whether it lacks memory, disk, processes or its network."""
        return any(item.type in _PRESSURES and item.status == "True" for item in self.conditions)


@attrs.frozen
class ClusterFacts:
    """What a cluster is; None where it could not be read, with the reason among the problems."""

    version: str
    ready: bool
    not_ready: tuple[str, ...]
    """The parts of `/readyz` that are not."""
    nodes: tuple[NodeFacts, ...] | None
    namespaces: tuple[str, ...] | None
    problems: tuple[str, ...]


def read_version(connection: Connection) -> str:
    """Return the version of the API server, such as `v1.32.4`.

    Raises:
        ClusterError: it cannot be asked.
    """
    version = connection.get("/version").get("gitVersion")
    return version[:100] if isinstance(version, str) else ""


def minor_version(version: str) -> tuple[int, int] | None:
    """Return the two numbers that rules go by; None for a version that says nothing."""
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else None


def read_facts(connection: Connection) -> ClusterFacts:
    """Return what the cluster is.

    Raises:
        UnreachableError: it does not answer.
        RefusedError: it does not accept the credentials.
    """
    problems: list[str] = []
    version = ""
    try:
        version = read_version(connection)
    except (UnreachableError, RefusedError):
        raise
    except ClusterError as error:
        problems.append(str(error))
    not_ready = tuple(_not_ready(connection))
    nodes = _listed(connection, NODES, problems)
    namespaces = _listed(connection, NAMESPACES, problems)
    return ClusterFacts(
        version=version,
        ready=not not_ready,
        not_ready=not_ready,
        nodes=None if nodes is None else tuple(_node(json_node(item)) for item in nodes),
        namespaces=None
        if namespaces is None
        else tuple(sorted(json_node(item).get("metadata", "name").text() for item in namespaces)),
        problems=tuple(problems),
    )


def _listed(connection: Connection, resource: Resource, problems: list[str]) -> list[Item] | None:
    try:
        return list(list_items(connection, resource))
    except ClusterError as error:
        problems.append(f"{resource.kind} objects were not read. {error}")
        return None


def _not_ready(connection: Connection) -> Iterator[str]:
    try:
        connection.text("/readyz")
    except ClusterError as error:
        # The server lists its parts in the text of the error; a proxy in between does not.
        yield str(error)


def _node(node: Node) -> NodeFacts:
    status = node.get("status")
    conditions = tuple(
        NodeCondition(
            type=item.get("type").text(),
            status=item.get("status").text(),
            reason=item.get("reason").text(),
            message=item.get("message").text(),
            since=parse_time(item.get("lastTransitionTime").text()),
        )
        for item in status.get("conditions").each()
    )
    return NodeFacts(
        name=node.get("metadata", "name").text(),
        ready=any(item.type == "Ready" and item.status == "True" for item in conditions),
        conditions=conditions,
        capacity=status.get("capacity").texts(),
        allocatable=status.get("allocatable").texts(),
        labels=node.get("metadata", "labels").texts(),
    )


def parse_time(text: str) -> dt.datetime | None:
    """Return a time as Kubernetes writes it; None for what is none."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
