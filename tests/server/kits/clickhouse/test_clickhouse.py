"""ClickHouse over HTTP: what is asked of it, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from urllib.parse import urlsplit

import attrs
import pytest

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.clickhouse import ClickHouseKit
from akmatori_server.kits.clickhouse.settings import parsed_settings
from akmatori_server.kits.clickhouse.statement import parsed
from akmatori_server.outgoing.policy import PUBLIC_ONLY
from akmatori_server.toolbox.models import Access, ToolFailedError
from akmatori_server.tools.models import OpenTool
from tests.server.kits.clickhouse.server import Fake, clickhouse
from tests.server.kits.using import definition_of, invocation, open_tool, use

REFUSED = r"""
INSERT INTO t VALUES (1)
INSERT INTO t SELECT 1
CREATE TABLE t (a Int8) ENGINE = Memory
CREATE TEMPORARY TABLE t (a Int8)
DROP TABLE t
ALTER TABLE t DELETE WHERE 1
DELETE FROM t WHERE 1
UPDATE t SET a = 1 WHERE 1
TRUNCATE TABLE t
OPTIMIZE TABLE t FINAL
SYSTEM SHUTDOWN
SYSTEM RELOAD CONFIG
KILL QUERY WHERE 1
KILL MUTATION WHERE 1
ATTACH TABLE t
DETACH TABLE t
RENAME TABLE t TO u
EXCHANGE TABLES t AND u
SET readonly = 0
SET max_execution_time = 0
GRANT ALL ON *.* TO x
CREATE USER x
BACKUP TABLE t TO Disk('x', 'y')
USE system
WATCH v
CHECK TABLE t
EXECUTE AS x SELECT 1
SELECT 1; DROP TABLE t
SELECT 1;; SELECT 2
SELECT 1 -- x
; SELECT 2
SELECT 1 INTO OUTFILE '/tmp/x'
SELECT 1 INTO OUTFILE '/tmp/x' FORMAT CSV
SELECT 1 FORMAT Native
SELECT 1 SETTINGS readonly = 0
SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)
SELECT 1 UNION ALL SELECT 2 SETTINGS readonly = 0
WITH a AS (SELECT 1 SETTINGS readonly = 0) SELECT * FROM a
SELECT * FROM url('http://169.254.169.254/', 'CSV', 'a String')
SELECT * FROM URL('http://x/')
SELECT * FROM `url`('http://x/')
SELECT * FROM "ur\x6c"('http://x/')
SELECT * FROM url/**/('http://x/')
SELECT * FROM urlCluster('c', 'http://x/')
SELECT * FROM file('/etc/passwd', 'LineAsString')
SELECT file('/etc/passwd')
SELECT FILE ('/etc/passwd')
SELECT length(file('/etc/passwd'))
SELECT 1 WHERE 'a' IN file('/etc/passwd')
SELECT * FROM t WHERE a IN url('http://x/')
SELECT * FROM remote('10.0.0.1', system.one)
SELECT * FROM remoteSecure('10.0.0.1', system.one)
SELECT * FROM s3('https://x/y', 'CSV')
SELECT * FROM s3Cluster('c', 'https://x/y')
SELECT * FROM gcs('https://x/y')
SELECT * FROM hdfs('hdfs://x')
SELECT * FROM azureBlobStorage('x')
SELECT * FROM mysql('h', 'd', 't', 'u', 'p')
SELECT * FROM postgresql('h', 'd', 't', 'u', 'p')
SELECT * FROM mongodb('h', 'd', 't', 'u', 'p')
SELECT * FROM redis('h', 'k', 's')
SELECT * FROM sqlite('/x', 't')
SELECT * FROM odbc('x', 'y', 'z')
SELECT * FROM jdbc('x', 'y', 'z')
SELECT * FROM executable('x', 'TSV', 'a Int8')
SELECT * FROM input('a Int8')
SELECT * FROM iceberg('x')
SELECT * FROM deltaLake('x')
SELECT * FROM something_new('x')
WITH x AS (SELECT * FROM url('http://x/')) SELECT * FROM x
SELECT * FROM t JOIN url('http://x/') AS u ON 1
SELECT * FROM view(SELECT * FROM url('http://x/'))
SELECT (SELECT * FROM file('/etc/passwd'))
SELECT sleep(3)
SELECT sleepEachRow(1) FROM numbers(1000)
SELECT catboostEvaluate('/x', 1)
SELECT addressToLine(1)
EXPLAIN SELECT * FROM url('http://x/')
EXPLAIN INSERT INTO t SELECT 1
EXPLAIN PLAN actions = 1 DROP TABLE t
EXPLAIN
DESCRIBE TABLE url('http://x/')
DESCRIBE (SELECT 1)
DESCRIBE t FORMAT CSV
DESCRIBE t SETTINGS x = 1
SHOW TABLES INTO OUTFILE '/tmp/x'
SHOW TABLES FORMAT CSV
SHOW CREATE USER default
SHOW ACCESS
EXISTS TABLE t SETTINGS x = 1
SELECT 'unfinished
SELECT /* unfinished
SELEC 1
;
""".strip().splitlines()
EVERYDAY = r"""
SELECT 1
select count() from system.parts where active;
SELECT * FROM system.tables LIMIT 5
SELECT database, table, sum(rows) AS r FROM system.parts GROUP BY database, table ORDER BY r DESC LIMIT 10
SELECT toStartOfHour(event_time) AS h, quantile(0.95)(query_duration_ms) FROM system.query_log GROUP BY h ORDER BY h
WITH now() - INTERVAL 1 HOUR AS since SELECT count() FROM logs WHERE time > since
SELECT countIf(status >= 500) / count() FROM requests WHERE time > now() - interval 5 minute
SELECT arrayMap(x -> x + 1, [1, 2]), map('a', 1)['a'], tuple(1, 2).1
SELECT * EXCEPT (password) FROM users FINAL
SELECT * FROM t ARRAY JOIN tags AS tag WHERE tag = 'x'
SELECT * FROM t PREWHERE a = 1 WHERE b LIKE '%url(%' AND c ILIKE 'it''s'
SELECT a FROM t ASOF JOIN u USING (a, time)
SELECT number FROM numbers(10) UNION ALL SELECT 1
SELECT * FROM cluster('prod', system.processes)
SELECT * FROM clusterAllReplicas('prod', system, query_log)
SELECT formatReadableSize(sum(bytes_on_disk)) FROM system.parts
SELECT dictGet('hosts', 'name', toUInt64(1))
SELECT CAST(a AS Nullable(String)), a::UInt8 FROM t -- done
SELECT uniqExact(user), argMax(v, t), groupArray(10)(x) FROM t GROUP BY ALL
SELECT a, row_number() OVER (PARTITION BY b ORDER BY c) FROM t
SHOW DATABASES
SHOW TABLES FROM system LIKE 'query%'
SHOW CREATE TABLE logs.requests
SHOW PROCESSLIST;
DESCRIBE TABLE system.parts
DESC logs.`requests`
EXPLAIN SELECT 1
EXPLAIN PIPELINE SELECT count() FROM t
EXPLAIN indexes = 1 SELECT * FROM t WHERE a = 1
EXISTS TABLE logs.requests
""".strip().splitlines()


@pytest.fixture(scope="module")
def server() -> Generator[Fake]:
    """A server for the tests of this file."""
    with clickhouse() as fake:
        yield fake


@pytest.fixture
def fake(server: Fake) -> Fake:
    """The server, as if nothing had been asked."""
    server.asked.clear()
    server.locked.clear()
    return server


def tool_of(fake: Fake, **settings: object) -> OpenTool:
    """Return a tool of the server."""
    parts = urlsplit(fake.url)
    return open_tool(
        definition_of("clickhouse"),
        {
            "ch_host": parts.hostname,
            "ch_port": parts.port,
            "ch_database": "logs",
            "ch_username": "reader",
            "ch_password": "pass-word",
            "allowed_networks": ["127.0.0.1/32"],
            **settings,
        },
    )


def answer(fake: Fake, function: str, /, **arguments: JSON) -> Mapping[str, JSON]:
    """Call a function."""
    output = asyncio.run(use(ClickHouseKit(), tool_of(fake), function, **arguments))
    assert isinstance(output.value, dict)
    assert output.is_truncated is output.value["is_truncated"]
    return output.value


def test_what_does_more_than_read_is_refused_before_anything_is_sent(fake: Fake) -> None:
    """In a sentence."""
    passed: list[str] = []
    sentences: list[str] = []
    for text in REFUSED:
        try:
            parsed(text)
            passed.append(text)
        except ToolFailedError as error:
            sentences.append(str(error))

    # A line break alone makes no second statement.
    assert passed == ["SELECT 1 -- x"]
    assert [sentence for sentence in sentences if not sentence.endswith(".")] == []
    assert len(REFUSED) >= 80
    with pytest.raises(ToolFailedError, match="Only one statement"):
        parsed("SELECT 1 -- x\n; SELECT 2")
    with pytest.raises(ToolFailedError, match="nested too deeply"):
        parsed("SELECT " + "(" * 20_000 + "1" + ")" * 20_000)
    assert fake.asked == []


def test_everyday_statements_pass() -> None:
    """All of them, without their semicolons."""
    failed: list[str] = []
    for text in EVERYDAY:
        try:
            assert not parsed(text).endswith(";")
        except ToolFailedError as error:
            failed.append(f"{text}: {error}")
    assert failed == []


def test_every_request_is_read_only_and_limited(fake: Fake) -> None:
    """The login is in headers, and values are JSON."""
    value = answer(fake, "execute_query", query="SELECT 1;", limit=7, timeout_seconds=9)

    assert value == {
        "columns": ["n", "big", "f", "s", "a", "x"],
        "rows": [[18446744073709551615, None, "nan", "hello", [1, 2], "12345678901234567890123"]],
        "row_count": 1,
        "is_truncated": False,
    }
    ((text, query, headers),) = fake.asked
    assert text == "SELECT 1"
    assert query["database"] == "logs"
    assert (query["readonly"], query["max_execution_time"], query["limit"]) == ("1", "9", "8")
    assert (query["max_result_rows"], query["result_overflow_mode"]) == ("8", "break")
    assert (headers["x-clickhouse-user"], headers["x-clickhouse-key"]) == ("reader", "pass-word")
    assert "pass-word" not in str(query)


def test_there_is_never_more_than_the_limit(fake: Fake) -> None:
    """Though the server answers in blocks."""
    value = answer(fake, "execute_query", query="SELECT many", limit=3)
    assert (value["row_count"], value["is_truncated"]) == (3, True)


def test_a_user_that_is_read_only_already_may_not_set_limits(fake: Fake) -> None:
    """Then the request is made without them."""
    fake.locked |= {"readonly", "max_execution_time", "limit"}
    assert answer(fake, "execute_query", query="SELECT 1")["row_count"] == 1
    assert not fake.locked & set(fake.asked[-1][1])
    assert "max_result_rows" in fake.asked[-1][1]


def test_every_function_of_the_catalogue_asks_something_of_its_own(fake: Fake) -> None:
    """With values as parameters, never in the text."""
    value = "o'clock\t\\{x:String}"
    given: dict[str, JSON] = {
        "query": "SELECT 1",
        "table_name": value,
        "database": value,
        "query_kind": value,
    }
    for function in definition_of("clickhouse").functions:
        known = function.parameters["properties"]
        answer(fake, function.name, **{name: given[name] for name in given if name in known})
    texts = [text for text, _, _ in fake.asked]
    assert len(set(texts)) == 10
    assert "o'clock" not in str(texts)
    by_table = [query["param_table"] for text, query, _ in fake.asked if "system.columns" in text]
    assert by_table == ["o\\'clock\\t\\\\{x:String}"]
    answer(fake, "show_tables")
    assert fake.asked[-1][1]["param_database"] == "logs"
    with pytest.raises(ToolFailedError, match="no table missing in logs"):
        answer(fake, "describe_table", table_name="missing")


def test_errors_are_sentences(fake: Fake) -> None:
    """In the server's words, without its version and without the password."""
    for query, words in {
        "SELECT * FROM nothing": "Unknown table expression identifier 'nothing'",
        "SELECT slowly": "longer than 30 seconds",
        "SELECT nonsense": "does not answer as ClickHouse does",
    }.items():
        with pytest.raises(ToolFailedError) as caught:
            answer(fake, "execute_query", query=query)
        assert words in str(caught.value)
        assert "version" not in str(caught.value)

    async def complaint(**settings: object) -> str:
        with pytest.raises(ToolFailedError) as caught:
            await use(ClickHouseKit(), tool_of(fake, **settings), "execute_query", query="SELECT 1")
        return str(caught.value)

    wrong = asyncio.run(complaint(ch_password="wrong-password"))
    assert wrong.startswith("ClickHouse does not let the user reader in")
    assert "wrong-password" not in wrong
    assert "private address" in asyncio.run(complaint(allowed_networks=[]))
    assert "never called" in asyncio.run(complaint(ch_host="169.254.169.254"))
    assert "No connection" in asyncio.run(complaint(ch_port=1))
    assert "header" in asyncio.run(complaint(ch_password="a\nb"))
    assert "ch_host must be given" in asyncio.run(complaint(ch_host=""))


def test_the_port_follows_the_scheme(fake: Fake) -> None:
    """Unless one is set."""
    plain = tool_of(fake, ch_port=None)
    encrypted = tool_of(fake, ch_port=None, ch_ssl_enabled=True)
    assert parsed_settings(plain.settings, PUBLIC_ONLY).url == "http://127.0.0.1:8123/"
    assert parsed_settings(encrypted.settings, PUBLIC_ONLY).url == "https://127.0.0.1:8443/"
    plan = ClickHouseKit().plan(invocation(encrypted, "execute_query", {"query": "SELECT\n1"}))
    assert (plan.access, plan.summary, plan.cache_seconds) == (Access.READ, "SELECT 1", 15)
    assert "pass-word" not in repr(attrs.evolve(parsed_settings(plain.settings, PUBLIC_ONLY), port=1))
