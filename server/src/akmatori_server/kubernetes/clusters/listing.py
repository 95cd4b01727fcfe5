"""Lists, page by page: one page in memory, started again when the server lost its place, each object given once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from akmatori_server.kubernetes.clusters.access import Resource
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    GoneError,
    Json,
    TooLargeError,
)

Item: TypeAlias = dict[str, Json]

# A list that expires each time is one that cannot be read as fast as the cluster forgets.
MOST_RESTARTS = 3


def list_items(connection: Connection, resource: Resource, namespace: str = "") -> Iterator[Item]:
    """Return the objects of a resource, in one namespace or in all, as the API writes them.

    Objects come page by page while the list is read. When the server answers 410 Gone, because it no longer has the
    version that the list began with, the list is read from its beginning, and what was given already is left out.

    Raises:
        ClusterError: the list could not be read, or not to its end.
    """
    path = resource.path_in(namespace) if namespace else resource.path
    given: set[int] = set()
    for _ in range(MOST_RESTARTS + 1):
        try:
            for item in _pages(connection, resource, path):
                name = hash(_names(item))
                if name not in given:
                    # A hash for each name, not the name: that is all that grows with the list.
                    given.add(name)
                    yield item
        except GoneError:
            continue
        return
    raise ClusterError(
        f"The cluster {connection.config.name} lost its place in the list {MOST_RESTARTS + 1} times; "
        "a part of it was not read."
    )


def _pages(connection: Connection, resource: Resource, path: str) -> Iterator[Item]:
    size, token = resource.page, ""
    while True:
        query = {"limit": str(size)}
        if resource.fields:
            query["fieldSelector"] = resource.fields
        if token:
            query["continue"] = token
        try:
            page = connection.get(path, query)
        except TooLargeError:
            if size == 1:
                raise
            size = max(size // 4, 1)
            continue
        token = continued(page)
        items = _items(connection, resource, page)
        # Neither this page nor what was given of it is held while the next one is read.
        del page
        while items:
            yield items.pop()
        if not token:
            return


def continued(page: Mapping[str, Json]) -> str:
    """Return the token with which the next page is asked for; empty on the last."""
    metadata = page.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else ""


def _items(connection: Connection, resource: Resource, page: Mapping[str, Json]) -> list[Item]:
    """Return the objects of a page, the first of them last."""
    items = page.get("items")
    if items is None and "kind" in page:
        return []  # an empty list may be left out
    if not isinstance(items, list):
        raise ClusterError(f"The cluster {connection.config.name} answered {resource.path} with no list.")
    found: list[Item] = []
    for item in reversed(items):
        if not isinstance(item, dict):
            raise ClusterError(
                f"The cluster {connection.config.name} answered {resource.path} with items that are no objects."
            )
        found.append(named(resource, item))
    return found


def named(resource: Resource, item: Item) -> Item:
    """Return an object of a list that says what it is: items leave that out."""
    item.setdefault("kind", resource.kind)
    item.setdefault("apiVersion", resource.api_version)
    return item


def _names(item: Item) -> tuple[str, str]:
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        return ("", "")
    return (str(metadata.get("namespace", "")), str(metadata.get("name", "")))
