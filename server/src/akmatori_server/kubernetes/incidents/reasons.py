"""What the reasons that Kubernetes gives mean: the type of the event, and how bad it is."""

from __future__ import annotations

from akmatori_sdk._generated.aotanami.models import EventType, Severity

_CRASH, _ROLLOUT, _CONFIG = EventType.POD_CRASH, EventType.DEPLOYMENT, EventType.CONFIG_CHANGE
_NETWORK, _NODE = EventType.NETWORK_ANOMALY, EventType.NODE_CONDITION
_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW

WAITING: dict[str, tuple[EventType, Severity]] = {
    "CrashLoopBackOff": (_CRASH, _HIGH),
    "RunContainerError": (_CRASH, _HIGH),
    "ImagePullBackOff": (_ROLLOUT, _HIGH),
    "ErrImageNeverPull": (_ROLLOUT, _HIGH),
    "InvalidImageName": (_ROLLOUT, _HIGH),
    "ImageInspectError": (_ROLLOUT, _HIGH),
    "RegistryUnavailable": (_ROLLOUT, _HIGH),
    "CreateContainerConfigError": (_CONFIG, _HIGH),
    "CreateContainerError": (_CONFIG, _HIGH),
}
"""Reasons why a container waits that do not pass by themselves."""

ALIASES = {"ErrImagePull": "ImagePullBackOff"}
"""Reasons that take turns with another, and say the same."""

TERMINATED: dict[str, tuple[EventType, Severity]] = {
    "OOMKilled": (_CRASH, _HIGH),
    "StartError": (_CRASH, _HIGH),
    "ContainerCannotRun": (_CRASH, _HIGH),
}
"""Reasons why a container ended; every other end with an exit code is of medium severity."""

NODE_CONDITIONS: dict[str, Severity] = {
    "MemoryPressure": _HIGH,
    "DiskPressure": _HIGH,
    "PIDPressure": _HIGH,
    "NetworkUnavailable": _HIGH,
}
"""Conditions of nodes that are bad when they are true. That `Ready` is not is critical."""

WARNINGS: dict[str, tuple[EventType, Severity]] = {
    "BackOff": (_CRASH, _MEDIUM),
    "Failed": (_CRASH, _MEDIUM),
    # Every start of a slow container makes some; alone they say nothing.
    "Unhealthy": (_CRASH, _LOW),
    "ProbeWarning": (_CRASH, _LOW),
    "Evicted": (_CRASH, _HIGH),
    "OOMKilling": (_CRASH, _HIGH),
    "SystemOOM": (_NODE, _HIGH),
    "FailedPostStartHook": (_CRASH, _MEDIUM),
    "FailedPreStopHook": (_CRASH, _LOW),
    "FailedScheduling": (_ROLLOUT, _MEDIUM),
    "FailedCreate": (_ROLLOUT, _HIGH),
    "BackoffLimitExceeded": (_CRASH, _HIGH),
    "DeadlineExceeded": (_CRASH, _MEDIUM),
    "ReplicaSetCreateError": (_ROLLOUT, _HIGH),
    "FailedMount": (_CONFIG, _MEDIUM),
    "FailedAttachVolume": (_CONFIG, _MEDIUM),
    "ProvisioningFailed": (_CONFIG, _MEDIUM),
    "FailedCreatePodSandBox": (_NETWORK, _MEDIUM),
    "NetworkNotReady": (_NETWORK, _MEDIUM),
    "DNSConfigForming": (_NETWORK, _LOW),
    "FailedGetResourceMetric": (_ROLLOUT, _LOW),
    "FailedComputeMetricsReplicas": (_ROLLOUT, _LOW),
}
"""Reasons of core events of type Warning."""

_BY_KIND = {"Pod": _CRASH, "Node": _NODE}


def warning_of(reason: str, kind: str) -> tuple[EventType, Severity]:
    """Return what a warning on an object of a kind is; of a reason that is not known, medium."""
    return WARNINGS.get(reason) or (_BY_KIND.get(kind, _ROLLOUT), _MEDIUM)
