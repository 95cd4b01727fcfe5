"""Running statements that were checked, and reading what they give within limits."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.postgresql.connection import reading
from akmatori_server.kits.postgresql.rows import LONGEST_VALUE, MOST_BYTES, MOST_ROWS, Column, Texts, answer
from akmatori_server.kits.postgresql.settings import Settings
from akmatori_server.kits.postgresql.statement import Kind, Statement
from akmatori_server.toolbox.models import Output, ToolFailedError

FIRST_BATCH, LARGEST_BATCH = 10, 200
SMALL_BATCH_BYTES = 128 * 1024
# Types that are short, and are read as they are.
_SHORT_TYPES = frozenset({16, 20, 21, 23, 26, 700, 701})


async def run_statement(settings: Settings, statement: Statement, limit: int) -> Output:
    """Run a statement of a caller.

    Raises:
        ToolFailedError: it does not work; the sentence is the database's.
    """
    async with reading(settings) as connection:
        try:
            if statement.kind is Kind.QUERY:
                return await _query(connection, statement.text, limit)
            return await _plain(connection, statement.text)
        except psycopg.Error as error:
            raise ToolFailedError(_sentence(settings, error)) from None


async def run_own(settings: Settings, text: str, parameters: Sequence[object]) -> Output:
    """Run a statement of ours, with `%s` for its parameters; it names its own limit.

    Raises:
        ToolFailedError: it does not work; the sentence is the database's.
    """
    async with reading(settings) as connection:
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(text.encode(), parameters or None)
                return _all_of(cursor)
        except psycopg.Error as error:
            raise ToolFailedError(_sentence(settings, error)) from None


async def explained(settings: Settings, text: str) -> Output:
    """Return the plan of a query, as PostgreSQL's JSON.

    Raises:
        ToolFailedError: it does not work; the sentence is the database's.
    """
    async with reading(settings) as connection:
        try:
            output = await _plain(connection, f"EXPLAIN (FORMAT JSON) {text}")
        except psycopg.Error as error:
            raise ToolFailedError(_sentence(settings, error)) from None
    return Output(value={"plan": _only_value(output)}, is_truncated=output.is_truncated)


async def _query(connection: psycopg.AsyncConnection, text: str, limit: int) -> Output:
    columns = await _columns(connection, text)
    names = [f"c{number}" for number in range(len(columns))]
    shown = ", ".join(
        name if column.type_id in _SHORT_TYPES else f"left({name}::text, {LONGEST_VALUE + 1})"
        for name, column in zip(names, columns, strict=True)
    )
    # A line of its own ends a comment. The database cuts long values and counts, so that they are not sent.
    wrapped = f"SELECT {shown} FROM (\n{text}\n) AS q({', '.join(names)}) LIMIT {limit + 1}"  # noqa: S608  it was checked
    async with connection.cursor() as cursor:
        # In binary the extended protocol is used, which takes one statement only.
        await cursor.execute(f"DECLARE akmatori NO SCROLL CURSOR FOR {wrapped}".encode(), binary=True)
        rows, is_cut = await _fetched(cursor, limit)
    return Output(value=answer(columns, rows, is_truncated=is_cut), is_truncated=is_cut)


async def _columns(connection: psycopg.AsyncConnection, text: str) -> list[Column]:
    """Ask what a query's columns are; no row of it is made."""
    async with connection.cursor() as cursor:
        await cursor.execute(f"SELECT * FROM (\n{text}\n) AS q LIMIT 0".encode(), binary=True)  # noqa: S608  likewise
        columns = [Column(one.name, one.type_code) for one in cursor.description or ()]
    if not columns:
        raise ToolFailedError("The query has no columns.")
    return columns


async def _fetched(cursor: psycopg.AsyncCursor, limit: int) -> tuple[list[Texts], bool]:
    """Return rows, and whether there are more; never more than a batch beyond the limit of bytes is read."""
    rows: list[Texts] = []
    size, batch = 0, FIRST_BATCH
    while True:
        await cursor.execute(f"FETCH FORWARD {batch} FROM akmatori".encode())
        got = _texts(cursor)
        read = 0
        for row in got:
            read += sum(len(text) for text in row if text is not None)
            if size + read > MOST_BYTES or len(rows) == limit:
                return rows, True
            rows.append(row)
        size += read
        if len(got) < batch:
            return rows, False
        if read < SMALL_BATCH_BYTES:
            batch = min(batch * 2, LARGEST_BATCH)


async def _plain(connection: psycopg.AsyncConnection, text: str) -> Output:
    async with connection.cursor() as cursor:
        # As above; what EXPLAIN and SHOW give are texts, and the binary form of a text is the text.
        await cursor.execute(text.encode(), binary=True)
        return _all_of(cursor)


def _all_of(cursor: psycopg.AsyncCursor) -> Output:
    columns = [Column(one.name, one.type_code) for one in cursor.description or ()]
    rows = _texts(cursor)
    is_cut = len(rows) > MOST_ROWS
    return Output(value=answer(columns, rows[:MOST_ROWS], is_truncated=is_cut), is_truncated=is_cut)


def _texts(cursor: psycopg.AsyncCursor) -> list[Texts]:
    """Read the values as they came: the library's own types have no infinity, and no year 10000."""
    result = cursor.pgresult
    if result is None:
        return []
    return [
        [_text(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else bytes(value).decode("utf-8", "replace")


def _only_value(output: Output) -> JSON:
    assert isinstance(output.value, dict)  # noqa: S101  narrows the type: that is what an answer is
    rows = output.value["rows"]
    assert isinstance(rows, list)  # noqa: S101  likewise
    first = rows[0]
    return first[0] if isinstance(first, list) else first


def _sentence(settings: Settings, error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f"The statement took longer than {settings.timeout_seconds} seconds and was cancelled."
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return "The statement waited too long for a lock and was cancelled."
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return "The statement would write; the transaction only reads."
    primary = error.diag.message_primary
    if primary is None:
        return f"The connection to the database {settings.place} broke off."
    hint = f" {error.diag.message_hint}" if error.diag.message_hint else ""
    return f"PostgreSQL refused the statement: {primary}.{hint}"
