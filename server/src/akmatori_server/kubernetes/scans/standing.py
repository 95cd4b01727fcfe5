"""Counting, for compliance, what each check made of each object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from akmatori_sdk._generated.aotanami.models import Finding, ResourceRef
from akmatori_server.kubernetes.checks.model import Check
from akmatori_server.kubernetes.compliance import Tally
from akmatori_server.kubernetes.compliance.catalogue import POD_SECURITY
from akmatori_server.kubernetes.pod_security import CONTROLS, Verdict

# The checks whose exceptions except a control of the Pod Security Standards, too.
_EXCEPTED_BY: dict[str, frozenset[str]] = {
    "windowsHostProcess": frozenset({"host-process"}),
    "hostNamespaces": frozenset({"host-network", "host-pid", "host-ipc"}),
    "privileged": frozenset({"privileged"}),
    "capabilities_baseline": frozenset({"dangerous-capability", "added-capability"}),
    "hostPathVolumes": frozenset({"host-path", "host-path-sensitive"}),
    "hostPorts": frozenset({"host-port"}),
    "hostProbesAndHostLifecycle": frozenset({"probe-host"}),
    "appArmorProfile": frozenset({"apparmor-unconfined"}),
    "seLinuxOptions": frozenset({"selinux-custom"}),
    "procMount_baseline": frozenset({"unmasked-proc"}),
    "procMount_restricted": frozenset({"unmasked-proc"}),
    "seccompProfile_baseline": frozenset({"seccomp-unconfined"}),
    "sysctls": frozenset({"unsafe-sysctl"}),
    "restrictedVolumes": frozenset({"host-path", "host-path-sensitive", "restricted-volume"}),
    "allowPrivilegeEscalation": frozenset({"allow-privilege-escalation"}),
    "runAsNonRoot": frozenset({"run-as-non-root"}),
    "runAsUser": frozenset({"pod-root-user", "container-root-user"}),
    "seccompProfile_restricted": frozenset({"seccomp-unset", "seccomp-unconfined"}),
    "capabilities_restricted": frozenset(
        {"capabilities-not-dropped", "dangerous-capability", "added-capability"}
    ),
}


def count_findings(
    tally: Tally, checks: Iterable[Check], resource: ResourceRef, findings: Sequence[Finding]
) -> None:
    """Count one object for each check that looked at it."""
    for check in checks:
        tally.of(check.id).looked_at += 1
    # An object fails a check once, and is excepted only where all that was found in it is.
    excepted: dict[str, bool] = {}
    for finding in findings:
        name = str(finding.check_id)
        excepted[name] = excepted.get(name, True) and bool(finding.suppressed)
    for name, all_excepted in excepted.items():
        tally.of(name).fail(resource, excepted=all_excepted)


def count_verdict(tally: Tally, verdict: Verdict, resource: ResourceRef, findings: Sequence[Finding]) -> None:
    """Count one workload for each control of the Pod Security Standards."""
    violated = {violation.control for violation in verdict.violations}
    for control in CONTROLS:
        if control.rule(verdict.version) is None:
            continue
        standing = tally.of(POD_SECURITY + control.id)
        standing.looked_at += 1
        if control.id in violated:
            checks = _EXCEPTED_BY[control.id]
            said = [bool(finding.suppressed) for finding in findings if finding.check_id in checks]
            standing.fail(resource, excepted=bool(said) and all(said))
