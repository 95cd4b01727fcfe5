"""What checks of one object must know of the others: service accounts, defaults of namespaces, policies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import attrs

from akmatori_server.kubernetes.api_versions import Release
from akmatori_server.kubernetes.links import LINK_KINDS, LinkReader, Links
from akmatori_server.kubernetes.manifests import ManifestObject, Node, Problem, ProblemKind
from akmatori_server.kubernetes.networking import NetworkPolicy, Policies, read_network_policy
from akmatori_server.kubernetes.pod_security import POD_SECURITY_LATEST, PodSecurityVersion
from akmatori_server.kubernetes.rbac import Account, Rbac, Takeover, find_takeover
from akmatori_server.kubernetes.unread import ALL_READ, Unread
from akmatori_server.kubernetes.workloads import Workload

_KINDS = (
    "ServiceAccount",
    "LimitRange",
    "NetworkPolicy",
    "Namespace",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    *LINK_KINDS,
    "ScaledObject",
)
_LINKS_UNREAD = Unread(dict.fromkeys(LINK_KINDS, frozenset[str]()))
# A file in which this is not found holds none of those objects, and need not be parsed for them.
MENTIONS_CONTEXT = re.compile(
    rb"""kind["']?\s*:\s*["']?(?:"""
    + "|".join(_KINDS).encode()
    + rb""")(?:List)?\b|items["']?\s*:\s*&|<<["']?\s*:|kind["']?\s*:\s*[*!&>|\\]"""
)


@attrs.frozen
class Context:
    """The facts about other objects, as far as they were read."""

    automount: Mapping[tuple[str, str], bool] = attrs.field(factory=dict[tuple[str, str], bool])
    """What service accounts say about their token, by namespace and name."""
    defaults: Mapping[str, frozenset[str]] = attrs.field(factory=dict[str, frozenset[str]])
    """What LimitRanges set in a namespace, such as `limits.memory`."""
    policies: Policies = attrs.field(factory=Policies)
    rbac: Rbac = attrs.field(factory=Rbac)
    namespaces: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict[str, Mapping[str, str]])
    """The labels of each namespace that was read."""
    unread: Unread = ALL_READ
    """The kinds of a live cluster that could not be read: what rests on them is not checked."""
    pod_security: PodSecurityVersion = POD_SECURITY_LATEST
    """The version of the Pod Security Standards that pods are held against."""
    links: Links = attrs.field(factory=Links)
    release: Release = POD_SECURITY_LATEST
    """The release of Kubernetes that everything is meant for."""
    release_is_known: bool = False
    """Whether somebody said so, or a cluster; else the newest is taken."""
    registries: tuple[str, ...] = ()
    """The registries that images may come from."""
    _takeovers: dict[Account, Takeover | None] = attrs.field(
        factory=dict[Account, Takeover | None], eq=False, repr=False
    )

    def takeover(self, account: Account) -> Takeover | None:
        """Return the way from an account to the whole cluster; None where there is none."""
        if account not in self._takeovers:
            self._takeovers[account] = find_takeover(self.rbac, account)
        return self._takeovers[account]


def has_token(workload: Workload, context: Context) -> bool:
    """Whether the token of its service account is mounted: as the pod says, else the account, else it is."""
    if workload.automount is not None:
        return workload.automount
    return context.automount.get((workload.reference.namespace, workload.account_name), True)


def read_context(read: Iterable[ManifestObject | Problem]) -> Context:
    """Collect the facts. Where a document cannot be read, nobody knows which objects are not there."""
    automount: dict[tuple[str, str], bool] = {}
    defaults: dict[str, frozenset[str]] = {}
    policies: list[NetworkPolicy] = []
    namespaces: dict[str, Mapping[str, str]] = {}
    rbac, links = Rbac(), LinkReader()
    unread = ALL_READ
    for found in read:
        if isinstance(found, Problem):
            if found.kind is ProblemKind.UNREADABLE:
                unread = _LINKS_UNREAD
            continue
        namespace = found.namespace
        if found.kind == "ServiceAccount":
            mounted = found.body.get("automountServiceAccountToken").boolean()
            if mounted is not None:
                automount[namespace, found.name] = mounted
        elif found.kind == "LimitRange":
            defaults[namespace] = defaults.get(namespace, frozenset()) | _defaults(found.body)
        elif found.kind == "NetworkPolicy" and found.group == "networking.k8s.io":
            policies.append(read_network_policy(found))
        elif found.kind == "Namespace" and found.group == "":
            namespaces[found.name] = found.body.get("metadata", "labels").texts()
        else:
            links.add(found)
            rbac.add(found)
    return Context(
        automount,
        defaults,
        Policies.of(policies, namespaces),
        rbac,
        namespaces,
        unread,
        links=links.links(policies),
    )


def _defaults(body: Node) -> frozenset[str]:
    """Return what a LimitRange fills in, after its own defaulting: a maximum is a default, a default a request."""
    filled: set[str] = set()
    for item in body.get("spec", "limits").each():
        if item.get("type").text() != "Container":
            continue
        limits = {*item.get("default").texts(), *item.get("max").texts()}
        requests = {*limits, *item.get("defaultRequest").texts(), *item.get("min").texts()}
        filled |= {f"limits.{name}" for name in limits} | {f"requests.{name}" for name in requests}
    return frozenset(filled)
