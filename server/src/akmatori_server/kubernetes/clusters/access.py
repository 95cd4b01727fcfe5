"""What is read of a cluster, by feature: the one table that the reader and the generated ClusterRole share."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import attrs


class Feature(enum.StrEnum):
    """What the server does with a cluster; each needs rights of its own."""

    HEALTH = "health"
    SCANS = "scans"
    INCIDENTS = "incidents"
    COSTS = "costs"
    DRIFT = "drift"
    AUTH = "auth"


@attrs.frozen
class Resource:
    """A resource of the API, and what is done with it."""

    group: str
    version: str
    plural: str
    kind: str
    verbs: tuple[str, ...] = ("list",)
    page: int = 500
    """Objects asked for at once: fewer of a kind whose objects may be large."""
    optional: bool = False
    """Whether a cluster may do without it: it is served by an extension, or by newer versions alone."""
    context: bool = False
    """Whether other objects are judged by it, so that it has to be read before them."""
    fields: str = ""
    """The `fieldSelector` of its list."""
    namespaced: bool = True
    """Whether its objects are in namespaces, so that those of one can be listed alone."""

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """The path of its list in all namespaces."""
        return self._root + self.plural

    def path_in(self, namespace: str) -> str:
        """Return the path of its list in one namespace."""
        return f"{self._root}namespaces/{namespace}/{self.plural}"

    @property
    def _root(self) -> str:
        return f"/apis/{self.group}/{self.version}/" if self.group else f"/api/{self.version}/"


_RBAC = "rbac.authorization.k8s.io"
NAMESPACES = Resource(
    # Whose rights are bound in single namespaces may get those, and list none.
    "", "v1", "namespaces", "Namespace", ("get", "list"), context=True, namespaced=False
)  # fmt: skip
NODES = Resource("", "v1", "nodes", "Node", page=100, namespaced=False)
PODS = Resource(
    # Pods that have ended hold no rights and run nothing.
    "", "v1", "pods", "Pod", page=250, fields="status.phase!=Succeeded,status.phase!=Failed"
)  # fmt: skip
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", optional=True)
NODE_METRICS = Resource("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", optional=True, namespaced=False)
_DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
_AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")

_SCANNED = (
    NAMESPACES,
    Resource("", "v1", "serviceaccounts", "ServiceAccount", context=True),
    Resource("", "v1", "limitranges", "LimitRange", context=True),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", context=True),
    Resource(_RBAC, "v1", "clusterroles", "ClusterRole", context=True, namespaced=False),
    Resource(_RBAC, "v1", "roles", "Role", context=True),
    Resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", context=True, namespaced=False),
    Resource(_RBAC, "v1", "rolebindings", "RoleBinding", context=True),
    Resource("", "v1", "services", "Service", context=True),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", context=True),
    attrs.evolve(_AUTOSCALERS, context=True),
    _DEPLOYMENTS,
    Resource("apps", "v1", "statefulsets", "StatefulSet"),
    Resource("apps", "v1", "daemonsets", "DaemonSet"),
    Resource("apps", "v1", "replicasets", "ReplicaSet"),
    Resource("", "v1", "replicationcontrollers", "ReplicationController"),
    Resource("batch", "v1", "cronjobs", "CronJob"),
    Resource("batch", "v1", "jobs", "Job"),
    PODS,
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress"),
    # Secrets are never among them: no check needs their content.
    Resource("", "v1", "configmaps", "ConfigMap", page=25),
)

FEATURES: dict[Feature, tuple[Resource, ...]] = {
    Feature.HEALTH: (NODES, NAMESPACES),
    Feature.SCANS: _SCANNED,
    Feature.INCIDENTS: (
        Resource("", "v1", "events", "Event", ("list", "watch")),
        attrs.evolve(PODS, verbs=("list", "watch")),
        attrs.evolve(NODES, verbs=("list", "watch")),
        attrs.evolve(_DEPLOYMENTS, verbs=("list", "watch")),
    ),
    Feature.COSTS: (
        POD_METRICS,
        NODE_METRICS,
        # Before the pods, of which each is then looked at once.
        Resource("", "v1", "services", "Service"),
        PODS,
        NODES,
        _AUTOSCALERS,
        Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
        Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False),
        Resource(
            "autoscaling.k8s.io", "v1", "verticalpodautoscalers", "VerticalPodAutoscaler", optional=True
        ),
    ),
    Feature.DRIFT: (
        *(resource for resource in _SCANNED if resource.plural not in ("pods", "replicasets", "jobs")),
        Resource("", "v1", "resourcequotas", "ResourceQuota"),
    ),
    Feature.AUTH: (
        Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", ("create",)),
        Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", ("create",)),
    ),
}
"""What each feature reads, in the order in which it is read: what others are judged by comes first."""

PATHS: dict[Feature, tuple[str, ...]] = {
    Feature.HEALTH: ("/readyz", "/livez", "/version"),
    # A scan asks for the version, which decides the numbers of the CIS benchmark.
    Feature.SCANS: ("/version",),
}
"""What each feature asks for that is no resource."""


def resources(features: Iterable[Feature]) -> tuple[Resource, ...]:
    """Return what the features read, each resource once, with the verbs of all of them."""
    found: dict[tuple[str, str], Resource] = {}
    for feature in features:
        for resource in FEATURES[feature]:
            known = found.get((resource.group, resource.plural))
            verbs = resource.verbs if known is None else tuple(dict.fromkeys((*known.verbs, *resource.verbs)))
            found[resource.group, resource.plural] = attrs.evolve(known or resource, verbs=verbs)
    return tuple(found.values())
