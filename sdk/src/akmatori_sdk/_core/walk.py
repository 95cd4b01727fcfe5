"""What page comes next and what an answer means: the decisions of reading a list, without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar, cast

import attrs

from akmatori_sdk._core.errors import DecodeError, PaginationError
from akmatori_sdk._core.operation import PagedOperation

T = TypeVar("T")

Query: TypeAlias = Mapping[str, object]


@attrs.frozen(kw_only=True)
class PageRef:
    """Where a page is: a number, with the items a page it counts in, or the server's opaque cursor."""

    page: int = 1
    cursor: str | None = None
    size: int | None = None


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page.

    Attributes:
        items: Its items; an empty page is not necessarily the last one.
        ref: Where it was read.
        next: Where the next one is; None is the only sign of the end.
        total: How many items the whole list has, if the server says so.
    """

    items: list[T]
    ref: PageRef
    next: PageRef | None
    total: int | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def _repr_html_(self) -> str:
        """Return the page as a table for notebooks."""
        from akmatori_sdk._core.table import html_table

        of = "" if self.total is None else f" of {self.total}"
        return html_table(self.items, caption=f"Page {self.ref.page}: {len(self.items)}{of}")


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{attribute.name} must not be negative")


@attrs.frozen(kw_only=True)
class Limits:
    """How far to read: items a page, items and pages in all."""

    page_size: int = attrs.field(validator=attrs.validators.ge(1))
    max_items: int | None = attrs.field(default=None, validator=_not_negative)
    max_pages: int | None = attrs.field(default=None, validator=_not_negative)

    @property
    def size(self) -> int:
        """Items to ask for: no more than are wanted in all."""
        return self.page_size if self.max_items is None else max(1, min(self.page_size, self.max_items))


class Walk(Generic[T]):
    """One reading of a list, without I/O: what to ask for next, and what an answer means."""

    def __init__(self, op: PagedOperation[T], limits: Limits, start: PageRef) -> None:
        self._op = op
        self._limits = limits
        self._next: PageRef | None = start
        self._left: int | None = limits.max_items
        self._pages = 0
        # Where to go on once the last page is used up, by this walk or another.
        self.position: PageRef | None = start
        # The size the server really uses, once it is known.
        self._size: int | None = None
        self._total: int | None = None
        self._previous: list[Any] = []
        self._cursors: set[str] = set()

    def query(self) -> Query | None:
        """Return the parameters of the next page, or None at the end."""
        ref = self._next
        if ref is None or self._left == 0 or self._pages == self._limits.max_pages:
            return None
        size: dict[str, object] = {self._op.size_param: ref.size or self._limits.size}
        if ref.cursor is not None and self._op.cursor is not None:
            return {**size, self._op.cursor: ref.cursor}
        return {**size, self._op.page_param: ref.page}

    def accept(self, body: Any) -> Page[T]:
        """Read the answer to the last query.

        Raises:
            DecodeError: it is neither a page nor an array.
            PaginationError: it is a page that came before.
        """
        ref = self._next or PageRef()
        self._pages += 1
        raws, info, where = self._open(body)
        total: int | None = len(raws)
        following: PageRef | None = None
        if info is not None:
            total = _count(info, self._op.total_field)
            self._check_number(ref, info)
            following = self._following(ref, info, total, len(raws))
        kept = self._without_repeats(ref, raws, total, more=following is not None)
        items = self._decode(raws, where) if kept is None else self._decode(kept, where)
        self._next = self.position = following
        if self._left is not None:
            if len(items) > self._left:
                # What was cut off is still to be had where it came from.
                self.position = ref
                del items[self._left :]
            self._left -= len(items)
        return Page(items=items, ref=ref, next=following, total=total)

    def _open(self, body: Any) -> tuple[list[Any], dict[str, Any] | None, str]:
        """Return the raw items, the paging facts (None where there are none), and the items' JSON path."""
        if isinstance(body, list):
            return _items(cast("object", body)), None, "$"
        if not isinstance(body, dict):
            raise DecodeError("expected a page or an array")
        page = cast("dict[str, Any]", body)
        raws = page.get(self._op.items)
        if not isinstance(raws, list):
            raise DecodeError("expected an array", f"$.{self._op.items}")
        info = page.get(self._op.page_info)
        known = cast("dict[str, Any]", info) if isinstance(info, dict) else None
        return _items(cast("object", raws)), known, f"$.{self._op.items}"

    def _check_number(self, ref: PageRef, info: dict[str, Any]) -> None:
        answered = _count(info, self._op.page_param)
        if ref.cursor is None and answered is not None and answered != ref.page:
            raise PaginationError(
                f"asked for page {ref.page}, the server answered page {answered} of {self._op.id}"
            )

    def _following(self, ref: PageRef, info: dict[str, Any], total: int | None, count: int) -> PageRef | None:
        cursor = info.get(self._op.next_cursor) if self._op.cursor and self._op.next_cursor else None
        if isinstance(cursor, str) and cursor:
            if cursor == ref.cursor or cursor in self._cursors:
                raise PaginationError(f"the server named the same next page of {self._op.id} twice")
            self._cursors.add(cursor)
            return PageRef(page=ref.page + 1, cursor=cursor, size=ref.size)
        if ref.cursor is not None:
            return None
        pages = _count(info, "total_pages")
        if pages is None and total is not None:
            pages = -(-total // self._server_size(info, total, count))
        # A server that tells neither pages nor items is read until a page is empty.
        more = count > 0 if pages is None else ref.page < pages
        return PageRef(page=ref.page + 1, size=ref.size or self._limits.size) if more else None

    def _server_size(self, info: dict[str, Any], total: int, count: int) -> int:
        """Return the items a page that the server uses, which need not be what it was asked for."""
        stated = _count(info, self._op.size_param)
        if stated:
            return stated
        if self._size is None:
            # The first page of several is full, so its length is the size.
            self._size = count if 0 < count < total else self._limits.size
        return self._size

    def _without_repeats(
        self, ref: PageRef, raws: list[Any], total: int | None, *, more: bool
    ) -> list[Any] | None:
        """Return the items that were not on the previous page, or None when all of them are new.

        Raises:
            PaginationError: the whole page is the previous one again.
        """
        if not more and not self._previous:
            return None
        keys = [self._key(raw) for raw in raws]
        previous, self._previous = self._previous, keys
        grown = total is not None and self._total is not None and total > self._total
        self._total = total
        if not previous or not keys:
            return None
        # New items at the head push old ones to the next page: then a repeat is no fault of the server's.
        if keys == previous and not (grown and ref.cursor is None):
            raise PaginationError(f"the server sent the same page of {self._op.id} twice")
        if ref.cursor is not None or self._op.identity is None:
            return None
        seen = set(previous)
        kept = [raw for raw, key in zip(raws, keys, strict=True) if key not in seen]
        return None if len(kept) == len(raws) else kept

    def _key(self, raw: Any) -> Any:
        if self._op.identity is None or not isinstance(raw, dict):
            return repr(raw)
        value = cast("dict[str, Any]", raw).get(self._op.identity)
        return value if isinstance(value, (str, int)) else repr(cast("object", raw))

    def _decode(self, raws: list[Any], where: str) -> list[T]:
        try:
            return self._op.decode(raws)
        except DecodeError as error:
            fault = error.inside(where)
        raise fault


def _items(value: object) -> list[Any]:
    return cast("list[Any]", value)


def _count(info: dict[str, Any], name: str) -> int | None:
    value = info.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
