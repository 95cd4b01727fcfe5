"""Checks of the scanner network-policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Hit, WorkloadCheck
from akmatori_server.kubernetes.checks.network_policies import NetworkPolicy
from akmatori_server.kubernetes.workloads import Workload

_NIST = ("AC-4", "CM-7", "SC-7")


def _no_labels(workload: Workload, _: Context) -> Iterator[Hit]:
    if not workload.labels:
        yield Hit()


def _host_port(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.host_network:
        # Every port is one of the host then; host-network says so once.
        return
    for container in workload.containers:
        for port in container.host_ports:
            yield Hit(port.at, container.name, f"hostPort: {port.number}", str(port.number))


def _unrestricted(restricts: Callable[[NetworkPolicy], bool]) -> Callable[[Workload, Context], Iterator[Hit]]:
    def find(workload: Workload, context: Context) -> Iterator[Hit]:
        if workload.host_network:
            # No policy applies to it, whatever it selects; host-network says so.
            return
        policies = context.policies.get(workload.reference.namespace, ())
        if not any(restricts(policy) and policy.selects(workload.labels) for policy in policies):
            yield Hit()

    return find


CHECKS = (
    WorkloadCheck(
        "no-labels",
        Severity.MEDIUM,
        Category.NETWORK_POLICY,
        "Pod without labels",
        "Only a NetworkPolicy that selects every pod of the namespace can select it.",
        "Give the pod template labels, such as app.kubernetes.io/name.",
        controls(cis=("network-policies",), nist=_NIST),
        _no_labels,
    ),
    WorkloadCheck(
        "host-port",
        Severity.HIGH,
        Category.NETWORK_POLICY,
        "Port of the host",
        "The container opens a port on its node, past Services and many NetworkPolicy implementations.",
        "Remove hostPort, and expose the port by a Service.",
        controls(
            cis=("host-port",), nist=("CM-6", "CM-7"), baseline=("hostPorts",), restricted=("hostPorts",)
        ),
        _host_port,
    ),
    WorkloadCheck(
        "no-network-policy-ingress",
        Severity.MEDIUM,
        Category.NETWORK_POLICY,
        "No NetworkPolicy for incoming traffic",
        "No NetworkPolicy that was read selects the pod for ingress, so every pod of the cluster may connect to it.",
        "Add a NetworkPolicy that selects it with policyTypes: [Ingress]; begin with one that denies all.",
        controls(cis=("network-policies",), nist=_NIST),
        _unrestricted(lambda policy: policy.ingress),
    ),
    WorkloadCheck(
        "no-network-policy-egress",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "No NetworkPolicy for outgoing traffic",
        "No NetworkPolicy that was read selects the pod for egress, so it may connect to anything.",
        "Add a NetworkPolicy that selects it with policyTypes: [Egress], with DNS allowed.",
        controls(cis=("network-policies",), nist=_NIST),
        _unrestricted(lambda policy: policy.egress),
    ),
)
"""In the order in which they are listed."""
