"""What was met, while objects go by, of that to which others point. What goes by is not kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from akmatori_server.kubernetes.links.model import Budget, Links, Service
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.workloads import Reference, Workload
from akmatori_server.kubernetes.workloads.reading import WORKLOAD_KINDS

# What serves objects of its own, such as custom resources, has a domain of its own as its group.
_OURS = (".k8s.io", ".kubernetes.io")


@attrs.define
class Sightings:
    """Remembers who was pointed at: no more than there are objects that point, and namespaces."""

    links: Links
    _met: set[Reference] = attrs.field(factory=set[Reference])
    """What picks something that was met, and what autoscalers point at."""
    _namespaces: set[str] = attrs.field(factory=set[str])
    _replicas: dict[Reference, int | None] = attrs.field(factory=dict[Reference, int | None])
    """By budget: pods that it is for; None where that cannot be known."""
    _ports: dict[Reference, frozenset[str]] = attrs.field(factory=dict[Reference, frozenset[str]])
    """By Service: what it sends connections to, and no container that was met has as the name of a port."""
    _makers: set[int] = attrs.field(factory=set[int])

    def see(self, found: ManifestObject, workload: Workload | None) -> None:
        """Look at an object that goes by."""
        if workload is not None:
            self._see_workload(workload)
        elif _is_custom(found):
            # It may make pods; nobody but its controller knows which, unless it has a template like others.
            self._makers.add(hash((found.namespace, found.name)))
            labels = found.body.get("spec", "template", "metadata", "labels").texts()
            for reference in self._pick(found.namespace, labels, None):
                self._replicas[reference] = None

    def is_met(self, reference: Reference) -> bool:
        """Whether something that an object picks was met; of a workload, whether it was met itself, if it is scaled."""
        return reference in self._met

    def has_workloads(self, namespace: str) -> bool:
        """Whether a workload of the namespace was met."""
        return namespace in self._namespaces

    def may_be_made(self, namespace: str, labels: Iterable[str]) -> bool:
        """Whether pods with labels of these values may be made by a custom resource, which has one as its name."""
        return any(hash((namespace, value)) in self._makers for value in labels)

    def replicas(self, budget: Reference) -> int | None:
        """Return how many pods a budget is for at most; None where that is not known."""
        return self._replicas.get(budget, 0)

    def unnamed_ports(self, service: Reference) -> frozenset[str]:
        """Return the ports that a Service names, and that no container that it selects does; none if none was met."""
        return self._ports.get(service, frozenset())

    def _see_ports(self, service: Service, workload: Workload | None) -> None:
        if asked := self._ports.get(service.reference, service.target_ports):
            # The containers of a custom resource are not looked at: they may have all names.
            named = asked if workload is None else _port_names(workload)
            self._ports[service.reference] = asked - named

    def _see_workload(self, workload: Workload) -> None:
        reference = workload.reference
        self._namespaces.add(reference.namespace)
        scaler = self.links.autoscalers.get(reference)
        if scaler is not None:
            self._met.add(scaler.target)
        budgets = self._pick(reference.namespace, workload.labels, workload)
        if not budgets or (workload.owner is not None and workload.owner.kind in WORKLOAD_KINDS):
            return  # its owner is counted
        known = None if workload.owner is not None else workload.replicas
        if known is not None and scaler is not None:
            known = max(known, scaler.maximum)
        for budget in budgets:
            before = self._replicas.get(budget, 0)
            self._replicas[budget] = None if known is None or before is None else before + known

    def _pick(self, namespace: str, labels: Mapping[str, str], workload: Workload | None) -> list[Reference]:
        """Remember who picks these labels, and return the budgets among them."""
        budgets: Iterable[Budget] = self.links.budgets.picking(namespace, labels)
        found = [budget.reference for budget in budgets]
        self._met.update(found)
        for service in self.links.services.picking(namespace, labels):
            self._met.add(service.reference)
            self._see_ports(service, workload)
        self._met.update(policy.reference for policy in self.links.policies.picking(namespace, labels))
        return found


def _port_names(workload: Workload) -> frozenset[str]:
    nodes = (workload.spec.nearest(container.at) for container in workload.containers)
    return frozenset(port.get("name").text() for node in nodes for port in node.get("ports").each())


def _is_custom(found: ManifestObject) -> bool:
    return "." in found.group and not found.group.endswith(_OURS)
