"""Roles, bindings and subjects, as they are written."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.rbac.rules import Rule, read_rules
from akmatori_server.kubernetes.selectors import Selector, read_selector

GROUP = "rbac.authorization.k8s.io"
ROLES = frozenset({"Role", "ClusterRole"})
BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})


@attrs.frozen
class Account:
    """A service account."""

    namespace: str
    name: str

    @property
    def user(self) -> str:
        """The name under which it acts."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that every service account is a member of."""
        return ("system:serviceaccounts", f"system:serviceaccounts:{self.namespace}", "system:authenticated")

    def __str__(self) -> str:
        """Return its namespace and name."""
        return f"{self.namespace}/{self.name}"


@attrs.frozen
class Subject:
    """Whom a binding gives a role to: a User, a Group or a ServiceAccount."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        """Return its kind and name."""
        return f"{self.kind} " + (f"{self.namespace}/" if self.namespace else "") + self.name


@attrs.frozen
class Role:
    """A Role or a ClusterRole; a Role has a namespace."""

    kind: str
    namespace: str
    name: str
    rules: tuple[Rule, ...]
    labels: Mapping[str, str] = attrs.field(factory=dict[str, str])
    collects: tuple[Selector, ...] = ()
    """The ClusterRoles whose rules it takes over: `aggregationRule`."""


@attrs.frozen
class Binding:
    """A RoleBinding, which has a namespace and holds in it alone, or a ClusterRoleBinding."""

    kind: str
    namespace: str
    name: str
    role_kind: str
    role_name: str
    subjects: tuple[Subject, ...]


def read_role(found: ManifestObject) -> Role:
    """Return the role that an object is."""
    metadata = found.body.get("metadata")
    return Role(
        kind=found.kind,
        namespace=found.namespace if found.kind == "Role" else "",
        name=found.name,
        rules=read_rules(found.body),
        labels=metadata.get("labels").texts(),
        collects=tuple(
            read_selector(item) for item in found.body.get("aggregationRule", "clusterRoleSelectors").each()
        ),
    )


def read_binding(found: ManifestObject) -> Binding:
    """Return the binding that an object is."""
    reference = found.body.get("roleRef")
    return Binding(
        kind=found.kind,
        namespace=found.namespace if found.kind == "RoleBinding" else "",
        name=found.name,
        role_kind=reference.get("kind").text(),
        role_name=reference.get("name").text(),
        subjects=tuple(
            Subject(item.get("kind").text(), item.get("name").text(), item.get("namespace").text())
            for item in found.body.get("subjects").each()
        ),
    )
