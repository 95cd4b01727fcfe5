"""Workloads: what a pod template says, with what containers inherit from their pod."""

from __future__ import annotations

import enum

import attrs

from akmatori_server.kubernetes.manifests import Node, Source
from akmatori_server.kubernetes.manifests.nodes import Path


class ContainerKind(enum.StrEnum):
    """The list a container is in; a sidecar is an init container that keeps running."""

    MAIN = "containers"
    INIT = "initContainers"
    SIDECAR = "sidecar"
    EPHEMERAL = "ephemeralContainers"


@attrs.frozen
class SecurityContext:
    """The security fields of a container or a pod; None where the field is not written."""

    present: bool = False
    privileged: bool | None = None
    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    read_only_root: bool | None = None
    allow_escalation: bool | None = None
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    proc_mount: str = ""
    seccomp: str = ""
    app_armor: str = ""
    host_process: bool | None = None

    def under(self, pod: SecurityContext) -> SecurityContext:
        """Return what holds in the container: its own value, else its pod's."""
        return attrs.evolve(
            self,
            run_as_non_root=pod.run_as_non_root if self.run_as_non_root is None else self.run_as_non_root,
            run_as_user=pod.run_as_user if self.run_as_user is None else self.run_as_user,
            run_as_group=pod.run_as_group if self.run_as_group is None else self.run_as_group,
            seccomp=self.seccomp or pod.seccomp,
            app_armor=self.app_armor or pod.app_armor,
            host_process=pod.host_process if self.host_process is None else self.host_process,
        )


@attrs.frozen
class Variable:
    """An environment variable: a value, or the kind of thing it is read from."""

    name: str
    value: str
    source: str
    path: Path


@attrs.frozen
class HostPath:
    """A volume that is a part of the host's file system."""

    volume: str
    path: str
    at: Path


@attrs.frozen
class Port:
    """A port of a container that is opened on the host."""

    number: int
    at: Path


@attrs.frozen
class Container:
    """A container of any kind."""

    name: str
    kind: ContainerKind
    at: Path
    """Where it is, from the pod's spec."""
    image: str
    own: SecurityContext
    """What is written in the container."""
    effective: SecurityContext
    """What holds, with what it inherits."""
    requests: dict[str, str]
    limits: dict[str, str]
    variables: tuple[Variable, ...]
    secret_sources: tuple[tuple[str, Path], ...]
    """Secrets that `envFrom` takes as a whole."""
    arguments: tuple[tuple[str, Path], ...]
    """The words of command and args."""
    host_ports: tuple[Port, ...]

    @property
    def runs_on(self) -> bool:
        """Whether it runs as long as the pod does: main containers and sidecars."""
        return self.kind in (ContainerKind.MAIN, ContainerKind.SIDECAR)


@attrs.frozen
class Reference:
    """An object by its names."""

    kind: str
    namespace: str
    name: str
    api_version: str = attrs.field(default="", eq=False)


@attrs.frozen
class Workload:
    """A pod, or what makes pods: its template."""

    reference: Reference
    owner: Reference | None
    """What controls it, such as the ReplicaSet of a pod."""
    source: Source
    spec: Node
    """The pod's spec as it is written."""
    spec_at: str
    """Where the spec is in the object, such as `spec.template.spec`."""
    labels: dict[str, str]
    annotations: dict[str, str]
    """Of the object; those of its template do not say how it is checked."""
    template_annotations: dict[str, str]
    windows: bool
    host_network: bool
    host_pid: bool
    host_ipc: bool
    host_users: bool
    share_process_namespace: bool
    security: SecurityContext
    service_account: str
    """Its name; empty where none is written."""
    deprecated_service_account: str
    automount: bool | None
    pod_limits: dict[str, str]
    pod_requests: dict[str, str]
    host_paths: tuple[HostPath, ...]
    containers: tuple[Container, ...]
    replicas: int | None = None
    """Pods that it asks for; None for kinds that do not say a number."""
    is_recreated: bool = False
    """Whether its old pods end before new ones begin: there must never be two of a kind."""

    @property
    def account_name(self) -> str:
        """The service account that its pods run under."""
        return self.service_account or self.deprecated_service_account or "default"

    def line(self, path: Path) -> int:
        """Return the line of what is at the path from the pod's spec, or of the nearest that is written."""
        return self.spec.nearest(path).line or self.source.line
