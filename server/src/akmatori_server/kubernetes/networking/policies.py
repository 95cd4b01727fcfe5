"""NetworkPolicies as they are written, with the defaults of the API server."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from akmatori_server.kubernetes.manifests import ManifestObject, Node, Source
from akmatori_server.kubernetes.selectors import Selector, read_selector

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@attrs.frozen
class AddressBlock:
    """An `ipBlock`: a network, less some parts of it."""

    network: Network | None
    """None where what is written is no network: nothing is in it."""
    excepted: tuple[Network, ...]

    @property
    def is_everywhere(self) -> bool:
        """Whether it holds every address of its family."""
        return self.network is not None and self.network.prefixlen == 0 and not self.excepted

    def holds(self, address: Address) -> bool:
        """Whether an address is in it."""
        if self.network is None or address not in self.network:
            return False
        return not any(address in part for part in self.excepted)


@attrs.frozen
class Peer:
    """Who is at the other end: pods by their labels and their namespace's, or addresses."""

    pods: Selector | None
    namespaces: Selector | None
    block: AddressBlock | None


@attrs.frozen
class PortRange:
    """A `ports` entry: a number, a range of numbers, or the name of a container's port."""

    protocol: str
    first: int | None
    last: int | None
    name: str

    @property
    def is_every(self) -> bool:
        """Whether it is every port of its protocol."""
        return self.first is None and not self.name

    def holds(self, protocol: str, number: int, named: Mapping[str, int]) -> bool:
        """Whether a port is in it; `named` are the names that the receiving pod gives to its ports."""
        if protocol != self.protocol:
            return False
        if self.name:
            return named.get(self.name) == number
        if self.first is None:
            return True
        return self.first <= number <= (self.first if self.last is None else self.last)


@attrs.frozen
class NetworkRule:
    """A rule: any of its peers, at any of its ports; without peers everybody, without ports every port."""

    peers: tuple[Peer, ...]
    ports: tuple[PortRange, ...]


@attrs.frozen
class NetworkPolicy:
    """A policy: whom it selects, and what it lets through; None for a direction that it does not restrict."""

    name: str
    namespace: str
    selector: Selector
    ingress: tuple[NetworkRule, ...] | None
    egress: tuple[NetworkRule, ...] | None
    source: Source

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether it selects pods of its namespace with these labels."""
        return self.selector.picks(labels)


def read_network_policy(found: ManifestObject) -> NetworkPolicy:
    """Return the policy that an object is."""
    spec = found.body.get("spec")
    types = frozenset(item.text() for item in spec.get("policyTypes").each())
    # Without types it restricts ingress, and egress only when it has rules for it.
    ingress = "Ingress" in types if types else True
    egress = "Egress" in types if types else bool(spec.get("egress").each())
    return NetworkPolicy(
        name=found.name,
        namespace=found.namespace,
        selector=read_selector(spec.get("podSelector")),
        ingress=_rules(spec.get("ingress"), "from") if ingress else None,
        egress=_rules(spec.get("egress"), "to") if egress else None,
        source=found.source,
    )


def _rules(node: Node, peers: str) -> tuple[NetworkRule, ...]:
    return tuple(
        NetworkRule(
            peers=tuple(_peer(item) for item in rule.get(peers).each()),
            ports=tuple(_port(item) for item in rule.get("ports").each()),
        )
        for rule in node.each()
    )


def _peer(node: Node) -> Peer:
    pods, namespaces, block = node.get("podSelector"), node.get("namespaceSelector"), node.get("ipBlock")
    return Peer(
        pods=read_selector(pods) if pods.exists else None,
        namespaces=read_selector(namespaces) if namespaces.exists else None,
        block=AddressBlock(
            _network(block.get("cidr").text()),
            tuple(part for item in block.get("except").each() if (part := _network(item.text()))),
        )
        if block.exists
        else None,
    )


def _port(node: Node) -> PortRange:
    port = node.get("port")
    number = port.integer()
    return PortRange(
        protocol=node.get("protocol").text() or "TCP",
        first=number,
        last=node.get("endPort").integer(),
        name="" if number is not None else port.text(),
    )


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
