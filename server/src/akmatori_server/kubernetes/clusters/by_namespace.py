"""Lists where those of all namespaces are forbidden: namespace by namespace, a few at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import attrs

from akmatori_server.kubernetes.clusters.access import NAMESPACES, Resource
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    ForbiddenError,
    NotServedError,
    UnreachableError,
    own_namespace,
)
from akmatori_server.kubernetes.clusters.listing import Item, list_items, named
from akmatori_server.kubernetes.manifests import json_node

# A server that many ask is asked by few.
ASKED_AT_ONCE = 4
_NAMED = 10


class NarrowedError(ClusterError):
    """A list of all namespaces is forbidden, and was read in some of them alone."""

    def __init__(self, cluster: str, read: frozenset[str], missed: Mapping[str, ClusterError]) -> None:
        self.read = read
        self.reason = _reason(cluster, missed)
        super().__init__(f"Read in {_places(read)} alone. {self.reason}")

    def sentences(self, kinds: Sequence[str]) -> str:
        """Return what is missing of some kinds that were read in the same namespaces."""
        return f"In {_places(self.read)} alone were read: {', '.join(kinds)}. {self.reason}"


@attrs.define
class Lister:
    """Lists resources of one cluster, each in all namespaces, or in those that may be read."""

    _connection: Connection
    _known: tuple[str, ...] | None = None
    _is_every: bool = False
    """Whether they are all that the cluster has."""

    def items(self, resource: Resource) -> Iterator[Item]:
        """Return the objects of a resource.

        Raises:
            NarrowedError: after the last of them, when there are namespaces that could not be read.
            ClusterError: the list could not be read, or not to its end.
        """
        is_begun, refused = False, None
        try:
            for item in list_items(self._connection, resource):
                is_begun = True
                yield item
        except ForbiddenError as error:
            refused = error
        if refused is None:
            return
        # Rights that end in the middle of a list are no reason to begin another one.
        namespaces = () if is_begun else self._namespaces()
        if resource == NAMESPACES:
            yield from self._each_namespace(namespaces, refused)
        elif resource.namespaced and namespaces:
            yield from self._by_namespace(resource, namespaces, refused)
        else:
            raise refused

    def _namespaces(self) -> tuple[str, ...]:
        if self._known is None:
            self._known = self._connection.config.readable_namespaces or self._listed()
        return self._known

    def _listed(self) -> tuple[str, ...]:
        try:
            found = tuple(
                json_node(item).get("metadata", "name").text()
                for item in list_items(self._connection, NAMESPACES)
            )
        except ForbiddenError:
            own = own_namespace(self._connection.config)
            return (own,) if own else ()
        self._is_every = True
        return tuple(sorted(found))

    def _each_namespace(self, names: Sequence[str], refused: ForbiddenError) -> Iterator[Item]:
        """Return the namespaces themselves, as far as each may be read by its name."""
        read, missed = set[str](), dict[str, ClusterError]()
        for name in names:
            try:
                item = self._connection.get(f"{NAMESPACES.path}/{name}")
            except UnreachableError:
                raise
            except ClusterError as error:
                missed[name] = error
                continue
            read.add(name)
            yield named(NAMESPACES, item)
        raise NarrowedError(self._connection.config.name, frozenset(read), missed) if read else refused

    def _by_namespace(
        self, resource: Resource, namespaces: Sequence[str], refused: ForbiddenError
    ) -> Iterator[Item]:
        read, missed = set[str](), dict[str, ClusterError]()
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            for namespace, first, rest in self._begun(resource, namespaces, pool):
                try:
                    item = first.result()
                    if item is not None:
                        yield item
                        yield from rest
                    read.add(namespace)
                except (UnreachableError, NotServedError):
                    raise
                except ClusterError as error:
                    missed[namespace] = error
        if not read:
            raise refused
        if missed or not self._is_every:
            raise NarrowedError(self._connection.config.name, frozenset(read), missed)

    def _begun(
        self, resource: Resource, namespaces: Sequence[str], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[str, Future[Item | None], Iterator[Item]]]:
        """Return lists that have been begun, a few ahead of the one that is read: so many pages are in memory."""
        waiting = iter(namespaces)
        begun = deque[tuple[str, Future[Item | None], Iterator[Item]]]()

        def begin(number: int) -> None:
            for namespace in islice(waiting, number):
                rest = list_items(self._connection, resource, namespace)
                begun.append((namespace, pool.submit(next, rest, None), rest))

        begin(ASKED_AT_ONCE)
        while begun:
            yield begun.popleft()
            begin(1)


def _reason(cluster: str, missed: Mapping[str, ClusterError]) -> str:
    whole = f"The cluster {cluster} forbids a list of all namespaces"
    if not missed:
        return f"{whole}."
    # That it is forbidden says all; of something else the first stands for the others.
    odd = next((str(error) for error in missed.values() if not isinstance(error, ForbiddenError)), "")
    return f"{whole}; {_places(frozenset(missed))} could not be read either. {odd}".rstrip()


def _places(namespaces: frozenset[str]) -> str:
    names = sorted(namespaces)
    if len(names) == 1:
        return f"the namespace {names[0]}"
    more = len(names) - _NAMED
    shown = names[:_NAMED] if more > 0 else names[:-1]
    return f"the namespaces {', '.join(shown)} and {f'{more} more' if more > 0 else names[-1]}"
