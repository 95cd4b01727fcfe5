"""The controls of frameworks, by the subject of a check.

The numbers of the CIS benchmark moved between its versions, so checks name the subject and the version decides.
"""

from __future__ import annotations

from akmatori_sdk._generated.aotanami.models import Framework
from akmatori_server.kubernetes.checks.model import Controls

CIS_VERSIONS = ("1.8", "1.9", "1.10", "1.11", "1.12")
LATEST_CIS = CIS_VERSIONS[-1]

# Subject: the number in 1.8 to 1.11, and in 1.12; empty where that version has no such control.
_CIS: dict[str, tuple[str, str]] = {
    "cluster-admin": ("5.1.1", "5.1.1"),
    "secrets-access": ("5.1.2", "5.1.2"),
    "wildcards": ("5.1.3", "5.1.3"),
    "pod-creation": ("5.1.4", "5.1.4"),
    "default-service-account": ("5.1.5", "5.1.5"),
    "token-mounts": ("5.1.6", "5.1.6"),
    "masters-group": ("5.1.7", "5.1.7"),
    "escalation-verbs": ("5.1.8", "5.1.8"),
    "volume-creation": ("5.1.9", "5.1.9"),
    "nodes-proxy": ("5.1.10", "5.1.10"),
    "webhook-access": ("5.1.12", "5.1.12"),
    "token-creation": ("5.1.13", "5.1.13"),
    "privileged": ("5.2.2", "5.2.2"),
    "host-pid": ("5.2.3", "5.2.3"),
    "host-ipc": ("5.2.4", "5.2.4"),
    "host-network": ("5.2.5", "5.2.5"),
    "allow-escalation": ("5.2.6", "5.2.6"),
    "root-containers": ("5.2.7", "5.2.7"),
    "net-raw": ("5.2.8", "5.2.8"),
    "added-capabilities": ("5.2.9", ""),
    "assigned-capabilities": ("5.2.10", "5.2.9"),
    "host-process": ("5.2.11", "5.2.10"),
    "host-path": ("5.2.12", "5.2.11"),
    "host-port": ("5.2.13", "5.2.12"),
    "network-policies": ("5.3.2", "5.3.2"),
    "secrets-as-files": ("5.4.1", "5.4.1"),
    "secrets-external": ("5.4.2", "5.4.2"),
    "seccomp": ("5.7.2", "5.6.2"),
    "security-context": ("5.7.3", "5.6.3"),
}


def cis_control(subject: str, version: str) -> str:
    """Return the number of the control in a version of the benchmark; empty where it has none."""
    before, latest = _CIS[subject]
    return latest if version == LATEST_CIS else before


def controls(
    *,
    cis: tuple[str, ...] = (),
    nist: tuple[str, ...] = (),
    baseline: tuple[str, ...] = (),
    restricted: tuple[str, ...] = (),
) -> Controls:
    """Return the controls of a check.

    Args:
        cis: Subjects of the CIS benchmark.
        nist: Controls of NIST 800-53.
        baseline: Checks of the Pod Security Standards' baseline level that fail whenever this check does.
        restricted: The same of the restricted level.
    """
    given = {
        Framework.CIS: cis,
        Framework.NIST_800_53: nist,
        Framework.PSS_BASELINE: baseline,
        Framework.PSS_RESTRICTED: restricted,
    }
    assert all(subject in _CIS for subject in cis), cis  # noqa: S101 - a misspelt subject is a mistake in this package
    return {framework: ids for framework, ids in given.items() if ids}
