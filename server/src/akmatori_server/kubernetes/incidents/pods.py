"""What the states of a pod's containers say. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import attrs

from akmatori_sdk._generated.aotanami.models import EventType, Severity
from akmatori_server.kubernetes.clusters.facts import parse_time
from akmatori_server.kubernetes.incidents.identity import identity_of
from akmatori_server.kubernetes.incidents.model import Key, Origin, Symptom
from akmatori_server.kubernetes.incidents.reasons import ALIASES, TERMINATED, WAITING
from akmatori_server.kubernetes.manifests import ManifestObject, Node

_STATUSES = ("containerStatuses", "initContainerStatuses")


@attrs.frozen(kw_only=True)
class Restarts:
    """How often one container of one pod has been restarted."""

    key: Key
    container: str
    pod: str
    identity: str
    number: int


def symptoms_of_pod(found: ManifestObject, key: Key, template: str, now: datetime) -> Iterator[Symptom]:
    """Return what is wrong with a pod's containers, and how they ended."""
    specs = _specs(found)
    for status in _statuses(found):
        name = status.get("name").text()
        spec = specs.get(name)
        facts = {
            "container": name,
            "restartCount": str(status.get("restartCount").integer() or 0),
            "image": status.get("image").text(),
            "memoryLimit": "" if spec is None else spec.get("resources", "limits", "memory").text(),
            "podTemplateHash": template,
        }
        common = _Common(found, key, name, {fact: value for fact, value in facts.items() if value})
        yield from _waiting(common, status, now)
        for state in ("lastState", "state"):
            yield from _terminated(common, status.get(state, "terminated"), now)


def restarts_of(found: ManifestObject, key: Key) -> Iterator[Restarts]:
    """Return how often each container was restarted."""
    for status in _statuses(found):
        name = status.get("name").text()
        yield Restarts(
            key=key,
            container=name[:63],
            pod=found.name,
            identity=identity_of("restarts", _uid(found), name),
            number=max(status.get("restartCount").integer() or 0, 0),
        )


@attrs.frozen
class _Common:
    pod: ManifestObject
    key: Key
    container: str
    facts: dict[str, str]

    def symptom(
        self, of_type: EventType, severity: Severity, reason: str, at: datetime, identity: str, **more: str
    ) -> Symptom:
        exit_code = more.pop("exit_code", "")
        facts = {**self.facts, "reason": reason} | ({"exitCode": exit_code} if exit_code else {})
        return Symptom(
            key=self.key,
            type=of_type,
            reason=reason,
            severity=severity,
            origin=Origin.PODS,
            at=at,
            identity=identity,
            container=self.container,
            resource_kind="Pod",
            resource_name=self.pod.name,
            message=more["message"],
            source="container-status",
            facts=facts,
        )


def _waiting(common: _Common, status: Node, now: datetime) -> Iterator[Symptom]:
    waiting = status.get("state", "waiting")
    written = waiting.get("reason").text()
    reason = ALIASES.get(written, written)
    known = WAITING.get(reason)
    if known is None:
        return
    ended = parse_time(status.get("lastState", "terminated", "finishedAt").text())
    # Since when a container waits is not written; its pod is older in any case.
    started = ended or parse_time(common.pod.body.get("metadata", "creationTimestamp").text()) or now
    identity = identity_of("waiting", _uid(common.pod), common.container, reason)
    message = waiting.get("message").text() or f"The container {common.container} waits: {reason}."
    found = common.symptom(*known, reason, started, identity, message=message)
    yield attrs.evolve(found, stands=True)


def _terminated(common: _Common, ended: Node, now: datetime) -> Iterator[Symptom]:
    code, reason = ended.get("exitCode").integer(), ended.get("reason").text()
    if not ended.exists or (code in (0, None) and reason not in TERMINATED):
        return
    of_type, severity = TERMINATED.get(reason, (EventType.POD_CRASH, Severity.MEDIUM))
    at = parse_time(ended.get("finishedAt").text())
    identity = identity_of(
        "terminated", _uid(common.pod), common.container, ended.get("finishedAt").text(), reason or "Error"
    )
    said = ended.get("message").text()
    message = (
        f"The container {common.container} was killed because it was out of memory."
        if reason == "OOMKilled"
        else f"The container {common.container} ended with exit code {code}{f': {said}' if said else '.'}"
    )
    yield common.symptom(
        of_type,
        severity,
        reason or "Error",
        at or now,
        identity,
        message=message,
        exit_code="" if code is None else str(code),
    )


def _statuses(found: ManifestObject) -> Iterator[Node]:
    for name in _STATUSES:
        yield from found.body.get("status", name).each()


def _specs(found: ManifestObject) -> dict[str, Node]:
    spec = found.body.get("spec")
    return {
        node.get("name").text(): node
        for name in ("containers", "initContainers")
        for node in spec.get(name).each()
    }


def _uid(found: ManifestObject) -> str:
    return found.body.get("metadata", "uid").text() or f"{found.namespace}/{found.name}"
