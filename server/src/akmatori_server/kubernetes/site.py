"""What Aotanami's services are made of, and which targets an installation has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from akmatori_server.config import ConfigurationError, Settings
from akmatori_server.database import Database
from akmatori_server.engine import Engine
from akmatori_server.kubernetes.clusters.configuration import (
    LOCAL,
    ClusterConfig,
    ClustersError,
    cluster_name,
    read_clusters,
)
from akmatori_server.kubernetes.targets import ClusterTarget, FolderTarget, Mode, Target

Now = Callable[[], datetime]


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


def configured_targets(settings: Settings) -> tuple[Target, ...]:
    """Return what the settings name, the clusters first.

    Raises:
        ConfigurationError: the file of clusters cannot be used, or two targets have one name.
    """
    try:
        clusters = () if settings.clusters_file is None else read_clusters(settings.clusters_file)
    except ClustersError as error:
        raise ConfigurationError(f"AKMATORI_CLUSTERS: {error}") from None
    if settings.context is not None or settings.kubeconfig is not None:
        name = LOCAL if settings.context is None else cluster_name(settings.context)
        clusters = (ClusterConfig(name, settings.kubeconfig, settings.context), *clusters)
    if settings.in_cluster:
        clusters = (ClusterConfig(LOCAL, in_cluster=True), *clusters)
    found: list[Target] = [ClusterTarget(config) for config in clusters]
    found += [FolderTarget(name, paths) for name, paths in settings.manifests]
    names = [target.name for target in found]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ConfigurationError(f"Two clusters or folders of manifests are named {twins[0]}; rename one.")
    return tuple(found)
