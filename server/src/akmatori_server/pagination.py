"""Pages of a list by number: what was asked for, and what the answer says about it."""

from __future__ import annotations

import math

import attrs

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models

FIRST_PAGE = 1
USUAL_PAGE_SIZE = 50


@attrs.frozen
class PageRequest:
    """One page of a list."""

    number: int = FIRST_PAGE
    size: int = USUAL_PAGE_SIZE

    @property
    def offset(self) -> int:
        """Items before this page."""
        return (self.number - 1) * self.size


def requested_page(page: int | Unset, per_page: int | Unset) -> PageRequest | None:
    """Return the page that was asked for; None when neither parameter was sent: the list is answered bare."""
    if page is UNSET and per_page is UNSET:
        return None
    return PageRequest(
        FIRST_PAGE if page is UNSET else page, USUAL_PAGE_SIZE if per_page is UNSET else per_page
    )


def pagination_of(
    request: PageRequest, total: int, *, next_cursor: str | Unset | None = UNSET
) -> models.Pagination:
    """Return the `pagination` member of an answer."""
    return models.Pagination(
        page=request.number,
        per_page=request.size,
        total=total,
        total_pages=math.ceil(total / request.size),
        next_cursor=next_cursor,
    )
