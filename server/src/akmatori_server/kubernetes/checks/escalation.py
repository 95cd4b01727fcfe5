"""Checks of the scanner privilege-escalation."""

from __future__ import annotations

from collections.abc import Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context, has_token
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Hit, WorkloadCheck, at
from akmatori_server.kubernetes.workloads import Workload

_NIST = ("CM-6", "CM-6(1)", "AC-6")


def _token_automount(workload: Workload, context: Context) -> Iterator[Hit]:
    if has_token(workload, context):
        yield Hit(("automountServiceAccountToken",))


def _pod_root_user(workload: Workload, _: Context) -> Iterator[Hit]:
    inherited = any(container.own.run_as_user is None for container in workload.containers)
    if workload.security.run_as_user == 0 and inherited:
        yield Hit(("securityContext", "runAsUser"), evidence="runAsUser: 0")


def _container_root_user(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        if container.own.run_as_user == 0:
            yield at(container, "securityContext", "runAsUser", evidence="runAsUser: 0")


def _root_group(workload: Workload, _: Context) -> Iterator[Hit]:
    inherited = any(container.own.run_as_group is None for container in workload.containers)
    if workload.security.run_as_group == 0 and inherited:
        yield Hit(("securityContext", "runAsGroup"), evidence="runAsGroup: 0")
    for container in workload.containers:
        if container.own.run_as_group == 0:
            yield at(container, "securityContext", "runAsGroup", evidence="runAsGroup: 0")


def _unmasked_proc(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        if container.own.proc_mount == "Unmasked":
            yield at(container, "securityContext", "procMount", evidence="Unmasked")


_ROOT = controls(cis=("root-containers",), nist=_NIST, restricted=("runAsUser",))

CHECKS = (
    WorkloadCheck(
        "token-automount",
        Severity.MEDIUM,
        Category.PRIVILEGE_ESCALATION,
        "Token of the service account mounted",
        "Neither the pod nor its service account refuses the token, so whoever breaks in can use it.",
        "Set automountServiceAccountToken: false unless the program speaks to the Kubernetes API.",
        controls(cis=("token-mounts",), nist=("CM-6", "CM-6(1)")),
        _token_automount,
        needs_nearby=frozenset({"ServiceAccount"}),
    ),
    WorkloadCheck(
        "pod-root-user",
        Severity.CRITICAL,
        Category.PRIVILEGE_ESCALATION,
        "Pod runs as root",
        "The pod sets runAsUser: 0, and a container inherits it.",
        "Set a runAsUser other than 0.",
        _ROOT,
        _pod_root_user,
    ),
    WorkloadCheck(
        "pod-root-group",
        Severity.MEDIUM,
        Category.PRIVILEGE_ESCALATION,
        "Group of root",
        "runAsGroup is 0: files that belong to the group of root can be read, and often written.",
        "Set a runAsGroup other than 0.",
        controls(nist=_NIST),
        _root_group,
    ),
    WorkloadCheck(
        "container-root-user",
        Severity.CRITICAL,
        Category.PRIVILEGE_ESCALATION,
        "Container runs as root",
        "The container sets runAsUser: 0.",
        "Set a runAsUser other than 0.",
        _ROOT,
        _container_root_user,
    ),
    WorkloadCheck(
        "unmasked-proc",
        Severity.CRITICAL,
        Category.PRIVILEGE_ESCALATION,
        "Unmasked /proc",
        "procMount is Unmasked: kernel settings in /proc are open to the container.",
        "Remove securityContext.procMount.",
        controls(nist=_NIST, restricted=("procMount_restricted",)),
        _unmasked_proc,
    ),
)
"""In the order in which they are listed."""
