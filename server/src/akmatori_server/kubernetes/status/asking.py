"""Asking a cluster how it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import attrs

from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    Json,
    Limits,
    RefusedError,
    connect,
)
from akmatori_server.kubernetes.clusters.facts import ClusterFacts, NodeFacts, read_facts
from akmatori_server.kubernetes.manifests import Node, json_node
from akmatori_server.kubernetes.status.model import (
    Component,
    Condition,
    ConditionType,
    Heartbeat,
    Nodes,
    since_before,
)

# A heartbeat is over before the next one.
LIMITS = Limits(connect=5.0, read=10.0, total=20.0, wait=5.0)
SYSTEM = "/apis/apps/v1/namespaces/kube-system/"
MOST_COMPONENTS = 500
MOST_NAMED = 5
LONGEST_MESSAGE = 2000
_REGION = "topology.kubernetes.io/region"
# Labels that the nodes of one provider have and no others.
_PROVIDERS = {
    "eks.amazonaws.com/": "aws",
    "cloud.google.com/gke-": "gcp",
    "kubernetes.azure.com/": "azure",
}


def ask(config: ClusterConfig, before: Heartbeat | None, now: Callable[[], datetime]) -> Heartbeat:
    """Ask a cluster how it is. One that does not answer keeps what it said before."""
    known = before or Heartbeat(name=config.name, asked_at=now())
    try:
        connection = connect(config, LIMITS)
    except ClusterError as error:
        return _silent(known, error, now())
    try:
        known = attrs.evolve(known, endpoint=connection.endpoint)
        return _answered(known, connection, read_facts(connection), now())
    except ClusterError as error:
        return _silent(known, error, now())
    finally:
        connection.close()


def _silent(known: Heartbeat, error: ClusterError, moment: datetime) -> Heartbeat:
    reason = "CredentialsRefused" if isinstance(error, RefusedError) else "Unreachable"
    conditions = [
        Condition(
            type=ConditionType.REACHABLE,
            status="False",
            reason=reason,
            message=str(error)[:LONGEST_MESSAGE],
            since=moment,
        ),
        *(
            Condition(
                type=one.type,
                status="Unknown",
                reason="NotAsked",
                message="The cluster does not answer, so that it cannot be asked.",
                since=moment,
            )
            for one in known.conditions
            if one.type is not ConditionType.REACHABLE
        ),
    ]
    return attrs.evolve(
        known, conditions=since_before(conditions, known.conditions), asked_at=moment, error=str(error)
    )


def _answered(known: Heartbeat, connection: Connection, facts: ClusterFacts, moment: datetime) -> Heartbeat:
    components = _components(connection)
    conditions = [
        Condition(
            type=ConditionType.REACHABLE,
            status="True",
            reason="Answered",
            message="The API server answers.",
            since=moment,
        ),
        _of_server(facts, moment),
        *_of_nodes(facts.nodes, moment),
    ]
    if components is not None:
        conditions.append(_of_components(components, moment))
    nodes = facts.nodes or ()
    return attrs.evolve(
        known,
        version=facts.version,
        region=_region(nodes),
        provider=_provider(nodes),
        nodes=None
        if facts.nodes is None
        else Nodes(
            total=len(nodes),
            ready=sum(node.ready for node in nodes),
            pressed=sum(node.under_pressure for node in nodes),
        ),
        pods=_pods(connection),
        conditions=since_before(conditions, known.conditions),
        components=components,
        heartbeat_at=moment,
        asked_at=moment,
        error="",
    )


def _of_server(facts: ClusterFacts, moment: datetime) -> Condition:
    return _said(
        ConditionType.READY,
        facts.ready,
        (
            "ApiServerReady",
            "The API server is ready; nodes, components and scans have conditions of their own.",
        )
        if facts.ready
        else ("ApiServerNotReady", " ".join(["The API server is not ready.", *facts.not_ready])),
        moment,
    )


def _of_nodes(nodes: tuple[NodeFacts, ...] | None, moment: datetime) -> Iterator[Condition]:
    ready, pressed = ConditionType.NODES_READY, ConditionType.NODES_UNDER_PRESSURE
    if nodes is None:
        for kind in (ready, pressed):
            yield Condition(
                type=kind,
                status="Unknown",
                reason="NodesNotReadable",
                message="The nodes could not be read.",
                since=moment,
            )
        return
    down = [node.name for node in nodes if not node.ready]
    yield _said(
        ready,
        not down,
        ("NodesNotReady", f"{_counted(down, len(nodes), 'nodes')} not ready: {_named(down)}")
        if down
        else ("NodesReady", "All nodes are ready."),
        moment,
    )
    short = [node.name for node in nodes if node.under_pressure]
    lacking = "short of memory, disk, process ids or network"
    yield _said(
        pressed,
        bool(short),
        ("NodesUnderPressure", f"{_counted(short, len(nodes), 'nodes')} {lacking}: {_named(short)}")
        if short
        else ("NodesNotUnderPressure", f"No node is {lacking}."),
        moment,
    )


def _of_components(components: tuple[Component, ...], moment: datetime) -> Condition:
    down = [one.name for one in components if not one.is_available]
    counted = _counted(down, len(components), "components of kube-system")
    return _said(
        ConditionType.COMPONENTS_AVAILABLE,
        not down,
        ("ComponentsNotAvailable", f"{counted} not available: {_named(down)}")
        if down
        else ("ComponentsAvailable", "All components of kube-system are available."),
        moment,
    )


def _said(kind: ConditionType, holds: bool, why: tuple[str, str], moment: datetime) -> Condition:
    """Return a condition with its reason, a word for programs, and the sentence for people."""
    reason, message = why
    return Condition(
        type=kind,
        status="True" if holds else "False",
        reason=reason,
        message=message[:LONGEST_MESSAGE],
        since=moment,
    )


def _counted(some: Sequence[str], total: int, what: str) -> str:
    return f"{len(some)} of {total} {what} {'is' if len(some) == 1 else 'are'}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}."


def _region(nodes: tuple[NodeFacts, ...]) -> str:
    regions = Counter(node.labels[_REGION] for node in nodes if _REGION in node.labels)
    return regions.most_common(1)[0][0] if regions else ""


def _provider(nodes: tuple[NodeFacts, ...]) -> str:
    labels = {label for node in nodes for label in node.labels}
    return next(
        (name for prefix, name in _PROVIDERS.items() if any(label.startswith(prefix) for label in labels)), ""
    )


def _pods(connection: Connection) -> int | None:
    """Count the pods without reading them: a page of one says how many are behind it."""
    try:
        page = connection.get("/api/v1/pods", {"limit": "1"})
    except ClusterError:
        return None
    items, metadata = page.get("items"), page.get("metadata")
    here = len(items) if isinstance(items, list) else 0
    behind: Json = metadata.get("remainingItemCount") if isinstance(metadata, dict) else None
    if isinstance(behind, int):
        return here + behind
    # Without the number there is nothing behind it, unless the list goes on.
    goes_on = isinstance(metadata, dict) and metadata.get("continue")
    return None if goes_on else here


def _components(connection: Connection) -> tuple[Component, ...] | None:
    """Read what runs in kube-system; None when that may not be read."""
    found: list[Component] = []
    for plural in ("daemonsets", "deployments"):
        try:
            page = json_node(connection.get(SYSTEM + plural, {"limit": str(MOST_COMPONENTS)}))
        except ClusterError:
            return None
        found += [_component(item, plural) for item in islice(page.get("items").each(), MOST_COMPONENTS)]
    return tuple(sorted(found, key=lambda one: one.name))


def _component(item: Node, plural: str) -> Component:
    status = item.get("status")
    if plural == "daemonsets":
        wanted, there = (
            status.get("desiredNumberScheduled").integer(),
            status.get("numberAvailable").integer(),
        )
    else:
        wanted, there = item.get("spec", "replicas").integer(), status.get("availableReplicas").integer()
        wanted = 1 if wanted is None else wanted
    wanted, there = wanted or 0, there or 0
    return Component(
        name=item.get("metadata", "name").text(),
        is_available=there >= wanted,
        message="" if there >= wanted else f"{there} of {wanted} pods are available.",
    )
