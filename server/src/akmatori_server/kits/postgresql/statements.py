"""Our own statements about a server and its tables. Every one has a limit of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from akmatori_server.incidents.storable import JSON

Arguments: TypeAlias = Mapping[str, JSON]
Own: TypeAlias = tuple[str, Sequence[object]]

# Of a statement that a session runs.
LONGEST_QUERY = 2000

_TABLES = """
SELECT t.table_name, t.table_type, c.reltuples::bigint AS estimated_rows,
       pg_total_relation_size(c.oid) AS total_bytes, obj_description(c.oid, 'pg_class') AS comment
FROM information_schema.tables t
LEFT JOIN pg_namespace n ON n.nspname = t.table_schema
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.table_name
WHERE t.table_schema = %s ORDER BY t.table_name LIMIT 1001
"""
_COLUMNS = """
SELECT column_name, data_type, is_nullable = 'YES' AS is_nullable, column_default, character_maximum_length
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position LIMIT 1001
"""
_INDEXES = """
SELECT i.indexname, i.indexdef, x.indisunique AS is_unique, x.indisvalid AS is_valid,
       pg_relation_size(x.indexrelid) AS bytes, s.idx_scan AS scans
FROM pg_indexes i
JOIN pg_namespace n ON n.nspname = i.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = i.indexname
JOIN pg_index x ON x.indexrelid = c.oid
LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = c.oid
WHERE i.schemaname = %s AND i.tablename = %s ORDER BY i.indexname LIMIT 1001
"""
_TABLE_STATS = """
SELECT relname AS table_name, n_live_tup, n_dead_tup, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch,
       n_tup_ins, n_tup_upd, n_tup_del, n_mod_since_analyze, last_vacuum, last_autovacuum, last_analyze,
       last_autoanalyze, vacuum_count, autovacuum_count, pg_total_relation_size(relid) AS total_bytes
FROM pg_stat_user_tables WHERE schemaname = %s AND (%s::text IS NULL OR relname = %s)
ORDER BY pg_total_relation_size(relid) DESC LIMIT 1001
"""
_ACTIVE = """
SELECT pid, usename, datname, application_name, client_addr, state, wait_event_type, wait_event, backend_type,
       query_start, xact_start, extract(epoch FROM clock_timestamp() - query_start)::numeric(20, 1) AS seconds,
       extract(epoch FROM clock_timestamp() - xact_start)::numeric(20, 1) AS transaction_seconds,
       pg_blocking_pids(pid)::text AS blocked_by, left(query, %s) AS query
FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND query <> '' AND (%s OR state <> 'idle')
  AND (%s::integer IS NULL OR clock_timestamp() - query_start >= make_interval(secs => %s))
ORDER BY query_start LIMIT 1001
"""
_LOCKS = """
SELECT l.pid, a.usename, a.datname, a.application_name, l.locktype, l.mode, l.granted,
       l.relation::regclass::text AS relation, a.state, a.wait_event_type,
       extract(epoch FROM clock_timestamp() - a.xact_start)::numeric(20, 1) AS transaction_seconds,
       pg_blocking_pids(l.pid)::text AS blocked_by, left(a.query, %s) AS query
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.pid <> pg_backend_pid() AND (NOT %s OR NOT l.granted OR EXISTS (
    SELECT FROM pg_locks w WHERE NOT w.granted AND l.pid = ANY(pg_blocking_pids(w.pid))))
ORDER BY l.granted, a.xact_start LIMIT 1001
"""
_REPLICATION = """
SELECT pg_is_in_recovery() AS is_standby, r.pid, r.application_name, r.client_addr, r.state, r.sync_state,
       r.sent_lsn, r.write_lsn, r.flush_lsn, r.replay_lsn, r.write_lag, r.flush_lag, r.replay_lag,
       CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn) END
           AS replay_lag_bytes,
       CASE WHEN pg_is_in_recovery() THEN
           extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::numeric(20, 1) END
           AS standby_lag_seconds
FROM (SELECT 1) AS one LEFT JOIN pg_stat_replication r ON true LIMIT 1001
"""
_DATABASE = """
SELECT s.datname, pg_database_size(s.datid) AS bytes, s.numbackends, s.xact_commit, s.xact_rollback, s.blks_read,
       s.blks_hit, round(100.0 * s.blks_hit / nullif(s.blks_hit + s.blks_read, 0), 2) AS cache_hit_percent,
       s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted, s.conflicts, s.temp_files,
       s.temp_bytes, s.deadlocks, s.stats_reset, current_setting('max_connections')::integer AS max_connections,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       age(d.datfrozenxid) AS oldest_transaction_age, pg_postmaster_start_time() AS server_started,
       current_setting('server_version') AS server_version
FROM pg_stat_database s JOIN pg_database d ON d.oid = s.datid WHERE s.datname = current_database() LIMIT 1
"""


def _table_stats(arguments: Arguments) -> Own:
    table = arguments.get("table_name")
    return _TABLE_STATS, (arguments.get("schema", "public"), table, table)


def _active(arguments: Arguments) -> Own:
    shortest = arguments.get("min_duration_seconds")
    return _ACTIVE, (LONGEST_QUERY, arguments.get("include_idle") is True, shortest, shortest)


OWN: Mapping[str, Callable[[Arguments], Own]] = {
    "list_tables": lambda arguments: (_TABLES, (arguments.get("schema", "public"),)),
    "describe_table": lambda arguments: (
        _COLUMNS,
        (arguments.get("schema", "public"), arguments["table_name"]),
    ),
    "get_indexes": lambda arguments: (
        _INDEXES,
        (arguments.get("schema", "public"), arguments["table_name"]),
    ),
    "get_table_stats": _table_stats,
    "get_active_queries": _active,
    "get_locks": lambda arguments: (_LOCKS, (LONGEST_QUERY, arguments.get("blocked_only") is True)),
    "get_replication_status": lambda _arguments: (_REPLICATION, ()),
    "get_database_stats": lambda _arguments: (_DATABASE, ()),
}
# For how long the same answer will do.
CACHE_SECONDS: Mapping[str, float] = {
    "execute_query": 15,
    "explain_query": 15,
    "list_tables": 60,
    "describe_table": 60,
    "get_indexes": 60,
    "get_table_stats": 30,
    "get_active_queries": 15,
    "get_locks": 15,
    "get_replication_status": 30,
    "get_database_stats": 30,
}
