"""What is asked for, or paid for, and serves nobody: volumes, Services and workloads without a ready pod. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import attrs

from akmatori_sdk._generated.aotanami.models import Severity
from akmatori_server.kubernetes.clusters.facts import parse_time
from akmatori_server.kubernetes.manifests import MISSING, ManifestObject, Node
from akmatori_server.kubernetes.quantities import parse_quantity
from akmatori_server.kubernetes.selectors import Selector
from akmatori_server.kubernetes.unread import Unread
from akmatori_server.kubernetes.workloads import Reference, reference_of

# What is made or started takes its time before it is of use.
GRACE = timedelta(hours=1)
# Their pods come and go, and are of use without being ready.
_ENDING = frozenset({"Job", "CronJob"})


@attrs.frozen(kw_only=True)
class Idle:
    """Something that serves nobody, and why that is known."""

    target: str
    reference: Reference
    message: str
    severity: Severity
    storage_bytes: float = 0.0
    """What is stored for nothing."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is known by: of a workload, as its demand is."""
        return (self.target, self.reference.namespace, self.reference.kind, self.reference.name)


@attrs.frozen
class _Service:
    reference: Reference
    selector: Selector
    is_balancer: bool


@attrs.define
class _Unready:
    """The pods of a workload, of which none is ready so far."""

    pods: int = 0
    since: datetime | None = None


@attrs.define
class IdleReader:
    """Takes the objects of a live cluster in as a stream, Services before pods."""

    _target: str
    _now: datetime
    _found: list[Idle] = attrs.field(factory=list[Idle])
    _services: defaultdict[str, list[_Service]] = attrs.field(
        factory=lambda: defaultdict[str, list[_Service]](list)
    )
    """By namespace, those that no ready pod was seen behind."""
    _unready: dict[Reference, _Unready] = attrs.field(factory=dict[Reference, _Unready])
    _ready: set[Reference] = attrs.field(factory=set[Reference])

    def take(self, found: ManifestObject) -> None:
        """Take in an object that is no pod."""
        if not self._is_old(found):
            return
        if found.kind == "Service":
            self._take_service(found)
        elif found.kind == "PersistentVolumeClaim":
            self._take_claim(found)
        elif found.kind == "PersistentVolume":
            self._take_volume(found)

    def take_pod(self, found: ManifestObject, owner: Reference) -> None:
        """Take in a pod, and what makes it in the end."""
        ready = _condition(found, "Ready")
        if ready.get("status").text() == "True":
            self._ready.add(owner)
            labels = found.body.get("metadata", "labels").texts()
            waiting = self._services.get(found.namespace)
            if waiting:
                self._services[found.namespace] = [
                    service for service in waiting if not service.selector.picks(labels)
                ]
            return
        known = self._unready.setdefault(owner, _Unready())
        known.pods += 1
        since = _time(ready.get("lastTransitionTime")) or _created(found) or self._now
        known.since = since if known.since is None else max(known.since, since)

    def idle(self, unread: Unread) -> tuple[Idle, ...]:
        """Return what serves nobody. Where not all pods were read, nobody knows of Services and workloads."""
        found = [*self._found]
        for namespace, services in self._services.items():
            if unread.is_known("Pod", namespace):
                found += [self._idle_service(service) for service in services]
        for owner, pods in self._unready.items():
            if owner in self._ready or owner.kind in _ENDING or not unread.is_known("Pod", owner.namespace):
                continue
            if pods.since is not None and self._now - pods.since > GRACE:
                found.append(self._idle_workload(owner, pods, pods.since))
        return tuple(found)

    def _is_old(self, found: ManifestObject) -> bool:
        created = _created(found)
        return created is not None and self._now - created > GRACE

    def _take_service(self, found: ManifestObject) -> None:
        spec = found.body.get("spec")
        labels = spec.get("selector").texts()
        # Without a selector somebody else says what is behind it.
        if labels and spec.get("type").text() != "ExternalName":
            service = _Service(
                reference_of(found), Selector(labels, ()), spec.get("type").text() == "LoadBalancer"
            )
            self._services[found.namespace].append(service)

    def _take_claim(self, found: ManifestObject) -> None:
        phase = found.body.get("status", "phase").text()
        if phase in ("Pending", "Lost"):
            size = found.body.get("spec", "resources", "requests", "storage").text() or "storage"
            self._add(found, f"No volume is bound to the claim {found.name} of {size}: it is {phase}.")

    def _take_volume(self, found: ManifestObject) -> None:
        phase = found.body.get("status", "phase").text()
        if phase in ("Available", "Released"):
            size = found.body.get("spec", "capacity", "storage").text()
            self._add(
                found,
                f"No claim uses the volume {found.name} of {size or 'unknown size'}: it is {phase}.",
                storage_bytes=unclaimed_bytes(found),
            )

    def _add(self, found: ManifestObject, message: str, *, storage_bytes: float = 0.0) -> None:
        self._found.append(
            Idle(
                target=self._target,
                reference=reference_of(found),
                message=message,
                severity=Severity.LOW,
                storage_bytes=storage_bytes,
            )
        )

    def _idle_service(self, service: _Service) -> Idle:
        name = service.reference.name
        message = f"No ready pod is behind the Service {name}."
        if service.is_balancer:
            message += " Its load balancer is paid for all the same."
        severity = Severity.MEDIUM if service.is_balancer else Severity.INFO
        return Idle(target=self._target, reference=service.reference, message=message, severity=severity)

    def _idle_workload(self, owner: Reference, unready: _Unready, since: datetime) -> Idle:
        pods = "The only pod" if unready.pods == 1 else f"None of the {unready.pods} pods"
        has = "has not" if unready.pods == 1 else "has"
        return Idle(
            target=self._target,
            reference=owner,
            message=f"{pods} of the {owner.kind} {owner.name} {has} been ready since {since:%Y-%m-%d %H:%M} UTC.",
            severity=Severity.MEDIUM,
        )


def unclaimed_bytes(found: ManifestObject) -> float:
    """Return the size of a volume that no claim uses; 0 of others, which are counted by their claims."""
    if found.body.get("status", "phase").text() not in ("Available", "Released"):
        return 0.0
    return float(parse_quantity(found.body.get("spec", "capacity", "storage").text()) or 0)


def _condition(found: ManifestObject, name: str) -> Node:
    conditions = found.body.get("status", "conditions").each()
    return next((one for one in conditions if one.get("type").text() == name), MISSING)


def _created(found: ManifestObject) -> datetime | None:
    return _time(found.body.get("metadata", "creationTimestamp"))


def _time(node: Node) -> datetime | None:
    return parse_time(node.text())
