"""Our own statements about a server and its tables. Every one has a limit of rows; values are parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from akmatori_server.incidents.storable import JSON

Arguments: TypeAlias = Mapping[str, JSON]
Own: TypeAlias = tuple[str, Mapping[str, str]]

_DATABASES = "SELECT name, engine, comment FROM system.databases ORDER BY name LIMIT 1001"
_TABLES = """
SELECT name, engine, total_rows, total_bytes, metadata_modification_time, comment
FROM system.tables WHERE database = {database:String} ORDER BY name LIMIT 1001
"""
_COLUMNS = """
SELECT name, type, default_kind, default_expression, is_in_primary_key, is_in_partition_key, comment
FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY position LIMIT 1001
"""
_QUERY_LOG = """
SELECT event_time, type, query_kind, query_duration_ms, read_rows, read_bytes, result_rows, memory_usage, user,
       query_id, exception_code, left(exception, 500) AS exception, left(query, 2000) AS query
FROM system.query_log
WHERE event_date >= today() - 7 AND type != 'QueryStart' AND query_duration_ms >= {shortest:UInt64}
  AND ({kind:String} = '' OR query_kind = {kind:String})
ORDER BY event_time DESC LIMIT {rows:UInt32}
"""
_RUNNING = """
SELECT query_id, user, elapsed, read_rows, total_rows_approx, memory_usage, query_kind, is_cancelled,
       left(query, 2000) AS query
FROM system.processes WHERE elapsed >= {shortest:Float64} AND query_id != queryID() ORDER BY elapsed DESC LIMIT 1001
"""
_MERGES = """
SELECT database, table, elapsed, progress, num_parts, result_part_name, is_mutation, total_size_bytes_compressed,
       rows_read, rows_written, memory_usage, merge_type
FROM system.merges
WHERE ({database:String} = '' OR database = {database:String}) AND ({table:String} = '' OR table = {table:String})
ORDER BY elapsed DESC LIMIT 1001
"""
_REPLICATION = """
SELECT database, table, replica_name, position, node_name, type, create_time, num_tries, num_postponed,
       is_currently_executing, left(last_exception, 500) AS last_exception, last_exception_time,
       left(postpone_reason, 500) AS postpone_reason
FROM system.replication_queue
WHERE ({database:String} = '' OR database = {database:String}) AND ({table:String} = '' OR table = {table:String})
ORDER BY create_time LIMIT 1001
"""
_PARTS = """
SELECT partition, name, active, rows, bytes_on_disk, data_compressed_bytes, data_uncompressed_bytes,
       modification_time, disk_name, level
FROM system.parts
WHERE database = {database:String} AND table = {table:String} AND (active OR {active_only:UInt8} = 0)
ORDER BY modification_time DESC LIMIT 1001
"""
_CLUSTER = """
SELECT cluster, shard_num, replica_num, host_name, host_address, port, is_local, errors_count, slowdowns_count,
       estimated_recovery_time
FROM system.clusters WHERE {cluster:String} = '' OR cluster = {cluster:String}
ORDER BY cluster, shard_num, replica_num LIMIT 1001
"""


def _text(arguments: Arguments, name: str, default: str = "") -> str:
    value = arguments.get(name)
    return default if value is None else str(value)


def _place(arguments: Arguments) -> dict[str, str]:
    return {"database": _text(arguments, "database"), "table": _text(arguments, "table")}


def own_statement(function: str, arguments: Arguments, database: str) -> Own:
    """Return the statement of a function, and its parameters; `database` is that of the settings."""
    here = _text(arguments, "database", database)
    makers: Mapping[str, Callable[[], Own]] = {
        "show_databases": lambda: (_DATABASES, {}),
        "show_tables": lambda: (_TABLES, {"database": here}),
        "describe_table": lambda: (_COLUMNS, {"database": here, "table": _text(arguments, "table_name")}),
        "get_query_log": lambda: (
            _QUERY_LOG,
            {
                "shortest": _text(arguments, "min_duration_ms", "0"),
                "kind": _text(arguments, "query_kind"),
                "rows": _text(arguments, "limit", "100"),
            },
        ),
        "get_running_queries": lambda: (_RUNNING, {"shortest": _text(arguments, "min_elapsed_seconds", "0")}),
        "get_merges": lambda: (_MERGES, _place(arguments)),
        "get_replication_status": lambda: (_REPLICATION, _place(arguments)),
        "get_parts_info": lambda: (
            _PARTS,
            {
                "database": here,
                "table": _text(arguments, "table_name"),
                "active_only": "0" if arguments.get("active_only") is False else "1",
            },
        ),
        "get_cluster_info": lambda: (_CLUSTER, {"cluster": _text(arguments, "cluster")}),
    }
    return makers[function]()


# For how long the same answer will do; also the names of all functions.
CACHE_SECONDS: Mapping[str, float] = {
    "execute_query": 15,
    "show_databases": 60,
    "show_tables": 60,
    "describe_table": 60,
    "get_query_log": 15,
    "get_running_queries": 15,
    "get_merges": 15,
    "get_replication_status": 30,
    "get_parts_info": 30,
    "get_cluster_info": 60,
}
