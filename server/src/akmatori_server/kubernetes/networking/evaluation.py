"""What the network policies of all namespaces together let through."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping

import attrs

from akmatori_server.kubernetes.networking.policies import Address, NetworkPolicy, NetworkRule, Peer

_NAME_LABEL = "kubernetes.io/metadata.name"


class Direction(enum.StrEnum):
    """Which way, seen from the pod that a policy selects."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Reach(enum.IntEnum):
    """Who may be at the other end, the fewest first."""

    NOBODY = 0
    SOME = 1
    """Pods, namespaces, addresses or ports that a policy names."""
    EVERY_POD = 2
    """Every pod of the cluster, at every port."""
    EVERYBODY = 3
    """Every address, at every port: although a policy selects the pod."""
    UNRESTRICTED = 4
    """No policy selects the pod for this direction."""


@attrs.frozen
class Endpoint:
    """One end of a connection: a pod with its labels and namespace, or an address outside of the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = attrs.field(factory=dict[str, str])
    ports: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """The names that the pod gives to its ports."""
    address: Address | None = None
    """Of a pod, too, if it is known: blocks of addresses may name those of pods."""
    is_pod: bool = True


@attrs.frozen
class Traffic:
    """A connection that somebody opens."""

    source: Endpoint
    target: Endpoint
    port: int
    protocol: str = "TCP"


@attrs.frozen
class Policies:
    """All network policies, and the labels of the namespaces that their selectors pick by."""

    by_namespace: Mapping[str, tuple[NetworkPolicy, ...]] = attrs.field(
        factory=dict[str, tuple[NetworkPolicy, ...]]
    )
    namespaces: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict[str, Mapping[str, str]])
    """The labels of each namespace that was read."""

    @classmethod
    def of(
        cls, policies: Iterable[NetworkPolicy], namespaces: Mapping[str, Mapping[str, str]] | None = None
    ) -> Policies:
        """Put policies together."""
        found: dict[str, list[NetworkPolicy]] = {}
        for policy in policies:
            found.setdefault(policy.namespace, []).append(policy)
        return cls({name: tuple(items) for name, items in found.items()}, namespaces or {})

    def selecting(
        self, namespace: str, labels: Mapping[str, str], direction: Direction
    ) -> Iterator[tuple[NetworkPolicy, tuple[NetworkRule, ...]]]:
        """Return the policies that restrict a pod in a direction, each with its rules for it."""
        for policy in self.by_namespace.get(namespace, ()):
            rules = policy.ingress if direction is Direction.INGRESS else policy.egress
            if rules is not None and policy.selects(labels):
                yield policy, rules

    def reach(self, namespace: str, labels: Mapping[str, str], direction: Direction) -> Reach:
        """Return who may be at the other end of the connections of a pod."""
        found = Reach.UNRESTRICTED
        for _, rules in self.selecting(namespace, labels, direction):
            if found is Reach.UNRESTRICTED:
                found = Reach.NOBODY
            # Policies add up: what one of them lets through passes.
            found = max(found, *(_reach(rule) for rule in rules), Reach.NOBODY)
        return found

    def allows(self, traffic: Traffic) -> bool:
        """Whether a connection may be opened: its source may go out, and its target lets it in."""
        return self._passes(traffic.source, traffic.target, traffic, Direction.EGRESS) and self._passes(
            traffic.target, traffic.source, traffic, Direction.INGRESS
        )

    def _passes(self, pod: Endpoint, other: Endpoint, traffic: Traffic, direction: Direction) -> bool:
        if not pod.is_pod:
            return True
        restricted = False
        for policy, rules in self.selecting(pod.namespace, pod.labels, direction):
            restricted = True
            for rule in rules:
                if self._meets_ports(rule, traffic) and self._meets_peers(rule, policy, other):
                    return True
        return not restricted

    def _meets_ports(self, rule: NetworkRule, traffic: Traffic) -> bool:
        named = traffic.target.ports
        return not rule.ports or any(port.holds(traffic.protocol, traffic.port, named) for port in rule.ports)

    def _meets_peers(self, rule: NetworkRule, policy: NetworkPolicy, other: Endpoint) -> bool:
        return not rule.peers or any(self._is(peer, policy, other) for peer in rule.peers)

    def _is(self, peer: Peer, policy: NetworkPolicy, other: Endpoint) -> bool:
        if peer.block is not None:
            return other.address is not None and peer.block.holds(other.address)
        if not other.is_pod or (peer.pods is None and peer.namespaces is None):
            return False
        if peer.namespaces is None:
            # Pods alone are those of the policy's own namespace.
            inside = other.namespace == policy.namespace
        else:
            inside = peer.namespaces.picks(self._labels_of(other.namespace))
        return inside and (peer.pods is None or peer.pods.picks(other.labels))

    def _labels_of(self, namespace: str) -> Mapping[str, str]:
        # The API server writes this label to every namespace; a manifest need not.
        return {**self.namespaces.get(namespace, {}), _NAME_LABEL: namespace}


def _reach(rule: NetworkRule) -> Reach:
    if rule.ports and not any(port.is_every for port in rule.ports):
        return Reach.SOME
    if not rule.peers:
        return Reach.EVERYBODY
    return max(map(_reach_of_peer, rule.peers))


def _reach_of_peer(peer: Peer) -> Reach:
    if peer.block is not None:
        return Reach.EVERYBODY if peer.block.is_everywhere else Reach.SOME
    every_pod = peer.pods is None or peer.pods.is_empty
    if peer.namespaces is not None and peer.namespaces.is_empty and every_pod:
        return Reach.EVERY_POD
    return Reach.SOME
