"""What the functions about a server's state tell of a real one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.postgresql import connection
from akmatori_server.toolbox.models import ToolFailedError
from tests.server.kits.postgresql.conftest import Place
from tests.server.kits.using import definition_of, use


def rows(place: Place, function: str, /, **arguments: JSON) -> list[dict[str, Any]]:
    """Call a function, and return its rows by the names of their columns."""
    output = asyncio.run(use(place.kit, place.tool(), function, **arguments))
    assert isinstance(output.value, dict)
    value: Mapping[str, Any] = output.value
    return [dict(zip(value["columns"], row, strict=True)) for row in value["rows"]]


def test_tables_and_their_parts(place: Place) -> None:
    """Columns, indexes and counters."""
    tables = {row["table_name"]: row for row in rows(place, "list_tables")}
    assert set(tables) == {"canary", "meddling"}
    assert tables["canary"]["estimated_rows"] == 500
    assert tables["canary"]["total_bytes"] > 8192
    assert rows(place, "list_tables", schema="nothing") == []

    columns = rows(place, "describe_table", table_name="canary")
    assert [(row["column_name"], row["data_type"], row["is_nullable"]) for row in columns] == [
        ("id", "integer", False),
        ("name", "text", False),
        ("price", "numeric", True),
        ("born", "date", True),
    ]
    with pytest.raises(ToolFailedError, match="no table missing in the schema public"):
        rows(place, "describe_table", table_name="missing")
    assert [row["indexname"] for row in rows(place, "get_indexes", table_name="canary")] == [
        "canary_name",
        "canary_pkey",
    ]
    (stats,) = rows(place, "get_table_stats", table_name="canary")
    assert stats["total_bytes"] > 8192
    assert [row["table_name"] for row in rows(place, "get_table_stats")] == ["canary"]


def test_a_plan_is_shown_and_nothing_is_run(place: Place) -> None:
    """As PostgreSQL's JSON."""
    output = asyncio.run(
        use(place.kit, place.tool(), "explain_query", query="SELECT * FROM canary WHERE name = 'bird 7' -- x")
    )

    assert isinstance(output.value, dict)
    assert "canary_name" in str(output.value["plan"])
    before = place.state()
    asyncio.run(use(place.kit, place.tool(), "explain_query", query="SELECT meddle();"))
    assert place.state() == before


def test_sessions_and_locks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs what, and who waits for whom."""
    monkeypatch.setattr(connection, "LOCK_SECONDS", 1)
    holder = psycopg.connect(place.url)
    holder.execute("LOCK TABLE canary IN ACCESS EXCLUSIVE MODE")
    waiter = psycopg.connect(place.url)

    def wait() -> None:
        waiter.execute("SELECT count(*) FROM canary")

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while len(found := rows(place, "get_locks", blocked_only=True)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        waiting = next(row for row in found if not row["granted"])
        assert (waiting["relation"], waiting["mode"]) == ("canary", "AccessShareLock")
        assert str(holder.info.backend_pid) in waiting["blocked_by"]
        assert holder.info.backend_pid in {row["pid"] for row in found if row["granted"]}

        active = {row["pid"]: row for row in rows(place, "get_active_queries", include_idle=True)}
        assert active[waiter.info.backend_pid]["wait_event_type"] == "Lock"
        assert active[waiter.info.backend_pid]["query"] == "SELECT count(*) FROM canary"
        assert rows(place, "get_active_queries", min_duration_seconds=3600) == []
        with pytest.raises(ToolFailedError, match="lock"):
            asyncio.run(use(place.kit, place.tool(pg_timeout=30), "execute_query", query="TABLE canary"))
    finally:
        holder.close()
        thread.join(10)
        waiter.close()


def test_the_server_and_its_database(place: Place) -> None:
    """One row each here, since nothing replicates."""
    (database,) = rows(place, "get_database_stats")
    assert database["datname"] == place.name
    assert database["max_connections"] > 0
    assert database["bytes"] > 1_000_000
    (replication,) = rows(place, "get_replication_status")
    assert (replication["is_standby"], replication["pid"]) == (False, None)


def test_every_function_of_the_catalogue_is_there(place: Place) -> None:
    """And has a plan."""
    tool = place.tool()
    for function in definition_of("postgresql").functions:
        arguments: dict[str, JSON] = {"query": "SELECT 1", "table_name": "canary"}
        known = function.parameters["properties"]
        asyncio.run(
            use(
                place.kit,
                tool,
                function.name,
                **{name: arguments[name] for name in arguments if name in known},
            )
        )
