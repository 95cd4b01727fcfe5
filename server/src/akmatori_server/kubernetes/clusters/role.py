"""The ClusterRole that the enabled features need, and not a verb more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

import yaml

from akmatori_server.kubernetes.clusters.access import PATHS, Feature, resources

NAME = "aotanami"


class RoleRule(TypedDict, total=False):
    """A rule of a ClusterRole, as Kubernetes writes it."""

    apiGroups: list[str]
    resources: list[str]
    nonResourceURLs: list[str]
    verbs: list[str]


def role_rules(features: Iterable[Feature]) -> list[RoleRule]:
    """Return the rules: the resources of one group that need the same verbs together."""
    chosen = sorted(set(features), key=list(Feature).index)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for resource in resources(chosen):
        together.setdefault((resource.group, resource.verbs), []).append(resource.plural)
    rules: list[RoleRule] = [
        RoleRule(apiGroups=[group], resources=sorted(plurals), verbs=list(verbs))
        for (group, verbs), plurals in sorted(together.items())
    ]
    paths = sorted({path for feature in chosen for path in PATHS.get(feature, ())})
    if paths:
        rules.append(RoleRule(nonResourceURLs=paths, verbs=["get"]))
    return rules


def cluster_role(features: Sequence[Feature], *, name: str = NAME) -> str:
    """Return the ClusterRole as YAML."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "aotanami"}},
        "rules": role_rules(features),
    }
    heading = f"# What Aotanami needs for: {', '.join(sorted({feature.value for feature in features}))}.\n"
    return heading + yaml.safe_dump(role, sort_keys=False)
