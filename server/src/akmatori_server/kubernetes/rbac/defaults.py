"""The roles that every cluster has, for what they matter here: manifests bind to them without holding them."""

from __future__ import annotations

from akmatori_server.kubernetes.rbac.rules import Rule

_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_READ = ("get", "list", "watch")


def _rule(groups: tuple[str, ...], resources: tuple[str, ...], verbs: tuple[str, ...]) -> Rule:
    return Rule(frozenset(groups), frozenset(resources), frozenset(verbs))


_EDIT = (
    _rule(("",), ("pods", "replicationcontrollers", "serviceaccounts"), _READ + _WRITE),
    _rule(("",), ("pods/attach", "pods/exec", "pods/portforward", "pods/proxy"), ("get", "create", *_WRITE)),
    _rule(("",), ("secrets",), _READ + _WRITE),
    _rule(("",), ("serviceaccounts",), ("impersonate",)),
    _rule(("",), ("serviceaccounts/token",), ("create",)),
    _rule(("apps",), ("daemonsets", "deployments", "replicasets", "statefulsets"), _READ + _WRITE),
    _rule(("batch",), ("cronjobs", "jobs"), _READ + _WRITE),
)

DEFAULT_ROLES: dict[str, tuple[Rule, ...]] = {
    "cluster-admin": (_rule(("*",), ("*",), ("*",)),),
    # An admin may bind its own rights to others, but no more than it has: that is no way up.
    "admin": _EDIT,
    "edit": _EDIT,
}
"""By name; used only where the role itself was not read."""
