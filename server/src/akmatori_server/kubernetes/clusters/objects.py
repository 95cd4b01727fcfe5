"""The objects of a cluster as a stream, in the form in which manifests are read; what is missing is said in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import attrs
import orjson

from akmatori_server.kubernetes.checks.context import Context, read_context
from akmatori_server.kubernetes.clusters.access import FEATURES, Feature, Resource
from akmatori_server.kubernetes.clusters.by_namespace import Lister, NarrowedError
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    ForbiddenError,
    NotServedError,
    UnreachableError,
)
from akmatori_server.kubernetes.clusters.listing import Item
from akmatori_server.kubernetes.manifests import ManifestObject, Problem, ProblemKind, json_node
from akmatori_server.kubernetes.manifests.nodes import DEEPEST
from akmatori_server.kubernetes.manifests.objects import object_of
from akmatori_server.kubernetes.unread import Unread

Read: TypeAlias = ManifestObject | Problem

# Much of what an object of a live cluster is made of: who wrote which field, and how it is. Most do not ask for it.
_MANAGERS, _STATUS = "managedFields", "status"
_ALL_LEFT_OUT = frozenset({_MANAGERS, _STATUS})
_LEFT_OUT = {
    Feature.DRIFT: frozenset({_STATUS}),
    Feature.COSTS: frozenset({_MANAGERS}),
    Feature.INCIDENTS: frozenset({_MANAGERS}),
    Feature.HEALTH: frozenset({_MANAGERS}),
}


@attrs.define
class ClusterObjects:
    """Reads one cluster once: first what other objects are judged by, then everything."""

    _connection: Connection
    _resources: tuple[Resource, ...]
    _left_out: frozenset[str] = _ALL_LEFT_OUT
    _held: list[tuple[Resource, bytes]] = attrs.field(factory=list[tuple[Resource, bytes]])
    _problems: list[Problem] = attrs.field(factory=list[Problem])
    _unread: dict[str, frozenset[str]] = attrs.field(factory=dict[str, frozenset[str]])
    _narrowed: dict[str, tuple[NarrowedError, list[str]]] = attrs.field(
        factory=dict[str, tuple[NarrowedError, list[str]]]
    )
    """What was read in some namespaces alone, by its reason: kinds of the same one are told together."""
    _away: bool = False
    _lister: Lister = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lister = Lister(self._connection)

    @classmethod
    def of(
        cls,
        connection: Connection,
        feature: Feature = Feature.SCANS,
        *,
        kinds: frozenset[str] | None = None,
    ) -> ClusterObjects:
        """Return what a feature reads of a cluster.

        Args:
            connection: To the cluster.
            feature: What reads.
            kinds: Of what nothing else is judged by, only these kinds.
        """
        read = FEATURES[feature]
        wanted = tuple(item for item in read if item.context or kinds is None or item.kind in kinds)
        return cls(connection, wanted, _LEFT_OUT.get(feature, _ALL_LEFT_OUT))

    @property
    def unread(self) -> Unread:
        """The kinds that could not be read, or not to their end."""
        return Unread(dict(self._unread))

    def context(self) -> Context:
        """Read what other objects are judged by. It is kept, as it was written, for `each`."""

        def keep() -> Iterator[ManifestObject]:
            for resource in self._resources:
                if resource.context:
                    for item in self._list(resource):
                        for found in self._objects(resource, item):
                            self._held.append((resource, orjson.dumps(item)))
                            yield found

        context = read_context(keep())
        return attrs.evolve(context, unread=self.unread)

    def each(self) -> Iterator[Read]:
        """Return all objects, and a problem for every kind that is missing."""
        for resource, text in self._held:
            yield from self._objects(resource, orjson.loads(text))
        self._held.clear()
        for resource in self._resources:
            if not resource.context:
                for item in self._list(resource):
                    yield from self._objects(resource, item)
            yield from self._problems
            self._problems.clear()
        for error, kinds in self._narrowed.values():
            yield self._problem(kinds, error.sentences(kinds), error.read)
        self._narrowed.clear()

    def _objects(self, resource: Resource, item: Item) -> Iterator[ManifestObject]:
        try:
            read = object_of(json_node(self._slim(item)), "")
        except RecursionError:
            self._missing(resource, f"One of them has more than {DEEPEST} levels.", given=1)
            return
        if isinstance(read, ManifestObject):
            yield read

    def _list(self, resource: Resource) -> Iterator[Item]:
        if self._away:
            self._missing(resource, "It was not asked for: the cluster had stopped answering.", given=0)
            return
        given = 0
        try:
            for item in self._lister.items(resource):
                given += 1
                yield item
        except NotServedError as error:
            if not resource.optional:
                self._missing(resource, str(error), given)
        except NarrowedError as error:
            self._unread[resource.kind] = self._unread.get(resource.kind, error.read) & error.read
            self._narrowed.setdefault(str(error), (error, []))[1].append(resource.kind)
        except ClusterError as error:
            self._away = isinstance(error, UnreachableError)
            verb = f"Grant list on {resource.plural}: `aotanami-server clusterrole` prints what is needed."
            self._missing(
                resource, f"{error} {verb}" if isinstance(error, ForbiddenError) else str(error), given
            )

    def _missing(self, resource: Resource, reason: str, given: int) -> None:
        self._unread[resource.kind] = frozenset()
        part = "Only a part of all" if given else "No"
        self._problems.append(
            self._problem([resource.kind], f"{part} {resource.kind} objects were read. {reason}")
        )

    def _problem(self, kinds: Iterable[str], message: str, known_in: frozenset[str] = frozenset()) -> Problem:
        return Problem(
            ProblemKind.NOT_READ,
            f"cluster/{self._connection.config.name}",
            None,
            message,
            missing=frozenset(kinds),
            known_in=known_in,
        )

    def _slim(self, item: Item) -> Item:
        metadata = item.get("metadata")
        if isinstance(metadata, dict) and _MANAGERS in self._left_out:
            metadata.pop(_MANAGERS, None)
        if _STATUS in self._left_out:
            item.pop(_STATUS, None)
        return item


def read_kinds(connection: Connection, resources: Iterable[Resource]) -> Iterator[Read]:
    """Return the objects of some resources alone, such as those that a folder of desired objects holds."""
    wanted = tuple(attrs.evolve(resource, context=False) for resource in resources)
    return ClusterObjects(connection, wanted).each()
