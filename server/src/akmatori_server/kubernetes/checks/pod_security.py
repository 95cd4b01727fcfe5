"""Checks of the scanner pod-security: the pod's access to its host."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, Controls, Hit, ObjectCheck, WorkloadCheck, at
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.pod_security import CONTROLS, Level, judge, read_enforcement
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


def _added_capability(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        for name in dict.fromkeys(container.own.added):
            # The dangerous ones have a finding of their own; low ports are what the strictest level allows.
            if name not in _DANGEROUS and name != "NET_BIND_SERVICE":
                steps = ("securityContext", "capabilities", "add")
                yield at(container, *steps, evidence=name, discriminator=name)


def _standard(id: str) -> Callable[[Workload, Context], Iterator[Hit]]:  # noqa: A002 - the word for it
    control = next(control for control in CONTROLS if control.id == id)

    def find(workload: Workload, context: Context) -> Iterator[Hit]:
        rule = control.rule(context.pod_security)
        for violation in () if rule is None else rule(workload):
            # The volumes of the host have a finding of their own.
            if violation.detail != "hostPath":
                yield Hit(violation.path, violation.container, violation.detail, violation.detail)

    return find


def _below_namespace(workload: Workload, context: Context) -> Iterator[Hit]:
    labels = context.namespaces.get(workload.reference.namespace)
    asked = read_enforcement(labels or {})
    if asked.level is None or asked.level is Level.PRIVILEGED:
        return
    verdict = judge(workload, asked.version)
    if verdict.level < asked.level:
        broken = {item.control for item in verdict.violations if item.level <= asked.level}
        missed = ", ".join(sorted(broken))
        evidence = f"enforce: {asked.level.label}, met: {verdict.level.label} (against: {missed})"
        yield Hit(evidence=evidence[:1000])


def _no_enforcement(found: ManifestObject, _: Context) -> Iterator[Hit]:
    asked = read_enforcement(found.body.get("metadata", "labels").texts())
    if found.group == "" and asked.level in (None, Level.PRIVILEGED):
        yield Hit(("metadata", "labels"), evidence="" if asked.level is None else "enforce: privileged")


def _default_namespace(workload: Workload, _: Context) -> Iterator[Hit]:
    if workload.reference.namespace == "default":
        yield Hit()


def _host(subject: str, control: str) -> Controls:
    return controls(cis=(subject,), nist=_NIST, baseline=(control,), restricted=(control,))


_HOST_PATH_ADVICE = "Use a PersistentVolumeClaim, an emptyDir or a projected volume in place of the hostPath."

CHECKS: tuple[Check, ...] = (
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
    WorkloadCheck(
        "added-capability",
        Severity.LOW,
        Category.POD_SECURITY,
        "Capability added",
        "The container is given a capability beyond what it needs to open a low port.",
        "Remove it from securityContext.capabilities.add.",
        controls(
            cis=("added-capabilities", "assigned-capabilities"),
            nist=_NIST,
            restricted=("capabilities_restricted",),
        ),
        _added_capability,
    ),
    WorkloadCheck(
        "unsafe-sysctl",
        Severity.HIGH,
        Category.POD_SECURITY,
        "Unsafe kernel setting",
        "The pod changes a setting of the kernel that may reach other pods, or the node.",
        "Remove it from securityContext.sysctls.",
        controls(nist=_NIST, baseline=("sysctls",), restricted=("sysctls",)),
        _standard("sysctls"),
    ),
    WorkloadCheck(
        "selinux-custom",
        Severity.MEDIUM,
        Category.POD_SECURITY,
        "SELinux label of its own",
        "A type, user or role other than the usual ones may loosen what SELinux refuses.",
        "Remove seLinuxOptions, or use the types container_t, container_init_t or container_kvm_t.",
        controls(nist=_NIST, baseline=("seLinuxOptions",), restricted=("seLinuxOptions",)),
        _standard("seLinuxOptions"),
    ),
    WorkloadCheck(
        "probe-host",
        Severity.MEDIUM,
        Category.POD_SECURITY,
        "Probe of another host",
        "A probe or hook names a host: the kubelet sends requests there from the node's network.",
        "Remove host from the probe, which is then sent to the pod.",
        controls(
            nist=_NIST, baseline=("hostProbesAndHostLifecycle",), restricted=("hostProbesAndHostLifecycle",)
        ),
        _standard("hostProbesAndHostLifecycle"),
    ),
    WorkloadCheck(
        "restricted-volume",
        Severity.LOW,
        Category.POD_SECURITY,
        "Volume of a type that reaches beyond the cluster",
        "The volume is mounted by the node itself, with the node's drivers and credentials.",
        "Use a PersistentVolumeClaim with a storage class.",
        controls(nist=_NIST, restricted=("restrictedVolumes",)),
        _standard("restrictedVolumes"),
    ),
    WorkloadCheck(
        "below-namespace-level",
        Severity.HIGH,
        Category.POD_SECURITY,
        "Pods that their namespace refuses",
        "The namespace enforces a Pod Security level that these pods do not meet: new ones are refused.",
        "Change the pods until they meet the level, or move them to another namespace.",
        controls(cis=("policy-mechanism",), nist=_NIST),
        _below_namespace,
        needs_nearby=frozenset({"Namespace"}),
    ),
    WorkloadCheck(
        "default-namespace",
        Severity.LOW,
        Category.POD_SECURITY,
        "In the default namespace",
        "Rights, quotas and network policies go by namespaces; what is in the default one shares them with everything.",
        "Make a namespace for it.",
        controls(cis=("default-namespace",), nist=("CM-6",)),
        _default_namespace,
    ),
    ObjectCheck(
        "namespace-without-pod-security",
        Severity.MEDIUM,
        Category.POD_SECURITY,
        "Namespace that accepts every pod",
        "No label of the namespace enforces a level of the Pod Security Standards.",
        "Label it pod-security.kubernetes.io/enforce: baseline, or better restricted.",
        controls(cis=("policy-mechanism",), nist=_NIST),
        frozenset({"Namespace"}),
        _no_enforcement,
    ),
)
"""In the order in which they are listed."""
