"""The identity of a finding: the same over scans, rollouts and moves within a file."""

from __future__ import annotations

import hashlib

from akmatori_server.kubernetes.workloads import Reference

LENGTH = 32


def fingerprint(cluster: str, check: str, reference: Reference, container: str, discriminator: str) -> str:
    """Return the identity of a finding.

    Args:
        cluster: Name of the cluster; empty for manifests.
        check: Its check.
        reference: What controls the pod in the end, never a pod with a generated name. Its version is left out.
        container: Name of the container, if it is about one.
        discriminator: Tells it from others of the same check there.
    """
    parts = (cluster, check, reference.kind, reference.namespace, reference.name, container, discriminator)
    # The length in front of each part, so that no two lists of parts make the same text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]
