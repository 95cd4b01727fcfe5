"""What a query may be, against a real server on which its user may do everything."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import cast

import attrs
import pytest

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.postgresql.settings import parsed_settings
from akmatori_server.kits.postgresql.statement import parsed
from akmatori_server.outgoing.policy import Policy
from akmatori_server.toolbox.models import Access, ToolFailedError
from tests.server.kits.postgresql.conftest import Place
from tests.server.kits.postgresql.everyday import EVERYDAY
from tests.server.kits.postgresql.hostile import HARMLESS, REFUSED
from tests.server.kits.using import invocation, use

# So many of the corpus are refused for their form, whatever they call.
STRUCTURAL = next(number for number, text in enumerate(REFUSED) if text.startswith("EXPLAIN"))


def query(place: Place, text: str, /, **settings: object) -> Mapping[str, JSON]:
    """Run a query, and return its answer."""
    limit = cast("JSON", settings.pop("limit", 100))
    output = asyncio.run(use(place.kit, place.tool(**settings), "execute_query", query=text, limit=limit))
    assert isinstance(output.value, dict)
    assert output.is_truncated is output.value["is_truncated"]
    return output.value


def test_a_trial_tells_the_version(place: Place) -> None:
    """By a statement that every user may run."""
    chosen = place.kit.trial(place.tool())
    rows = query(place, str(chosen.arguments["query"]))["rows"]

    assert (chosen.function, chosen.version) == ("execute_query", "rows.0.0")
    assert isinstance(rows, list)
    assert isinstance(rows[0], list)
    assert re.match(r"[0-9]+", str(rows[0][0]))


def first(place: Place, text: str) -> JSON:
    """Run a query, and return its first row."""
    rows = query(place, text)["rows"]
    assert isinstance(rows, list)
    return rows[0]


def test_what_does_more_than_read_is_refused_before_anything_is_sent(place: Place) -> None:
    """In a sentence; and the corpus is large."""
    passed: list[str] = []
    sentences: list[str] = []
    for text in REFUSED:
        try:
            parsed(text)
            passed.append(text)
        except ToolFailedError as error:
            sentences.append(str(error))

    assert passed == []
    assert [sentence for sentence in sentences if not sentence.endswith(".")] == []
    assert len(REFUSED) + len(HARMLESS) >= 150
    # The same through the kit: planning is where it is refused, and nothing is open then.
    nowhere = place.tool(pg_port=1)
    with pytest.raises(ToolFailedError, match="DELETE is not run"):
        place.kit.plan(
            invocation(nowhere, "execute_query", {"query": "WITH a AS (DELETE FROM canary) SELECT 1"})
        )
    with pytest.raises(ToolFailedError, match="alone"):
        place.kit.plan(invocation(nowhere, "explain_query", {"query": "EXPLAIN SELECT 1"}))


def test_what_passes_changes_nothing(place: Place) -> None:
    """Functions of the database that write, and what never ends, are stopped by the transaction and its limits."""
    before = place.state()
    sentences: list[str] = []
    for text in HARMLESS:
        try:
            query(place, text, pg_timeout=1)
        except ToolFailedError as error:
            sentences.append(str(error))

    assert len(sentences) == 7
    assert "127.0.0.1" not in str(sentences)
    assert place.state() == before


def test_without_the_parser_the_transaction_stands(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two statements are never run, and no write ever is, whatever the parser may overlook."""
    from akmatori_server.kits.postgresql import kit
    from akmatori_server.kits.postgresql.statement import Kind, Statement

    before = place.state()
    monkeypatch.setattr(kit, "parsed", lambda text: Statement(Kind.QUERY, text))
    tool = place.tool()

    async def everything() -> list[str]:
        passed: list[str] = []
        for text in REFUSED[:STRUCTURAL]:
            try:
                await use(place.kit, tool, "execute_query", query=text)
            except ToolFailedError:
                continue
            passed.append(text)
        return passed

    assert asyncio.run(everything()) == []
    assert place.state() == before


def test_everyday_statements_pass(place: Place) -> None:
    """All of them."""
    tool = place.tool()

    async def everything() -> list[str]:
        failed: list[str] = []
        for text in EVERYDAY:
            try:
                await use(place.kit, tool, "execute_query", query=text)
            except ToolFailedError as error:
                failed.append(f"{text}: {error}")
        return failed

    assert asyncio.run(everything()) == []


def test_values_are_json(place: Place) -> None:
    """Numbers as numbers where JSON has the same one; times, bytes and the rest as texts."""
    assert first(
        place, "SELECT 1, 1.5, 12345678901234567890, 0.1::float8, 0.12345678901234567890, true, NULL"
    ) == [
        1,
        1.5,
        12345678901234567890,
        0.1,
        "0.12345678901234567890",
        True,
        None,
    ]
    assert first(
        place, "SELECT 'NaN'::float8, '{\"a\": [1]}'::jsonb, '2026-01-02'::date, '\\xff00'::bytea"
    ) == [
        "NaN",
        {"a": [1]},
        "2026-01-02",
        "\\xff00",
    ]
    assert first(place, "SELECT timestamptz '2026-01-02 03:04:05+02', interval '90 min', ARRAY[1,2]") == [
        "2026-01-02 01:04:05+00",
        "01:30:00",
        "{1,2}",
    ]


def test_rows_and_bytes_have_a_limit(place: Place) -> None:
    """The answer says that there was more; long values are cut by the database."""
    assert query(place, "SELECT id FROM canary")["row_count"] == 100
    assert query(place, "SELECT id FROM canary")["is_truncated"] is True
    assert query(place, "SELECT id FROM canary ORDER BY id DESC", limit=3)["rows"] == [[500], [499], [498]]
    assert query(place, "SELECT id FROM canary LIMIT 7") == {
        "columns": ["id"],
        "rows": [[1], [2], [3], [4], [5], [6], [7]],
        "row_count": 7,
        "is_truncated": False,
    }
    assert query(place, "SELECT id FROM canary", limit=1000)["row_count"] == 500
    wide = query(place, "SELECT repeat('x', 12000) FROM canary", limit=1000)
    assert wide["is_truncated"] is True
    assert 400 < cast("int", wide["row_count"]) < 440
    (long,) = cast("list[str]", first(place, "SELECT repeat('x', 50000000)"))
    assert len(long) < 20_000


def test_errors_are_the_databases_words(place: Place) -> None:
    """Without the connection."""
    for text, words in {
        "SELECT * FROM nothing": 'relation "nothing" does not exist',
        "SELECT nam FROM canary": "column",
        "SELECT 1 / 0": "division by zero",
        "SELECT meddle()": "would write",
        "SELEC 1": 'syntax error at or near "SELEC"',
        "SELECT 'x": "unterminated",
    }.items():
        with pytest.raises(ToolFailedError) as caught:
            query(place, text)
        assert words in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)


def test_a_statement_that_takes_long_is_ended(place: Place) -> None:
    """By the server; and when the call is cancelled, nothing goes on."""
    endless = "SELECT count(*) FROM generate_series(1, 100000000000)"
    started = time.monotonic()
    with pytest.raises(ToolFailedError, match="longer than 1 seconds"):
        query(place, endless, pg_timeout=1)
    assert time.monotonic() - started < 10

    async def cancelled() -> None:
        work = asyncio.create_task(use(place.kit, place.tool(pg_timeout=60), "execute_query", query=endless))
        await asyncio.sleep(0.3)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancelled())
    deadline = time.monotonic() + 10
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DECLARE%generate_series%'"
    while first(place, running) != [0]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_where_a_server_may_be(place: Place) -> None:
    """Not in a private network unless the tool or the installation lists it; metadata never."""
    with pytest.raises(ToolFailedError, match="private address"):
        query(place, "SELECT 1", allowed_networks=[])
    for host in ("169.254.169.254", "metadata.google.internal"):
        with pytest.raises(ToolFailedError, match="never called"):
            query(place, "SELECT 1", pg_host=host, allowed_networks=["0.0.0.0/0"])
    with pytest.raises(ToolFailedError, match="is not a network"):
        query(place, "SELECT 1", allowed_networks=["nonsense"])
    loopback = Policy().with_settings({"allowed_networks": ["127.0.0.1/32"]})
    kit = type(place.kit)(loopback)
    output = asyncio.run(use(kit, place.tool(allowed_networks=None), "execute_query", query="SELECT 1"))
    assert isinstance(output.value, dict)


def test_why_there_is_no_connection(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sentence without the password; nothing of the environment takes part."""
    for settings, words in (
        ({"pg_port": 1}, "refused"),
        ({"pg_database": "missing"}, 'database "missing" does not exist'),
        ({"pg_ssl_mode": "require"}, "set pg_ssl_mode to disable"),
        ({"pg_ssl_mode": "verify-full"}, "set pg_ssl_mode to disable"),
        ({"pg_password": ""}, "pg_password must be given"),
    ):
        with pytest.raises(ToolFailedError) as caught:
            query(place, "SELECT 1", **settings)
        assert words in str(caught.value)
        assert "not-asked-for" not in str(caught.value)
    for name, value in {
        "PGHOST": "db.invalid",
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGDATABASE": "other",
        "PGUSER": "other",
        "PGOPTIONS": "-c default_transaction_read_only=off",
        "PGSSLMODE": "verify-full",
        "PGAPPNAME": "other",
        "PGTARGETSESSIONATTRS": "standby",
        "PGREQUIREPEER": "nobody",
        "PGCLIENTENCODING": "LATIN1",
        "PGTZ": "Asia/Tokyo",
    }.items():
        monkeypatch.setenv(name, value)
    assert first(
        place,
        "SELECT current_user::text, current_setting('application_name'), current_setting('TimeZone'),"
        " current_setting('transaction_read_only'), current_setting('default_transaction_read_only'), 'ä'",
    ) == ["postgres", "akmatori", "UTC", "on", "on", "ä"]


def test_plans_are_reads(place: Place) -> None:
    """They say what will be done in one line, and how long it may take."""
    plan = place.kit.plan(
        invocation(place.tool(pg_timeout=7), "execute_query", {"query": "SELECT 1,\n  2; -- x"})
    )

    assert plan.access is Access.READ
    assert (plan.summary, plan.cache_seconds) == ("SELECT 1, 2", 15)
    assert plan.timeout_seconds > 7
    settings = parsed_settings(place.tool().settings, Policy())
    assert "not-asked-for" not in repr(settings)
    assert attrs.evolve(settings, host="x").place.endswith("on x:" + str(place.port))
