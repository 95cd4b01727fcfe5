"""From objects to what workloads ask for. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import attrs

from akmatori_server.kubernetes.costs.idle import IdleReader, unclaimed_bytes
from akmatori_server.kubernetes.costs.model import ContainerDemand, Demand, Demands, Resource, Size
from akmatori_server.kubernetes.manifests import ManifestObject, Node, Problem
from akmatori_server.kubernetes.quantities import parse_quantity
from akmatori_server.kubernetes.unread import Unread
from akmatori_server.kubernetes.workloads import Container, Reference, Workload, read_workload

_ENDED = frozenset({"Succeeded", "Failed"})
# A CronJob gives its jobs the minute they are due as a suffix.
_CRON = re.compile(r"(.+)-\d{8,10}")
# What a Deployment's ReplicaSets end with: no word, since the letters of hashes have no vowels beside their digits.
_HASHED = re.compile(r"(.+)-(?=[a-z0-9]*[0-9]|[^aeiou]+$)[a-z0-9]{5,10}")
# What amounts and sizes rest on; metrics are told by their own basis.
_COUNTED = frozenset(
    {
        "Pod",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "HorizontalPodAutoscaler",
        "VerticalPodAutoscaler",
        "Service",
    }
)
_STORED = frozenset({"PersistentVolumeClaim", "PersistentVolume"})
_SIZING_MODES = frozenset({"Auto", "Recreate", "Initial", "InPlaceOrRecreate"})


@attrs.define
class _Pods:
    """The pods of one workload; the newest stands for all."""

    workload: Workload
    count: int = 0
    killed: set[str] = attrs.field(factory=set[str])


def read_demands(
    target: str, objects: Iterable[ManifestObject | Problem], idle: IdleReader | None = None
) -> Demands:
    """Return what workloads ask for, and what serves nobody.

    In a cluster that is what its pods ask for, each counted for what makes it; in manifests, where there are no
    pods, the templates as often as they are wanted.

    Args:
        target: Of what the objects are.
        objects: All of them.
        idle: Finds what serves nobody; None for manifests, which do not tell it.
    """
    pods: dict[Reference, _Pods] = {}
    templates: list[tuple[Workload, int]] = []
    scaled: defaultdict[Reference, set[Resource]] = defaultdict(set)
    sized: set[Reference] = set()
    storage: defaultdict[str, float] = defaultdict(float)
    problems: list[Problem] = []
    for found in objects:
        if isinstance(found, Problem):
            problems.append(found)
        elif found.kind == "HorizontalPodAutoscaler":
            scaled[_aim(found, "scaleTargetRef")] |= _driven(found)
        elif found.kind == "VerticalPodAutoscaler":
            if (found.body.get("spec", "updatePolicy", "updateMode").text() or "Auto") in _SIZING_MODES:
                sized.add(_aim(found, "targetRef"))
        elif found.kind in _STORED:
            if size := _stored(found):
                storage[found.namespace] += size
        else:
            _take(found, pods, templates, idle)
        if idle is not None and isinstance(found, ManifestObject):
            idle.take(found)
    workloads = [
        _demand(target, owner, one.workload, one.count, frozenset(one.killed)) for owner, one in pods.items()
    ]
    unread = Unread.of(problems)
    known = {demand.reference for demand in workloads}
    # A template whose pods were read is counted with them, and one that stands for others with those.
    workloads += [
        _demand(target, workload.reference, workload, wanted, frozenset())
        for workload, wanted in templates
        if workload.reference not in known and workload.owner is None and not pods
    ]
    return Demands(
        workloads=tuple(
            attrs.evolve(
                demand,
                scaled_by=frozenset(scaled.get(demand.reference, ())),
                is_sized=demand.reference in sized,
                is_unsure=not unread.is_known("HorizontalPodAutoscaler", demand.reference.namespace),
            )
            for demand in workloads
        ),
        storage_bytes=storage,
        idle=() if idle is None else idle.idle(unread),
        problems=tuple(
            str(problem) for problem in problems if problem.missing & _COUNTED or not problem.missing
        ),
        blind=next((str(one) for one in problems if "Pod" in one.missing and not one.known_in), ""),
    )


def owner_of_pod(found: ManifestObject, workload: Workload) -> Reference:
    """Return what makes a pod in the end, told from its own labels: its ReplicaSet need not be read for it."""
    owner = workload.owner
    if owner is None:
        return workload.reference
    if owner.kind == "ReplicaSet":
        deployment = _deployment_of(
            owner.name, found.body.get("metadata", "labels", "pod-template-hash").text()
        )
        if deployment:
            return Reference("Deployment", found.namespace, deployment, "apps/v1")
    if owner.kind == "Job":
        cron = _CRON.fullmatch(owner.name)
        if cron is not None:
            return Reference("CronJob", found.namespace, cron[1], "batch/v1")
    return owner


def _deployment_of(replica_set: str, template_hash: str) -> str:
    """Return the Deployment that a ReplicaSet is named after; "" when it is on its own."""
    if template_hash:
        suffix = f"-{template_hash}"
        return replica_set.removesuffix(suffix) if replica_set.endswith(suffix) else ""
    # The label can be taken off a pod; the name of the ReplicaSet still tells.
    hashed = _HASHED.fullmatch(replica_set)
    return "" if hashed is None else hashed[1]


def _stored(found: ManifestObject) -> float:
    """Return the bytes that are paid for: what is claimed, and volumes that nobody claims."""
    if found.kind == "PersistentVolume":
        return unclaimed_bytes(found)
    # A claim without a volume is a wish. In manifests it has no phase, and will get one.
    if found.body.get("status", "phase").text() == "Pending":
        return 0.0
    return float(parse_quantity(found.body.get("spec", "resources", "requests", "storage").text()) or 0)


def _take(
    found: ManifestObject,
    pods: dict[Reference, _Pods],
    templates: list[tuple[Workload, int]],
    idle: IdleReader | None,
) -> None:
    workload = read_workload(found)
    if workload is None:
        return
    if found.kind != "Pod":
        templates.append((workload, _wanted(found)))
        return
    if found.body.get("status", "phase").text() in _ENDED:
        return
    owner = owner_of_pod(found, workload)
    if idle is not None:
        idle.take_pod(found, owner)
    entry = pods.setdefault(owner, _Pods(workload))
    entry.workload = workload
    entry.count += 1
    for status in found.body.get("status", "containerStatuses").each():
        for state in ("lastState", "state"):
            if status.get(state, "terminated", "reason").text() == "OOMKilled":
                entry.killed.add(status.get("name").text())


def _wanted(found: ManifestObject) -> int:
    if found.kind in {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}:
        replicas = found.body.get("spec", "replicas").integer()
        return 1 if replicas is None else max(replicas, 0)
    # How many nodes a DaemonSet has, and how often a job runs, no manifest says.
    return 1


def _demand(target: str, owner: Reference, workload: Workload, pods: int, killed: frozenset[str]) -> Demand:
    return Demand(
        target=target,
        reference=owner,
        pods=pods,
        containers=tuple(
            ContainerDemand(name=one.name, size=_size(one), was_killed=one.name in killed)
            for one in workload.containers
            if one.runs_on
        ),
    )


def _size(container: Container) -> Size:
    def number(values: dict[str, str], name: str) -> float:
        quantity = parse_quantity(values.get(name, ""))
        return float(quantity) if quantity is not None and quantity > 0 else 0.0

    cpu_limit, memory_limit = number(container.limits, "cpu"), number(container.limits, "memory")
    return Size(
        # The API server copies a limit into a request that is missing.
        cpu_request=number(container.requests, "cpu") or ("cpu" not in container.requests) * cpu_limit,
        cpu_limit=cpu_limit,
        memory_request=number(container.requests, "memory")
        or ("memory" not in container.requests) * memory_limit,
        memory_limit=memory_limit,
    )


def _aim(found: ManifestObject, member: str) -> Reference:
    aim: Node = found.body.get("spec", member)
    return Reference(aim.get("kind").text(), found.namespace, aim.get("name").text())


def _driven(found: ManifestObject) -> set[Resource]:
    """Return the resources an autoscaler goes by; the first version of its API knew only the CPU."""
    metrics = found.body.get("spec", "metrics").each()
    names = [
        metric.get(member, "name").text()
        for metric in metrics
        for member in ("resource", "containerResource")
    ]
    driven = {Resource(name) for name in names if name in {Resource.CPU, Resource.MEMORY}}
    if not metrics:
        driven.add(Resource.CPU)
    return driven
