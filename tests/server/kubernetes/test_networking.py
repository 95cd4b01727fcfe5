"""Network policies: what they let through, as the network plugins of Kubernetes do."""

import ipaddress
from typing import Any

import pytest

from akmatori_server.kubernetes.manifests import ManifestObject, json_node
from akmatori_server.kubernetes.manifests.objects import object_of
from akmatori_server.kubernetes.networking import (
    Direction,
    Endpoint,
    NetworkPolicy,
    Policies,
    Reach,
    Traffic,
    read_network_policy,
)

WEB = Endpoint("shop", {"app": "web"}, {"http": 8080}, ipaddress.ip_address("10.1.0.5"))
DB = Endpoint("data", {"app": "db"})
OTHER = Endpoint("shop", {"app": "other"})
OUTSIDE = Endpoint(address=ipaddress.ip_address("203.0.113.9"), is_pod=False)
NAMESPACES = {"shop": {"team": "a"}, "data": {"team": "b"}}


def read(namespace: str = "shop", **spec: Any) -> NetworkPolicy:
    found = object_of(
        json_node(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "p", "namespace": namespace},
                "spec": {"podSelector": {"matchLabels": {"app": "web"}}, **spec},
            }
        ),
        "",
    )
    assert isinstance(found, ManifestObject)
    return read_network_policy(found)


def admits(
    source: Endpoint, *rules: Any, port: int = 80, protocol: str = "TCP", target: Endpoint = WEB
) -> bool:
    policies = Policies.of([read(ingress=list(rules))], NAMESPACES)
    return policies.allows(Traffic(source, target, port, protocol))


@pytest.mark.parametrize(
    ("peer", "sources"),
    [
        ({"podSelector": {}}, [OTHER]),
        ({"podSelector": {"matchLabels": {"app": "db"}}}, []),  # of the policy's own namespace alone
        ({"namespaceSelector": {}}, [OTHER, DB]),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, [DB]),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}}}, [DB]),
        (
            {
                "namespaceSelector": {"matchLabels": {"team": "b"}},
                "podSelector": {"matchLabels": {"app": "x"}},
            },
            [],
        ),
        (
            {
                "namespaceSelector": {
                    "matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]
                }
            },
            [DB],
        ),
        ({"ipBlock": {"cidr": "203.0.113.0/24"}}, [OUTSIDE]),
        ({"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.8/29"]}}, []),
        ({"ipBlock": {"cidr": "nonsense"}}, []),
        ({}, []),  # a peer that names nobody
    ],
)
def test_peers(peer: dict[str, Any], sources: list[Endpoint]) -> None:
    assert [end for end in (OTHER, DB, OUTSIDE) if admits(end, {"from": [peer]})] == sources


@pytest.mark.parametrize(
    ("port", "reached"),
    [
        ({"port": 80}, [("TCP", 80)]),
        ({"port": 80, "endPort": 8080}, [("TCP", 80), ("TCP", 8080)]),
        ({"port": "http"}, [("TCP", 8080)]),
        ({"port": "other"}, []),
        ({"protocol": "UDP"}, [("UDP", 53)]),
        ({}, [("TCP", 80), ("TCP", 8080)]),
    ],
)
def test_ports(port: dict[str, Any], reached: list[tuple[str, int]]) -> None:
    asked = [("TCP", 80), ("TCP", 8080), ("UDP", 53)]
    found = [
        (protocol, number)
        for protocol, number in asked
        if admits(DB, {"ports": [port]}, port=number, protocol=protocol)
    ]
    assert found == reached


def test_directions_and_their_defaults() -> None:
    assert read().ingress == ()
    assert read().egress is None
    assert read(egress=[{}]).egress is not None
    assert read(policyTypes=["Egress"]).ingress is None
    assert read(policyTypes=["Egress"]).egress == ()
    both = read(policyTypes=["Ingress", "Egress"])
    assert (both.ingress, both.egress) == ((), ())


def test_a_connection_needs_both_ends() -> None:
    out = read(
        policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}]
    )
    policies = Policies.of([out], NAMESPACES)
    assert policies.allows(Traffic(WEB, DB, 5432))
    assert not policies.allows(Traffic(WEB, OTHER, 80))
    assert policies.allows(Traffic(OTHER, WEB, 80))
    closed = read("data", podSelector={}, policyTypes=["Ingress"])
    assert not Policies.of([out, closed], NAMESPACES).allows(Traffic(WEB, DB, 5432))


def test_policies_add_up() -> None:
    deny, allow = read(), read(ingress=[{"from": [{"podSelector": {}}]}])
    assert not Policies.of([deny]).allows(Traffic(OTHER, WEB, 80))
    assert Policies.of([deny, allow]).allows(Traffic(OTHER, WEB, 80))


@pytest.mark.parametrize(
    ("rules", "reach"),
    [
        (None, Reach.UNRESTRICTED),
        ([], Reach.NOBODY),
        ([{"from": [{"podSelector": {}}]}], Reach.SOME),
        ([{"ports": [{"port": 80}]}], Reach.SOME),
        ([{"from": [{"namespaceSelector": {}}]}], Reach.EVERY_POD),
        ([{"from": [{"namespaceSelector": {}}], "ports": [{"port": 80}]}], Reach.SOME),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], Reach.EVERYBODY),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}], Reach.SOME),
        ([{}], Reach.EVERYBODY),
        ([{"from": []}], Reach.EVERYBODY),
    ],
)
def test_reach_of_a_workload(rules: list[Any] | None, reach: Reach) -> None:
    found = [] if rules is None else [read(ingress=rules)]
    assert Policies.of(found).reach("shop", {"app": "web"}, Direction.INGRESS) is reach


def test_empty_selectors_and_missing_labels() -> None:
    everyone = read(podSelector={})
    assert everyone.selects({})
    assert not read().selects({})
    expression = {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}
    assert read(podSelector=expression).selects({})
    assert not read(podSelector=expression).selects({"app": ""})
