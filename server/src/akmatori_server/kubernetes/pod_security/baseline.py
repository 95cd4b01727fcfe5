"""The controls of the baseline level."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from akmatori_server.kubernetes.manifests import Node
from akmatori_server.kubernetes.manifests.nodes import Path
from akmatori_server.kubernetes.pod_security.model import Level, PodSecurityVersion, Violation
from akmatori_server.kubernetes.workloads import Workload

_BASELINE = Level.BASELINE
HARMLESS_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_SE_LINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SE_LINUX_ENGINE = "container_engine_t"
_APP_ARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
_SECCOMP_TYPES = frozenset({"RuntimeDefault", "Localhost"})

_SYSCTLS: dict[PodSecurityVersion, tuple[str, ...]] = {
    (1, 0): (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    ),
    (1, 27): ("net.ipv4.ip_local_reserved_ports",),
    (1, 29): (
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    ),
    (1, 32): ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    (1, 37): ("net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"),
}
SYSCTL_VERSIONS = tuple(_SYSCTLS)
"""The versions that made more kernel settings safe."""


def containers(workload: Workload) -> Iterator[tuple[str, Path, Node]]:
    """Return the containers of every kind: name, place and what is written."""
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for index, node in enumerate(workload.spec.get(name).each()):
            yield node.get("name").text(), (name, index), node


def contexts(workload: Workload) -> Iterator[tuple[str, Path, Node]]:
    """Return the security contexts of the pod, whose name is empty, and of its containers."""
    yield "", ("securityContext",), workload.spec.get("securityContext")
    for name, at, node in containers(workload):
        yield name, (*at, "securityContext"), node.get("securityContext")


def host_process(workload: Workload) -> Iterator[Violation]:
    """No HostProcess containers on Windows."""
    for name, at, node in contexts(workload):
        if node.get("windowsOptions", "hostProcess").boolean():
            path = (*at, "windowsOptions", "hostProcess")
            yield Violation("windowsHostProcess", _BASELINE, path, "hostProcess: true", name)


def host_namespaces(workload: Workload) -> Iterator[Violation]:
    """No network, processes or memory of the host."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if workload.spec.get(name).boolean():
            yield Violation("hostNamespaces", _BASELINE, (name,), f"{name}: true")


def privileged(workload: Workload) -> Iterator[Violation]:
    """No privileged containers."""
    for name, at, node in containers(workload):
        if node.get("securityContext", "privileged").boolean():
            path = (*at, "securityContext", "privileged")
            yield Violation("privileged", _BASELINE, path, "privileged: true", name)


def capabilities(workload: Workload) -> Iterator[Violation]:
    """No capability that reaches beyond the container."""
    for name, at, node in containers(workload):
        for index, item in enumerate(node.get("securityContext", "capabilities", "add").each()):
            # By the letter: with a prefix, or in small letters, it is another name to the admission plugin.
            if item.text() not in HARMLESS_CAPABILITIES:
                path = (*at, "securityContext", "capabilities", "add", index)
                yield Violation("capabilities_baseline", _BASELINE, path, item.text()[:100], name)


def host_paths(workload: Workload) -> Iterator[Violation]:
    """No files of the host."""
    for index, volume in enumerate(workload.spec.get("volumes").each()):
        if volume.get("hostPath").exists:
            path = ("volumes", index, "hostPath")
            yield Violation("hostPathVolumes", _BASELINE, path, volume.get("hostPath", "path").text()[:300])


def host_ports(workload: Workload) -> Iterator[Violation]:
    """No ports of the host."""
    for name, at, node in containers(workload):
        for index, port in enumerate(node.get("ports").each()):
            number = port.get("hostPort").integer()
            if number:
                path = (*at, "ports", index, "hostPort")
                yield Violation("hostPorts", _BASELINE, path, f"hostPort: {number}", name)


def probe_hosts(workload: Workload) -> Iterator[Violation]:
    """No probe or hook that the kubelet would send to another host."""
    handlers = (
        ("livenessProbe",),
        ("readinessProbe",),
        ("startupProbe",),
        ("lifecycle", "postStart"),
        ("lifecycle", "preStop"),
    )
    for name, at, node in containers(workload):
        for steps in handlers:
            for action in ("httpGet", "tcpSocket"):
                host = node.get(*steps, action, "host").text()
                if host:
                    path = (*at, *steps, action, "host")
                    yield Violation("hostProbesAndHostLifecycle", _BASELINE, path, host[:253], name)


def app_armor(workload: Workload) -> Iterator[Violation]:
    """AppArmor is not switched off, neither by the field nor by the annotation that it replaced."""
    for name, at, node in contexts(workload):
        kind = node.get("appArmorProfile", "type")
        if kind.exists and kind.text() not in _SECCOMP_TYPES:
            path = (*at, "appArmorProfile", "type")
            yield Violation("appArmorProfile", _BASELINE, path, kind.text()[:100], name)
    for annotation, value in workload.template_annotations.items():
        container = annotation.removeprefix(_APP_ARMOR_ANNOTATION)
        if container != annotation and not (
            value in ("", "runtime/default") or value.startswith("localhost/")
        ):
            yield Violation("appArmorProfile", _BASELINE, (), f"{annotation}: {value}"[:300], container)


def se_linux(*, engine: bool) -> Callable[[Workload], Iterator[Violation]]:
    """Only the usual types, and neither user nor role; `engine`: the type of nested engines is usual."""
    allowed = _SE_LINUX_TYPES | ({_SE_LINUX_ENGINE} if engine else set[str]())

    def rule(workload: Workload) -> Iterator[Violation]:
        for name, at, node in contexts(workload):
            options = node.get("seLinuxOptions")
            for member in ("type", "user", "role"):
                value = options.get(member).text()
                if value not in (allowed if member == "type" else ("",)):
                    path = (*at, "seLinuxOptions", member)
                    yield Violation("seLinuxOptions", _BASELINE, path, f"{member}: {value}"[:200], name)

    return rule


def proc_mount(level: Level, control: str, *, relaxed: bool) -> Callable[[Workload], Iterator[Violation]]:
    """Masked /proc; `relaxed`: pods with users of their own may unmask it."""

    def rule(workload: Workload) -> Iterator[Violation]:
        if relaxed and not workload.host_users:
            return
        for name, at, node in containers(workload):
            mount = node.get("securityContext", "procMount")
            if mount.exists and mount.text() != "Default":
                path = (*at, "securityContext", "procMount")
                yield Violation(control, level, path, mount.text()[:100], name)

    return rule


def seccomp(workload: Workload) -> Iterator[Violation]:
    """Seccomp is not switched off."""
    for name, at, node in contexts(workload):
        kind = node.get("seccompProfile", "type")
        if kind.exists and kind.text() not in _SECCOMP_TYPES:
            path = (*at, "seccompProfile", "type")
            yield Violation("seccompProfile_baseline", _BASELINE, path, kind.text()[:100], name)


def seccomp_annotations(workload: Workload) -> Iterator[Violation]:
    """Until 1.19 seccomp was set by annotations."""
    for annotation, value in workload.template_annotations.items():
        container = annotation.removeprefix(_SECCOMP_ANNOTATION)
        if annotation != _SECCOMP_POD_ANNOTATION and container == annotation:
            continue
        if not (value in ("runtime/default", "docker/default") or value.startswith("localhost/")):
            name = "" if annotation == _SECCOMP_POD_ANNOTATION else container
            yield Violation("seccompProfile_baseline", _BASELINE, (), f"{annotation}: {value}"[:300], name)


def sysctls(version: PodSecurityVersion) -> Callable[[Workload], Iterator[Violation]]:
    """Only kernel settings that stay within the pod."""
    safe = frozenset(name for since, names in _SYSCTLS.items() if since <= version for name in names)

    def rule(workload: Workload) -> Iterator[Violation]:
        for index, item in enumerate(workload.spec.get("securityContext", "sysctls").each()):
            if item.get("name").text() not in safe:
                path = ("securityContext", "sysctls", index, "name")
                yield Violation("sysctls", _BASELINE, path, item.get("name").text()[:253])

    return rule
