"""The controls that the restricted level adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from akmatori_server.kubernetes.pod_security.baseline import containers, contexts
from akmatori_server.kubernetes.pod_security.model import Level, Violation
from akmatori_server.kubernetes.workloads import Workload

_RESTRICTED = Level.RESTRICTED
_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_SECCOMP_TYPES = frozenset({"RuntimeDefault", "Localhost"})


def volumes(workload: Workload) -> Iterator[Violation]:
    """Only volumes that hold nothing of the host and need no driver of the kernel."""
    for index, volume in enumerate(workload.spec.get("volumes").each()):
        kinds = [name for name, node in volume.named() if name != "name" and node.exists]
        for kind in kinds:
            if kind not in _VOLUMES:
                yield Violation("restrictedVolumes", _RESTRICTED, ("volumes", index, kind), kind[:100])


def escalation(*, windows_too: bool) -> Callable[[Workload], Iterator[Violation]]:
    """Privilege escalation is refused in so many words."""

    def rule(workload: Workload) -> Iterator[Violation]:
        if workload.windows and not windows_too:
            return
        for name, at, node in containers(workload):
            if node.get("securityContext", "allowPrivilegeEscalation").boolean() is not False:
                path = (*at, "securityContext", "allowPrivilegeEscalation")
                yield Violation(
                    "allowPrivilegeEscalation",
                    _RESTRICTED,
                    path,
                    "allowPrivilegeEscalation is not false",
                    name,
                )

    return rule


def non_root(*, relaxed: bool) -> Callable[[Workload], Iterator[Violation]]:
    """Root is refused, by the pod or by each container; `relaxed`: pods with users of their own may be root."""

    def rule(workload: Workload) -> Iterator[Violation]:
        if relaxed and not workload.host_users:
            return
        pod = workload.spec.get("securityContext", "runAsNonRoot").boolean()
        if pod is False:
            path = ("securityContext", "runAsNonRoot")
            yield Violation("runAsNonRoot", _RESTRICTED, path, "runAsNonRoot: false")
        for name, at, node in containers(workload):
            own = node.get("securityContext", "runAsNonRoot").boolean()
            if own is False or (own is None and pod is not True):
                there = (*at, "securityContext", "runAsNonRoot")
                yield Violation("runAsNonRoot", _RESTRICTED, there, "runAsNonRoot is not true", name)

    return rule


def user(*, relaxed: bool) -> Callable[[Workload], Iterator[Violation]]:
    """Nobody sets the user of root."""

    def rule(workload: Workload) -> Iterator[Violation]:
        if relaxed and not workload.host_users:
            return
        for name, at, node in contexts(workload):
            if node.get("runAsUser").integer() == 0:
                yield Violation("runAsUser", _RESTRICTED, (*at, "runAsUser"), "runAsUser: 0", name)

    return rule


def seccomp(*, windows_too: bool) -> Callable[[Workload], Iterator[Violation]]:
    """A seccomp profile is set, by the pod or by each container."""

    def rule(workload: Workload) -> Iterator[Violation]:
        if workload.windows and not windows_too:
            return
        pod_profile = workload.spec.get("securityContext", "seccompProfile")
        pod_is_good = pod_profile.get("type").text() in _SECCOMP_TYPES
        if pod_profile.exists and not pod_is_good:
            path = ("securityContext", "seccompProfile", "type")
            detail = pod_profile.get("type").text()[:100]
            yield Violation("seccompProfile_restricted", _RESTRICTED, path, detail)
        for name, at, node in containers(workload):
            profile = node.get("securityContext", "seccompProfile")
            good = profile.get("type").text() in _SECCOMP_TYPES if profile.exists else pod_is_good
            if not good:
                there = (*at, "securityContext", "seccompProfile")
                detail = profile.get("type").text()[:100] or "no seccomp profile"
                yield Violation("seccompProfile_restricted", _RESTRICTED, there, detail, name)

    return rule


def capabilities(*, windows_too: bool) -> Callable[[Workload], Iterator[Violation]]:
    """All capabilities are dropped, and at most the one that opens low ports is added."""

    def rule(workload: Workload) -> Iterator[Violation]:
        if workload.windows and not windows_too:
            return
        for name, at, node in containers(workload):
            found = node.get("securityContext", "capabilities")
            path = (*at, "securityContext", "capabilities")
            if not any(item.text() == "ALL" for item in found.get("drop").each()):
                detail = "ALL is not dropped"
                yield Violation("capabilities_restricted", _RESTRICTED, (*path, "drop"), detail, name)
            for index, item in enumerate(found.get("add").each()):
                if item.text() != "NET_BIND_SERVICE":
                    detail = item.text()[:100]
                    yield Violation(
                        "capabilities_restricted", _RESTRICTED, (*path, "add", index), detail, name
                    )

    return rule
