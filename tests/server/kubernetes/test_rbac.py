"""Effective rights: roles put together, groups, and the ways up."""

from typing import Any

import pytest

from akmatori_server.kubernetes.manifests import ManifestObject, json_node
from akmatori_server.kubernetes.manifests.objects import object_of
from akmatori_server.kubernetes.rbac import Account, Rbac, Rule, find_takeover, read_rbac
from tests.server.kubernetes.conftest import Scan
from tests.server.kubernetes.corpus import rbac_objects

VERSION = "rbac.authorization.k8s.io/v1"
APP = Account("shop", "app")
SUBJECT = {"kind": "ServiceAccount", "name": "app", "namespace": "shop"}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def rights(*found: dict[str, Any]) -> Rbac:
    objects = [object_of(json_node(item), "") for item in found]
    return read_rbac(item for item in objects if isinstance(item, ManifestObject))


def rule(groups: str, resources: str, verbs: str, *names: str) -> dict[str, Any]:
    return {
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        "verbs": verbs.split(","),
        "resourceNames": list(names),
    }


def cluster_role(
    name: str, rules: list[Any], labels: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": VERSION, "kind": "ClusterRole", "metadata": metadata, "rules": rules, **more}


def collecting(name: str, labels: dict[str, str], own: dict[str, str] | None = None) -> dict[str, Any]:
    return cluster_role(name, [], own, aggregationRule={"clusterRoleSelectors": [{"matchLabels": labels}]})


def binding(
    role: str, *subjects: dict[str, Any], inside: str = "", kind: str = "ClusterRole"
) -> dict[str, Any]:
    return {
        "apiVersion": VERSION,
        "kind": "RoleBinding" if inside else "ClusterRoleBinding",
        "metadata": {"name": f"to-{role}"} | ({"namespace": inside} if inside else {}),
        "roleRef": {"kind": kind, "name": role},
        "subjects": list(subjects),
    }


@pytest.mark.parametrize(
    ("subject", "held"),
    [
        (SUBJECT, True),
        (SUBJECT | {"namespace": "other"}, False),
        ({"kind": "ServiceAccount", "name": "app"}, False),  # a ClusterRoleBinding gives no namespace
        ({"kind": "User", "name": "system:serviceaccount:shop:app"}, True),
        ({"kind": "User", "name": "app"}, False),
        ({"kind": "Group", "name": "system:serviceaccounts"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:shop"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:other"}, False),
        ({"kind": "Group", "name": "system:authenticated"}, True),
        ({"kind": "Group", "name": "system:unauthenticated"}, False),
    ],
)
def test_whose_rights_a_service_account_has(subject: dict[str, Any], held: bool) -> None:
    found = rights(*rbac_objects([SECRETS], subject))
    assert bool(list(found.granted_to(APP))) is held


def test_rights_of_a_role_binding_end_at_its_namespace() -> None:
    found = rights(*rbac_objects([SECRETS], SUBJECT | {"namespace": ""}, inside="shop"))
    assert [grant.namespace for grant in found.granted_to(APP)] == ["shop"]
    assert list(found.granted_to(Account("other", "app"))) == []


def test_roles_of_the_same_name_in_two_namespaces_are_two() -> None:
    roles = [
        {"apiVersion": VERSION, "kind": "Role", "metadata": {"name": "r", "namespace": name}, "rules": rules}
        for name, rules in (("shop", []), ("other", [SECRETS]))
    ]
    found = rights(*roles, binding("r", SUBJECT, inside="shop", kind="Role"))
    assert list(found.granted_to(APP)) == []


def test_aggregated_roles_have_the_rules_of_those_they_collect_and_circles_end() -> None:
    found = rights(
        collecting("outer", {"to": "outer"}, {"to": "inner"}),
        collecting("inner", {"to": "inner"}, {"to": "outer"}),
        cluster_role("leaf", [SECRETS], {"to": "inner"}),
        binding("outer", SUBJECT),
    )
    assert [str(grant.rule) for grant in found.granted_to(APP)] == ["get on secrets"]


def test_rules_that_an_aggregated_role_collects_are_found_in_it_once(scan: Scan) -> None:
    everything = cluster_role("leaf", [SECRETS], {"to": "sum"})
    result = scan(collecting("sum", {"to": "sum"}), everything)
    found = [item for item in result.findings if item.check_id == "rbac-secrets-read"]
    assert sorted(item.resource.name for item in found) == ["leaf", "sum"]
    # In a live cluster the rules that were collected are written in the role as well.
    filled = collecting("sum", {"to": "sum"}) | {"rules": [SECRETS]}
    again = [item for item in scan(filled, everything).findings if item.check_id == "rbac-secrets-read"]
    assert len(again) == 2


def test_default_roles_that_were_not_read_are_known_by_name() -> None:
    assert find_takeover(rights(binding("cluster-admin", SUBJECT)), APP)
    assert find_takeover(rights(binding("edit", SUBJECT)), APP)
    assert find_takeover(rights(binding("view", SUBJECT)), APP) is None
    own = cluster_role("cluster-admin", [])  # what was read wins
    assert find_takeover(rights(own, binding("cluster-admin", SUBJECT)), APP) is None


@pytest.mark.parametrize(
    ("given", "everywhere", "in_namespace"),
    [
        (EVERYTHING, True, False),
        (rule(VERSION[:-3], "clusterroles", "escalate"), True, False),
        (rule(VERSION[:-3], "roles", "bind"), True, False),
        (rule(VERSION[:-3], "clusterroles", "bind", "cluster-admin"), True, False),
        (rule(VERSION[:-3], "clusterroles", "bind", "view"), False, False),
        (rule("", "users", "impersonate"), True, False),
        (rule("", "groups", "impersonate", "system:masters"), True, False),
        (rule("", "groups", "impersonate", "staff"), False, False),
        (rule("", "serviceaccounts", "impersonate"), True, False),
        (rule("", "secrets", "list"), True, False),
        (rule("", "secrets", "get", "one"), False, False),
        (rule("", "secrets", "create"), False, False),
        (rule("", "serviceaccounts/token", "create"), True, False),
        (rule("", "*/token", "create"), True, False),
        (rule("", "serviceaccounts/*", "create"), False, False),  # means nothing to the API server
        (rule("", "nodes/proxy", "get"), True, False),
        (rule("", "pods", "create"), True, False),
        (rule("apps", "deployments", "patch"), True, False),
        (rule("extensions", "deployments", "patch"), False, False),
        (rule("", "pods/exec", "create"), True, False),
        (rule("", "pods/ephemeralcontainers", "patch"), True, False),
        (rule("", "pods,configmaps", "get,list,watch"), False, False),
        (rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"), True, False),
        (rule("admissionregistration.k8s.io", "validatingwebhookconfigurations", "create"), True, False),
    ],
)
def test_what_gives_the_cluster(given: dict[str, Any], everywhere: bool, in_namespace: bool) -> None:
    assert bool(find_takeover(rights(*rbac_objects([given], SUBJECT)), APP)) is everywhere
    inside = rights(*rbac_objects([given], SUBJECT, inside="shop"))
    assert bool(find_takeover(inside, APP)) is in_namespace


def test_the_way_over_other_accounts_is_followed_and_told() -> None:
    operator = {"kind": "ServiceAccount", "name": "operator", "namespace": "ops"}
    helper = {"kind": "ServiceAccount", "name": "helper", "namespace": "ops"}
    found = rights(
        *rbac_objects([rule("", "pods", "create")], SUBJECT, inside="ops", name="deploy"),
        *rbac_objects([rule("", "pods/exec", "create")], helper, inside="ops", name="debug"),
        *rbac_objects([EVERYTHING], operator, name="all"),
    )
    way = find_takeover(found, APP)
    assert str(way) == (
        "shop/app may create pods under any account in ops (RoleBinding deploy); "
        "as ops/operator may do everything (ClusterRoleBinding all)"
    )


def test_accounts_that_can_act_as_each_other_end() -> None:
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": "shop"} for name in ("app", "b", "c")]
    found = rights(
        *(item for n, subject in enumerate(subjects) for item in rbac_objects(
            [rule("", "pods", "create")], subject, inside="shop", name=f"r{n}"))
    )  # fmt: skip
    assert find_takeover(found, APP) is None


def test_rights_on_everything_of_one_namespace_are_not_those_on_the_cluster() -> None:
    one = rights(*rbac_objects([EVERYTHING], SUBJECT, inside="shop"))
    assert find_takeover(one, APP) is None
    system = rights(*rbac_objects([EVERYTHING], SUBJECT, inside="kube-system"))
    assert find_takeover(system, APP)


def test_rules_as_the_api_server_reads_them() -> None:
    every = Rule(frozenset({""}), frozenset({"*"}), frozenset({"get"}))
    assert every.allows("", "pods/exec", "get")
    assert not every.allows("apps", "deployments", "get")
    named = Rule(frozenset({""}), frozenset({"secrets"}), frozenset({"get"}), frozenset({"one"}))
    assert not named.allows("", "secrets", "get")
    assert named.allows_some("", "secrets", "get")
