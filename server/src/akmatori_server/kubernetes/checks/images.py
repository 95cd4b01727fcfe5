"""Checks of the scanner image-vulnerability: whether an image is the one that was tested."""

from __future__ import annotations

import re
from collections.abc import Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Hit, WorkloadCheck, at
from akmatori_server.kubernetes.workloads import Workload

_DIGEST = re.compile(r"@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$")
_NIST = ("CM-6", "SI-7", "CM-14")


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


CHECKS = (
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
)
"""In the order in which they are listed."""
