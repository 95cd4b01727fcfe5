"""What is not drift: fields that the API server, controllers and webhooks write by themselves."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import attrs

from akmatori_server.kubernetes.drift.model import Identity, Place
from akmatori_server.kubernetes.manifests import ManifestObject

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# Patterns of places, as `Kind:path`; a star stands for any characters, slashes and dots included.
_ALWAYS = (
    "*:status*",
    "*:metadata.uid",
    "*:metadata.resourceVersion",
    "*:metadata.generation",
    "*:metadata.creationTimestamp",
    "*:metadata.managedFields*",
    "*:metadata.selfLink",
    "*:metadata.namespace",
    f"*:metadata.annotations.{LAST_APPLIED}",
    "*:metadata.annotations.deployment.kubernetes.io/revision",
    "*:metadata.annotations.autoscaling.alpha.kubernetes.io/*",
    "*:metadata.annotations.pv.kubernetes.io/*",
    "*:metadata.annotations.volume.kubernetes.io/*",
    "Service:spec.clusterIP",
    "Service:spec.clusterIPs*",
    "Service:*.nodePort",
    "Service:spec.healthCheckNodePort",
    "*WebhookConfiguration:*.caBundle",
    "APIService:spec.caBundle",
    "CustomResourceDefinition:spec.conversion*.caBundle",
    "ServiceAccount:secrets*",
    "PersistentVolumeClaim:spec.volumeName",
    "ClusterRole:rules*@aggregated",
)
_PATTERN = re.compile(r"[A-Za-z0-9*]+:[^\s:]+")
_GENERATED_KINDS = frozenset(
    {
        "Event",
        "Endpoints",
        "EndpointSlice",
        "Lease",
        "ControllerRevision",
        "ReplicaSet",
        "Pod",
        "PodMetrics",
        "NodeMetrics",
        "Node",
        "TokenReview",
    }
)
_SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})


@attrs.frozen
class Ignored:
    """Which fields and live objects are left out. `patterns` are those of the operator beside ours."""

    patterns: tuple[str, ...] = ()
    # Objects whose number of replicas an autoscaler decides.
    scaled: frozenset[Identity] = frozenset()

    def leaves_out(self, identity: Identity, place: Place, *, is_aggregated: bool = False) -> bool:
        """Whether a field of an object is not compared."""
        path = path_text(place)
        if path == "spec.replicas" and identity in self.scaled:
            return True
        text = f"{identity.kind}:{path}" + ("@aggregated" if is_aggregated else "")
        return _compiled(self.patterns).fullmatch(text) is not None


@functools.lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # A star is the only mark: brackets are part of places, as in containers[name=web].
    texts = (re.escape(pattern).replace(r"\*", ".*") for pattern in (*_ALWAYS, *patterns))
    return re.compile("|".join(texts), re.DOTALL)


def complaint_about(pattern: str) -> str:
    """Return what is wrong with a pattern of the operator, as the end of a sentence; "" when nothing is."""
    if not _PATTERN.fullmatch(pattern):
        return "is no field: write Kind:path with stars, such as Deployment:spec.replicas or *:metadata.labels.*."
    if not pattern.replace("*", "").strip(":"):
        return "would leave out every field; name a kind or a path."
    return ""


def is_meant(live: ManifestObject) -> bool:
    """Whether somebody put a live object there, so that it should be in the desired state, too.

    What another object owns, and what every cluster and namespace has by itself, is not.
    """
    metadata = live.body.get("metadata")
    if metadata.get("ownerReferences").each() or live.kind in _GENERATED_KINDS:
        return False
    if live.namespace in _SYSTEM_NAMESPACES or (not live.namespace and live.name.startswith("system:")):
        return False
    if metadata.get("labels", "kubernetes.io/bootstrapping").exists:
        return False
    if live.kind == "Namespace" and live.name in {"default", *_SYSTEM_NAMESPACES}:
        return False
    if (live.kind, live.name) in {
        ("ConfigMap", "kube-root-ca.crt"),
        ("ServiceAccount", "default"),
        ("Service", "kubernetes"),
    }:
        return False
    # Helm keeps each release in a Secret of this type.
    return live.body.get("type").text() != "helm.sh/release.v1"


def scaled_objects(objects: Iterable[ManifestObject]) -> frozenset[Identity]:
    """Return the objects whose replicas a HorizontalPodAutoscaler decides."""
    found: set[Identity] = set()
    for one in objects:
        if one.kind == "HorizontalPodAutoscaler":
            target = one.body.get("spec", "scaleTargetRef")
            group = target.get("apiVersion").text().rpartition("/")[0]
            found.add(Identity(group, target.get("kind").text(), one.namespace, target.get("name").text()))
    return frozenset(found)


def path_text(place: Place) -> str:
    """Write a place as `spec.template.spec.containers[name=web].image`."""
    text = ""
    for step in place:
        text += step if step.startswith("[") or not text else f".{step}"
    return text
