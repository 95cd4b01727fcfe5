"""What an incident is about: the workload that makes a pod in the end, so that its pods meet. Pure."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

import attrs

from akmatori_server.kubernetes.costs.demands import owner_of_pod
from akmatori_server.kubernetes.incidents.model import Key
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.workloads import Reference, read_workload

# The marks that Kubernetes makes names of, so that they spell no words.
_MARKS = "bcdfghjklmnpqrstvwxz2456789"
_OF_REPLICA_SET = re.compile(rf"(.+)-[{_MARKS}]{{1,10}}")
_OF_POD = re.compile(rf"(.+)-[{_MARKS}]{{5}}")
_OF_CRON_JOB = re.compile(r"(.+)-\d{8,10}")


@attrs.frozen
class Owners:
    """What is known of who makes what in one cluster."""

    pods: dict[tuple[str, str], Key] = attrs.field(factory=dict[tuple[str, str], Key])
    deployments: set[tuple[str, str]] = attrs.field(factory=set[tuple[str, str]])

    def learn(self, found: ManifestObject) -> None:
        """Take in a pod or a Deployment."""
        if found.kind == "Deployment":
            self.deployments.add((found.namespace, found.name))
        elif found.kind == "Pod":
            self.pods[found.namespace, found.name] = key_of_pod(found)

    def key(self, kind: str, namespace: str, name: str) -> Key:
        """Return what an object belongs to; of a pod that is gone, by the way its name was made."""
        if kind == "Pod":
            known = self.pods.get((namespace, name))
            return known or self._by_name(namespace, name) or Key(namespace, kind, name)
        if kind == "ReplicaSet":
            return _deployment(namespace, name, self.deployments) or Key(namespace, kind, name)
        if kind == "Job" and (cron := _OF_CRON_JOB.fullmatch(name)) is not None:
            return Key(namespace, "CronJob", cron[1])
        return Key("" if kind == "Node" else namespace, kind, name)

    def _by_name(self, namespace: str, name: str) -> Key | None:
        pod = _OF_POD.fullmatch(name)
        if pod is None:
            return None
        cron = _OF_CRON_JOB.fullmatch(pod[1])
        if cron is not None:
            return Key(namespace, "CronJob", cron[1])
        return _deployment(namespace, pod[1], self.deployments)


def key_of_pod(found: ManifestObject) -> Key:
    """Return what makes a pod that was read."""
    workload = read_workload(found)
    owner: Reference | None = None if workload is None else owner_of_pod(found, workload)
    # A static pod is owned by the node it is on, and is what it is about.
    if owner is None or owner.kind == "Node":
        return Key(found.namespace, "Pod", found.name)
    return Key(owner.namespace, owner.kind, owner.name)


def _deployment(namespace: str, name: str, known: AbstractSet[tuple[str, str]]) -> Key | None:
    made = _OF_REPLICA_SET.fullmatch(name)
    if made is None or (namespace, made[1]) not in known:
        return None
    return Key(namespace, "Deployment", made[1])
