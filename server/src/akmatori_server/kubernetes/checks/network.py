"""Checks of the scanner network-policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, Hit, ObjectCheck, WorkloadCheck
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.networking import Direction, Reach
from akmatori_server.kubernetes.workloads import Workload

_NIST = ("AC-4", "CM-7", "SC-7")
_ENDING = frozenset({"Job", "CronJob"})
# Where the certificate of a cloud's own load balancer is named.
_CERTIFICATES = (
    "alb.ingress.kubernetes.io/certificate-arn",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "networking.gke.io/managed-certificates",
)
_ALB_PORTS = "alb.ingress.kubernetes.io/listen-ports"


def _no_labels(workload: Workload, _: Context) -> Iterator[Hit]:
    # The pods of a Job get labels from it; nothing else is to select them.
    if not workload.labels and workload.reference.kind not in _ENDING:
        yield Hit()


def _host_port(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.host_network:
        # Every port is one of the host then; host-network says so once.
        return
    for container in workload.containers:
        for port in container.host_ports:
            yield Hit(port.at, container.name, f"hostPort: {port.number}", str(port.number))


def _reached(direction: Direction, *wrong: Reach) -> Callable[[Workload, Context], Iterator[Hit]]:
    def find(workload: Workload, context: Context) -> Iterator[Hit]:
        if workload.host_network:
            # No policy applies to it, whatever it selects; host-network says so.
            return
        namespace, policies = workload.reference.namespace, context.policies
        if policies.reach(namespace, workload.labels, direction) in wrong:
            found = policies.selecting(namespace, workload.labels, direction)
            yield Hit(evidence=", ".join(sorted(f"NetworkPolicy {policy.name}" for policy, _ in found))[:500])

    return find


def _no_policy_at_all(found: ManifestObject, context: Context) -> Iterator[Hit]:
    if found.group == "" and not context.policies.by_namespace.get(found.name):
        yield Hit()


def _no_tls(found: ManifestObject, _: Context) -> Iterator[Hit]:
    if found.group not in ("networking.k8s.io", "extensions"):
        return
    if _is_secured_by_cloud(found.annotations):
        return
    spec = found.body.get("spec")
    tls = spec.get("tls").each()
    secured = {host.text() for item in tls for host in item.get("hosts").each()}
    # An entry without hosts is for all of them.
    if any(not item.get("hosts").each() for item in tls):
        return
    hosts = {rule.get("host").text() for rule in spec.get("rules").each()}
    if spec.get("defaultBackend").exists or spec.get("backend").exists:
        hosts.add("")
    for host in sorted(hosts - secured):
        if f"*.{host.partition('.')[2]}" not in secured:
            yield Hit(("spec",), evidence=host or "all hosts", discriminator=host)


def _is_secured_by_cloud(annotations: dict[str, str]) -> bool:
    # Where an ALB is told its ports they decide: it finds certificates by the hosts itself, or does not use any.
    ports = annotations.get(_ALB_PORTS, "")
    if ports:
        return '"HTTPS"' in ports
    return any(annotations.get(name, "").strip() for name in _CERTIFICATES)


_POLICIES = frozenset({"NetworkPolicy"})

CHECKS: tuple[Check, ...] = (
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
        _reached(Direction.INGRESS, Reach.UNRESTRICTED),
        needs_nearby=_POLICIES,
    ),
    WorkloadCheck(
        "no-network-policy-egress",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "No NetworkPolicy for outgoing traffic",
        "No NetworkPolicy that was read selects the pod for egress, so it may connect to anything.",
        "Add a NetworkPolicy that selects it with policyTypes: [Egress], with DNS allowed.",
        controls(cis=("network-policies",), nist=_NIST),
        _reached(Direction.EGRESS, Reach.UNRESTRICTED),
        needs_nearby=_POLICIES,
    ),
    WorkloadCheck(
        "network-policy-open-ingress",
        Severity.MEDIUM,
        Category.NETWORK_POLICY,
        "NetworkPolicy lets everybody in",
        "A NetworkPolicy selects the pod for ingress, but its rules together admit every pod, or every address.",
        "Name the pods, namespaces and ports that connect to it in the rules under ingress.",
        controls(cis=("network-policies",), nist=_NIST),
        _reached(Direction.INGRESS, Reach.EVERY_POD, Reach.EVERYBODY),
        needs_nearby=_POLICIES,
    ),
    WorkloadCheck(
        "network-policy-open-egress",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "NetworkPolicy lets everything out",
        "A NetworkPolicy selects the pod for egress, but its rules together let it connect to every address.",
        "Name what it connects to in the rules under egress, with DNS allowed.",
        controls(nist=_NIST),
        _reached(Direction.EGRESS, Reach.EVERYBODY),
        needs_nearby=_POLICIES,
    ),
    ObjectCheck(
        "namespace-without-network-policy",
        Severity.MEDIUM,
        Category.NETWORK_POLICY,
        "Namespace without a NetworkPolicy",
        "No NetworkPolicy that was read is in the namespace: its pods accept and open every connection.",
        "Add a NetworkPolicy with an empty podSelector that denies all, then allow what is needed.",
        controls(cis=("network-policies",), nist=_NIST),
        frozenset({"Namespace"}),
        _no_policy_at_all,
        needs_nearby=_POLICIES,
    ),
    ObjectCheck(
        "ingress-no-tls",
        Severity.MEDIUM,
        Category.NETWORK_POLICY,
        "Ingress without TLS",
        "The Ingress serves hosts without a certificate: what is sent can be read and changed on its way.",
        "Name the hosts and a secret with their certificate in spec.tls, or the certificate as your cloud has it.",
        controls(nist=("SC-8", "SC-8(1)")),
        frozenset({"Ingress"}),
        _no_tls,
    ),
)
"""In the order in which they are listed."""
