"""How bad a difference is, and how it is said."""

from __future__ import annotations

from akmatori_sdk._generated.aotanami.models import DriftOperation, Severity
from akmatori_server.kubernetes.drift.ignored import path_text
from akmatori_server.kubernetes.drift.model import Change, Identity

_RBAC = "rbac.authorization.k8s.io"
_SECURITY = (
    "securityContext",
    "serviceAccountName",
    "automountServiceAccountToken",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostPath",
    "image",
    "capabilities",
    "command",
    "args",
)
_WEAK = ("metadata.labels", "metadata.annotations")


def severity_of(identity: Identity, change: Change | None) -> Severity:
    """Return how bad a difference is; `change` is None when the whole object is there, or missing."""
    if identity.group == _RBAC:
        return Severity.CRITICAL
    if identity.kind in {
        "NetworkPolicy",
        "Secret",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    }:
        return Severity.HIGH
    if change is None:
        return Severity.MEDIUM
    path = path_text(change.place)
    if any(step in _SECURITY for step in change.place) or "[name=hostPath" in path:
        return Severity.HIGH
    if path.startswith(_WEAK) or path == "spec.replicas":
        return Severity.LOW
    return Severity.MEDIUM


def message_of(identity: Identity, change: Change) -> str:
    """Return a difference as a sentence."""
    path = path_text(change.place)
    if change.operation is DriftOperation.ADD:
        return f"{identity.kind} {identity.name} lacks {path}, which is desired."
    if change.operation is DriftOperation.REMOVE:
        return f"{identity.kind} {identity.name} has {path}, which is not desired."
    return f"{identity.kind} {identity.name} has another {path} than is desired."
