"""Checks of the scanner image-vulnerability: whether an image is the one that was tested."""

from __future__ import annotations

import re
from collections.abc import Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Hit, WorkloadCheck, at
from akmatori_server.kubernetes.checks.registries import folded_host, names_host
from akmatori_server.kubernetes.workloads import Workload

_DIGEST = re.compile(r"@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$")
_NIST = ("CM-6", "SI-7", "CM-14")
REGISTRY_CHECK = "image-registry-not-allowed"
"""The check that needs to be told which registries are allowed."""
_NOT_ASKING = ("IfNotPresent", "Never")


def _tag(image: str) -> str:
    """Return the tag; the colon of a registry's port, before the last slash, begins none."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2]


def _latest_tag(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        image = container.image
        if image and not _DIGEST.search(image) and _tag(image) in ("", "latest"):
            yield at(container, "image", evidence=image)


def _no_digest(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        image = container.image
        # An image without a fixed tag has its finding already.
        if image and not _DIGEST.search(image) and _tag(image) not in ("", "latest"):
            yield at(container, "image", evidence=image)


def _stale(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        image = container.image
        policy = workload.spec.nearest(container.at).get("imagePullPolicy").text()
        # Without a policy such an image is asked for each time.
        if image and not _DIGEST.search(image) and _tag(image) in ("", "latest") and policy in _NOT_ASKING:
            yield at(container, "imagePullPolicy", evidence=f"{image}, imagePullPolicy: {policy}")


def _elsewhere(workload: Workload, context: Context) -> Iterator[Hit]:
    for container in workload.containers:
        image = container.image
        if image and not any(is_from(image, registry) for registry in context.registries):
            yield at(container, "image", evidence=image)


def is_from(image: str, registry: str) -> bool:
    """Whether an image is from a registry, or from a part of it, such as `ghcr.io/acme`."""
    host, slash, rest = image.partition("/")
    # What names no host is of Docker's own registry, and of its library when it names no owner.
    if not slash:
        full = f"docker.io/library/{image}"
    elif names_host(host.lower()):
        full = f"{folded_host(host)}/{rest}"
    else:
        full = f"docker.io/{image}"
    return full.startswith(registry.rstrip("/") + "/")


CHECKS: tuple[WorkloadCheck, ...] = (
    WorkloadCheck(
        "latest-tag",
        Severity.HIGH,
        Category.IMAGE_VULNERABILITY,
        "Image without a fixed tag",
        "The image has no tag, or `latest`: what runs changes whenever somebody pushes.",
        "Name a version, or better the digest: image: name:1.2.3@sha256:…",
        controls(nist=_NIST),
        _latest_tag,
    ),
    WorkloadCheck(
        "no-digest",
        Severity.MEDIUM,
        Category.IMAGE_VULNERABILITY,
        "Image not pinned by its digest",
        "A tag can be moved to another image; a digest cannot.",
        "Add the digest: image: name:1.2.3@sha256:…",
        controls(nist=_NIST),
        _no_digest,
    ),
    WorkloadCheck(
        "pull-policy-mutable-tag",
        Severity.LOW,
        Category.IMAGE_VULNERABILITY,
        "Image without a fixed tag that is not asked for again",
        "Nodes keep what they once pulled: pods of one workload run different images, by the node they are on.",
        "Name a version, or leave imagePullPolicy out.",
        controls(),
        _stale,
    ),
    WorkloadCheck(
        REGISTRY_CHECK,
        Severity.MEDIUM,
        Category.IMAGE_VULNERABILITY,
        "Image from elsewhere",
        "The image comes from none of the registries that are allowed.",
        "Copy the image into a registry that is allowed, and name it there.",
        controls(),
        _elsewhere,
    ),
)
"""In the order in which they are listed."""
