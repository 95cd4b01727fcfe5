"""Which versions of which APIs Kubernetes stopped to serve, and what took their place.

From the Deprecated API Migration Guide of the Kubernetes documentation; the newest release that removes something in it
is 1.32.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

import attrs

Release: TypeAlias = tuple[int, int]
# With or without what `kubectl version` tells behind the second number, such as v1.33.4-eks-99bf6f.
_RELEASE = re.compile(r"v?(1)\.([0-9]{1,3})(?:\.[0-9]{1,4})?(?:[-+][0-9A-Za-z.+-]{0,60})?")


def release_of(text: str) -> Release | None:
    """Return the release that somebody names; None for what is none."""
    found = _RELEASE.fullmatch(text.strip())
    return None if found is None else (int(found[1]), int(found[2]))


@attrs.frozen
class OldVersion:
    """A version of an API that has a newer one."""

    replacement: str
    """Empty where nothing took its place."""
    since: Release
    """The release from which on the replacement is there."""
    removed: Release
    """The first release that does not serve it."""


_RBAC = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_FLOW = ("FlowSchema", "PriorityLevelConfiguration")
_NEW_FLOW = "flowcontrol.apiserver.k8s.io/v1 (before 1.29 v1beta3)"
_HOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_REVIEWS = ("LocalSubjectAccessReview", "SelfSubjectAccessReview", "SubjectAccessReview")
_APPS = ("DaemonSet", "Deployment", "ReplicaSet")

# The old version, its kinds, the new version, the release that began to serve that, and the one that ended the old.
_ROWS: tuple[tuple[str, tuple[str, ...], str, Release, Release], ...] = (
    ("flowcontrol.apiserver.k8s.io/v1beta3", _FLOW, "flowcontrol.apiserver.k8s.io/v1", (1, 29), (1, 32)),
    ("flowcontrol.apiserver.k8s.io/v1beta2", _FLOW, _NEW_FLOW, (1, 26), (1, 29)),
    ("flowcontrol.apiserver.k8s.io/v1beta1", _FLOW, _NEW_FLOW, (1, 26), (1, 26)),
    ("storage.k8s.io/v1beta1", ("CSIStorageCapacity",), "storage.k8s.io/v1", (1, 24), (1, 27)),
    ("autoscaling/v2beta2", ("HorizontalPodAutoscaler",), "autoscaling/v2", (1, 23), (1, 26)),
    ("autoscaling/v2beta1", ("HorizontalPodAutoscaler",), "autoscaling/v2", (1, 23), (1, 25)),
    ("batch/v1beta1", ("CronJob",), "batch/v1", (1, 21), (1, 25)),
    ("discovery.k8s.io/v1beta1", ("EndpointSlice",), "discovery.k8s.io/v1", (1, 21), (1, 25)),
    ("events.k8s.io/v1beta1", ("Event",), "events.k8s.io/v1", (1, 19), (1, 25)),
    ("policy/v1beta1", ("PodDisruptionBudget",), "policy/v1", (1, 21), (1, 25)),
    ("policy/v1beta1", ("PodSecurityPolicy",), "", (1, 21), (1, 25)),
    ("node.k8s.io/v1beta1", ("RuntimeClass",), "node.k8s.io/v1", (1, 20), (1, 25)),
    ("admissionregistration.k8s.io/v1beta1", _HOOKS, "admissionregistration.k8s.io/v1", (1, 16), (1, 22)),
    (
        "apiextensions.k8s.io/v1beta1",
        ("CustomResourceDefinition",),
        "apiextensions.k8s.io/v1",
        (1, 16),
        (1, 22),
    ),
    ("apiregistration.k8s.io/v1beta1", ("APIService",), "apiregistration.k8s.io/v1", (1, 10), (1, 22)),
    ("authentication.k8s.io/v1beta1", ("TokenReview",), "authentication.k8s.io/v1", (1, 6), (1, 22)),
    ("authorization.k8s.io/v1beta1", _REVIEWS, "authorization.k8s.io/v1", (1, 6), (1, 22)),
    (
        "certificates.k8s.io/v1beta1",
        ("CertificateSigningRequest",),
        "certificates.k8s.io/v1",
        (1, 19),
        (1, 22),
    ),
    ("coordination.k8s.io/v1beta1", ("Lease",), "coordination.k8s.io/v1", (1, 14), (1, 22)),
    ("extensions/v1beta1", ("Ingress",), "networking.k8s.io/v1", (1, 19), (1, 22)),
    ("networking.k8s.io/v1beta1", ("Ingress", "IngressClass"), "networking.k8s.io/v1", (1, 19), (1, 22)),
    ("rbac.authorization.k8s.io/v1beta1", _RBAC, "rbac.authorization.k8s.io/v1", (1, 8), (1, 22)),
    ("scheduling.k8s.io/v1beta1", ("PriorityClass",), "scheduling.k8s.io/v1", (1, 14), (1, 22)),
    ("storage.k8s.io/v1beta1", ("CSIDriver",), "storage.k8s.io/v1", (1, 19), (1, 22)),
    ("storage.k8s.io/v1beta1", ("CSINode",), "storage.k8s.io/v1", (1, 17), (1, 22)),
    ("storage.k8s.io/v1beta1", ("StorageClass",), "storage.k8s.io/v1", (1, 6), (1, 22)),
    ("storage.k8s.io/v1beta1", ("VolumeAttachment",), "storage.k8s.io/v1", (1, 13), (1, 22)),
    ("extensions/v1beta1", ("NetworkPolicy",), "networking.k8s.io/v1", (1, 8), (1, 16)),
    ("extensions/v1beta1", ("PodSecurityPolicy",), "", (1, 10), (1, 16)),
    ("extensions/v1beta1", _APPS, "apps/v1", (1, 9), (1, 16)),
    ("apps/v1beta2", (*_APPS, "StatefulSet"), "apps/v1", (1, 9), (1, 16)),
    ("apps/v1beta1", ("Deployment", "ReplicaSet", "StatefulSet"), "apps/v1", (1, 9), (1, 16)),
)

OLD_VERSIONS: Mapping[tuple[str, str], OldVersion] = {
    (version, kind): OldVersion(replacement, since, removed)
    for version, kinds, replacement, since, removed in _ROWS
    for kind in kinds
}
"""By the version and the kind."""

OLD_KINDS = frozenset(kind for _, kind in OLD_VERSIONS)
"""The kinds that had another version."""
