"""What a right can be made into: the ways from one right to many others."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from akmatori_server.kubernetes.rbac.model import GROUP
from akmatori_server.kubernetes.rbac.rules import Rule

_READ = ("get", "list", "watch")
_MAKERS = (
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
)
_MIGHTY_ROLES = frozenset({"cluster-admin", "admin", "edit"})
_MIGHTY_GROUP = "system:masters"
_ADMISSION = "admissionregistration.k8s.io"
_CERTIFICATES = "certificates.k8s.io"


@attrs.frozen
class Power:
    """A right that is worth more than it looks."""

    id: str
    phrase: str
    """What its holder may do, after "may"."""
    holds: Callable[[Rule], bool]
    everywhere: bool
    """Whether it gives the whole cluster when it is held in all namespaces."""
    as_account: bool = False
    """Whether its holder can act as the service accounts of the namespaces where it is held."""
    namespaced: bool = True
    """Whether it means anything when it is given in one namespace alone."""


def _creates_pods(rule: Rule) -> bool:
    # Whoever changes a template decides on the account of the pods that follow.
    return rule.allows("", "pods", "create") or any(
        rule.allows(group, resource, "create", "update", "patch") for group, resource in _MAKERS
    )


def _enters(rule: Rule) -> bool:
    return (
        any(rule.allows("", f"pods/{sub}", "create", "get") for sub in ("exec", "attach"))
        # Another container in a running pod shares its account.
        or rule.allows("", "pods/ephemeralcontainers", "update", "patch")
    )


def _escalates(rule: Rule) -> bool:
    if any(rule.allows(GROUP, role, "escalate", "bind") for role in ("roles", "clusterroles")):
        return True
    # Bind on roles by name is harmless, unless it is one of those that hold everything.
    return rule.allows_some(GROUP, "clusterroles", "bind") and bool(rule.names & _MIGHTY_ROLES)


def _impersonates(rule: Rule) -> bool:
    if rule.allows("", "users", "impersonate") or rule.allows("", "groups", "impersonate"):
        return True
    return rule.allows_some("", "groups", "impersonate") and _MIGHTY_GROUP in rule.names


def _impersonates_accounts(rule: Rule) -> bool:
    return rule.allows("", "serviceaccounts", "impersonate")


def _signs(rule: Rule) -> bool:
    return rule.allows(_CERTIFICATES, "certificatesigningrequests/approval", "update", "patch")


def _intercepts(rule: Rule) -> bool:
    return any(
        rule.allows(_ADMISSION, f"{kind}webhookconfigurations", "create", "update", "patch")
        for kind in ("mutating", "validating")
    )


POWERS: tuple[Power, ...] = (
    Power("everything", "do everything", lambda rule: rule.is_everything, everywhere=True, as_account=True),
    Power("escalate", "give itself any role", _escalates, everywhere=True, as_account=True),
    Power("impersonate", "act as any user or group", _impersonates, everywhere=True, namespaced=False),
    Power(
        "impersonate-accounts",
        "act as any service account",
        _impersonates_accounts,
        everywhere=True,
        as_account=True,
    ),
    Power(
        "token-create",
        "make tokens of service accounts",
        lambda rule: rule.allows("", "serviceaccounts/token", "create"),
        everywhere=True,
        as_account=True,
    ),
    Power(
        "secrets-read",
        "read all Secrets",
        lambda rule: rule.allows("", "secrets", *_READ),
        everywhere=True,
    ),
    Power("pod-create", "create pods under any account", _creates_pods, everywhere=True, as_account=True),
    Power("exec", "enter running pods", _enters, everywhere=True, as_account=True),
    Power(
        "nodes-proxy",
        "command the kubelets of all nodes",
        lambda rule: rule.allows("", "nodes/proxy", "get", "create"),
        everywhere=True,
        namespaced=False,
    ),
    Power("csr-approve", "approve certificates of any user", _signs, everywhere=True, namespaced=False),
    Power("webhook-write", "see and change every request", _intercepts, everywhere=True, namespaced=False),
    Power(
        "volume-create",
        "make volumes of a node's files",
        lambda rule: rule.allows("", "persistentvolumes", "create"),
        everywhere=False,
        namespaced=False,
    ),
)
"""The mightiest first."""
BY_ID = {power.id: power for power in POWERS}
