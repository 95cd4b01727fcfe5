"""A Deployment with which nothing is wrong, and the means to change it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import attrs
import yaml

DIGEST = "@sha256:" + "ab" * 32
DROP = "drop"

CONTAINER: dict[str, Any] = {
    "name": "app",
    "image": f"registry.example:5000/app:1.2.3{DIGEST}",
    "resources": {
        "requests": {"cpu": "100m", "memory": "64Mi"},
        "limits": {"cpu": "1", "memory": "128Mi", "ephemeral-storage": "1Gi"},
    },
    "securityContext": {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    },
}
SPEC: dict[str, Any] = {
    "serviceAccountName": "app",
    "automountServiceAccountToken": False,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [CONTAINER],
}
POLICY: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny", "namespace": "shop"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
}


@attrs.frozen
class Case:
    """Changes to the Deployment's pod template, by dotted path; other objects beside it; or another object alone."""

    changes: dict[str, Any] = attrs.field(factory=dict)
    beside: tuple[dict[str, Any], ...] = (POLICY,)
    alone: dict[str, Any] | None = None
    among: tuple[dict[str, Any], ...] = ()
    """What is beside the object that is otherwise alone."""
    spec: dict[str, Any] = attrs.field(factory=dict)
    """Of the Deployment, beside its template."""
    options: dict[str, Any] = attrs.field(factory=dict)
    """Of the scan."""


def c(**changes: Any) -> Case:
    """Return a case with changes of the first container: `__` stands for the dot."""
    return Case({"spec.containers.0." + name.replace("__", "."): value for name, value in changes.items()})


def s(**changes: Any) -> Case:
    """Return a case with changes of the pod's spec."""
    return Case({"spec." + name.replace("__", "."): value for name, value in changes.items()})


def init(**members: Any) -> Case:
    """Return a case with another container, an init container."""
    return s(initContainers=[copy.deepcopy(CONTAINER) | {"name": "init"} | members])


def objects(case: Case, annotations: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Return the objects of a case."""
    if case.alone is not None:
        only = copy.deepcopy(case.alone)
        only["metadata"].setdefault("annotations", {}).update(annotations or {})
        return [only, *copy.deepcopy(case.among)]
    template: dict[str, Any] = {"metadata": {"labels": {"app": "web"}}, "spec": copy.deepcopy(SPEC)}
    for path, value in case.changes.items():
        _put(template, path.split("."), value)
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations or {}},
        "spec": {"template": template, **copy.deepcopy(case.spec)},
    }
    # A test may change what it gets, and nobody else should see that.
    return [deployment, *copy.deepcopy(case.beside)]


def write(folder: Path, *found: dict[str, Any], name: str = "all.yaml") -> Path:
    """Write objects as one file of many documents."""
    path = folder / name
    path.write_text(yaml.safe_dump_all(found, sort_keys=False))
    return path


def _put(value: Any, path: list[str], new: Any) -> None:
    for step in path[:-1]:
        value = value[int(step)] if isinstance(value, list) else value.setdefault(step, {})
    last: Any = int(path[-1]) if isinstance(value, list) else path[-1]
    if new == DROP:
        value.pop(last, None)
    else:
        value[last] = new


def env(name: str, value: str) -> Case:
    return c(env=[{"name": name, "value": value}])


def host_path(path: str) -> Case:
    return s(volumes=[{"name": "v", "hostPath": {"path": path}}])


def role(verbs: list[str], resources: list[str], groups: list[str] | None = None, **more: Any) -> Case:
    rule = {"apiGroups": groups or [""], "resources": resources, "verbs": verbs, **more}
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    return Case(alone={**kind, "metadata": {"name": "r"}, "rules": [rule]})


def binding(name: str, kind: str, subject: str) -> Case:
    return Case(
        alone={
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "b"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": kind, "name": subject}],
        }
    )


def config_map(**data: str) -> Case:
    return Case(alone={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data})


def policy(**spec: Any) -> dict[str, Any]:
    return POLICY | {"spec": spec}


def account(automount: bool) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "app", "namespace": "shop"},
        "automountServiceAccountToken": automount,
    }


def limit_range(**limits: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l", "namespace": "shop"},
        "spec": {"limits": [{"type": "Container", **limits}]},
    }


def namespace(name: str = "shop", **labels: str) -> dict[str, Any]:
    """Return a namespace; `enforce` stands for the label of that name."""
    named = {f"pod-security.kubernetes.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": named}}


def ingress(**spec: Any) -> Case:
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}}
    return Case(alone={**kind, "spec": spec})


def rbac_objects(
    rules: list[dict[str, Any]], subject: dict[str, Any], *, inside: str = "", name: str = "power"
) -> tuple[dict[str, Any], ...]:
    """Return a ClusterRole and its binding, in a namespace or everywhere."""
    version = "rbac.authorization.k8s.io/v1"
    metadata = {"name": name} | ({"namespace": inside} if inside else {})
    return (
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": version,
            "kind": "RoleBinding" if inside else "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {"kind": "ClusterRole", "name": name},
            "subjects": [subject],
        },
    )
