"""The Pod Security Standards: every control of both levels, in the versions in which its rules changed."""

from typing import Any

import pytest

from akmatori_server.kubernetes.manifests import ManifestObject, json_node
from akmatori_server.kubernetes.manifests.objects import object_of
from akmatori_server.kubernetes.pod_security import (
    CONTROLS,
    Level,
    PodSecurityVersion,
    Verdict,
    judge,
    parse_version,
    read_enforcement,
)
from akmatori_server.kubernetes.workloads import Workload, read_workload
from tests.server.kubernetes.corpus import DROP, Case, c, host_path, init, objects, s

LATEST = (1, 37)
APP_ARMOR = "metadata.annotations", "container.apparmor.security.beta.kubernetes.io/app"
SECCOMP = "metadata.annotations", "seccomp.security.alpha.kubernetes.io/pod"
WINDOWS = {"spec.os": {"name": "windows"}}
USERS = {"spec.hostUsers": False}


def workload(case: Case) -> Workload:
    found = object_of(json_node(objects(case)[0]), "")
    assert isinstance(found, ManifestObject)
    read = read_workload(found)
    assert read is not None
    return read


def verdict(case: Case, version: PodSecurityVersion = LATEST) -> Verdict:
    return judge(workload(case), version)


def violated(case: Case, version: PodSecurityVersion = LATEST) -> set[str]:
    return {violation.control for violation in verdict(case, version).violations}


def annotated(name: tuple[str, str], value: str) -> Case:
    return Case({name[0]: {name[1]: value}})


def on(base: dict[str, Any], case: Case) -> Case:
    return Case({**base, **case.changes})


# Control: cases that violate it, cases that do not, both by the newest rules.
CASES: dict[str, tuple[list[Case], list[Case]]] = {
    "windowsHostProcess": (
        [
            s(securityContext__windowsOptions={"hostProcess": True}),
            init(securityContext={"windowsOptions": {"hostProcess": True}}),
        ],
        [c(securityContext__windowsOptions={"hostProcess": False})],
    ),
    "hostNamespaces": ([s(hostNetwork=True), s(hostPID=True), s(hostIPC=True)], [s(hostPID=False)]),
    "privileged": (
        [
            c(securityContext__privileged=True),
            s(ephemeralContainers=[{"securityContext": {"privileged": True}}]),
        ],
        [c(securityContext__privileged=False)],
    ),
    "capabilities_baseline": (
        [
            c(securityContext__capabilities__add=["NET_RAW"]),
            c(securityContext__capabilities__add=["CAP_CHOWN"]),
            c(securityContext__capabilities__add=["chown"]),
        ],
        [c(securityContext__capabilities__add=["CHOWN", "MKNOD", "SYS_CHROOT"])],
    ),
    "hostPathVolumes": ([host_path("/srv")], [s(volumes=[{"name": "v", "emptyDir": {}}])]),
    "hostPorts": (
        [c(ports=[{"containerPort": 1, "hostPort": 1}]), init(ports=[{"hostPort": 2}])],
        [c(ports=[{"containerPort": 1, "hostPort": 0}])],
    ),
    "hostProbesAndHostLifecycle": (
        [
            c(startupProbe={"tcpSocket": {"host": "x", "port": 1}}),
            c(lifecycle={"postStart": {"httpGet": {"host": "x"}}}),
        ],
        [c(readinessProbe={"httpGet": {"host": "", "port": 1}})],
    ),
    "appArmorProfile": (
        [
            s(securityContext__appArmorProfile={"type": "Unconfined"}),
            c(securityContext__appArmorProfile={"type": "Unconfined"}),
            annotated(APP_ARMOR, "unconfined"),
        ],
        [
            annotated(APP_ARMOR, "runtime/default"),
            annotated(APP_ARMOR, "localhost/x"),
            s(securityContext__appArmorProfile={"type": "Localhost"}),
        ],
    ),
    "seLinuxOptions": (
        [
            s(securityContext__seLinuxOptions={"type": "spc_t"}),
            c(securityContext__seLinuxOptions={"user": "u"}),
            c(securityContext__seLinuxOptions={"role": "r"}),
        ],
        [
            s(securityContext__seLinuxOptions={"type": "container_engine_t"}),
            c(securityContext__seLinuxOptions={"level": "s0"}),
        ],
    ),
    "procMount_baseline": (
        [c(securityContext__procMount="Unmasked")],
        [
            c(securityContext__procMount="Default"),
            on(USERS, c(securityContext__procMount="Unmasked")),
        ],
    ),
    "seccompProfile_baseline": (
        [
            s(securityContext__seccompProfile={"type": "Unconfined"}),
            c(securityContext__seccompProfile={"type": "Unconfined"}),
        ],
        [s(securityContext__seccompProfile=DROP), annotated(SECCOMP, "unconfined")],
    ),
    "sysctls": (
        [s(securityContext__sysctls=[{"name": "kernel.msgmax"}])],
        [s(securityContext__sysctls=[{"name": "net.ipv4.tcp_notsent_lowat"}])],
    ),
    "restrictedVolumes": (
        [s(volumes=[{"name": "v", kind: {}}]) for kind in ("nfs", "hostPath", "gitRepo", "iscsi", "local")],
        [
            s(volumes=[{"name": "v", kind: {}}])
            for kind in ("configMap", "csi", "ephemeral", "image", "projected", "secret")
        ],
    ),
    "procMount_restricted": (
        [on(USERS, c(securityContext__procMount="Unmasked"))],
        [c(securityContext__procMount="Default")],
    ),
    "allowPrivilegeEscalation": (
        [
            c(securityContext__allowPrivilegeEscalation=DROP),
            init(securityContext={"allowPrivilegeEscalation": True}),
        ],
        [on(WINDOWS, c(securityContext__allowPrivilegeEscalation=DROP))],
    ),
    "runAsNonRoot": (
        [
            s(securityContext__runAsNonRoot=DROP),
            c(securityContext__runAsNonRoot=False),
            # The pod may not say false, even where every container says true.
            Case(
                {
                    "spec.securityContext.runAsNonRoot": False,
                    "spec.containers.0.securityContext.runAsNonRoot": True,
                }
            ),
        ],
        [
            Case(
                {
                    "spec.securityContext.runAsNonRoot": DROP,
                    "spec.containers.0.securityContext.runAsNonRoot": True,
                }
            ),
            on(USERS, s(securityContext__runAsNonRoot=DROP)),
        ],
    ),
    "runAsUser": (
        [s(securityContext__runAsUser=0), c(securityContext__runAsUser=0)],
        [on(USERS, s(securityContext__runAsUser=0)), s(securityContext__runAsUser=1)],
    ),
    "seccompProfile_restricted": (
        [
            s(securityContext__seccompProfile=DROP),
            c(securityContext__seccompProfile={"type": "Unconfined"}),
            # A wrong value of the pod counts, even where no container inherits it.
            Case(
                {
                    "spec.securityContext.seccompProfile.type": "Unconfined",
                    "spec.containers.0.securityContext.seccompProfile": {"type": "RuntimeDefault"},
                }
            ),
        ],
        [
            Case(
                {
                    "spec.securityContext.seccompProfile": DROP,
                    "spec.containers.0.securityContext.seccompProfile": {"type": "Localhost"},
                }
            ),
            on(WINDOWS, s(securityContext__seccompProfile=DROP)),
        ],
    ),
    "capabilities_restricted": (
        [
            c(securityContext__capabilities__drop=["NET_RAW"]),
            c(securityContext__capabilities__drop=["all"]),
            c(securityContext__capabilities__add=["CHOWN"]),
        ],
        [
            c(securityContext__capabilities__add=["NET_BIND_SERVICE"]),
            on(WINDOWS, c(securityContext__capabilities=DROP)),
        ],
    ),
}


def test_cases_cover_every_control() -> None:
    assert list(CASES) == [control.id for control in CONTROLS]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_control(control: Any) -> None:
    wrong, right = CASES[control.id]
    for case in wrong:
        found = [item for item in verdict(case).violations if item.control == control.id]
        assert found, case
        assert all(item.level is control.level and item.detail for item in found)
        assert verdict(case).level < control.level
    for case in right:
        assert control.id not in violated(case), case


def test_the_strictest_level_that_is_met() -> None:
    assert verdict(Case()) == Verdict(Level.RESTRICTED, (), LATEST)
    assert verdict(s(securityContext__seccompProfile=DROP)).level is Level.BASELINE
    assert verdict(host_path("/srv")).level is Level.PRIVILEGED


SYSCTL = "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_wmem"


@pytest.mark.parametrize(
    ("control", "case", "first", "last"),
    [
        ("hostProbesAndHostLifecycle", CASES["hostProbesAndHostLifecycle"][0][0], (1, 34), LATEST),
        ("seLinuxOptions", CASES["seLinuxOptions"][1][0], (1, 0), (1, 30)),
        ("procMount_baseline", CASES["procMount_baseline"][1][1], (1, 0), (1, 34)),
        ("procMount_restricted", CASES["procMount_restricted"][0][0], (1, 35), LATEST),
        ("seccompProfile_baseline", annotated(SECCOMP, "unconfined"), (1, 0), (1, 18)),
        ("seccompProfile_baseline", CASES["seccompProfile_baseline"][0][0], (1, 19), LATEST),
        *(
            ("sysctls", s(securityContext__sysctls=[{"name": name}]), (1, 0), last)
            for name, last in zip(SYSCTL, ((1, 26), (1, 28), (1, 31)), strict=True)
        ),
        ("sysctls", CASES["sysctls"][1][0], (1, 0), (1, 36)),
        ("allowPrivilegeEscalation", CASES["allowPrivilegeEscalation"][0][0], (1, 8), LATEST),
        ("allowPrivilegeEscalation", CASES["allowPrivilegeEscalation"][1][0], (1, 8), (1, 24)),
        ("runAsNonRoot", CASES["runAsNonRoot"][1][1], (1, 0), (1, 34)),
        ("runAsUser", CASES["runAsUser"][0][0], (1, 23), LATEST),
        ("runAsUser", CASES["runAsUser"][1][0], (1, 23), (1, 34)),
        ("seccompProfile_restricted", CASES["seccompProfile_restricted"][0][0], (1, 19), LATEST),
        ("seccompProfile_restricted", CASES["seccompProfile_restricted"][1][1], (1, 19), (1, 24)),
        ("capabilities_restricted", CASES["capabilities_restricted"][0][0], (1, 22), LATEST),
        ("capabilities_restricted", CASES["capabilities_restricted"][1][1], (1, 22), (1, 24)),
    ],
)
def test_rules_change_with_the_version(
    control: str, case: Case, first: PodSecurityVersion, last: PodSecurityVersion
) -> None:
    refused = [minor for minor in range(38) if control in violated(case, (1, minor))]
    assert refused == list(range(first[1], last[1] + 1))


@pytest.mark.parametrize(
    ("labels", "level", "version", "complaints"),
    [
        ({}, None, LATEST, 0),
        ({"enforce": "baseline"}, Level.BASELINE, LATEST, 0),
        ({"enforce": "restricted", "enforce-version": "v1.21"}, Level.RESTRICTED, (1, 21), 0),
        ({"enforce": "restricted", "enforce-version": "latest"}, Level.RESTRICTED, LATEST, 0),
        ({"enforce": "strict"}, Level.RESTRICTED, LATEST, 1),
        ({"enforce": "baseline", "enforce-version": "1.21"}, Level.BASELINE, LATEST, 1),
        ({"warn": "restricted"}, None, LATEST, 0),
    ],
)
def test_what_a_namespace_asks_for(
    labels: dict[str, str], level: Level | None, version: PodSecurityVersion, complaints: int
) -> None:
    found = read_enforcement({f"pod-security.kubernetes.io/{name}": value for name, value in labels.items()})
    assert (found.level, found.version, len(found.complaints)) == (level, version, complaints)


def test_versions() -> None:
    assert [parse_version(text) for text in ("v1.30", "latest", "", "v1", "1.30")] == [
        (1, 30), LATEST, LATEST, None, None,
    ]  # fmt: skip
