"""From the objects of a cluster to symptoms. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import attrs

from akmatori_sdk._generated.aotanami.models import EventType, Severity
from akmatori_server.incidents.storable import storable_text
from akmatori_server.kubernetes.clusters.facts import parse_time
from akmatori_server.kubernetes.incidents.identity import identity_of
from akmatori_server.kubernetes.incidents.model import Key, Origin, Symptom
from akmatori_server.kubernetes.incidents.owners import Owners, key_of_pod
from akmatori_server.kubernetes.incidents.pods import Restarts, restarts_of, symptoms_of_pod
from akmatori_server.kubernetes.incidents.reasons import NODE_CONDITIONS, warning_of
from akmatori_server.kubernetes.manifests import ManifestObject, Node, Problem
from akmatori_server.kubernetes.unread import Unread

_KINDS = {"Pod": Origin.PODS, "Event": Origin.EVENTS, "Node": Origin.NODES, "Deployment": Origin.DEPLOYMENTS}
LONGEST_MESSAGE = 2000
LONGEST_REASON = 128


@attrs.frozen(kw_only=True)
class Picture:
    """What one reading of a cluster says."""

    symptoms: tuple[Symptom, ...]
    restarts: tuple[Restarts, ...]
    """How often containers have been restarted, those included that never were."""
    read: frozenset[Origin]
    """What was read to its end."""
    read_in: Mapping[Origin, frozenset[str]] = attrs.field(factory=dict[Origin, frozenset[str]])
    """What was read to its end in these namespaces alone."""


class Reader:
    """Takes objects in as a stream; what is known of others is used once all are there."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._owners = Owners()
        self._found: list[Symptom] = []
        self._warnings: list[ManifestObject] = []
        self._restarts: list[Restarts] = []
        self._rollouts: dict[tuple[Key, str], datetime] = {}
        self._deployments: dict[Key, tuple[datetime | None, str]] = {}

    def take(self, found: ManifestObject | Problem) -> None:
        """Take in one object."""
        if isinstance(found, Problem):
            return
        self._owners.learn(found)
        match found.kind:
            case "Pod":
                self._take_pod(found)
            case "Event":
                # What is normal are most.
                if found.body.get("type").text() == "Warning":
                    self._warnings.append(found)
            case "Node":
                self._found += _symptoms_of_node(found, self._now)
            case "Deployment":
                self._take_deployment(found)
            case _:
                pass

    def picture(self, unread: Unread) -> Picture:
        """Return what all objects say together; `unread` are kinds that are not complete."""
        warnings = (_symptom_of_warning(found, self._owners, self._now) for found in self._warnings)
        symptoms = [*self._found, *(symptom for symptom in warnings if symptom is not None)]
        return Picture(
            symptoms=tuple(_storable(self._with_rollout(symptom)) for symptom in symptoms),
            restarts=tuple(self._restarts),
            read=frozenset(origin for kind, origin in _KINDS.items() if kind not in unread.known_in),
            read_in={
                _KINDS[kind]: names for kind, names in unread.known_in.items() if names and kind in _KINDS
            },
        )

    def _take_pod(self, found: ManifestObject) -> None:
        key = key_of_pod(found)
        template = found.body.get("metadata", "labels", "pod-template-hash").text()
        created = parse_time(found.body.get("metadata", "creationTimestamp").text())
        if template and created is not None:
            known = self._rollouts.get((key, template))
            self._rollouts[key, template] = created if known is None else min(known, created)
        self._found += symptoms_of_pod(found, key, template, self._now)
        self._restarts += restarts_of(found, key)

    def _take_deployment(self, found: ManifestObject) -> None:
        metadata = found.body.get("metadata")
        key = Key(found.namespace, "Deployment", found.name)
        revision = found.annotations.get("deployment.kubernetes.io/revision", "")
        self._deployments[key] = (parse_time(metadata.get("creationTimestamp").text()), revision)
        self._found += _symptoms_of_deployment(found, key, self._now)

    def _with_rollout(self, symptom: Symptom) -> Symptom:
        template = symptom.facts.get("podTemplateHash", "")
        began = self._rollouts.get((symptom.key, template))
        if began is None:
            return symptom
        created, revision = self._deployments.get(symptom.key, (None, ""))
        # The first pods of a new workload are no change of anything.
        if created is None or began - created < timedelta(minutes=5):
            return symptom
        facts = {**symptom.facts, "rolloutAt": began.isoformat(), "revision": revision}
        return attrs.evolve(symptom, facts={name: value for name, value in facts.items() if value})


def _symptom_of_warning(found: ManifestObject, owners: Owners, now: datetime) -> Symptom | None:
    body = found.body
    about = body.get("involvedObject") if body.get("involvedObject").exists else body.get("regarding")
    kind, name = about.get("kind").text(), about.get("name").text()
    if not kind or not name:
        return None
    namespace = about.get("namespace").text() or found.namespace
    reason = body.get("reason").text() or "Warning"
    of_type, severity = warning_of(reason, kind)
    number, first, last = _occurred(body, now)
    uid = body.get("metadata", "uid").text() or f"{found.namespace}/{found.name}"
    reporter = body.get("source", "component").text() or body.get("reportingComponent").text()
    return Symptom(
        key=owners.key(kind, namespace, name),
        type=of_type,
        reason=reason,
        severity=severity,
        origin=Origin.EVENTS,
        at=last,
        identity=identity_of("event", uid),
        number=number,
        first_at=first,
        # What happened several times is taken to have happened evenly.
        previous_at=last - (last - first) / (number - 1) if number > 1 else None,
        container=_container(about),
        resource_kind=kind,
        resource_name=name,
        message=body.get("message").text() or body.get("note").text(),
        source=f"event/{reporter or 'unknown'}",
        facts={"reason": reason},
    )


def _container(about: Node) -> str:
    # Such as spec.containers{web}.
    _, brace, rest = about.get("fieldPath").text().partition("{")
    return rest.removesuffix("}") if brace else ""


def _occurred(body: Node, now: datetime) -> tuple[int, datetime, datetime]:
    """Return how often an event happened, when first and when last."""
    series = body.get("series")
    counts = [
        node.integer() for node in (body.get("count"), body.get("deprecatedCount"), series.get("count"))
    ]
    number = max([1, *(count for count in counts if count is not None)])
    moments = [
        parse_time(node.text())
        for node in (
            series.get("lastObservedTime"),
            body.get("lastTimestamp"),
            body.get("eventTime"),
            body.get("firstTimestamp"),
            body.get("metadata", "creationTimestamp"),
        )
    ]
    known = [moment for moment in moments if moment is not None]
    last = min(max(known, default=now), now)
    return number, min(min(known, default=now), last), last


def _symptoms_of_node(found: ManifestObject, now: datetime) -> Iterator[Symptom]:
    for condition in found.body.get("status", "conditions").each():
        name, status = condition.get("type").text(), condition.get("status").text()
        severity = NODE_CONDITIONS.get(name) if status == "True" else None
        reason = name
        if name == "Ready" and status in ("False", "Unknown"):
            severity, reason = Severity.CRITICAL, "NotReady"
        if severity is None:
            continue
        yield Symptom(
            key=Key("", "Node", found.name),
            type=EventType.NODE_CONDITION,
            reason=reason,
            severity=severity,
            origin=Origin.NODES,
            at=parse_time(condition.get("lastTransitionTime").text()) or now,
            identity=identity_of("node", found.name, name),
            stands=True,
            resource_kind="Node",
            resource_name=found.name,
            message=condition.get("message").text(),
            source="node-conditions",
            facts={"reason": condition.get("reason").text() or reason, "status": status},
        )


def _symptoms_of_deployment(found: ManifestObject, key: Key, now: datetime) -> Iterator[Symptom]:
    for condition in found.body.get("status", "conditions").each():
        reason = condition.get("reason").text()
        if condition.get("type").text() != "Progressing" or reason != "ProgressDeadlineExceeded":
            continue
        yield Symptom(
            key=key,
            type=EventType.DEPLOYMENT,
            reason=reason,
            severity=Severity.HIGH,
            origin=Origin.DEPLOYMENTS,
            at=parse_time(condition.get("lastTransitionTime").text()) or now,
            identity=identity_of("deployment", found.namespace, found.name, reason),
            stands=True,
            resource_kind="Deployment",
            resource_name=found.name,
            message=condition.get("message").text(),
            source="deployment-conditions",
            facts={"reason": reason},
        )


def _storable(symptom: Symptom) -> Symptom:
    key = symptom.key
    return attrs.evolve(
        symptom,
        key=Key(storable_text(key.namespace, 63), storable_text(key.kind, 63), storable_text(key.name, 253)),
        reason=storable_text(symptom.reason, LONGEST_REASON),
        container=storable_text(symptom.container, 63),
        resource_kind=storable_text(symptom.resource_kind, 63),
        resource_name=storable_text(symptom.resource_name, 253),
        message=storable_text(symptom.message, LONGEST_MESSAGE),
        source=storable_text(symptom.source, 300),
        facts={name: storable_text(value, LONGEST_MESSAGE) for name, value in symptom.facts.items()},
    )
