"""What checks of one object must know of the others: service accounts, defaults of namespaces, policies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import attrs

from akmatori_server.kubernetes.checks.network_policies import NetworkPolicy, read_network_policy
from akmatori_server.kubernetes.manifests import ManifestObject, Node

_KINDS = ("ServiceAccount", "LimitRange", "NetworkPolicy")
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
    policies: Mapping[str, tuple[NetworkPolicy, ...]] = attrs.field(
        factory=dict[str, tuple[NetworkPolicy, ...]]
    )


def read_context(objects: Iterable[ManifestObject]) -> Context:
    """Collect the facts."""
    automount: dict[tuple[str, str], bool] = {}
    defaults: dict[str, frozenset[str]] = {}
    policies: dict[str, tuple[NetworkPolicy, ...]] = {}
    for found in objects:
        namespace = found.namespace
        if found.kind == "ServiceAccount":
            mounted = found.body.get("automountServiceAccountToken").boolean()
            if mounted is not None:
                automount[namespace, found.name] = mounted
        elif found.kind == "LimitRange":
            defaults[namespace] = defaults.get(namespace, frozenset()) | _defaults(found.body)
        elif found.kind == "NetworkPolicy" and found.group == "networking.k8s.io":
            policies[namespace] = (*policies.get(namespace, ()), read_network_policy(found))
    return Context(automount, defaults, policies)


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
