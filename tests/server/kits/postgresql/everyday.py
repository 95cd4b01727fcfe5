"""Statements that people write every day; each must pass."""

from __future__ import annotations

EVERYDAY = r"""
SELECT 1
select now(), current_timestamp, current_database(), version()
SELECT * FROM canary WHERE id = 7
SELECT count(*), min(born), max(price), avg(price)::numeric(10,2) FROM canary;
SELECT name FROM canary WHERE name LIKE '%bird%' ORDER BY id DESC LIMIT 5 OFFSET 2
SELECT date_trunc('hour', born), count(*) FROM canary GROUP BY 1 ORDER BY 2 DESC FETCH FIRST 3 ROWS ONLY
WITH a AS (SELECT * FROM canary WHERE id < 10), b AS (SELECT * FROM a) SELECT * FROM b JOIN canary USING (id)
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 20) SELECT sum(n) FROM t
VALUES (1, 'a'), (2, 'b')
TABLE canary
SELECT 1 UNION SELECT 2 UNION ALL SELECT 3 EXCEPT SELECT 2
SELECT pid, state, query FROM pg_stat_activity WHERE query ILIKE '%pg_terminate_backend(%'
SELECT relname, n_dead_tup FROM pg_stat_user_tables ORDER BY n_dead_tup DESC
SELECT pg_size_pretty(pg_database_size(current_database()))
SELECT pg_size_pretty(pg_total_relation_size('canary'))
SELECT * FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
SELECT name, setting FROM pg_settings WHERE name ~ '^(work|shared)'
SELECT current_setting('work_mem'), pg_is_in_recovery(), pg_postmaster_start_time()
SELECT a.id, lag(a.price) OVER w FROM canary a WINDOW w AS (PARTITION BY a.born ORDER BY a.id)
SELECT json_build_object('a', 1, 'b', ARRAY[1,2]), '{"a": [1, null]}'::jsonb -> 'a'
SELECT E'it\'s', U&'d\0061ta', $$dollar$$, B'101', X'1F'
SELECT 'infinity'::timestamp, '12026-01-01'::date, 'NaN'::float8, '-infinity'::float8
SELECT interval '1 day 2 hours', '10.0.0.1/8'::inet, int4range(1, 5), gen_random_uuid(), '\xdead'::bytea
SELECT id, id, name AS id FROM canary
SELECT "update", "delete" FROM (SELECT 1 AS "update", 2 AS "delete") insert_log
SELECT id FROM canary WHERE name = 'DROP TABLE canary; --'
SELECT c.* FROM canary c, LATERAL (SELECT c.id + 1 AS next) n WHERE n.next = 3
SELECT regexp_matches(name, 'bird (\d+)') FROM canary
SELECT string_agg(name, ',' ORDER BY id) FILTER (WHERE id < 4) FROM canary
SELECT coalesce(NULL, 'x'), CASE WHEN 1 = 1 THEN 'a' ELSE 'b' END, greatest(1, 2), NOT true
SELECT row(1, 'a'), (SELECT canary FROM canary LIMIT 1)
SELECT * FROM generate_series('2026-01-01'::timestamp, '2026-01-02', '1 hour') -- hours
SELECT 10 % 3, '100%', 5 / 2.0, 2 ^ 10
SELECT to_char(now(), 'YYYY-MM-DD'), extract(epoch FROM now())::bigint > 0
SELECT * FROM canary TABLESAMPLE bernoulli (10)
SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY price) FROM canary
SELECT grouping(born), count(*) FROM canary GROUP BY ROLLUP (born)
SELECT has_table_privilege('canary', 'INSERT'), pg_get_viewdef('meddling'::regclass)
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'
SELECT lo_orderdate FROM (SELECT 1 AS lo_orderdate) lineorder
EXPLAIN SELECT * FROM canary
EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM canary WHERE id = 1;
SHOW max_connections
SHOW ALL
SHOW server_version;
""".strip().splitlines()
