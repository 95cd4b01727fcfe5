"""What is looked at: live clusters and folders of manifests, read in the same way."""

from __future__ import annotations

import enum
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import attrs

from akmatori_server.kubernetes.checks.context import MENTIONS_CONTEXT, Context, read_context
from akmatori_server.kubernetes.clusters.access import Feature
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import Limits, connect
from akmatori_server.kubernetes.clusters.facts import read_version
from akmatori_server.kubernetes.clusters.objects import ClusterObjects
from akmatori_server.kubernetes.manifests import ManifestObject, Problem, read_manifests
from akmatori_server.kubernetes.unread import ALL_READ, Unread


class Mode(enum.StrEnum):
    """Where objects come from."""

    LIVE = "live"
    MANIFESTS = "manifests"


class Reading(Protocol):
    """One pass over a target: first what other objects are judged by, then all objects as a stream."""

    @property
    def version(self) -> str:
        """The version of the cluster, such as `v1.32.4`; "" for manifests."""
        ...

    @property
    def unread(self) -> Unread:
        """The kinds that could not be read, or not to their end; complete once everything was read."""
        ...

    def context(self) -> Context:
        """Read what other objects are judged by. Called once, before `each`."""
        ...

    def each(self) -> Iterator[ManifestObject | Problem]:
        """Return all objects, with a problem in the place of what cannot be read."""
        ...


class Target(Protocol):
    """Something to look at, by its name."""

    @property
    def name(self) -> str:
        """Its name in findings and in the API."""
        ...

    @property
    def mode(self) -> Mode:
        """Where its objects come from."""
        ...

    def reading(self, feature: Feature) -> AbstractContextManager[Reading]:
        """Begin to read what a feature needs.

        Raises:
            ClusterError: the cluster cannot be reached, or refuses the credentials.
        """
        ...


@attrs.frozen
class FolderTarget:
    """Files of manifests, and folders with everything below them."""

    name: str
    paths: tuple[Path, ...]
    mode: Mode = attrs.field(default=Mode.MANIFESTS, init=False)

    @contextmanager
    def reading(self, feature: Feature) -> Generator[Reading]:
        """Begin to read; a folder has everything for every feature."""
        del feature
        yield _FolderReading(self.paths)


@attrs.frozen
class ClusterTarget:
    """A live cluster."""

    config: ClusterConfig
    limits: Limits | None = None
    mode: Mode = attrs.field(default=Mode.LIVE, init=False)

    @property
    def name(self) -> str:
        """Its name in findings and in the API."""
        return self.config.name

    @contextmanager
    def reading(self, feature: Feature) -> Generator[Reading]:
        """Connect, and begin to read.

        Raises:
            ClusterError: it cannot be reached, or refuses the credentials.
        """
        connection = connect(self.config, self.limits)
        try:
            yield _ClusterReading(read_version(connection), ClusterObjects.of(connection, feature))
        finally:
            connection.close()


@attrs.frozen
class _FolderReading:
    _paths: Sequence[Path]
    version: str = ""
    unread: Unread = ALL_READ

    def context(self) -> Context:
        return read_context(read_manifests(self._paths, only=MENTIONS_CONTEXT))

    def each(self) -> Iterator[ManifestObject | Problem]:
        return read_manifests(self._paths)


@attrs.frozen
class _ClusterReading:
    version: str
    _objects: ClusterObjects

    @property
    def unread(self) -> Unread:
        return self._objects.unread

    def context(self) -> Context:
        return self._objects.context()

    def each(self) -> Iterator[ManifestObject | Problem]:
        return self._objects.each()
