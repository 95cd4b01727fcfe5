"""Checks of the scanner network-policy: how Services and Ingresses let the world in."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, Hit, ObjectCheck
from akmatori_server.kubernetes.manifests import ManifestObject

# By which clouds are told that a load balancer is for inside; any of the values, in small letters.
_INTERNAL: dict[str, frozenset[str]] = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": frozenset({"true", "0.0.0.0/0"}),
    "service.beta.kubernetes.io/aws-load-balancer-scheme": frozenset({"internal"}),
    "service.beta.kubernetes.io/azure-load-balancer-internal": frozenset({"true"}),
    "networking.gke.io/load-balancer-type": frozenset({"internal"}),
    "cloud.google.com/load-balancer-type": frozenset({"internal"}),
    "service.beta.kubernetes.io/openstack-internal-load-balancer": frozenset({"true"}),
    "service.beta.kubernetes.io/oci-load-balancer-internal": frozenset({"true"}),
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": frozenset({"intranet"}),
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": frozenset({"private"}),
}
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_NGINX = ("nginx.ingress.kubernetes.io/", "nginx.org/")
_SNIPPETS = ("-snippet", "-snippets")


def _external_ip(found: ManifestObject, _: Context) -> Iterator[Hit]:
    if found.group == "":
        for index, item in enumerate(found.body.get("spec", "externalIPs").each()):
            yield Hit(("spec", "externalIPs", index), evidence=item.text()[:100], discriminator=item.text())


def _load_balancer(found: ManifestObject, _: Context) -> Iterator[Hit]:
    spec = found.body.get("spec")
    if found.group != "" or spec.get("type").text() != "LoadBalancer":
        return
    annotations = found.annotations
    if any(annotations.get(name, "").lower() in values for name, values in _INTERNAL.items()):
        return
    ranges = [item.text() for item in spec.get("loadBalancerSourceRanges").each()]
    ranges = ranges or [part.strip() for part in annotations.get(_RANGES, "").split(",") if part.strip()]
    if not ranges:
        yield Hit(("spec", "type"), evidence="no loadBalancerSourceRanges")
    elif any(_is_everywhere(text) for text in ranges):
        yield Hit(("spec", "loadBalancerSourceRanges"), evidence=", ".join(ranges)[:500])


def _is_everywhere(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).prefixlen == 0
    except ValueError:
        return False


def _snippet(found: ManifestObject, _: Context) -> Iterator[Hit]:
    if found.group not in ("networking.k8s.io", "extensions"):
        return
    for name in found.annotations:
        if name.startswith(_NGINX) and name.endswith(_SNIPPETS):
            yield Hit(("metadata", "annotations", name), evidence=name[:250], discriminator=name)


CHECKS: tuple[Check, ...] = (
    ObjectCheck(
        "service-external-ip",
        Severity.MEDIUM,
        Category.NETWORK_POLICY,
        "Service that takes an address",
        "Whoever writes externalIPs takes the traffic of any address to these pods, whose address it is or not.",
        "Use a load balancer or an Ingress, and refuse externalIPs at admission.",
        controls(),
        frozenset({"Service"}),
        _external_ip,
    ),
    ObjectCheck(
        "load-balancer-open",
        Severity.LOW,
        Category.NETWORK_POLICY,
        "Load balancer that is open to every address",
        "The Service gets an address that everybody may connect to, from the whole internet in most clouds.",
        "Name who connects in spec.loadBalancerSourceRanges, or make it an internal one.",
        controls(),
        frozenset({"Service"}),
        _load_balancer,
    ),
    ObjectCheck(
        "ingress-snippet",
        Severity.MEDIUM,
        Category.NETWORK_POLICY,
        "Ingress that configures nginx itself",
        "Lines of a snippet run in the ingress controller, and can read what it reads: the Secrets of all namespaces.",
        "Use the annotation for what is wanted, and switch snippets off in the controller.",
        controls(),
        frozenset({"Ingress"}),
        _snippet,
    ),
)
"""In the order in which they are listed."""
