"""The manifests that are shipped for a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from akmatori_server._generated.aotanami.bindings import OPERATIONS
from akmatori_server.kubernetes.clusters.access import Feature
from akmatori_server.kubernetes.clusters.role import cluster_role

DEPLOY = Path(__file__).parents[4] / "deploy" / "kubernetes"


def objects() -> list[dict[str, Any]]:
    """Everything in all files."""
    return [found for path in sorted(DEPLOY.glob("*.yaml")) for found in yaml.safe_load_all(path.read_text())]


def role(name: str) -> list[dict[str, list[str]]]:
    """The rules of a ClusterRole."""
    [found] = [one for one in objects() if (one["kind"], one["metadata"]["name"]) == ("ClusterRole", name)]
    rules: list[dict[str, list[str]]] = found["rules"]
    return rules


def allows(rules: list[dict[str, list[str]]], verb: str, path: str) -> bool:
    """Whether rules allow a request, as Kubernetes decides it."""
    return any(
        verb in rule["verbs"]
        and any(
            path == url or (url.endswith("*") and path.startswith(url[:-1]))
            for url in rule["nonResourceURLs"]
        )
        for rule in rules
    )


def test_the_servers_role_is_the_generated_one() -> None:
    """Made by `aotanami-server clusterrole` with every feature."""
    assert (DEPLOY / "20-server-role.yaml").read_text() == cluster_role(list(Feature))


def test_nobody_reads_secrets_or_changes_anything() -> None:
    for rule in role("aotanami"):
        assert "secrets" not in rule.get("resources", [])
        assert "*" not in [name for names in rule.values() for name in names]
        reviews = set(rule.get("resources", [])) <= {"tokenreviews", "subjectaccessreviews"}
        assert set(rule["verbs"]) <= ({"create", "get"} if reviews else {"get", "list", "watch"})


@pytest.mark.parametrize(("name", "may_write"), [("aotanami-viewer", False), ("aotanami-operator", True)])
def test_roles_of_callers_fit_the_operations(name: str, may_write: bool) -> None:
    """A viewer may read everything and nothing else; an operator may do whatever the API can."""
    rules = role(name)
    for operation in OPERATIONS:
        path = operation.path.replace("{id}", "INC-000042").replace("{name}", "a").replace("{namespace}", "a")
        path = path if path.startswith("/api/v1/") else f"/api/v1{path}"
        is_read = operation.method.lower() == "get"
        assert allows(rules, operation.method.lower(), path) == (is_read or may_write), operation.id
    for verb, path in (("get", "/api/incidents"), ("delete", "/api/v1/incidents/x"), ("get", "/metrics")):
        assert not allows(rules, verb, path)


def test_the_binding_binds_what_is_there() -> None:
    found = {(one["kind"], one["metadata"]["name"]): one for one in objects()}
    binding = found["ClusterRoleBinding", "aotanami"]
    [subject] = binding["subjects"]
    assert ("ClusterRole", binding["roleRef"]["name"]) in found
    account = found["ServiceAccount", subject["name"]]
    assert account["metadata"]["namespace"] == subject["namespace"]
    assert ("Namespace", subject["namespace"]) in found
