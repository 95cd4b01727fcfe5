"""Checks of the scanner pod-security: the pod's access to its host."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Controls, Hit, WorkloadCheck, at
from akmatori_server.kubernetes.workloads import Workload

_NIST = ("CM-6", "CM-6(1)", "AC-6")

# Whoever can write there is root on the node, or speaks to its container runtime.
_SENSITIVE = (
    "/etc",
    "/root",
    "/proc",
    "/dev",
    "/sys",
    "/boot",
    "/var/lib/kubelet",
    "/var/lib/etcd",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/var/run/containerd",
    "/run/containerd",
    "/var/run/crio",
    "/run/crio",
)
_DANGEROUS = frozenset(
    {
        "ALL",
        "BPF",
        "CHECKPOINT_RESTORE",
        "DAC_OVERRIDE",
        "DAC_READ_SEARCH",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
        "NET_ADMIN",
        "NET_RAW",
        "PERFMON",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_MODULE",
        "SYS_PTRACE",
        "SYS_RAWIO",
        "SYS_TIME",
        "SYSLOG",
    }
)


def is_sensitive(path: str) -> bool:
    """Whether a path of the host is, holds or is within a sensitive one; by its parts, so `/etcd-data` is not."""
    # normpath keeps two leading slashes, which are one to the kernel.
    normal = posixpath.normpath("/" + path.lstrip("/")) if path else "/"
    prefix = normal.rstrip("/") + "/"
    return any(prefix.startswith(f"{place}/") or place.startswith(prefix) for place in _SENSITIVE)


def _flag(name: str, read: Callable[[Workload], bool]) -> Callable[[Workload, Context], Iterator[Hit]]:
    def find(workload: Workload, _: Context) -> Iterator[Hit]:
        if read(workload):
            yield Hit((name,), evidence=f"{name}: true")

    return find


def _host_path(sensitive: bool) -> Callable[[Workload, Context], Iterator[Hit]]:
    def find(workload: Workload, _: Context) -> Iterator[Hit]:
        for volume in workload.host_paths:
            # Each volume is reported once, under the worse of the two.
            if is_sensitive(volume.path) is sensitive:
                yield Hit((*volume.at, "path"), evidence=volume.path, discriminator=volume.path)

    return find


def _dangerous_capability(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        for name in dict.fromkeys(container.own.added):
            if name in _DANGEROUS:
                steps = ("securityContext", "capabilities", "add")
                yield at(container, *steps, evidence=name, discriminator=name)


def _host(subject: str, control: str) -> Controls:
    return controls(cis=(subject,), nist=_NIST, baseline=(control,), restricted=(control,))


_HOST_PATH_ADVICE = "Use a PersistentVolumeClaim, an emptyDir or a projected volume in place of the hostPath."

CHECKS = (
    WorkloadCheck(
        "host-network",
        Severity.CRITICAL,
        Category.POD_SECURITY,
        "Network of the host",
        "The pod sees the interfaces of its node, and no NetworkPolicy applies to it.",
        "Remove hostNetwork, and expose ports by a Service.",
        _host("host-network", "hostNamespaces"),
        _flag("hostNetwork", lambda workload: workload.host_network),
    ),
    WorkloadCheck(
        "host-pid",
        Severity.CRITICAL,
        Category.POD_SECURITY,
        "Processes of the host",
        "The pod sees the processes of its node, their environment included, and can signal them.",
        "Remove hostPID.",
        _host("host-pid", "hostNamespaces"),
        _flag("hostPID", lambda workload: workload.host_pid),
    ),
    WorkloadCheck(
        "host-ipc",
        Severity.HIGH,
        Category.POD_SECURITY,
        "Shared memory of the host",
        "The pod shares memory and semaphores with the processes of its node.",
        "Remove hostIPC.",
        _host("host-ipc", "hostNamespaces"),
        _flag("hostIPC", lambda workload: workload.host_ipc),
    ),
    WorkloadCheck(
        "host-path",
        Severity.HIGH,
        Category.POD_SECURITY,
        "Files of the host",
        "A volume is a part of the node's file system.",
        _HOST_PATH_ADVICE,
        _host("host-path", "hostPathVolumes"),
        _host_path(sensitive=False),
    ),
    WorkloadCheck(
        "host-path-sensitive",
        Severity.CRITICAL,
        Category.POD_SECURITY,
        "Sensitive files of the host",
        "A volume reaches files that give its user the node: its configuration, devices or container runtime.",
        _HOST_PATH_ADVICE,
        _host("host-path", "hostPathVolumes"),
        _host_path(sensitive=True),
    ),
    WorkloadCheck(
        "dangerous-capability",
        Severity.HIGH,
        Category.POD_SECURITY,
        "Dangerous capability",
        "The container is given a capability that reaches beyond it.",
        "Remove it from securityContext.capabilities.add, and drop ALL.",
        controls(cis=("added-capabilities",), nist=_NIST, restricted=("capabilities_restricted",)),
        _dangerous_capability,
    ),
    WorkloadCheck(
        "share-process-namespace",
        Severity.MEDIUM,
        Category.POD_SECURITY,
        "Containers see each other's processes",
        "With a shared process namespace a container reads the environment and files of the others.",
        "Remove shareProcessNamespace, unless the containers trust each other.",
        controls(nist=_NIST),
        _flag("shareProcessNamespace", lambda workload: workload.share_process_namespace),
    ),
)
"""In the order in which they are listed."""
