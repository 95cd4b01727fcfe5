"""Checks of whether a workload survives what is planned: rollouts, drains of nodes, a pod that hangs.

They are in the scanners resource-limits and pod-security, of low severity, and can be left out together by the name of
their pack.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import (
    Check,
    EndCheck,
    Hit,
    ObjectCheck,
    Question,
    WorkloadCheck,
    at,
)
from akmatori_server.kubernetes.links import LINK_KINDS, Autoscaler, Service, Sightings
from akmatori_server.kubernetes.manifests import ManifestObject, Node
from akmatori_server.kubernetes.workloads import Container, Workload, reference_of
from akmatori_server.kubernetes.workloads.reading import WORKLOAD_KINDS

_ENDING = frozenset({"Job", "CronJob"})
_MIRROR = "kubernetes.io/config.mirror"
_HOOK = "helm.sh/hook"
_HANDLERS = ("httpGet", "tcpSocket", "grpc", "exec")
_PERIOD, _FAILURES = 10, 3
_OF_CLAIMS = (
    "Its pods share the claim {}: a second replica needs a volume that many nodes may write (ReadWriteMany), or a"
    " StatefulSet with volumeClaimTemplates. Where there may be one pod only, say so with the strategy Recreate."
)

_Plain: TypeAlias = "str | tuple[_Plain, ...] | tuple[tuple[str, _Plain], ...] | None"


def _services(workload: Workload, context: Context) -> list[Service]:
    """Return the Services that send it connections."""
    if workload.reference.kind in _ENDING:
        return []
    return list(context.links.services.picking(workload.reference.namespace, workload.labels))


def _running(workload: Workload) -> Iterator[tuple[Container, Node]]:
    for container in workload.containers:
        if container.runs_on:
            yield container, workload.spec.nearest(container.at)


def _named(services: list[Service]) -> str:
    return ", ".join(sorted(f"Service {service.reference.name}" for service in services))[:500]


def _no_readiness(workload: Workload, context: Context) -> Iterator[Hit]:
    services = [service for service in _services(workload, context) if service.until_ready]
    containers = list(_running(workload))
    # One container that is asked is enough to keep the pod out of its Services.
    if services and containers and not any(node.get("readinessProbe").exists for _, node in containers):
        yield Hit(("containers",), evidence=_named(services))


def _no_liveness(workload: Workload, context: Context) -> Iterator[Hit]:
    services, containers = _services(workload, context), list(_running(workload))
    if services and containers and not any(node.get("livenessProbe").exists for _, node in containers):
        yield Hit(("containers",), evidence=_named(services))


def _same_probes(workload: Workload, _: Context) -> Iterator[Hit]:
    for container, node in _running(workload):
        live, ready = node.get("livenessProbe"), node.get("readinessProbe")
        asks = [_plain(live.get(name)) == _plain(ready.get(name)) for name in _HANDLERS]
        is_asked = any(live.get(name).exists for name in _HANDLERS)
        if is_asked and all(asks) and _seconds(live) <= _seconds(ready):
            yield at(container, "livenessProbe")


def _seconds(probe: Node) -> int:
    """Return for how long a probe may fail before something is done."""
    period, failures = probe.get("periodSeconds").integer(), probe.get("failureThreshold").integer()
    return (period or _PERIOD) * (failures or _FAILURES)


def _plain(node: Node) -> _Plain:
    """Return a value without the lines on which it is written."""
    if node.items is not None:
        return tuple(_plain(item) for item in node.items)
    if node.members is not None:
        return tuple(
            sorted(((name, _plain(member)) for name, member in node.named()), key=lambda one: one[0])
        )
    return node.scalar if node.exists else None


def _least_replicas(workload: Workload, context: Context) -> int | None:
    """Return how many pods there are at least; None where nothing says it."""
    scaler = context.links.autoscalers.get(workload.reference)
    return workload.replicas if scaler is None else scaler.minimum


def _single_replica(workload: Workload, context: Context) -> Iterator[Hit]:
    if workload.reference.kind != "Deployment" or workload.is_recreated:
        return
    services = _services(workload, context)
    if services and _least_replicas(workload, context) == 1:
        evidence = _named(services)
        scaler = context.links.autoscalers.get(workload.reference)
        if scaler is not None:
            evidence += f"; {_placed(scaler)} asks for 1 at least"
        claims = _claims(workload)
        advice = _OF_CLAIMS.format(", ".join(claims)[:500]) if claims else ""
        yield Hit(evidence=evidence, remediation=advice)


def _placed(scaler: Autoscaler) -> str:
    source = scaler.source
    where = f" ({source.file}:{source.line})" if source.file else ""
    return f"{scaler.reference.kind} {scaler.reference.name}{where}"[:1000]


def _claims(workload: Workload) -> list[str]:
    volumes = workload.spec.get("volumes").each()
    names = (volume.get("persistentVolumeClaim", "claimName").text() for volume in volumes)
    return sorted({name for name in names if name})


def _no_budget(workload: Workload, context: Context) -> Iterator[Hit]:
    reference = workload.reference
    replicas = _least_replicas(workload, context)
    if reference.kind == "Pod" or replicas is None or replicas < 2 or not workload.containers:
        return
    if not any(context.links.budgets.picking(reference.namespace, workload.labels)):
        yield Hit(evidence=f"{replicas} replicas")


def _budget_that_blocks(found: ManifestObject, _: Context) -> Iterator[Question]:
    if found.group != "policy":
        return
    reference, spec = reference_of(found), found.body.get("spec")
    least, most = spec.get("minAvailable").text(), spec.get("maxUnavailable").text()

    def answer(sightings: Sightings) -> Hit | None:
        if _share(most) == 0 or least == "100%":
            return Hit(("spec",), evidence=f"maxUnavailable: {most}" if most else f"minAvailable: {least}")
        total = sightings.replicas(reference)
        if not total or not least or _needed(least, total) < total:
            return None
        return Hit(("spec", "minAvailable"), evidence=f"minAvailable: {least} of {total}")

    yield Question(Hit(("spec",)), answer)


def _share(text: str) -> int | None:
    number = text.removesuffix("%")
    return int(number) if number.isdecimal() and len(number) < 10 else None


def _needed(least: str, total: int) -> int:
    """Return how many pods must be there; what is in percent is rounded up."""
    number = _share(least)
    if number is None:
        return 0
    return math.ceil(number * total / 100) if least.endswith("%") else number


def _bounds(found: ManifestObject, _: Context) -> Iterator[Hit]:
    spec = found.body.get("spec")
    least, most = spec.get("minReplicas").integer(), spec.get("maxReplicas").integer()
    if found.group == "autoscaling" and least is not None and most is not None and least > most:
        yield Hit(("spec", "minReplicas"), evidence=f"minReplicas: {least}, maxReplicas: {most}")


def _naked_pod(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.reference.kind != "Pod" or workload.owner is not None:
        return
    given = workload.annotations.keys() & {_MIRROR, _HOOK}
    # What runs once is not to be started again.
    if not given and workload.spec.get("restartPolicy").text() in ("", "Always"):
        yield Hit()


_SERVICE, _BUDGET, _SCALER = LINK_KINDS

CHECKS: tuple[Check, ...] = (
    WorkloadCheck(
        "no-readiness-probe",
        Severity.LOW,
        Category.POD_SECURITY,
        "No readiness probe behind a Service",
        "The Service sends connections to the pod as soon as its containers have begun, ready or not.",
        "Give the container that serves it a readinessProbe.",
        controls(),
        _no_readiness,
        needs_nearby=frozenset({_SERVICE}),
        in_system=False,
    ),
    WorkloadCheck(
        "no-liveness-probe",
        Severity.LOW,
        Category.POD_SECURITY,
        "No liveness probe behind a Service",
        "A container that hangs is not started again: Kubernetes sees only those that end.",
        "Give the container a livenessProbe that is slower to fail than its readinessProbe, unless it ends by itself.",
        controls(),
        _no_liveness,
        needs_nearby=frozenset({_SERVICE}),
        in_system=False,
    ),
    WorkloadCheck(
        "liveness-same-as-readiness",
        Severity.LOW,
        Category.POD_SECURITY,
        "Liveness probe that fails with the readiness probe",
        "Both ask the same, and liveness does not wait longer: a pod that is only busy is killed, and others are next.",
        "Ask something else, or give the livenessProbe a larger failureThreshold.",
        controls(),
        _same_probes,
        in_system=False,
    ),
    WorkloadCheck(
        "naked-pod",
        Severity.LOW,
        Category.POD_SECURITY,
        "Pod that nothing makes again",
        "Nothing controls the pod: when its node fails or is drained, it is gone.",
        "Make it a Deployment, a StatefulSet or a Job.",
        controls(),
        _naked_pod,
        in_system=False,
    ),
    WorkloadCheck(
        "single-replica",
        Severity.LOW,
        Category.RESOURCE_LIMITS,
        "Single replica behind a Service",
        "When the one pod is moved or killed, the Service has nobody to answer.",
        "Ask for two replicas or more; in an autoscaler, for a minReplicas of two.",
        controls(),
        _single_replica,
        needs_nearby=frozenset({_SERVICE, _SCALER}),
        in_system=False,
    ),
    WorkloadCheck(
        "no-disruption-budget",
        Severity.LOW,
        Category.RESOURCE_LIMITS,
        "Replicas without a PodDisruptionBudget",
        "No PodDisruptionBudget that was read selects the pods, so drains of nodes may take all of them at once.",
        "Add a PodDisruptionBudget that selects them, such as with maxUnavailable: 1.",
        controls(),
        _no_budget,
        needs_nearby=frozenset({_BUDGET, _SCALER}),
        in_system=False,
    ),
    EndCheck(
        "disruption-budget-blocks",
        Severity.LOW,
        Category.RESOURCE_LIMITS,
        "PodDisruptionBudget that allows no disruption",
        "None of its pods may ever be evicted: drains of their nodes, and so updates of them, do not end.",
        "Allow one at least: maxUnavailable: 1, or a minAvailable below the number of replicas.",
        controls(),
        frozenset({_BUDGET}),
        _budget_that_blocks,
        needs_nearby=WORKLOAD_KINDS | {_SCALER},
        in_system=False,
    ),
    ObjectCheck(
        "autoscaler-bounds",
        Severity.LOW,
        Category.RESOURCE_LIMITS,
        "Autoscaler of which the least is above the most",
        "minReplicas is above maxReplicas: the API server refuses the autoscaler.",
        "Make minReplicas as large as maxReplicas at most.",
        controls(),
        frozenset({_SCALER}),
        _bounds,
        in_system=False,
    ),
)
"""In the order in which they are listed."""
