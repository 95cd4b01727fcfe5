"""Checks of the scanner container-security-context."""

from __future__ import annotations

from collections.abc import Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Hit, WorkloadCheck, at
from akmatori_server.kubernetes.workloads import Container, Workload

LOWEST_USER = 10_000
"""Users of a host have lower numbers than this."""

_HARDENING = ("CM-6", "CM-6(1)", "AC-6")


def _no_security_context(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.security.present:
        return
    for container in workload.containers:
        if not container.own.present:
            yield at(container)


def _privileged(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        if container.own.privileged:
            yield at(container, "securityContext", "privileged", evidence="privileged: true")


def _run_as_non_root(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        # The container's own value wins over its pod's, so a false there is not hidden by a true above it.
        if container.effective.run_as_non_root is not True:
            yield at(container, "securityContext", "runAsNonRoot")


def _writable_root(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.windows:
        return
    for container in workload.containers:
        if container.own.read_only_root is not True:
            yield at(container, "securityContext", "readOnlyRootFilesystem")


def _allow_escalation(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.windows:
        return
    for container in workload.containers:
        own = container.own
        forced = own.privileged or "SYS_ADMIN" in own.added or "ALL" in own.added
        if own.allow_escalation is not False or forced:
            yield at(container, "securityContext", "allowPrivilegeEscalation")


def _capabilities_not_dropped(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.windows:
        return
    for container in workload.containers:
        if "ALL" not in container.own.dropped:
            yield at(container, "securityContext", "capabilities", "drop")


def _seccomp_unset(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.windows:
        return
    for container in workload.containers:
        if not container.effective.seccomp:
            yield at(container, "securityContext", "seccompProfile")


def _seccomp_unconfined(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        if container.effective.seccomp == "Unconfined":
            yield at(container, "securityContext", "seccompProfile", "type", evidence="Unconfined")


def _by_annotation(workload: Workload, container: Container) -> str:
    # The field took the place of the annotation in Kubernetes 1.30; both are still read.
    name = f"container.apparmor.security.beta.kubernetes.io/{container.name}"
    return workload.template_annotations.get(name, "")


def _app_armor_unconfined(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        if container.effective.app_armor == "Unconfined":
            yield at(container, "securityContext", "appArmorProfile", "type", evidence="Unconfined")
        elif not container.effective.app_armor and _by_annotation(workload, container) == "unconfined":
            yield at(container, evidence="unconfined, by an annotation")


def _host_process(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        if container.effective.host_process:
            yield at(container, "securityContext", "windowsOptions", "hostProcess")


def _low_user(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.windows:
        return
    inherited = any(container.own.run_as_user is None for container in workload.containers)
    user = workload.security.run_as_user
    if inherited and user is not None and 0 < user < LOWEST_USER:
        yield Hit(("securityContext", "runAsUser"), evidence=f"runAsUser: {user}")
    for container in workload.containers:
        user = container.own.run_as_user
        if user is not None and 0 < user < LOWEST_USER:
            yield at(container, "securityContext", "runAsUser", evidence=f"runAsUser: {user}")


CHECKS = (
    WorkloadCheck(
        "no-security-context",
        Severity.HIGH,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Container without a security context",
        "Neither the container nor its pod has a securityContext, so it runs with the runtime's defaults.",
        "Set runAsNonRoot: true, readOnlyRootFilesystem: true and allowPrivilegeEscalation: false.",
        controls(cis=("security-context",), nist=_HARDENING),
        _no_security_context,
    ),
    WorkloadCheck(
        "privileged",
        Severity.CRITICAL,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Privileged container",
        "A privileged container has every capability and every device of the host: it can take the node over.",
        "Remove securityContext.privileged; add the single capability that is needed, if any.",
        controls(cis=("privileged",), nist=_HARDENING, baseline=("privileged",), restricted=("privileged",)),
        _privileged,
    ),
    WorkloadCheck(
        "run-as-non-root",
        Severity.MEDIUM,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Container may run as root",
        "runAsNonRoot is not true, neither in the container nor inherited from its pod, so it may start as uid 0.",
        "Set securityContext.runAsNonRoot: true, and a runAsUser other than 0 if the image has none.",
        controls(cis=("root-containers",), nist=_HARDENING, restricted=("runAsNonRoot",)),
        _run_as_non_root,
    ),
    WorkloadCheck(
        "writable-root-filesystem",
        Severity.LOW,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Writable root filesystem",
        "Whoever breaks into the container can change its programs and leave tools in it.",
        "Set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir where it must write.",
        controls(nist=_HARDENING),
        _writable_root,
    ),
    WorkloadCheck(
        "allow-privilege-escalation",
        Severity.MEDIUM,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Privilege escalation allowed",
        "A process in the container may gain more rights than its parent, such as by a setuid program.",
        "Set securityContext.allowPrivilegeEscalation: false, and remove privileged and SYS_ADMIN.",
        controls(cis=("allow-escalation",), nist=_HARDENING, restricted=("allowPrivilegeEscalation",)),
        _allow_escalation,
    ),
    WorkloadCheck(
        "capabilities-not-dropped",
        Severity.LOW,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Default capabilities kept",
        "The container keeps the runtime's default capabilities, of which most programs need none.",
        "Set securityContext.capabilities.drop: [ALL].",
        controls(
            cis=("assigned-capabilities", "net-raw"), nist=_HARDENING, restricted=("capabilities_restricted",)
        ),
        _capabilities_not_dropped,
    ),
    WorkloadCheck(
        "seccomp-unset",
        Severity.LOW,
        Category.CONTAINER_SECURITY_CONTEXT,
        "No seccomp profile",
        "No seccomp profile is set in the container or its pod, so unusual system calls may not be refused.",
        "Set securityContext.seccompProfile.type: RuntimeDefault in the pod.",
        controls(cis=("seccomp",), nist=_HARDENING, restricted=("seccompProfile_restricted",)),
        _seccomp_unset,
    ),
    WorkloadCheck(
        "seccomp-unconfined",
        Severity.HIGH,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Seccomp switched off",
        "The seccomp profile is Unconfined: every system call of the kernel is open to the container.",
        "Set securityContext.seccompProfile.type: RuntimeDefault, or Localhost with a profile of your own.",
        controls(
            cis=("seccomp",),
            nist=_HARDENING,
            baseline=("seccompProfile_baseline",),
            restricted=("seccompProfile_restricted",),
        ),
        _seccomp_unconfined,
    ),
    WorkloadCheck(
        "apparmor-unconfined",
        Severity.HIGH,
        Category.CONTAINER_SECURITY_CONTEXT,
        "AppArmor switched off",
        "The AppArmor profile is Unconfined, so nothing limits which files and capabilities are used.",
        "Remove appArmorProfile, or set its type to RuntimeDefault or Localhost.",
        controls(nist=_HARDENING, baseline=("appArmorProfile",), restricted=("appArmorProfile",)),
        _app_armor_unconfined,
    ),
    WorkloadCheck(
        "host-process",
        Severity.CRITICAL,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Windows HostProcess container",
        "A HostProcess container runs on the Windows host itself, with its rights.",
        "Remove securityContext.windowsOptions.hostProcess.",
        controls(
            cis=("host-process",),
            nist=_HARDENING,
            baseline=("windowsHostProcess",),
            restricted=("windowsHostProcess",),
        ),
        _host_process,
    ),
    WorkloadCheck(
        "run-as-low-uid",
        Severity.LOW,
        Category.CONTAINER_SECURITY_CONTEXT,
        "Runs as a user that hosts have",
        "A runAsUser below 10000 may be a user of the node: whoever breaks out has what belongs to that one.",
        "Set a runAsUser of 10000 or more.",
        controls(),
        _low_user,
    ),
)
"""In the order in which they are listed."""
