"""Reading lists: properties over simulated servers, and the pagers over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_sdk import AsyncAkmatori, DecodeError, Pager, PageRef, PaginationError
from akmatori_sdk._core.operation import PagedOperation
from akmatori_sdk._core.operation import Reply as ReplyKind
from akmatori_sdk._core.walk import Limits, Page
from tests.sdk.server import Reply, Scripted, Seen
from tests.sdk.support import UUID, incident, page, run


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"id": n} for n in range(start, start + count)]


def decode(raws: Any) -> list[int]:
    found: list[int] = []
    for index, raw in enumerate(raws):
        if not isinstance(raw.get("id"), int):
            raise DecodeError("expected an integer", f"$[{index}].id")
        found.append(raw["id"])
    return found


THINGS: PagedOperation[int] = PagedOperation(
    id="listThings",
    method="GET",
    path="/things",
    reply=ReplyKind.JSON,
    decode=decode,
    decode_item=lambda raw: raw["id"],
    items="data",
    page_info="pagination",
    page_param="page",
    size_param="per_page",
    total_field="total",
    cursor="cursor",
    next_cursor="next_cursor",
    identity="id",
    idempotent=True,
)

Server = Callable[[Mapping[str, Any]], Any]


class Reader:
    """A pager over a simulated server, with the queries it made."""

    def __init__(self, answer: Server, op: PagedOperation[int] = THINGS, /, **limits: Any) -> None:
        self.queries: list[Mapping[str, Any]] = []
        self._answer = answer
        self.pager = Pager(self._fetch, op, Limits(**{"page_size": 10, **limits}))

    def _fetch(self, query: Mapping[str, object], accept: Callable[[Any], Page[int]]) -> Page[int]:
        self.queries.append(query)
        assert len(self.queries) < 300, "the walk does not end"
        return accept(self._answer(query))


def numbered(items: list[dict[str, Any]], *, most: int = 200, info: set[str] | None = None) -> Server:
    """A server that pages by number, never gives more than `most`, and tells only the facts in `info`."""

    def answer(query: Mapping[str, Any]) -> Any:
        size, number = min(query["per_page"], most), query.get("page", 1)
        told = {"page": number, "per_page": size, "total": len(items), "total_pages": -(-len(items) // size)}
        kept = told if info is None else {k: v for k, v in told.items() if k in info}
        return {"data": items[(number - 1) * size : number * size], "pagination": kept}

    return answer


def keyset(items: list[dict[str, Any]], *, empty_at: frozenset[int] = frozenset()) -> Server:
    """A server that pages by cursor, with empty pages between."""

    def answer(query: Mapping[str, Any]) -> Any:
        raw = str(query.get("cursor", "0:0"))
        start, blanks = (int(part) for part in raw.split(":"))
        size = query["per_page"]
        if start in empty_at and blanks == 0:
            return {"data": [], "pagination": {"next_cursor": f"{start}:1", "total": len(items)}}
        following = f"{start + size}:0" if start + size < len(items) else None
        return {
            "data": items[start : start + size],
            "pagination": {"next_cursor": following, "total": len(items)},
        }

    return answer


facts = st.sets(st.sampled_from(["page", "per_page", "total", "total_pages"])).map(set[str])


@given(st.integers(0, 60), st.integers(1, 25), st.integers(1, 25), facts)
def test_every_item_comes_once_whatever_the_server_tells(
    count: int, size: int, most: int, info: set[str]
) -> None:
    reader = Reader(numbered(rows(count), most=most, info=info), page_size=size)
    assert list(reader.pager) == list(range(count))


@given(st.integers(0, 60), st.integers(1, 25), st.frozensets(st.integers(0, 60)))
def test_cursors_lead_through_empty_pages(count: int, size: int, empty_at: frozenset[int]) -> None:
    reader = Reader(keyset(rows(count), empty_at=empty_at), page_size=size)
    assert list(reader.pager) == list(range(count))
    assert all("page" not in query for query in reader.queries[1:])


@given(st.integers(0, 60), st.integers(1, 25), st.integers(0, 70), st.integers(0, 8))
def test_limits_hold(count: int, size: int, max_items: int, max_pages: int) -> None:
    reader = Reader(numbered(rows(count)), page_size=size, max_items=max_items, max_pages=max_pages)
    got = list(reader.pager)
    used = max(1, min(size, max_items))
    assert got == list(range(min(count, max_items, max_pages * used)))
    assert len(reader.queries) <= min(max_pages, -(-max_items // used))


@given(st.integers(1, 60), st.integers(2, 10), st.lists(st.integers(0, 12), max_size=30))
def test_new_items_at_the_head_neither_hide_nor_double_an_old_one(
    count: int, size: int, inserted: list[int]
) -> None:
    """Insertions push items to the next page; what was there at the start is seen exactly once."""
    items = rows(count)
    pending = iter(inserted)
    newest = 1000

    def answer(query: Mapping[str, Any]) -> Any:
        nonlocal newest
        reply = numbered(list(items))(query)
        fresh = min(next(pending, 0), size)
        items[:0] = rows(fresh, newest)
        newest += fresh
        return reply

    got = [n for n in Reader(answer, page_size=size).pager if n < 1000]
    assert got == list(range(count))


def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    pages = {1: rows(2), 2: [], 3: rows(2, 2)}

    def answer(query: Mapping[str, Any]) -> Any:
        return page(pages[query["page"]], page=query["page"], total_pages=3, total=4)

    assert list(Reader(answer).pager) == [0, 1, 2, 3]


def test_a_bare_array_is_one_page() -> None:
    reader = Reader(lambda query: rows(120), page_size=10)
    assert len(list(reader.pager)) == 120
    assert len(reader.queries) == 1
    assert reader.pager.total == 120


def test_an_envelope_without_paging_facts_is_one_page() -> None:
    reader = Reader(lambda query: {"data": rows(3)})
    assert list(reader.pager) == [0, 1, 2]
    assert len(reader.queries) == 1


def test_a_server_that_ignores_the_page_size_is_read_to_its_end() -> None:
    assert len(list(Reader(numbered(rows(45), most=20), page_size=50).pager)) == 45


def test_a_server_that_ignores_the_page_number_is_found_out() -> None:
    def answer(query: Mapping[str, Any]) -> Any:
        return page(rows(10), total_pages=5, total=50)

    reader = Reader(answer)
    with pytest.raises(PaginationError, match="the same page of listThings twice"):
        list(reader.pager)
    assert len(reader.queries) == 2


def test_a_server_that_answers_another_page_is_found_out() -> None:
    with pytest.raises(PaginationError, match="asked for page 2, the server answered page 1"):
        list(Reader(lambda query: page(rows(10), page=1, total_pages=5)).pager)


@pytest.mark.parametrize("cycle", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_cursors_that_go_in_circles_are_found_out(cycle: list[str]) -> None:
    step = 0

    def answer(query: Mapping[str, Any]) -> Any:
        nonlocal step
        step += 1
        return page(rows(2, 2 * step), next_cursor=cycle[step % len(cycle)])

    with pytest.raises(PaginationError, match="next page of listThings twice"):
        list(Reader(answer).pager)


def test_the_same_content_under_new_cursors_is_found_out() -> None:
    step = 0

    def answer(query: Mapping[str, Any]) -> Any:
        nonlocal step
        step += 1
        return page(rows(2), next_cursor=f"c{step}")

    with pytest.raises(PaginationError, match="same page"):
        list(Reader(answer).pager)


def test_a_null_cursor_on_the_first_page_leaves_the_page_numbers() -> None:
    def answer(query: Mapping[str, Any]) -> Any:
        return page(rows(2, 2 * query["page"]), page=query["page"], total_pages=3, next_cursor=None)

    assert len(list(Reader(answer).pager)) == 6


def test_operations_without_cursor_do_not_follow_one() -> None:
    op = attrs.evolve(THINGS, cursor=None, next_cursor=None)

    def answer(query: Mapping[str, Any]) -> Any:
        return page(rows(1, query["page"]), page=query["page"], total_pages=2, next_cursor="x")

    reader = Reader(answer, op)
    assert list(reader.pager) == [1, 2]
    assert all("cursor" not in query for query in reader.queries)


def test_items_without_identity_are_compared_as_a_whole() -> None:
    op = attrs.evolve(THINGS, identity=None)
    assert list(Reader(numbered(rows(25)), op).pager) == list(range(25))
    with pytest.raises(PaginationError):
        list(Reader(lambda query: page(rows(2), total_pages=2), op).pager)


def test_nothing_is_fetched_before_the_first_item() -> None:
    reader = Reader(numbered(rows(25)))
    reader.pager.pages()
    iterator = iter(reader.pager)
    assert not reader.queries
    for _ in range(10):
        next(iterator)
    assert len(reader.queries) == 1
    next(iterator)
    assert len(reader.queries) == 2


def test_each_loop_begins_anew_and_len_is_not_defined() -> None:
    reader = Reader(numbered(rows(3)))
    assert list(reader.pager) == list(reader.pager) == [0, 1, 2]
    with pytest.raises(TypeError):
        len(reader.pager)  # type: ignore[arg-type]  # the point of the test


def test_first_and_collect_ask_for_no_more_than_they_need() -> None:
    reader = Reader(numbered(rows(25)))
    assert reader.pager.first() == 0
    assert reader.queries == [{"per_page": 1, "page": 1}]
    reader.queries.clear()
    assert reader.pager.collect(3) == [0, 1, 2]
    assert reader.queries == [{"per_page": 3, "page": 1}]
    assert Reader(numbered([])).pager.first() is None
    assert Reader(numbered(rows(25)), max_items=2).pager.collect(10) == [0, 1]


def test_total_and_position() -> None:
    reader = Reader(numbered(rows(25)))
    assert reader.pager.total is None
    iterator = iter(reader.pager)
    for _ in range(12):
        next(iterator)
    assert reader.pager.total == 25
    assert reader.pager.position == PageRef(page=2, size=10)
    assert list(iterator) == list(range(12, 25))
    assert reader.pager.position is None


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 60), st.booleans())
def test_reading_can_be_taken_up_again(count: int, size: int, stop: int, by_cursor: bool) -> None:
    server = keyset(rows(count)) if by_cursor else numbered(rows(count))
    reader = Reader(server, page_size=size)
    before: list[int] = []
    for item in reader.pager:
        before.append(item)
        if len(before) == stop:
            break
    position = reader.pager.position
    after = [] if position is None else list(reader.pager.resume(position))
    assert sorted({*before, *after}) == list(range(count))
    assert len(before) + len(after) <= count + size


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 60), st.booleans())
def test_what_a_limit_cut_off_comes_when_reading_is_taken_up(
    count: int, size: int, limit: int, by_cursor: bool
) -> None:
    server = keyset(rows(count)) if by_cursor else numbered(rows(count))
    whole = Reader(server, page_size=size).pager
    part = whole.limit(max_items=limit)
    before = list(part)
    after = [] if part.position is None else list(whole.resume(part.position))
    assert len(before) == min(limit, count)
    assert sorted({*before, *after}) == list(range(count))


def test_pages_know_their_place() -> None:
    first, second, third = Reader(numbered(rows(25))).pager.pages()
    assert (len(first), list(second), third.items) == (10, list(range(10, 20)), list(range(20, 25)))
    assert first.next == second.ref == PageRef(page=2, size=10)
    assert third.next is None


@pytest.mark.parametrize("wrong", ["text", 7, None, {"items": []}, {"data": {}}, {"data": None}])
def test_what_is_no_page_is_a_decode_error(wrong: Any) -> None:
    with pytest.raises(DecodeError):
        list(Reader(lambda query: wrong).pager)


def test_a_bad_item_is_named_by_its_path() -> None:
    with pytest.raises(DecodeError) as caught:
        list(Reader(lambda query: page([{"id": 1}, {"id": "x"}], total=2)).pager)
    assert caught.value.path == "$.data[1].id"


@pytest.mark.parametrize("wrong", [{"page_size": 0}, {"max_items": -1}, {"max_pages": -1}])
def test_impossible_limits_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Reader(numbered([]), **wrong)


# --- over HTTP, both flavours ---


def listing(seen: Seen) -> Reply:
    items = [incident(id=n, uuid=f"{UUID[:-2]}{n:02}") for n in range(1, 26)]
    size, number = int(seen.query["per_page"][0]), int(seen.query["page"][0])
    chunk = items[(number - 1) * size : number * size]
    return Reply(json=page(chunk, page=number, per_page=size, total=25, total_pages=-(-25 // size)))


def test_a_list_over_http(server: Scripted, flavour: str) -> None:
    server.on("GET", "/api/incidents", listing)
    found = run(flavour, server.url, lambda c: c.incidents.list(page_size=10, from_=5).collect(1000))
    assert [one.id for one in found] == list(range(1, 26))
    assert [seen.query for seen in server.seen] == [
        {"from": ["5"], "per_page": ["10"], "page": [str(n)]} for n in (1, 2, 3)
    ]


def test_a_list_that_answers_a_bare_array_over_http(server: Scripted, flavour: str) -> None:
    server.on("GET", "/api/runbooks", Reply(json=[]))
    assert run(flavour, server.url, lambda c: c.runbooks.list().first()) is None


def test_a_bad_item_names_the_request_too(server: Scripted, flavour: str) -> None:
    server.on("GET", "/api/incidents", Reply(json=page([incident(title=5)], total=1)))
    with pytest.raises(DecodeError) as caught:
        run(flavour, server.url, lambda c: c.incidents.list().collect(1))
    assert caught.value.path == "$.data[0].title"
    assert str(caught.value).startswith("GET /api/incidents -> $.data[0].title: ")
    assert caught.value.request_id == server.seen[0].headers["x-request-id"]


def test_async_pagers_stop_when_the_loop_does(server: Scripted) -> None:
    server.on("GET", "/api/incidents", listing)

    async def main() -> None:
        async with AsyncAkmatori(server.url, token="t") as client:
            pager = client.incidents.list(page_size=5)
            async for one in pager:
                if one.id == 7:
                    break
            assert pager.position == PageRef(page=2, size=5)
            assert [len(found) async for found in pager.limit(max_pages=2).pages()] == [5, 5]

    asyncio.run(main())
