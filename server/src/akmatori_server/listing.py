"""Lists that are read and answered whole, or by the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import models
from akmatori_server.database import Database
from akmatori_server.pagination import PageRequest, pagination_of

T = TypeVar("T")
M = TypeVar("M")
P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)


class ReadPart(Protocol[T]):
    """Reads a part of a list; without a limit, all that follows the offset."""

    def __call__(self, connection: sa.Connection, /, *, offset: int = 0, limit: int | None = None) -> list[T]:
        """Return the part."""
        ...


class PageModel(Protocol[M, P_co]):
    """Makes a page as the API answers it: the class of one."""

    def __call__(self, *, data: list[M], pagination: models.Pagination) -> P_co:
        """Return the page."""
        ...


@attrs.frozen
class Listing(Generic[T]):
    """A stored list: how long it is, and how a part of it is read."""

    database: Database
    count: Callable[[sa.Connection], int]
    read: ReadPart[T]

    def all(self) -> list[T]:
        """Return the whole list."""
        with self.database.read() as connection:
            return self.read(connection)

    def page(self, request: PageRequest) -> tuple[list[T], int]:
        """Return one page, and how long the whole list is."""
        with self.database.read() as connection:
            total = self.count(connection)
            # Beyond the end nothing is read; the offset may be larger than the database's integers.
            if request.offset >= total:
                return [], total
            return self.read(connection, offset=request.offset, limit=request.size), total

    def answer(
        self, request: PageRequest | None, shown: Callable[[T], M], page_model: PageModel[M, P]
    ) -> list[M] | P:
        """Answer the page that was asked for; None asks for the bare list.

        Args:
            request: From `requested_page`.
            shown: Makes an item what the API shows of it.
            page_model: Makes the page.
        """
        if request is None:
            return [shown(item) for item in self.all()]
        items, total = self.page(request)
        return page_model(data=[shown(item) for item in items], pagination=pagination_of(request, total))


def answer_part(every: list[M], request: PageRequest | None, page_model: PageModel[M, P]) -> list[M] | P:
    """Answer the page that was asked for of a short list that is at hand; None asks for the bare list."""
    if request is None:
        return every
    part = every[request.offset : request.offset + request.size]
    return page_model(data=part, pagination=pagination_of(request, len(every)))
