"""What Aotanami's services are made of, and which targets an installation has."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime

import attrs

from akmatori_server.config import ConfigurationError
from akmatori_server.database import Database
from akmatori_server.engine import Engine
from akmatori_server.kubernetes.clusters.configuration import (
    LOCAL,
    ClusterConfig,
    ClustersError,
    cluster_name,
    read_clusters,
)
from akmatori_server.kubernetes.clusters.kubeconfig import complaint_about, usual_files
from akmatori_server.kubernetes.configuration import KubernetesSettings
from akmatori_server.kubernetes.targets import ClusterTarget, FolderTarget, Mode, Target

Now = Callable[[], datetime]
# Set in every container by the kubelet, and read by the library.
_IN_A_POD = "KUBERNETES_SERVICE_HOST"


@attrs.frozen(kw_only=True)
class KubernetesSite:
    """The database, the engine, the clock, and what there is to look at."""

    database: Database
    engine: Engine
    now: Now
    targets: tuple[Target, ...]

    @property
    def mode(self) -> Mode:
        """Live when there is a cluster among the targets."""
        is_live = any(target.mode is Mode.LIVE for target in self.targets)
        return Mode.LIVE if is_live else Mode.MANIFESTS

    @property
    def clusters(self) -> tuple[ClusterTarget, ...]:
        """The live clusters."""
        return tuple(target for target in self.targets if isinstance(target, ClusterTarget))

    def target(self, name: str) -> Target | None:
        """Return the target of this name, if there is one."""
        return next((target for target in self.targets if target.name == name), None)


def configured_targets(settings: KubernetesSettings) -> tuple[Target, ...]:
    """Return what the settings name, the clusters first.

    Raises:
        ConfigurationError: a cluster cannot be reached as it is said, or two targets have one name.
    """
    try:
        clusters = () if settings.clusters_file is None else read_clusters(settings.clusters_file)
    except ClustersError as error:
        raise ConfigurationError(f"AKMATORI_CLUSTERS: {error}") from None
    if settings.context is not None or settings.kubeconfig is not None:
        name = LOCAL if settings.context is None else cluster_name(settings.context)
        files = usual_files() if settings.kubeconfig is None else (settings.kubeconfig,)
        if complaint := complaint_about(settings.context, files):
            raise ConfigurationError(complaint)
        config = ClusterConfig(
            name,
            settings.kubeconfig,
            settings.context,
            readable_namespaces=settings.readable_namespaces,
        )
        clusters = (config, *clusters)
    if settings.in_cluster:
        if not os.environ.get(_IN_A_POD):
            raise ConfigurationError(
                f"This is no pod of a cluster ({_IN_A_POD} is not set), so AKMATORI_IN_CLUSTER=1 and --in-cluster"
                " cannot be used."
            )
        config = ClusterConfig(LOCAL, in_cluster=True, readable_namespaces=settings.readable_namespaces)
        clusters = (config, *clusters)
    found: list[Target] = [ClusterTarget(config) for config in clusters]
    found += [FolderTarget(name, paths) for name, paths in settings.manifests]
    names = [target.name for target in found]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ConfigurationError(f"Two clusters or folders of manifests are named {twins[0]}; rename one.")
    return tuple(found)
