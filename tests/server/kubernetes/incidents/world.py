"""A cluster whose state a test decides, the clock, and the incidents of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from akmatori_server.database import Database
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.incidents.service import IncidentService, Told, incident_id
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import ClusterTarget
from tests.support.kube_api import KubeApi

START = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)


def text(moment: datetime) -> str:
    """A moment as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(
    name: str = "a", *, owner: str = "web", restarts: int = 0, created: datetime | None = None, **state: Any
) -> dict[str, Any]:
    """A pod of a Deployment with one container, whose state is given."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{owner}-5d4f-{name}",
            "namespace": "shop",
            "uid": f"uid-{owner}-{name}",
            "creationTimestamp": text(created or START - timedelta(days=3)),
            "labels": {"pod-template-hash": "5d4f"},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{owner}-5d4f", "controller": True}
            ],
        },
        "spec": {
            "containers": [{"name": "main", "image": "x:1", "resources": {"limits": {"memory": "256Mi"}}}]
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": "main", "image": "x:1", "restartCount": restarts, **state}],
        },
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """The state of a container that waits."""
    return {"waiting": {"reason": reason, "message": message}}


def ended(at: datetime, reason: str = "Error", code: int = 1) -> dict[str, Any]:
    """The state of a container that ended."""
    return {"terminated": {"reason": reason, "exitCode": code, "finishedAt": text(at)}}


def crashing(at: datetime, restarts: int, name: str = "a", **more: Any) -> dict[str, Any]:
    """A pod that waits for its next start."""
    return pod(name, restarts=restarts, state=waiting("CrashLoopBackOff"), lastState=ended(at), **more)


def warning(
    reason: str,
    at: datetime,
    *,
    count: int = 1,
    about: tuple[str, str] = ("Pod", "web-5d4f-a"),
    uid: str = "",
    message: str = "",
) -> dict[str, Any]:
    """A core event of type Warning."""
    kind, name = about
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{name}.{reason}{uid}",
            "namespace": "shop",
            "uid": f"event-{name}-{reason}{uid}",
        },
        "involvedObject": {"kind": kind, "name": name, "namespace": "shop"},
        "type": "Warning",
        "reason": reason,
        "message": message or f"{reason} happened",
        "count": count,
        "firstTimestamp": text(at - timedelta(minutes=count - 1)),
        "lastTimestamp": text(at),
        "source": {"component": "kubelet"},
    }


def deployment(name: str = "web", *, revision: int = 1, stuck: datetime | None = None) -> dict[str, Any]:
    """A Deployment."""
    condition = {
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": f'ReplicaSet "{name}-5d4f" has timed out progressing.', "lastTransitionTime": text(stuck or START),
    }  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": text(START - timedelta(days=30)),
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        },
        "status": {"conditions": [condition] if stuck else []},
    }


def node(name: str = "n1", *, since: datetime = START, **conditions: str) -> dict[str, Any]:
    """A node with conditions."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {
            "conditions": [
                {"type": kind, "status": status, "reason": "Kubelet", "message": f"{kind} is {status}",
                 "lastTransitionTime": text(since)}
                for kind, status in conditions.items()
            ]
        },
    }  # fmt: skip


class World:
    """The cluster, and a server that may be started anew at any time."""

    def __init__(
        self,
        api: KubeApi,
        database: Database,
        folder: Path,
        *,
        start: datetime = START,
        readable_namespaces: tuple[str, ...] = (),
    ) -> None:
        self.api = api
        self.now = start
        self.database = database
        config = ClusterConfig(
            "prod", kubeconfig=api.kubeconfig(folder), readable_namespaces=readable_namespaces
        )
        target = ClusterTarget(config)
        self.site = KubernetesSite(
            database=database, engine=MemoryEngine(), now=lambda: self.now, targets=(target,)
        )
        self.service = IncidentService(self.site)

    def restart(self) -> None:
        """Forget all that is not stored."""
        self.service = IncidentService(self.site)

    def shows(self, *found: dict[str, Any]) -> None:
        """Let the cluster be like this from now on."""
        self.api.objects.clear()
        self.api.put(*found)

    def read(self, *found: dict[str, Any], after: float = 1) -> None:
        """Read the cluster some minutes later, as it is then."""
        self.now += timedelta(minutes=after)
        if found:
            self.shows(*found)
        self.service.read()

    def all(self) -> list[Told]:
        """Return every incident there ever was, in the order of their numbers."""
        cases, _ = self.service.page([], offset=0, limit=1000)
        return [
            self.service.get(incident_id(case)) for _, case in sorted(cases, key=lambda one: one[1].number)
        ]

    def one(self) -> Told:
        """Return the only incident."""
        (found,) = self.all()
        return found

    def counts(self, told: Told) -> dict[str, int]:
        """Return the events of an incident by their reason."""
        return {event.fold.reason: event.count for event in told.events}


def acknowledge(
    world: World, wanted: str, *, by: str = "ada", note: str = "", expires_at: datetime | None = None
) -> Told:
    """Acknowledge with nothing in between."""
    return world.service.acknowledge(
        wanted, by=by, note=note, expires_at=expires_at, check=lambda _told: None, record=lambda *_: None
    )
