"""Reading lists page by page: the pagers fetch what `walk` decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from akmatori_sdk._core.operation import PagedOperation
from akmatori_sdk._core.walk import Limits, Page, PageRef, Query, Walk

T = TypeVar("T")

Fetch: TypeAlias = "Callable[[Query, Callable[[Any], Page[T]]], Page[T]]"
AsyncFetch: TypeAlias = "Callable[[Query, Callable[[Any], Page[T]]], Awaitable[Page[T]]]"


class _Reading(Generic[T]):
    """What both pagers share: the list that is read, how far, from where, and how far reading has come."""

    def __init__(self, op: PagedOperation[T], limits: Limits, start: PageRef | None = None) -> None:
        self._op = op
        self._limits = limits
        self._start = start or PageRef()
        self._position: PageRef | None = self._start
        self._total: int | None = None

    @property
    def position(self) -> PageRef | None:
        """Where to `resume()`: the first page not wholly handed out, or None when everything was."""
        return self._position

    @property
    def total(self) -> int | None:
        """How many items the whole list has; known after the first page, if the server says so."""
        return self._total

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._op.id}, position={self._position}, total={self._total})"

    def _walk(self) -> Walk[T]:
        self._position = self._start
        return Walk(self._op, self._limits, self._start)

    def _arrived(self, page: Page[T]) -> None:
        self._total = page.total
        self._position = page.ref

    def _limited(self, max_items: int | None, max_pages: int | None) -> Limits:
        return attrs.evolve(
            self._limits,
            max_items=self._limits.max_items if max_items is None else max_items,
            max_pages=self._limits.max_pages if max_pages is None else max_pages,
        )


class Pager(_Reading[T]):
    """Iterates over the items of a list; pages are fetched as they are needed, none before the first item.

    Each `for` begins anew. There is no `len()`: the list may change while it is read; see `total`.
    """

    def __init__(
        self, fetch: Fetch[T], op: PagedOperation[T], limits: Limits, start: PageRef | None = None
    ) -> None:
        super().__init__(op, limits, start)
        self._fetch = fetch

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T]]:
        """Iterate over whole pages.

        Raises:
            PaginationError: the server's pages make no progress.
        """
        walk = self._walk()
        while (query := walk.query()) is not None:
            page = self._fetch(query, walk.accept)
            self._arrived(page)
            yield page
            self._position = walk.position

    def first(self) -> T | None:
        """Return the first item, or None when there is none."""
        return next(iter(self.limit(max_items=1)), None)

    def collect(self, limit: int) -> list[T]:
        """Return the items as a list, at most `limit` of them."""
        return list(self.limit(max_items=limit))

    def limit(self, *, max_items: int | None = None, max_pages: int | None = None) -> Pager[T]:
        """Return a pager over the same list that ends sooner; the smaller of two limits on items counts."""
        return Pager(
            self._fetch,
            self._op,
            self._limited(_least(max_items, self._limits.max_items), max_pages),
            self._start,
        )

    def resume(self, position: PageRef) -> Pager[T]:
        """Return a pager that begins at an earlier one's `position`; at most one page comes again."""
        return Pager(self._fetch, self._op, self._limits, position)


class AsyncPager(_Reading[T]):
    """Iterates over the items of a list; pages are fetched as they are needed, none before the first item.

    Each `async for` begins anew. There is no `len()`: the list may change while it is read; see `total`.
    """

    def __init__(
        self, fetch: AsyncFetch[T], op: PagedOperation[T], limits: Limits, start: PageRef | None = None
    ) -> None:
        super().__init__(op, limits, start)
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Iterate over whole pages.

        Raises:
            PaginationError: the server's pages make no progress.
        """
        walk = self._walk()
        while (query := walk.query()) is not None:
            page = await self._fetch(query, walk.accept)
            self._arrived(page)
            yield page
            self._position = walk.position

    async def first(self) -> T | None:
        """Return the first item, or None when there is none."""
        return next(iter(await self.collect(1)), None)

    async def collect(self, limit: int) -> list[T]:
        """Return the items as a list, at most `limit` of them."""
        return [item async for item in self.limit(max_items=limit)]

    def limit(self, *, max_items: int | None = None, max_pages: int | None = None) -> AsyncPager[T]:
        """Return a pager over the same list that ends sooner; the smaller of two limits on items counts."""
        limits = self._limited(_least(max_items, self._limits.max_items), max_pages)
        return AsyncPager(self._fetch, self._op, limits, self._start)

    def resume(self, position: PageRef) -> AsyncPager[T]:
        """Return a pager that begins at an earlier one's `position`; at most one page comes again."""
        return AsyncPager(self._fetch, self._op, self._limits, position)


def _least(one: int | None, other: int | None) -> int | None:
    return min(one, other) if one is not None and other is not None else one if other is None else other
