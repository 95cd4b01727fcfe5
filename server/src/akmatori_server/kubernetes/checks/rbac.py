"""Checks of the scanner rbac-audit: service accounts of workloads, roles, and who is bound to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, Hit, ObjectCheck, WorkloadCheck
from akmatori_server.kubernetes.checks.rules import Rule, read_rules
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.workloads import Workload

_RBAC = "rbac.authorization.k8s.io"
_ROLES = frozenset({"Role", "ClusterRole"})
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_NIST = ("CM-6", "CM-6(1)", "AC-6(5)")
_ADMIN_NAMES = ("cluster-admin", "superuser", "admin", "root")
_EVERYBODY = frozenset({"system:anonymous", "system:unauthenticated", "system:authenticated"})


def _default_account(workload: Workload, _: Context) -> Iterator[Hit]:
    if (workload.service_account or workload.deprecated_service_account or "default") == "default":
        yield Hit(("serviceAccountName",))


def _admin_like_name(workload: Workload, _: Context) -> Iterator[Hit]:
    name = workload.service_account or workload.deprecated_service_account
    # The longest is asked first, so that cluster-admin is not reported as admin.
    pattern = next((pattern for pattern in _ADMIN_NAMES if pattern in name.lower()), None)
    if pattern is not None:
        yield Hit(("serviceAccountName",), evidence=f"{name} (holds {pattern})")


def _deprecated_field(workload: Workload, _: Context) -> Iterator[Hit]:
    old, new = workload.deprecated_service_account, workload.service_account
    if old and old != new:
        yield Hit(("serviceAccount",), evidence=old)


def _dangerous_rule(test: Callable[[Rule], bool]) -> Callable[[ManifestObject, Context], Iterator[Hit]]:
    def find(found: ManifestObject, _: Context) -> Iterator[Hit]:
        if found.group != _RBAC:
            return
        for rule in read_rules(found.body):
            if test(rule):
                what = ", ".join(sorted(rule.resources)) or "nothing"
                evidence = f"{', '.join(sorted(rule.verbs))} on {what}"[:500]
                yield Hit(("rules", rule.index), evidence=evidence, discriminator=evidence)

    return find


def _subjects(found: ManifestObject) -> Iterator[tuple[int, str, str]]:
    for index, subject in enumerate(found.body.get("subjects").each()):
        yield index, subject.get("kind").text(), subject.get("name").text()


def _cluster_admin(found: ManifestObject, _: Context) -> Iterator[Hit]:
    role = found.body.get("roleRef")
    if found.group != _RBAC or (role.get("kind").text(), role.get("name").text()) != (
        "ClusterRole",
        "cluster-admin",
    ):
        return
    for index, kind, name in _subjects(found):
        if (kind, name) != ("Group", "system:masters"):
            yield Hit(("subjects", index), evidence=f"{kind} {name}", discriminator=f"{kind}/{name}")


def _bound(names: frozenset[str]) -> Callable[[ManifestObject, Context], Iterator[Hit]]:
    def find(found: ManifestObject, _: Context) -> Iterator[Hit]:
        if found.group != _RBAC:
            return
        for index, kind, name in _subjects(found):
            if name in names and kind in ("User", "Group"):
                role = found.body.get("roleRef", "name").text()
                yield Hit(
                    ("subjects", index), evidence=f"{kind} {name} is bound to {role}", discriminator=name
                )

    return find


def _is_wildcard(rule: Rule) -> bool:
    return not rule.names and "*" in rule.verbs and "*" in rule.resources


def _role_check(  # the rest of these checks is the same
    id: str,  # noqa: A002 - the word for it
    severity: Severity,
    title: str,
    harm: str,
    subject: str,
    test: Callable[[Rule], bool],
) -> ObjectCheck:
    return ObjectCheck(
        id,
        severity,
        Category.RBAC_AUDIT,
        title,
        harm,
        "Name the verbs, resources and objects that are needed, and nothing else.",
        controls(cis=(subject,), nist=_NIST),
        _ROLES,
        _dangerous_rule(test),
    )


_READ = ("get", "list", "watch")
_RBAC_ROLES = ("roles", "clusterroles")

CHECKS: tuple[Check, ...] = (
    WorkloadCheck(
        "default-service-account",
        Severity.MEDIUM,
        Category.RBAC_AUDIT,
        "Default service account",
        "The pod shares its service account with all others of its namespace, and with their rights.",
        "Make a service account for the workload, and name it in serviceAccountName.",
        controls(cis=("default-service-account",), nist=("CM-6", "CM-6(1)")),
        _default_account,
    ),
    WorkloadCheck(
        "admin-like-name",
        Severity.LOW,
        Category.RBAC_AUDIT,
        "Service account named like an administrator",
        "The name of the service account suggests wide rights. This is a guess: its bindings say what it may do.",
        "Look at its bindings, and give the workload an account with the rights it needs.",
        controls(cis=("cluster-admin",), nist=_NIST),
        _admin_like_name,
    ),
    WorkloadCheck(
        "deprecated-field",
        Severity.LOW,
        Category.RBAC_AUDIT,
        "Deprecated field serviceAccount",
        "The pod names its service account in a field that serviceAccountName replaced, and the two differ.",
        "Use serviceAccountName alone.",
        controls(),
        _deprecated_field,
    ),
    _role_check(
        "rbac-wildcard",
        Severity.HIGH,
        "Role allows everything",
        "A rule allows every verb on every resource of its groups, those of later versions included.",
        "wildcards",
        _is_wildcard,
    ),
    _role_check(
        "rbac-secrets-read",
        Severity.HIGH,
        "Role reads all Secrets",
        "A rule lets its holder read every Secret of the namespace or cluster, tokens of others included.",
        "secrets-access",
        lambda rule: rule.allows("", "secrets", *_READ) and not _is_wildcard(rule),
    ),
    _role_check(
        "rbac-exec",
        Severity.HIGH,
        "Role enters containers",
        "A rule lets its holder run commands in every pod, with the pod's rights and secrets.",
        "pod-creation",
        lambda rule: (
            not _is_wildcard(rule)
            and any(rule.allows("", f"pods/{sub}", "create", "get") for sub in ("exec", "attach"))
        ),
    ),
    _role_check(
        "rbac-pod-create",
        Severity.MEDIUM,
        "Role creates pods",
        "Whoever creates pods can mount every Secret and use every service account of the namespace.",
        "pod-creation",
        lambda rule: rule.allows("", "pods", "create") and not _is_wildcard(rule),
    ),
    _role_check(
        "rbac-escalate",
        Severity.CRITICAL,
        "Role can widen its own rights",
        "A rule allows bind, escalate or impersonate, with which its holder can take any other right.",
        "escalation-verbs",
        lambda rule: (
            not _is_wildcard(rule)
            and (
                any(rule.allows(_RBAC, role, "bind", "escalate") for role in _RBAC_ROLES)
                or any(rule.allows("", who, "impersonate") for who in ("users", "groups", "serviceaccounts"))
            )
        ),
    ),
    _role_check(
        "rbac-nodes-proxy",
        Severity.HIGH,
        "Role reaches the kubelet",
        "A rule on nodes/proxy gives the kubelet's API, which runs commands in every pod and leaves no audit entry.",
        "nodes-proxy",
        lambda rule: rule.allows("", "nodes/proxy", "get", "create") and not _is_wildcard(rule),
    ),
    _role_check(
        "rbac-token-create",
        Severity.HIGH,
        "Role makes tokens of service accounts",
        "A rule lets its holder make tokens of every service account, and so act as them.",
        "token-creation",
        lambda rule: rule.allows("", "serviceaccounts/token", "create") and not _is_wildcard(rule),
    ),
    ObjectCheck(
        "cluster-admin-binding",
        Severity.CRITICAL,
        Category.RBAC_AUDIT,
        "Bound to cluster-admin",
        "The subject may do everything: in the cluster, or by a RoleBinding in the namespace.",
        "Bind it to a role with the rights it needs.",
        controls(cis=("cluster-admin",), nist=_NIST),
        _BINDINGS,
        _cluster_admin,
    ),
    ObjectCheck(
        "everybody-binding",
        Severity.CRITICAL,
        Category.RBAC_AUDIT,
        "Role bound to everybody",
        "The role is given to every authenticated user, or to those who did not log in at all.",
        "Bind it to the users, groups and service accounts that need it.",
        controls(nist=_NIST),
        _BINDINGS,
        _bound(_EVERYBODY),
    ),
    ObjectCheck(
        "masters-group",
        Severity.HIGH,
        Category.RBAC_AUDIT,
        "Group system:masters bound",
        "system:masters passes every check of rights; a binding of it can be taken away, its power cannot.",
        "Use a group of your own.",
        controls(cis=("masters-group",), nist=_NIST),
        _BINDINGS,
        _bound(frozenset({"system:masters"})),
    ),
)
"""In the order in which they are listed."""
