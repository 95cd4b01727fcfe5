"""Statements that must not do what they were written for, by what they try."""

from __future__ import annotations

# Each is refused before anything is sent.
REFUSED = """
INSERT INTO canary (name) VALUES ('x')
UPDATE canary SET name = 'x'
DELETE FROM canary
TRUNCATE canary
MERGE INTO canary USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE
DROP TABLE canary
ALTER TABLE canary ADD COLUMN x int
CREATE TABLE x (a int)
CREATE TABLE x AS SELECT 1
CREATE TEMP TABLE x AS SELECT 1
CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE EXTENSION dblink
GRANT ALL ON canary TO public
ALTER ROLE postgres PASSWORD 'x'
ALTER SYSTEM SET fsync = off
SET transaction_read_only = off
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE
SET ROLE postgres
RESET ALL
BEGIN
COMMIT
ROLLBACK
SAVEPOINT x
PREPARE TRANSACTION 'x'
COMMIT PREPARED 'x'
LOCK TABLE canary
VACUUM canary
ANALYZE canary
REINDEX TABLE canary
CLUSTER canary USING canary_name
CHECKPOINT
DISCARD ALL
LISTEN x
NOTIFY x
LOAD 'x'
DO $$ BEGIN DELETE FROM canary; END $$
CALL p()
COPY canary TO '/tmp/akmatori-canary'
COPY canary FROM '/etc/passwd'
COPY canary TO PROGRAM 'touch /tmp/akmatori-canary'
COPY (SELECT 1) TO PROGRAM 'touch /tmp/akmatori-canary'
COPY canary TO STDOUT
PREPARE x AS DELETE FROM canary
EXECUTE x
DEALLOCATE ALL
DECLARE c CURSOR FOR SELECT 1
FETCH ALL FROM c
REFRESH MATERIALIZED VIEW x
COMMENT ON TABLE canary IS 'x'
SECURITY LABEL ON TABLE canary IS 'x'
SELECT 1; DELETE FROM canary
SELECT 1;; DELETE FROM canary;
SELECT 1; SELECT 2
SELECT 1 /* ; */ ; /* x */ DELETE FROM canary -- x
SELECT * INTO x FROM canary
SELECT * INTO TEMP x FROM canary
WITH a AS (SELECT 1) SELECT * INTO x FROM a
WITH a AS (DELETE FROM canary RETURNING *) SELECT * FROM a
WITH a AS (INSERT INTO canary (name) VALUES ('x') RETURNING id) SELECT 1
WITH a AS (UPDATE canary SET name = 'x' RETURNING *) TABLE a
WITH a AS (SELECT 1), b AS (DELETE FROM canary) SELECT * FROM a
WITH a AS (SELECT 1) DELETE FROM canary
WITH a AS (WITH b AS (DELETE FROM canary RETURNING 1) SELECT * FROM b) SELECT * FROM a
SELECT * FROM (WITH b AS (DELETE FROM canary RETURNING 1) SELECT * FROM b) x
SELECT * FROM canary FOR UPDATE
SELECT * FROM canary FOR SHARE
SELECT * FROM canary FOR NO KEY UPDATE SKIP LOCKED
SELECT * FROM (SELECT * FROM canary FOR KEY SHARE) x
EXPLAIN ANALYZE SELECT 1
EXPLAIN (ANALYZE) DELETE FROM canary
EXPLAIN (ANALYZE true, FORMAT json) SELECT meddle()
EXPLAIN (COSTS, ANALYZE 1) SELECT meddle()
EXPLAIN DELETE FROM canary
EXPLAIN (SERIALIZE) SELECT 1
EXPLAIN EXECUTE x
EXPLAIN CREATE TABLE x AS SELECT 1
EXPLAIN SELECT pg_terminate_backend(1)
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
SELECT pg_cancel_backend(1)
SELECT pg_catalog.pg_terminate_backend(1)
SELECT "pg_terminate_backend"(1)
SELECT PG_TERMINATE_BACKEND(1)
SELECT U&"\\0070g_terminate_backend"(1)
SELECT U&"pg!005fterminate_backend" UESCAPE '!' (1)
SELECT pg_terminate_backend/**/(1)
SELECT pg_terminate_backend -- x
SELECT * FROM pg_terminate_backend(1)
SELECT * FROM ROWS FROM (pg_terminate_backend(1), pg_sleep(1))
SELECT 1 WHERE pg_terminate_backend(1)
SELECT 1 ORDER BY pg_terminate_backend(1)
SELECT 1 LIMIT (SELECT pg_cancel_backend(1)::int)
SELECT count(*) FILTER (WHERE pg_cancel_backend(1)) FROM canary
SELECT sum(1) OVER (ORDER BY pg_cancel_backend(1)) FROM canary
SELECT CASE WHEN true THEN pg_cancel_backend(1) END
SELECT ARRAY[pg_cancel_backend(1)]
SELECT (SELECT pg_cancel_backend(1))
VALUES (pg_cancel_backend(1))
SELECT * FROM canary TABLESAMPLE system (pg_sleep(1)::text::int)
SELECT E'\\'', pg_sleep(100), '--'
SELECT $$ ' $$, pg_sleep(100), $x$ ' $x$
SELECT '\\', pg_sleep(100), ' '
SELECT /* /* */ 1 */ pg_sleep(100)
SELECT pg_sleep(1)
SELECT pg_sleep_for('1 hour')
SELECT pg_sleep_until('2030-01-01')
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_switch_wal()
SELECT pg_create_restore_point('x')
SELECT pg_promote()
SELECT pg_backup_start('x')
SELECT pg_create_physical_replication_slot('x')
SELECT pg_create_logical_replication_slot('x', 'test_decoding')
SELECT pg_copy_physical_replication_slot('x', 'y')
SELECT pg_drop_replication_slot('x')
SELECT pg_logical_emit_message(false, 'x', 'x')
SELECT pg_replication_origin_create('x')
SELECT pg_stat_reset()
SELECT pg_stat_reset_shared('bgwriter')
SELECT pg_advisory_lock(1)
SELECT pg_try_advisory_lock(1)
SELECT pg_advisory_xact_lock(1)
SELECT pg_notify('x', 'y')
SELECT set_config('transaction_read_only', 'off', false)
SELECT set_config('default_transaction_read_only', 'off', false)
SELECT nextval('counter')
SELECT setval('counter', 100)
SELECT pg_read_file('/etc/passwd')
SELECT pg_read_binary_file('/etc/passwd')
SELECT pg_stat_file('/etc/passwd')
SELECT pg_ls_dir('/')
SELECT * FROM pg_ls_waldir()
SELECT pg_ls_logdir()
SELECT lo_import('/etc/passwd')
SELECT lo_export(1, '/tmp/akmatori-canary')
SELECT lo_create(0)
SELECT lo_from_bytea(0, 'x')
SELECT lo_get(1)
SELECT lowrite(0, 'x')
SELECT * FROM dblink('dbname=postgres', 'DELETE FROM canary') AS t(a int)
SELECT dblink_exec('dbname=postgres', 'DELETE FROM canary')
SELECT dblink_connect('x')
SELECT query_to_xml('SELECT meddle()', true, false, '')
SELECT database_to_xml(true, false, '')
SELECT table_to_xml('canary', true, false, '')
SELECT * FROM ts_stat('SELECT pg_read_file(''/etc/passwd'')::tsvector')
SELECT ts_rewrite('a', 'SELECT 1')
SELECT * FROM crosstab('DELETE FROM canary RETURNING 1,2,3') AS t(a int, b int)
SELECT http_get('http://169.254.169.254/')
SELECT net.http_get('http://169.254.169.254/')
SELECT cron.schedule('x', '* * * * *', 'DELETE FROM canary')
SELECT aws_s3.query_export_to_s3('SELECT 1', 'x')
SELECT pg_file_write('x', 'y', false)
SELECT pg_prewarm('canary')
SELECT brin_summarize_new_values(1)
SELECT txid_current()
SELECT rolpassword FROM pg_authid
SELECT passwd FROM pg_catalog.pg_shadow
SELECT * FROM pg_user_mappings
SELECT * FROM pg_largeobject
TABLE pg_authid
SELECT * FROM information_schema._pg_user_mappings
SHOW primary_conninfo
SELECT $1
SELECT 1) q; DELETE FROM canary; SELECT * FROM (SELECT 1
SELECT 1) AS q(c0), (SELECT meddle()
SELEC 1
;
-- nothing
""".strip().splitlines()

# Each may be sent: the transaction, and its limits, stop it.
HARMLESS = """
SELECT meddle()
SELECT * FROM meddle()
SELECT * FROM meddling
SELECT loosen()
SELECT count(meddle()) FROM canary
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r
SELECT count(*) FROM generate_series(1, 100000000000)
SELECT '; DELETE FROM canary; --'
SELECT 1 AS "a""; DELETE FROM canary; --"
SELECT 1 -- ; DELETE FROM canary
SELECT 1 /* ; DELETE FROM canary */;
SELECT $a$; DELETE FROM canary;$a$
SELECT 'COMMIT', '%s', '%(x)s', '%'
SELECT 1 AS "c0) q; DELETE FROM canary; --"
""".strip().splitlines()
