"""From objects to workloads."""

from __future__ import annotations

from akmatori_server.kubernetes.manifests import ManifestObject, Node
from akmatori_server.kubernetes.manifests.nodes import Path
from akmatori_server.kubernetes.workloads.model import (
    Container,
    ContainerKind,
    HostPath,
    Port,
    Reference,
    SecurityContext,
    Variable,
    Workload,
)

# Where the pod template of each kind is; its group, so that an object of somebody else's API is not taken for one.
_TEMPLATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Pod": ("", ()),
    "ReplicationController": ("", ("spec", "template")),
    "Deployment": ("apps", ("spec", "template")),
    "StatefulSet": ("apps", ("spec", "template")),
    "DaemonSet": ("apps", ("spec", "template")),
    "ReplicaSet": ("apps", ("spec", "template")),
    "Job": ("batch", ("spec", "template")),
    "CronJob": ("batch", ("spec", "jobTemplate", "spec", "template")),
}
WORKLOAD_KINDS = frozenset(_TEMPLATES)
"""The kinds of objects that are pods, or make them."""
# The group that served the workloads of `apps` until Kubernetes 1.16; old manifests still name it.
_OLD_GROUP = "extensions"

# They run as many pods as they say, and one where they say nothing.
_COUNTED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})

_LISTS = ("containers", "initContainers", "ephemeralContainers")


def is_workload(found: ManifestObject) -> bool:
    """Whether the object is a pod or makes pods."""
    template = _TEMPLATES.get(found.kind)
    if template is None:
        return False
    group = found.group
    # Items of a list of one kind may leave their version out.
    return group in ("", template[0]) or (group == _OLD_GROUP and template[0] == "apps")


def read_workload(found: ManifestObject) -> Workload | None:
    """Return the workload that an object is; None for other kinds."""
    if not is_workload(found):
        return None
    steps = _TEMPLATES[found.kind][1]
    template = found.body.get(*steps)
    spec = template.get("spec")
    metadata = template.get("metadata")
    security_node = spec.get("securityContext")
    security = _security(security_node)
    return Workload(
        reference=reference_of(found),
        owner=_controller(found),
        source=found.source,
        spec=spec,
        spec_at=".".join((*steps, "spec")),
        labels=metadata.get("labels").texts(),
        annotations=found.annotations,
        template_annotations=metadata.get("annotations").texts(),
        windows=spec.get("os", "name").text() == "windows",
        host_network=spec.get("hostNetwork").boolean() is True,
        host_pid=spec.get("hostPID").boolean() is True,
        host_ipc=spec.get("hostIPC").boolean() is True,
        host_users=spec.get("hostUsers").boolean() is not False,
        share_process_namespace=spec.get("shareProcessNamespace").boolean() is True,
        security=security,
        service_account=spec.get("serviceAccountName").text(),
        deprecated_service_account=spec.get("serviceAccount").text(),
        automount=spec.get("automountServiceAccountToken").boolean(),
        pod_limits=spec.get("resources", "limits").texts(),
        pod_requests=spec.get("resources", "requests").texts(),
        host_paths=_host_paths(spec),
        containers=tuple(
            _container(node, (name, index), security)
            for name in _LISTS
            for index, node in enumerate(spec.get(name).each())
        ),
        replicas=_replicas(found),
        is_recreated=found.body.get("spec", "strategy", "type").text() == "Recreate",
    )


def _replicas(found: ManifestObject) -> int | None:
    if found.kind == "Pod":
        return 1
    if found.kind not in _COUNTED:
        return None
    written = found.body.get("spec", "replicas").integer()
    return 1 if written is None else written


def reference_of(found: ManifestObject) -> Reference:
    """Return the names of an object."""
    return Reference(found.kind, found.namespace, found.name, found.api_version)


def _controller(found: ManifestObject) -> Reference | None:
    for owner in found.body.get("metadata", "ownerReferences").each():
        if owner.get("controller").boolean() is True:
            version = owner.get("apiVersion").text()
            return Reference(owner.get("kind").text(), found.namespace, owner.get("name").text(), version)
    return None


def _security(node: Node) -> SecurityContext:
    capabilities = node.get("capabilities")
    return SecurityContext(
        present=node.exists,
        privileged=node.get("privileged").boolean(),
        run_as_non_root=node.get("runAsNonRoot").boolean(),
        run_as_user=node.get("runAsUser").integer(),
        run_as_group=node.get("runAsGroup").integer(),
        read_only_root=node.get("readOnlyRootFilesystem").boolean(),
        allow_escalation=node.get("allowPrivilegeEscalation").boolean(),
        added=_capabilities(capabilities.get("add")),
        dropped=_capabilities(capabilities.get("drop")),
        proc_mount=node.get("procMount").text(),
        seccomp=node.get("seccompProfile", "type").text(),
        app_armor=node.get("appArmorProfile", "type").text(),
        host_process=node.get("windowsOptions", "hostProcess").boolean(),
    )


def _capabilities(node: Node) -> tuple[str, ...]:
    """Return the names as the kernel's documentation has them, without the prefix that some runtimes accept."""
    return tuple(item.text().upper().removeprefix("CAP_") for item in node.each() if item.text())


def _container(node: Node, at: Path, pod: SecurityContext) -> Container:
    kind = ContainerKind(str(at[0]))
    if kind is ContainerKind.INIT and node.get("restartPolicy").text() == "Always":
        kind = ContainerKind.SIDECAR
    own = _security(node.get("securityContext"))
    limits = node.get("resources", "limits").texts()
    return Container(
        name=node.get("name").text(),
        kind=kind,
        at=at,
        image=node.get("image").text(),
        own=own,
        effective=own.under(pod),
        # The API server takes a limit for the request where only the limit is written.
        requests=limits | node.get("resources", "requests").texts(),
        limits=limits,
        variables=tuple(
            Variable(
                name=item.get("name").text(),
                value=item.get("value").text(),
                source=next((name for name, _ in item.get("valueFrom").named()), ""),
                path=(*at, "env", index),
            )
            for index, item in enumerate(node.get("env").each())
        ),
        secret_sources=tuple(
            (item.get("secretRef", "name").text(), (*at, "envFrom", index))
            for index, item in enumerate(node.get("envFrom").each())
            if item.get("secretRef").exists
        ),
        arguments=tuple(
            (item.text(), (*at, name, index))
            for name in ("command", "args")
            for index, item in enumerate(node.get(name).each())
        ),
        host_ports=_host_ports(node, at),
    )


def _host_ports(node: Node, at: Path) -> tuple[Port, ...]:
    ports: list[Port] = []
    for index, item in enumerate(node.get("ports").each()):
        number = item.get("hostPort").integer()
        if number is not None and number > 0:
            ports.append(Port(number, (*at, "ports", index, "hostPort")))
    return tuple(ports)


def _host_paths(spec: Node) -> tuple[HostPath, ...]:
    return tuple(
        HostPath(item.get("name").text(), item.get("hostPath", "path").text(), ("volumes", index, "hostPath"))
        for index, item in enumerate(spec.get("volumes").each())
        if item.get("hostPath").exists
    )
