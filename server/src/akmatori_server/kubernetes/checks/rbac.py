"""Checks of the scanner rbac-audit: service accounts of workloads, roles, and who is bound to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context, has_token
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, Hit, ObjectCheck, WorkloadCheck
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.rbac import POWERS, Account, Binding, Rule, read_rules
from akmatori_server.kubernetes.rbac.model import BINDINGS, GROUP, ROLES, read_binding
from akmatori_server.kubernetes.rbac.powers import BY_ID
from akmatori_server.kubernetes.workloads import Workload

_NIST = ("CM-6", "CM-6(1)", "AC-6(5)")
_ADMIN_NAMES = ("cluster-admin", "superuser", "admin", "root")
_EVERYBODY = frozenset(
    {"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"}
)


def _default_account(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.account_name == "default":
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
    def find(found: ManifestObject, context: Context) -> Iterator[Hit]:
        if found.group != GROUP:
            return
        for rule in read_rules(found.body):
            if test(rule):
                yield Hit(("rules", rule.index), evidence=str(rule), discriminator=str(rule))
        for rule in context.rbac.collected_by(found):
            if test(rule):
                evidence = f"{rule} (collected from another role)"
                yield Hit(("aggregationRule",), evidence=evidence[:500], discriminator=evidence[:500])

    return find


def _held(power: str) -> Callable[[Rule], bool]:
    """Return the test of a power, for rules that allow less than everything: that has a finding of its own."""
    holds = BY_ID[power].holds
    return lambda rule: holds(rule) and not rule.is_wildcard


def _cluster_admin(found: ManifestObject, context: Context) -> Iterator[Hit]:
    binding = read_binding(found)
    if found.group != GROUP or not _gives_everything(binding, context):
        return
    role = "" if binding.role_name == "cluster-admin" else f" by {binding.role_kind} {binding.role_name}"
    for index, subject in enumerate(binding.subjects):
        if (subject.kind, subject.name) != ("Group", "system:masters"):
            who = f"{subject.kind} {subject.name}"
            yield Hit(
                ("subjects", index),
                evidence=f"{who}{role}",
                discriminator=f"{subject.kind}/{subject.name}",
            )


def _gives_everything(binding: Binding, context: Context) -> bool:
    # Other roles that allow everything are as good as cluster-admin.
    return any(grant.rule.is_everything for grant in context.rbac.grants_of(binding))


def _bound(names: frozenset[str]) -> Callable[[ManifestObject, Context], Iterator[Hit]]:
    def find(found: ManifestObject, _: Context) -> Iterator[Hit]:
        if found.group != GROUP:
            return
        binding = read_binding(found)
        for index, subject in enumerate(binding.subjects):
            if subject.name in names and subject.kind in ("User", "Group"):
                evidence = f"{subject.kind} {subject.name} is bound to {binding.role_name}"
                yield Hit(("subjects", index), evidence=evidence, discriminator=subject.name)

    return find


def _account_groups(found: ManifestObject, context: Context) -> Iterator[Hit]:
    if found.group != GROUP:
        return
    binding = read_binding(found)
    for index, subject in enumerate(binding.subjects):
        every = subject.kind == "Group" and subject.name.startswith("system:serviceaccounts:")
        default = subject.kind == "ServiceAccount" and subject.name == "default"
        if not (every or default):
            continue
        rules = [grant.rule for grant in context.rbac.grants_of(binding)]
        powers = [power.phrase for power in POWERS if any(power.holds(rule) for rule in rules)]
        if powers:
            evidence = f"{subject} may {', '.join(powers)}"[:500]
            yield Hit(("subjects", index), evidence=evidence, discriminator=str(subject))


def _takeover(workload: Workload, context: Context) -> Iterator[Hit]:
    if not has_token(workload, context):
        return
    way = context.takeover(Account(workload.reference.namespace, workload.account_name))
    if way is not None:
        yield Hit(("serviceAccountName",), evidence=str(way)[:1000])


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
        ROLES,
        # A role that collects others has less than its rules when those were not read, never more.
        _dangerous_rule(test),
    )


_CLUSTER_ROLES = frozenset({"ClusterRole"})

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
        # A name proves nothing, so it decides no control of the benchmark.
        controls(nist=_NIST),
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
        lambda rule: rule.is_wildcard,
    ),
    _role_check(
        "rbac-secrets-read",
        Severity.HIGH,
        "Role reads all Secrets",
        "A rule lets its holder read every Secret of the namespace or cluster, tokens of others included.",
        "secrets-access",
        _held("secrets-read"),
    ),
    _role_check(
        "rbac-exec",
        Severity.HIGH,
        "Role enters containers",
        "A rule lets its holder run commands in every pod, with the pod's rights and secrets.",
        "pod-creation",
        _held("exec"),
    ),
    _role_check(
        "rbac-pod-create",
        Severity.MEDIUM,
        "Role creates pods",
        "Whoever creates pods can mount every Secret and use every service account of the namespace.",
        "pod-creation",
        _held("pod-create"),
    ),
    _role_check(
        "rbac-escalate",
        Severity.CRITICAL,
        "Role can widen its own rights",
        "A rule allows bind, escalate or impersonate, with which its holder can take any other right.",
        "escalation-verbs",
        lambda rule: (
            not rule.is_wildcard
            and any(BY_ID[name].holds(rule) for name in ("escalate", "impersonate", "impersonate-accounts"))
        ),
    ),
    _role_check(
        "rbac-nodes-proxy",
        Severity.HIGH,
        "Role reaches the kubelet",
        "A rule on nodes/proxy gives the kubelet's API, which runs commands in every pod and leaves no audit entry.",
        "nodes-proxy",
        _held("nodes-proxy"),
    ),
    _role_check(
        "rbac-token-create",
        Severity.HIGH,
        "Role makes tokens of service accounts",
        "A rule lets its holder make tokens of every service account, and so act as them.",
        "token-creation",
        _held("token-create"),
    ),
    _role_check(
        "rbac-webhook-write",
        Severity.HIGH,
        "Role changes admission webhooks",
        "A rule lets its holder put a webhook in front of every request, which reads and changes what others write.",
        "webhook-access",
        _held("webhook-write"),
    ),
    _role_check(
        "rbac-csr-approve",
        Severity.HIGH,
        "Role approves certificates",
        "A rule lets its holder approve certificate requests, and so make a certificate of any user or group.",
        "csr-approval",
        _held("csr-approve"),
    ),
    _role_check(
        "rbac-volume-create",
        Severity.MEDIUM,
        "Role creates PersistentVolumes",
        "Whoever creates PersistentVolumes can make one of a node's own files.",
        "volume-creation",
        _held("volume-create"),
    ),
    WorkloadCheck(
        "workload-takeover",
        Severity.CRITICAL,
        Category.RBAC_AUDIT,
        "Pod can take over the cluster",
        "The pod's token leads to the rights of an administrator, at once or over other service accounts.",
        "Take the right away that begins the way, or do not mount the token.",
        controls(cis=("token-mounts",), nist=_NIST),
        _takeover,
        needs=frozenset({"ServiceAccount", *ROLES, *BINDINGS}),
    ),
    ObjectCheck(
        "accounts-group-binding",
        Severity.HIGH,
        Category.RBAC_AUDIT,
        "Powerful role for all pods of a namespace",
        "The role is given to the default service account, or to all accounts of a namespace, whose pods all have it.",
        "Bind it to the service account of the workload that needs it.",
        controls(cis=("default-service-account",), nist=_NIST),
        BINDINGS,
        _account_groups,
        needs=_CLUSTER_ROLES | {"Role"},
    ),
    ObjectCheck(
        "cluster-admin-binding",
        Severity.CRITICAL,
        Category.RBAC_AUDIT,
        "Bound to cluster-admin",
        "The subject may do everything: in the cluster, or by a RoleBinding in the namespace.",
        "Bind it to a role with the rights it needs.",
        controls(cis=("cluster-admin",), nist=_NIST),
        BINDINGS,
        _cluster_admin,
        needs=_CLUSTER_ROLES,
    ),
    ObjectCheck(
        "everybody-binding",
        Severity.CRITICAL,
        Category.RBAC_AUDIT,
        "Role bound to everybody",
        "The role is given to every user, to every service account, or to those who did not log in at all.",
        "Bind it to the users, groups and service accounts that need it.",
        controls(nist=_NIST),
        BINDINGS,
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
        BINDINGS,
        _bound(frozenset({"system:masters"})),
    ),
)
"""In the order in which they are listed."""
