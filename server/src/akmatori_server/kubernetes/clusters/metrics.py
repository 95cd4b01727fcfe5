"""What pods and nodes use right now, from the metrics API: one sample, without history."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from akmatori_server.kubernetes.clusters.access import NODE_METRICS, POD_METRICS
from akmatori_server.kubernetes.clusters.by_namespace import Lister, NarrowedError
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    ForbiddenError,
    NotServedError,
)
from akmatori_server.kubernetes.clusters.facts import parse_time
from akmatori_server.kubernetes.manifests import Node, json_node
from akmatori_server.kubernetes.quantities import parse_quantity


@attrs.frozen
class Usage:
    """What was used: CPU in cores, memory in bytes; None where the sample says nothing."""

    cpu: Decimal | None
    memory: Decimal | None


@attrs.frozen
class ContainerUsage:
    """The sample of one container."""

    namespace: str
    pod: str
    container: str
    usage: Usage
    at: dt.datetime | None
    window: str
    """How long the sample was taken over, such as `15s`."""


@attrs.frozen
class Metrics:
    """The samples of a cluster, or the reason why there are none."""

    containers: tuple[ContainerUsage, ...] = ()
    nodes: dict[str, Usage] = attrs.field(factory=dict[str, Usage])
    problems: tuple[str, ...] = ()


def read_metrics(connection: Connection) -> Metrics:
    """Return one sample of every container and node."""
    containers: list[ContainerUsage] = []
    nodes: dict[str, Usage] = {}
    problems: list[str] = []
    lister = Lister(connection)
    try:
        for item in lister.items(POD_METRICS):
            containers += _containers(json_node(item))
    except NarrowedError as error:
        problems.append(error.sentences(["metrics of pods"]))
    except NotServedError:
        return Metrics(problems=(f"The cluster {connection.config.name} has no metrics server.",))
    except ForbiddenError as error:
        problems.append(f"Metrics of pods were not read. {error}")
    except ClusterError as error:
        return Metrics(problems=(f"Metrics were not read. {error}",))
    try:
        for item in lister.items(NODE_METRICS):
            node = json_node(item)
            nodes[node.get("metadata", "name").text()] = _usage(node)
    except ClusterError as error:
        problems.append(f"Metrics of nodes were not read. {error}")
    return Metrics(tuple(containers), nodes, tuple(problems))


def _containers(node: Node) -> list[ContainerUsage]:
    metadata = node.get("metadata")
    return [
        ContainerUsage(
            namespace=metadata.get("namespace").text(),
            pod=metadata.get("name").text(),
            container=item.get("name").text(),
            usage=_usage(item),
            at=parse_time(node.get("timestamp").text()),
            window=node.get("window").text(),
        )
        for item in node.get("containers").each()
    ]


def _usage(node: Node) -> Usage:
    usage = node.get("usage")
    return Usage(parse_quantity(usage.get("cpu").text()), parse_quantity(usage.get("memory").text()))
