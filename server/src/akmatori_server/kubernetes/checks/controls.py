"""The controls of frameworks, by the subject of a check.

The numbers of the CIS benchmark moved between its versions, so checks name the subject and the version decides.
"""

from __future__ import annotations

from akmatori_sdk._generated.aotanami.models import Framework
from akmatori_server.kubernetes.checks.model import Controls

CIS_VERSIONS = ("1.8", "1.9", "1.10", "1.11", "1.12")
LATEST_CIS = CIS_VERSIONS[-1]

# Subject: the number in 1.8 to 1.10, in 1.11, and in 1.12; empty where that version has no such control.
_CIS: dict[str, tuple[str, str, str]] = {
    "cluster-admin": ("5.1.1", "5.1.1", "5.1.1"),
    "secrets-access": ("5.1.2", "5.1.2", "5.1.2"),
    "wildcards": ("5.1.3", "5.1.3", "5.1.3"),
    "pod-creation": ("5.1.4", "5.1.4", "5.1.4"),
    "default-service-account": ("5.1.5", "5.1.5", "5.1.5"),
    "token-mounts": ("5.1.6", "5.1.6", "5.1.6"),
    "masters-group": ("5.1.7", "5.1.7", "5.1.7"),
    "escalation-verbs": ("5.1.8", "5.1.8", "5.1.8"),
    "volume-creation": ("5.1.9", "5.1.9", "5.1.9"),
    "nodes-proxy": ("5.1.10", "5.1.10", "5.1.10"),
    "csr-approval": ("5.1.11", "5.1.11", "5.1.11"),
    "webhook-access": ("5.1.12", "5.1.12", "5.1.12"),
    "token-creation": ("5.1.13", "5.1.13", "5.1.13"),
    "policy-mechanism": ("5.2.1", "5.2.1", "5.2.1"),
    "privileged": ("5.2.2", "5.2.2", "5.2.2"),
    "host-pid": ("5.2.3", "5.2.3", "5.2.3"),
    "host-ipc": ("5.2.4", "5.2.4", "5.2.4"),
    "host-network": ("5.2.5", "5.2.5", "5.2.5"),
    "allow-escalation": ("5.2.6", "5.2.6", "5.2.6"),
    "root-containers": ("5.2.7", "5.2.7", "5.2.7"),
    "net-raw": ("5.2.8", "5.2.8", "5.2.8"),
    "added-capabilities": ("5.2.9", "5.2.9", ""),
    "assigned-capabilities": ("5.2.10", "5.2.10", "5.2.9"),
    "host-process": ("5.2.11", "5.2.11", "5.2.10"),
    "host-path": ("5.2.12", "5.2.12", "5.2.11"),
    "host-port": ("5.2.13", "5.2.13", "5.2.12"),
    "policy-support": ("5.3.1", "5.3.1", "5.3.1"),
    "network-policies": ("5.3.2", "5.3.2", "5.3.2"),
    "secrets-as-files": ("5.4.1", "5.4.1", "5.4.1"),
    "secrets-external": ("5.4.2", "5.4.2", "5.4.2"),
    "image-provenance": ("5.5.1", "5.5.1", "5.5.1"),
    "namespaces": ("5.7.1", "5.6.1", "5.6.1"),
    "seccomp": ("5.7.2", "5.6.2", "5.6.2"),
    "security-context": ("5.7.3", "5.6.3", "5.6.3"),
    "default-namespace": ("5.7.4", "5.6.4", "5.6.4"),
}

_COLUMNS = {"1.8": 0, "1.9": 0, "1.10": 0, "1.11": 1, "1.12": 2}
# The newest version of Kubernetes that each is for.
_FOR_KUBERNETES = (((1, 26), "1.8"), ((1, 27), "1.9"), ((1, 28), "1.10"), ((1, 31), "1.11"))


def cis_control(subject: str, version: str) -> str:
    """Return the number of the control in a version of the benchmark; empty where it has none."""
    return _CIS[subject][_COLUMNS[version]]


def cis_subjects(version: str) -> dict[str, str]:
    """Return the subjects that a version of the benchmark has, with their numbers, in the order of these."""
    found = {subject: cis_control(subject, version) for subject in _CIS}
    numbered = {subject: number for subject, number in found.items() if number}
    return dict(sorted(numbered.items(), key=lambda item: [int(part) for part in item[1].split(".")]))


def cis_version_for(kubernetes: tuple[int, int] | None) -> str:
    """Return the version of the benchmark that is for a version of Kubernetes; the newest for an unknown one."""
    if kubernetes is None:
        return LATEST_CIS
    return next((cis for newest, cis in _FOR_KUBERNETES if kubernetes <= newest), LATEST_CIS)


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
