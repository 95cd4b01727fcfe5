"""Roles, bindings and subjects put together: who may do what, where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import attrs

from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.rbac.defaults import DEFAULT_ROLES
from akmatori_server.kubernetes.rbac.model import (
    BINDINGS,
    GROUP,
    ROLES,
    Account,
    Binding,
    Role,
    Subject,
    read_binding,
    read_role,
)
from akmatori_server.kubernetes.rbac.rules import Rule

RoleKey: TypeAlias = tuple[str, str, str]


@attrs.frozen
class Grant:
    """A rule that somebody holds: in one namespace, or everywhere, which is the empty namespace."""

    rule: Rule
    namespace: str
    binding: Binding


@attrs.define
class Rbac:
    """All roles and bindings that were read."""

    _roles: dict[RoleKey, Role] = attrs.field(factory=dict[RoleKey, Role])
    _holders: dict[tuple[str, str], list[Binding]] = attrs.field(factory=dict[tuple[str, str], list[Binding]])
    _accounts: dict[str, set[Account]] = attrs.field(factory=dict[str, set[Account]])
    _collected: dict[RoleKey, tuple[Rule, ...]] = attrs.field(factory=dict[RoleKey, tuple[Rule, ...]])

    def add(self, found: ManifestObject) -> None:
        """Take an object in; other kinds are passed over."""
        if found.group != GROUP:
            return
        if found.kind in ROLES:
            role = read_role(found)
            self._roles[role.kind, role.namespace, role.name] = role
            self._collected.clear()
        elif found.kind in BINDINGS:
            self._bind(read_binding(found))

    def rules_of(self, kind: str, namespace: str, name: str) -> tuple[Rule, ...]:
        """Return the rules of a role, those that it collects from others included; none for an unknown role."""
        key = (kind, namespace if kind == "Role" else "", name)
        role = self._roles.get(key)
        if role is None:
            return DEFAULT_ROLES.get(name, ()) if kind == "ClusterRole" else ()
        if not role.collects:
            return role.rules
        known = self._collected.get(key)
        if known is None:
            known = tuple(self._collect(role, set()))
            self._collected[key] = known
        return known

    def collected_by(self, found: ManifestObject) -> tuple[Rule, ...]:
        """Return the rules that an aggregated role has of other roles, and that are not written in it."""
        role = self._roles.get((found.kind, "", found.name))
        if role is None or not role.collects:
            return ()
        written = {attrs.evolve(rule, index=0) for rule in role.rules}
        return tuple(
            rule
            for rule in self.rules_of(found.kind, "", found.name)
            if attrs.evolve(rule, index=0) not in written
        )

    def granted_to(self, account: Account) -> Iterator[Grant]:
        """Return every right of a service account: its own, and those of the groups that it is a member of."""
        holders = [("ServiceAccount", str(account)), ("User", account.user)]
        holders += [("Group", group) for group in account.groups]
        for holder in holders:
            for binding in self._holders.get(holder, ()):
                yield from self.grants_of(binding)

    def grants_of(self, binding: Binding) -> Iterator[Grant]:
        """Return what a binding gives: within its namespace, if it is one of a namespace."""
        for rule in self.rules_of(binding.role_kind, binding.namespace, binding.role_name):
            yield Grant(rule, binding.namespace, binding)

    def accounts_in(self, namespace: str) -> Iterator[Account]:
        """Return the service accounts of a namespace that are bound to something; of all, for the empty name."""
        groups = self._accounts.values() if not namespace else (self._accounts.get(namespace, ()),)
        for accounts in groups:
            yield from sorted(accounts, key=str)

    def _bind(self, binding: Binding) -> None:
        for subject in binding.subjects:
            self._holders.setdefault(_holder(subject, binding), []).append(binding)
            account = _account(subject, binding)
            if account is not None:
                self._accounts.setdefault(account.namespace, set()).add(account)

    def _collect(self, role: Role, seen: set[str]) -> Iterator[Rule]:
        yield from role.rules
        seen.add(role.name)
        for other in self._cluster_roles():
            if other.name not in seen and any(selector.picks(other.labels) for selector in role.collects):
                # A role that collects may be collected itself; a circle ends where it began.
                yield from self._collect(other, seen)

    def _cluster_roles(self) -> Iterator[Role]:
        return (role for role in self._roles.values() if role.kind == "ClusterRole")


def read_rbac(objects: Iterable[ManifestObject]) -> Rbac:
    """Put the roles and bindings among some objects together."""
    rbac = Rbac()
    for found in objects:
        rbac.add(found)
    return rbac


def _holder(subject: Subject, binding: Binding) -> tuple[str, str]:
    if subject.kind == "ServiceAccount":
        return ("ServiceAccount", f"{subject.namespace or binding.namespace}/{subject.name}")
    return (subject.kind, subject.name)


def _account(subject: Subject, binding: Binding) -> Account | None:
    if subject.kind == "ServiceAccount":
        return Account(subject.namespace or binding.namespace, subject.name)
    prefix, _, rest = subject.name.partition("system:serviceaccount:")
    if subject.kind == "User" and not prefix and rest.count(":") == 1:
        namespace, _, name = rest.partition(":")
        return Account(namespace, name)
    return None
