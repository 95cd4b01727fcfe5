"""From objects to what they point at."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from akmatori_server.kubernetes.links.model import (
    Autoscaler,
    Budget,
    Links,
    PickingPolicy,
    PodPickers,
    Service,
)
from akmatori_server.kubernetes.manifests import ManifestObject, Node
from akmatori_server.kubernetes.networking import NetworkPolicy
from akmatori_server.kubernetes.selectors import Selector, read_selector
from akmatori_server.kubernetes.workloads import Reference
from akmatori_server.kubernetes.workloads.reading import reference_of

LINK_KINDS = ("Service", "PodDisruptionBudget", "HorizontalPodAutoscaler")
"""The kinds that are read for what they point at; NetworkPolicies are read for more than that."""

# Labels that controllers give to each of their pods, and that no template has.
_OF_CONTROLLERS = frozenset(
    {
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/job-name",
        "controller-revision-hash",
        "controller-uid",
        "job-name",
        "pod-template-generation",
        "pod-template-hash",
        "statefulset.kubernetes.io/pod-name",
    }
)
_MOST_REPLICAS = 2**31 - 1


@attrs.define
class LinkReader:
    """Collects what objects point at."""

    _services: list[Service] = attrs.field(factory=list[Service])
    _budgets: list[Budget] = attrs.field(factory=list[Budget])
    _autoscalers: dict[Reference, Autoscaler] = attrs.field(factory=dict[Reference, Autoscaler])
    _ports: dict[Reference, frozenset[str] | None] = attrs.field(
        factory=dict[Reference, frozenset[str] | None]
    )

    def add(self, found: ManifestObject) -> None:
        """Take an object; those of other kinds are passed over."""
        reader = _READERS.get((found.kind, found.group))
        if reader is not None:
            reader(self, found)

    def links(self, policies: Iterable[NetworkPolicy]) -> Links:
        """Return what was collected, with the policies, which somebody else read."""
        return Links(
            services=PodPickers[Service].of(self._services),
            budgets=PodPickers[Budget].of(self._budgets),
            policies=PodPickers[PickingPolicy].of(
                PickingPolicy(
                    Reference("NetworkPolicy", policy.namespace, policy.name), without_given(policy.selector)
                )
                for policy in policies
            ),
            autoscalers=self._autoscalers,
            ports=self._ports,
            service_namespaces=frozenset(reference.namespace for reference in self._ports),
        )

    def service(self, found: ManifestObject) -> None:
        """Take a Service."""
        reference, spec = reference_of(found), found.body.get("spec")
        labels = spec.get("selector").texts()
        named = frozenset(
            text for item in spec.get("ports").each() for text in (item.get("name").text(), _number(item))
        )
        is_elsewhere = spec.get("type").text() == "ExternalName"
        self._ports[reference] = None if is_elsewhere else named - {""}
        if labels and not is_elsewhere:
            until_ready = spec.get("publishNotReadyAddresses").boolean() is not True
            selector = without_given(Selector(labels, ()))
            self._services.append(Service(reference, selector, until_ready, target_ports(found)))

    def budget(self, found: ManifestObject) -> None:
        """Take a PodDisruptionBudget."""
        spec = found.body.get("spec")
        if spec.get("selector").exists:
            self._budgets.append(
                Budget(
                    reference_of(found),
                    without_given(read_selector(spec.get("selector"))),
                    spec.get("minAvailable").text(),
                    spec.get("maxUnavailable").text(),
                )
            )

    def autoscaler(self, found: ManifestObject) -> None:
        """Take a HorizontalPodAutoscaler."""
        spec, target = found.body.get("spec"), scaled_by(found)
        minimum, maximum = spec.get("minReplicas").integer(), spec.get("maxReplicas").integer()
        self._autoscalers[target] = Autoscaler(
            target,
            1 if minimum is None else minimum,
            _MOST_REPLICAS if maximum is None else maximum,
            reference_of(found),
            found.source,
        )

    def scaled_object(self, found: ManifestObject) -> None:
        """Take a ScaledObject of KEDA, of which its controller makes an autoscaler."""
        spec, named = found.body.get("spec"), scaled_by(found)
        target = attrs.evolve(named, kind=named.kind or "Deployment")
        maximum = spec.get("maxReplicaCount").integer()
        self._autoscalers[target] = Autoscaler(
            target,
            spec.get("minReplicaCount").integer() or 0,
            _MOST_REPLICAS if maximum is None else maximum,
            reference_of(found),
            found.source,
        )


_READERS: dict[tuple[str, str], Callable[[LinkReader, ManifestObject], None]] = {
    ("Service", ""): LinkReader.service,
    ("PodDisruptionBudget", "policy"): LinkReader.budget,
    ("HorizontalPodAutoscaler", "autoscaling"): LinkReader.autoscaler,
    ("ScaledObject", "keda.sh"): LinkReader.scaled_object,
}


def scaled_by(found: ManifestObject) -> Reference:
    """Return what an autoscaler scales."""
    target = found.body.get("spec", "scaleTargetRef")
    return Reference(
        target.get("kind").text(), found.namespace, target.get("name").text(), target.get("apiVersion").text()
    )


def target_ports(found: ManifestObject) -> frozenset[str]:
    """Return the ports that a Service sends connections to and that are names."""
    ports = (item.get("targetPort").text() for item in found.body.get("spec", "ports").each())
    return frozenset(name for name in ports if name and not name.isdigit())


def without_given(selector: Selector) -> Selector:
    """Return a selector without the labels that pods are given by what makes them: templates do not tell those."""
    return attrs.evolve(
        selector,
        labels={name: value for name, value in selector.labels.items() if name not in _OF_CONTROLLERS},
        requirements=tuple(item for item in selector.requirements if item.key not in _OF_CONTROLLERS),
    )


def _number(port: Node) -> str:
    number = port.get("port").integer()
    return "" if number is None else str(number)
