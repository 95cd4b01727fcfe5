"""Checks of what points at something that is not there: Services, Ingresses, policies, budgets, autoscalers.

Files are often a part of what runs. So in them only what points at nothing beside others of what it looks for counts,
and nothing that may be made by a controller of somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, EndCheck, Hit, ObjectCheck, Question
from akmatori_server.kubernetes.links import Sightings
from akmatori_server.kubernetes.links.reading import scaled_by, target_ports, without_given
from akmatori_server.kubernetes.manifests import ManifestObject, Node
from akmatori_server.kubernetes.manifests.nodes import Path
from akmatori_server.kubernetes.selectors import Selector, read_selector
from akmatori_server.kubernetes.workloads import Reference, reference_of
from akmatori_server.kubernetes.workloads.reading import WORKLOAD_KINDS

_SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})
_OURS = ("kubernetes.io", "k8s.io")
# The port of a backend that the controller of an Ingress takes from its annotations.
_ANNOTATED = "use-annotation"


def _service(found: ManifestObject, _: Context) -> Iterator[Question]:
    spec = found.body.get("spec")
    labels = spec.get("selector").texts()
    # Without a selector somebody else writes its endpoints.
    if found.group == "" and labels and spec.get("type").text() != "ExternalName":
        yield _question(found, ("spec", "selector"), Selector(labels, ()))


def _service_port(found: ManifestObject, _: Context) -> Iterator[Question]:
    spec, reference = found.body.get("spec"), reference_of(found)
    if found.group != "" or spec.get("type").text() == "ExternalName":
        return
    for index, item in enumerate(spec.get("ports").each()):
        name = item.get("targetPort").text()
        if name in target_ports(found):
            hit = Hit(("spec", "ports", index, "targetPort"), evidence=name[:100], discriminator=name)
            yield Question(hit, _if_unnamed(reference, name, hit))


def _if_unnamed(service: Reference, name: str, hit: Hit) -> Callable[[Sightings], Hit | None]:
    return lambda sightings: hit if name in sightings.unnamed_ports(service) else None


def _policy(found: ManifestObject, _: Context) -> Iterator[Question]:
    selector = read_selector(found.body.get("spec", "podSelector"))
    # An empty one is for all pods that there will ever be.
    if found.group == "networking.k8s.io" and not selector.is_empty:
        yield _question(found, ("spec", "podSelector"), selector)


def _budget(found: ManifestObject, _: Context) -> Iterator[Question]:
    if found.group == "policy":
        yield _question(found, ("spec", "selector"), read_selector(found.body.get("spec", "selector")))


def _question(found: ManifestObject, path: Path, selector: Selector) -> Question:
    reference, is_written = reference_of(found), bool(found.source.file)
    known = without_given(selector)
    values = tuple(known.labels.values())
    is_foreign = is_written and any(_is_foreign(name) for name in known.labels)
    hit = Hit(path, evidence=_shown(selector))

    def answer(sightings: Sightings) -> Hit | None:
        if sightings.is_met(reference) or is_foreign:
            return None
        namespace = reference.namespace
        if is_written and (
            not sightings.has_workloads(namespace) or sightings.may_be_made(namespace, values)
        ):
            return None
        return hit

    return Question(hit, answer, lambda sightings: sightings.is_met(reference))


def _is_foreign(label: str) -> bool:
    """Whether a label may be what a controller of somebody else gives to the pods that it makes."""
    domain, slash, _ = label.rpartition("/")
    return bool(slash) and not domain.endswith(_OURS)


def _shown(selector: Selector) -> str:
    parts = [f"{name}={value}" for name, value in sorted(selector.labels.items())]
    parts += [f"{item.key} {item.operator}" for item in selector.requirements]
    return ", ".join(parts)[:500]


def _autoscaler(found: ManifestObject, _: Context) -> Iterator[Question]:
    target = scaled_by(found)
    if found.group != "autoscaling" or target.kind not in _SCALED or not target.name:
        return
    is_written = bool(found.source.file)
    hit = Hit(("spec", "scaleTargetRef"), evidence=f"{target.kind} {target.name}"[:500])

    def answer(sightings: Sightings) -> Hit | None:
        is_unknown = is_written and not sightings.has_workloads(found.namespace)
        return None if is_unknown or sightings.is_met(target) else hit

    yield Question(hit, answer, lambda sightings: sightings.is_met(target))


def _backends(found: ManifestObject) -> Iterator[tuple[Path, Node]]:
    spec = found.body.get("spec")
    for name in ("defaultBackend", "backend"):
        yield ("spec", name), spec.get(name)
    for index, rule in enumerate(spec.get("rules").each()):
        for number, item in enumerate(rule.get("http", "paths").each()):
            yield ("spec", "rules", index, "http", "paths", number, "backend"), item.get("backend")


def _ingress(found: ManifestObject, context: Context) -> Iterator[Hit]:
    links, told = context.links, set[str]()
    if found.group not in ("networking.k8s.io", "extensions"):
        return
    if found.source.file and found.namespace not in links.service_namespaces:
        return
    for path, backend in _backends(found):
        name = backend.get("service", "name").text() or backend.get("serviceName").text()
        port = backend.get("service", "port")
        asked = port.get("number").text() or port.get("name").text() or backend.get("servicePort").text()
        service = Reference("Service", found.namespace, name)
        if not name or asked == _ANNOTATED:
            continue
        ports = links.ports.get(service, frozenset())
        if service not in links.ports:
            evidence = f"Service {name}"
        elif asked and ports is not None and asked not in ports:
            evidence = f"Service {name} has no port {asked}"
        else:
            continue
        if evidence not in told:
            told.add(evidence)
            yield Hit(path, evidence=evidence[:500], discriminator=evidence)


_SEEN = WORKLOAD_KINDS

CHECKS: tuple[Check, ...] = (
    EndCheck(
        "service-matches-nothing",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "Service that selects no pods",
        "No workload that was read has the labels of its selector: whoever connects gets no answer.",
        "Compare spec.selector with the labels of the pod template.",
        controls(),
        frozenset({"Service"}),
        _service,
        needs_nearby=_SEEN,
    ),
    EndCheck(
        "service-port-missing",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "Service to a port that no container names",
        "No container that it selects has a port of the name in targetPort: whoever connects gets no answer.",
        "Name the port under ports of the container, or write its number into targetPort.",
        controls(),
        frozenset({"Service"}),
        _service_port,
        needs_nearby=_SEEN,
        in_system=False,
    ),
    ObjectCheck(
        "ingress-backend-missing",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "Ingress to a Service that is not there",
        "No Service of this name and port was read in the namespace: requests end in an error.",
        "Name a Service of the namespace, and one of its ports.",
        controls(),
        frozenset({"Ingress"}),
        _ingress,
        needs_nearby=frozenset({"Service"}),
    ),
    EndCheck(
        "network-policy-matches-nothing",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "NetworkPolicy that selects no pods",
        "No workload that was read has the labels of its podSelector: it protects nothing.",
        "Compare spec.podSelector with the labels of the pod template.",
        controls(),
        frozenset({"NetworkPolicy"}),
        _policy,
        needs_nearby=_SEEN,
    ),
    EndCheck(
        "disruption-budget-matches-nothing",
        Severity.LOW,
        Category.RESOURCE_LIMITS,
        "PodDisruptionBudget that selects no pods",
        "No workload that was read has the labels of its selector: it guards nothing.",
        "Compare spec.selector with the labels of the pod template.",
        controls(),
        frozenset({"PodDisruptionBudget"}),
        _budget,
        needs_nearby=_SEEN,
        in_system=False,
    ),
    EndCheck(
        "autoscaler-target-missing",
        Severity.LOW,
        Category.RESOURCE_LIMITS,
        "Autoscaler of a workload that is not there",
        "No workload of this kind and name was read in the namespace: nothing is scaled.",
        "Name the workload in spec.scaleTargetRef as it is named itself.",
        controls(),
        frozenset({"HorizontalPodAutoscaler"}),
        _autoscaler,
        needs_nearby=_SCALED,
        in_system=False,
    ),
)
"""In the order in which they are listed."""
