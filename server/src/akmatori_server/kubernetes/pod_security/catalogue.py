"""The controls of the Pod Security Standards, each with the versions in which its rules changed."""

from __future__ import annotations

from akmatori_server.kubernetes.pod_security import baseline, restricted
from akmatori_server.kubernetes.pod_security.model import Control, Level

_B, _R = Level.BASELINE, Level.RESTRICTED

CONTROLS: tuple[Control, ...] = (
    Control("windowsHostProcess", _B, "No HostProcess containers", (((1, 0), baseline.host_process),)),
    Control("hostNamespaces", _B, "No namespaces of the host", (((1, 0), baseline.host_namespaces),)),
    Control("privileged", _B, "No privileged containers", (((1, 0), baseline.privileged),)),
    Control(
        "capabilities_baseline", _B, "Only harmless capabilities added", (((1, 0), baseline.capabilities),)
    ),
    Control("hostPathVolumes", _B, "No files of the host", (((1, 0), baseline.host_paths),)),
    Control("hostPorts", _B, "No ports of the host", (((1, 0), baseline.host_ports),)),
    Control(
        "hostProbesAndHostLifecycle",
        _B,
        "No probes or hooks of other hosts",
        (((1, 34), baseline.probe_hosts),),
    ),
    Control("appArmorProfile", _B, "AppArmor not switched off", (((1, 0), baseline.app_armor),)),
    Control(
        "seLinuxOptions",
        _B,
        "SELinux with the usual types alone",
        (((1, 0), baseline.se_linux(engine=False)), ((1, 31), baseline.se_linux(engine=True))),
    ),
    Control(
        "procMount_baseline",
        _B,
        "Masked /proc",
        (
            ((1, 0), baseline.proc_mount(Level.BASELINE, "procMount_baseline", relaxed=False)),
            ((1, 35), baseline.proc_mount(Level.BASELINE, "procMount_baseline", relaxed=True)),
        ),
    ),
    Control(
        "seccompProfile_baseline",
        _B,
        "Seccomp not switched off",
        (((1, 0), baseline.seccomp_annotations), ((1, 19), baseline.seccomp)),
    ),
    Control(
        "sysctls",
        _B,
        "Only safe kernel settings",
        tuple((since, baseline.sysctls(since)) for since in baseline.SYSCTL_VERSIONS),
    ),
    Control("restrictedVolumes", _R, "Volumes of harmless types alone", (((1, 0), restricted.volumes),)),
    Control(
        "procMount_restricted",
        _R,
        "Masked /proc, in user namespaces too",
        (((1, 35), baseline.proc_mount(Level.RESTRICTED, "procMount_restricted", relaxed=False)),),
    ),
    Control(
        "allowPrivilegeEscalation",
        _R,
        "Privilege escalation refused",
        (
            ((1, 8), restricted.escalation(windows_too=True)),
            ((1, 25), restricted.escalation(windows_too=False)),
        ),
    ),
    Control(
        "runAsNonRoot",
        _R,
        "Must not run as root",
        (((1, 0), restricted.non_root(relaxed=False)), ((1, 35), restricted.non_root(relaxed=True))),
    ),
    Control(
        "runAsUser",
        _R,
        "Not the user of root",
        (((1, 23), restricted.user(relaxed=False)), ((1, 35), restricted.user(relaxed=True))),
    ),
    Control(
        "seccompProfile_restricted",
        _R,
        "A seccomp profile is set",
        (
            ((1, 19), restricted.seccomp(windows_too=True)),
            ((1, 25), restricted.seccomp(windows_too=False)),
        ),
    ),
    Control(
        "capabilities_restricted",
        _R,
        "All capabilities dropped",
        (
            ((1, 22), restricted.capabilities(windows_too=True)),
            ((1, 25), restricted.capabilities(windows_too=False)),
        ),
    ),
)
"""In the order in which they are listed; those of the baseline level first."""
