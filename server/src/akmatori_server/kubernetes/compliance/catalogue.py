"""The controls of each framework, and the checks that decide them."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from akmatori_sdk._generated.aotanami.models import Framework, MappingBasis
from akmatori_server.kubernetes.checks.catalogue import CHECKS
from akmatori_server.kubernetes.checks.controls import cis_subjects
from akmatori_server.kubernetes.compliance.cis import ELSEWHERE, TITLES, UNDECIDABLE
from akmatori_server.kubernetes.compliance.groups import GROUPS, MAPPINGS, REASONS
from akmatori_server.kubernetes.compliance.nsa import NSA
from akmatori_server.kubernetes.compliance.titles import CONTROL_TITLES
from akmatori_server.kubernetes.pod_security import CONTROLS, Level, PodSecurityVersion

POD_SECURITY = "pod-security/"
"""What stands before the name of a control of the Pod Security Standards where checks are counted."""


@attrs.frozen
class ControlDefinition:
    """A control, and what decides it."""

    framework: Framework
    id: str
    title: str
    checks: tuple[str, ...]
    """The checks of which each must find nothing."""
    basis: MappingBasis
    undecided: str = ""
    """Why no check decides it, or not all of it; empty where checks do."""


def controls_of(
    framework: Framework, *, cis_version: str, pod_security: PodSecurityVersion
) -> Iterator[ControlDefinition]:
    """Return the controls of a framework, in its order."""
    match framework:
        case Framework.CIS:
            yield from _cis(cis_version)
        case Framework.PSS_BASELINE:
            yield from _pod_security(framework, Level.BASELINE, pod_security)
        case Framework.PSS_RESTRICTED:
            yield from _pod_security(framework, Level.RESTRICTED, pod_security)
        case Framework.NSA_CISA:
            for id_, title, checks, undecided in NSA:
                yield ControlDefinition(framework, id_, title, checks, MappingBasis.PROPOSED, undecided)
        case _:
            yield from _mapped(framework)


def framework_version(framework: Framework, *, cis_version: str, pod_security: PodSecurityVersion) -> str:
    """Return the version of a framework that controls are taken from."""
    match framework:
        case Framework.CIS:
            return cis_version
        case Framework.PSS_BASELINE | Framework.PSS_RESTRICTED:
            return f"v{pod_security[0]}.{pod_security[1]}"
        case _:
            return _VERSIONS.get(framework, "")


_VERSIONS = {
    Framework.NIST_800_53: "Revision 5",
    Framework.PCI_DSS: "4.0",
    Framework.SOC2: "TSC 2017",
    Framework.HIPAA: "45 CFR 164",
    Framework.ISO_27001: "2022",
    Framework.NSA_CISA: "1.2",
}


def _cis(version: str) -> Iterator[ControlDefinition]:
    for id_, title in ELSEWHERE.items():
        reason = "It is decided by files and processes of the nodes, which the Kubernetes API does not show."
        yield ControlDefinition(Framework.CIS, id_, title, (), MappingBasis.BENCHMARK, reason)
    for subject, number in cis_subjects(version).items():
        checks = tuple(check.id for check in CHECKS if subject in check.controls.get(Framework.CIS, ()))
        undecided = UNDECIDABLE.get(subject, "")
        yield ControlDefinition(
            Framework.CIS, number, TITLES[subject], checks, MappingBasis.BENCHMARK, undecided
        )


def _pod_security(
    framework: Framework, level: Level, version: PodSecurityVersion
) -> Iterator[ControlDefinition]:
    for control in CONTROLS:
        if control.level <= level and control.rule(version) is not None:
            checks = (POD_SECURITY + control.id,)
            yield ControlDefinition(framework, control.id, control.title, checks, MappingBasis.BENCHMARK)


def _mapped(framework: Framework) -> Iterator[ControlDefinition]:
    found: dict[str, tuple[list[str], MappingBasis, str]] = {}
    for group, mapping in MAPPINGS.items():
        for basis, ids in mapping.get(framework, {}).items():
            for id_ in ids:
                checks, known, undecided = found.get(id_, ([], basis, ""))
                checks += GROUPS[group]
                # One judgement among its parts makes the whole a judgement.
                weaker = MappingBasis.PROPOSED if MappingBasis.PROPOSED in (basis, known) else known
                found[id_] = (checks, weaker, undecided or REASONS.get(group, ""))
    for id_, (checks, basis, undecided) in sorted(found.items()):
        title = CONTROL_TITLES[framework].get(id_, id_)
        yield ControlDefinition(framework, id_, title, tuple(dict.fromkeys(checks)), basis, undecided)
