"""What an alert says is put where a template has it, and nowhere else."""

from __future__ import annotations

import json
import shlex
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akmatori_server.probes import Known, MissingValueError, UnfitValueError
from akmatori_server.probes.templates import TemplateError, parse_template

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=20)

# Labels of somebody who would like to ask something else.
HOSTILE = (
    'db-1"} or vector(1) or up{instance="',
    "db-1' OR '1'='1",
    "db-1'; DROP TABLE users; --",
    "db-1; rm -rf /",
    "db-1 && reboot",
    "$(reboot)",
    "`reboot`",
    "${IFS}reboot",
    "-rf",
    "--help",
    "--output=/etc/passwd",
    "../../admin",
    "..",
    "a/../../b",
    "db-1\nreboot",
    "db-1\rreboot",
    "db-1\x00",
    'db-1\\"',
    "db-1\\",
    '", "admin": true, "x": "',
    "*",
    ".*",
    "a|b",
    "~root",
    "a b",
    "a#b",
    "a--b",
    "a/*b*/",
    "a?x=1&y=2",
    "{{ now }}",
    "%2e%2e%2f",
    "<script>",
    "a\u2028b",
    "ａ＇ｂ",  # noqa: RUF001  full width
    "x" * 2000,
)


def known(**texts: str) -> Known:
    return Known({name.replace("__", "."): text for name, text in texts.items()}, now=NOW, started_at=BEGAN)


def filled(template: str, argument: str = "x", **texts: str) -> str:
    return parse_template(template, argument=argument).filled(known(**texts))


def test_ordinary_values_are_put_in_as_they_are() -> None:
    for value in ("db-07.example.net:9100", "/var", "kube-system", "10.0.0.5", "::1", "web_1", "a.b-c:1/x"):
        query = 'up{instance="{{ labels.instance }}"}'
        assert filled(query, "query", labels__instance=value) == f'up{{instance="{value}"}}'
    assert filled("{{labels.app.kubernetes.io/name}}", **{"labels.app.kubernetes.io/name": "shop"}) == "shop"
    assert filled(r"docker ps --format '\{{.Names}}'") == "docker ps --format '{{.Names}}'"


def test_nothing_that_could_end_a_text_is_put_in_plainly() -> None:
    for value in HOSTILE:
        with pytest.raises(UnfitValueError) as refusal:
            filled('up{instance="{{ labels.instance }}"}', "query", labels__instance=value)
        assert "labels.instance" in str(refusal.value)


def promql_value(literal: str) -> str:
    # A literal of PromQL between double quotes is one of JSON, but for characters that JSON wants escaped.
    return str(json.loads(literal, strict=False))


def test_a_filter_writes_every_value_as_one_literal() -> None:
    for value in HOSTILE[:-1]:
        promql = filled("{{ labels.x | promql }}z", "q", labels__x=value)
        assert promql.endswith('"z')
        assert promql_value(promql[:-1]) == value
        assert json.loads(filled("{{ labels.x | json }} ", labels__x=value)) == value
        try:
            shell = filled("df {{ labels.x | shell }} end", "command", labels__x=value)
        except UnfitValueError:
            assert value.startswith("-") or not value.isprintable()
        else:
            assert shlex.split(shell) == ["df", value, "end"]
        try:
            sql = filled("SELECT {{ labels.x | sql }}", "sql", labels__x=value)
        except UnfitValueError:
            assert "\\" in value or not value.isprintable()
        else:
            assert sqlite3.connect(":memory:").execute(sql).fetchone() == (value,)
        if value != "..":
            url = filled("/hosts/{{ labels.x | url }}/state", "path", labels__x=value)
            assert url.count("/") == 3
            assert not set(url) & set("?#&\\ \n\r\x00\"'")
    with pytest.raises(UnfitValueError):
        filled("/hosts/{{ labels.x | url }}/state", "path", labels__x="..")


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_no_label_at_all_breaks_out(value: str) -> None:
    text = known(labels__x=value)
    promql = parse_template("up{a={{ labels.x | promql }}}", argument="query").filled(text)
    assert promql_value(promql.removeprefix("up{a=").removesuffix("}")) == value
    try:
        command = parse_template("grep {{ labels.x | shell }} /var/log/syslog", argument="command").filled(
            text
        )
    except UnfitValueError:
        return
    assert shlex.split(command) == ["grep", value, "/var/log/syslog"]


def test_times_are_counted_from_the_beginning_and_from_now() -> None:
    assert filled("{{ started_at - 15m }}", "start") == "2026-11-22T09:55:00Z"
    assert filled("{{ now }}", "end") == "2026-11-22T10:30:00Z"
    assert filled("{{now+1h30m}}") == "2026-11-22T12:00:00Z"
    assert filled("{{ started_at-15m | unix }}") == str(int((BEGAN - timedelta(minutes=15)).timestamp()))
    with pytest.raises(MissingValueError):
        parse_template("{{ started_at }}", argument="x").filled(Known({}, now=NOW))


def test_what_the_alert_does_not_say_is_missing() -> None:
    with pytest.raises(MissingValueError) as missing:
        filled("{{ labels.instance }}")
    assert str(missing.value) == "labels.instance"


def test_what_people_read_is_put_in_unchanged() -> None:
    template = parse_template(
        "CPU of {{ labels.x }} is at {{ value }}, {{ item.name }}", more=("value", "item.")
    )

    assert template.told(known(labels__x="a b; c", value="97 %")) == "CPU of a b; c is at 97 %, ?"


def test_a_template_that_cannot_be_used_is_refused_with_a_sentence() -> None:
    for text, argument, words in (
        ("{{ label.x }}", "x", "label.x is not known"),
        ("{{ labels. }}", "x", "not known"),
        ("{{ labels.x", "x", "without }}"),
        ("{{ }}", "x", "not understood"),
        ("{{ labels.x | nope }}", "x", "nope is no filter"),
        ("{{ labels.x - 5m }}", "x", "only started_at and now"),
        ("{{ now - 5x }}", "x", "duration"),
        ("{{ labels.x | unix }}", "x", "started_at and now"),
        ("{{ value }}", "x", "value is not known"),
        ('up{a="{{ labels.x | promql }}"}', "query", "take away those around it"),
        ("echo '{{ labels.x | shell }}'", "command", "take away those around it"),
        ("x = '{{ labels.x | sql }}'", "sql", "take away those around it"),
        ("a {{ labels.x | text }}", "title", "all of an argument"),
        ("{{ labels.x | text }}", "command", "the alert would choose the whole command"),
        ("{{ labels.x }}", "query", "the alert would choose the whole query"),
        ("({{ expression }}) > 1", "query", "can only be all of an argument"),
        ("x" * 20_000, "x", "characters at most"),
    ):
        with pytest.raises(TemplateError) as refusal:
            parse_template(text, argument=argument)
        assert words in str(refusal.value), text


def test_free_text_may_be_all_of_an_argument_that_is_no_language() -> None:
    assert filled("{{ alert_name | text }}", "title", alert_name="High CPU (db)") == "High CPU (db)"
    assert filled("{{ expression }}", "query", expression='up{a="b"} == 0') == 'up{a="b"} == 0'
