"""Reading rules documents: what is refused, with the place, and what a file may do to the reader."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akmatori_server.correlation.durations import format_duration, parse_duration
from akmatori_server.correlation.nodes import RulesError
from akmatori_server.correlation.reading import read_document
from akmatori_server.correlation.yaml_text import read_rules_file, read_rules_text
from tests.server.correlation.documents import BY_CLUSTER, FAILING, GOOD, ONE_CASE


def refusal(document: object) -> str:
    """Why a document is refused."""
    with pytest.raises(RulesError) as caught:
        read_document(document)
    return str(caught.value)


def file_refusal(text: str | bytes) -> str:
    """Why a file is refused."""
    with pytest.raises(RulesError) as caught:
        read_rules_text(text.encode() if isinstance(text, str) else text)
    return str(caught.value)


def with_rule(**members: Any) -> dict[str, Any]:
    """A document of one rule."""
    return {"version": 1, "rules": [{"name": "r", "by": ["source"], **members}]}


def with_case(**members: Any) -> dict[str, Any]:
    """A document of one case."""
    return {**GOOD, "cases": [{**ONE_CASE, **members}]}


@pytest.mark.parametrize("document", [GOOD, FAILING, {"version": 1}, with_rule(window="1h30m")])
def test_what_is_written_is_read_again(document: dict[str, Any]) -> None:
    """As values and as a file."""
    read = read_document(document)

    assert read_document(read.as_json()) == read
    assert read_rules_text(orjson.dumps(document)) == read


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "The document must be a mapping."),
        ({}, "version is missing from the document."),
        ({"version": 2}, "version: must be 1, the only version there is."),
        ({"version": True}, "version: must be 1, the only version there is."),
        ({"version": 1, "rulez": []}, "rulez: is not known here; did you mean rules?"),
        ({1: 1}, "must have texts as names."),
        ({"version": 1, "x" * 256: 1}, "has a name of more than 255 characters."),
        ({"version": 1, "window": 30}, "window: must be a text."),
        ({"version": 1, "window": "30"}, "window: must be a duration such as 90s, 30m, 2h, 1d or 1h30m."),
        ({"version": 1, "window": "999999d"}, "window: must be 365d at most."),
        ({"version": 1, "rules": {}}, "rules: must be a list."),
        (
            {"version": 1, "rules": [BY_CLUSTER] * 2},
            "rules[1].name: clusters is the name of an earlier one too.",
        ),
        ({"version": 1, "rules": [BY_CLUSTER] * 201}, "rules: may have 200 items at most."),
        (with_rule(name="single"), "rules[0].name: single is a name the server uses itself; choose another."),
        (with_rule(name="a\nb"), "rules[0].name: must begin with a letter or a digit"),
        (with_rule(by=[]), "rules[0].by: must not be empty."),
        (
            with_rule(by=["cluster"]),
            "rules[0].by[0]: cluster is not a member of an alert; for the label of that",
        ),
        (with_rule(by=["source", "labels."]), "rules[0].by[1]: labels. is not a member of an alert"),
        (with_rule(by=["source", "source"]), "rules[0].by[0]: source is listed twice."),
        (with_rule(by=["labels.a"] * 21), "rules[0].by: may have 20 items at most."),
        (with_rule(by=["labels.\x00"]), "rules[0].by[0]: holds a character that cannot be stored."),
        (with_rule(match=["a=1", "severity"]), "rules[0].match[1]: severity is not a matcher"),
        (with_rule(match=['a=~"("']), 'rules[0].match[0]: "(" is not a regular expression of RE2'),
        (with_rule(match=["a=b"] * 51), "rules[0].match: may have 50 items at most."),
        ({"version": 1, "rules": [{"name": "r"}]}, "rules[0]: by is missing."),
        (with_case(alerts=[{"id": "a"}]), "cases[0].alerts[0]: alert_name is missing."),
        (
            with_case(incidents=[["a"], ["c"]]),
            "cases[0].incidents[1][0]: c is not the id of an alert of this case.",
        ),
        (
            with_case(alerts=[{"id": "a", "alert_name": "x", "labels": {"\ud800": ""}}]),
            "cases[0].alerts[0].labels: has a name with a character that cannot be stored.",
        ),
        (with_case(rules={"a": "none"}), "cases[0].rules.a: none is not the name of a rule."),
        (
            with_case(alerts=[{"id": "a", "alert_name": "x", "status": "on"}]),
            "cases[0].alerts[0].status: must be one of firing, resolved.",
        ),
        (
            with_case(alerts=[{"id": "a", "alert_name": "x", "source_type": "nagios"}]),
            "cases[0].alerts[0].source_type: must be one of alertmanager,",
        ),
        (
            with_case(alerts=[{"id": "a", "alert_name": "x", "source": "p"}, {"id": "a", "source": "q"}]),
            "cases[0].alerts[1]: a is an alert of p above; one of another source is another alert.",
        ),
        (
            with_case(
                alerts=[
                    {"id": "a", "alert_name": "x"},
                    {"id": "b", "alert_name": "x", "source_type": "zabbix"},
                ]
            ),
            "cases[0].alerts[1]: case is a source of the type alertmanager above.",
        ),
    ],
)
def test_what_breaks_a_rule_is_a_sentence_with_its_place(document: object, sentence: str) -> None:
    """For a document of the API, and with the line for a file."""
    assert refusal(document).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The document is empty; it needs at least: version: 1"),
        ("version: 1\nrules: [", "line 2: This is not valid YAML:"),
        ("version: 1\n\twindow: 1m", "line 2: This is not valid YAML:"),
        ("version: 1\nwindow: 1m\nversion: 1", "line 3: The name version is there twice"),
        (
            "version: 1\nrules:\n  - name: r\n    by:\n      - source\n      - cluster\n",
            "line 6: rules[0].by[1]: cluster is not a member of an alert",
        ),
        (
            "version: 1\nrules: !!python/object/apply:os.system [x]",
            "line 2: The tag tag:yaml.org,2002:python",
        ),
        ("version: !!int 1", "line 1: The tag tag:yaml.org,2002:int is not allowed"),
        ("version: 1\nrules: &again [*again]", "line 2: *again has no value above it."),
        ("version: 1\n---\nversion: 1", "line 2: There may be one document in a file only."),
        ("? [version]\n: 1", "line 1: A name must be a text."),
        ("- " * 30 + "x", "line 1: There may be 20 levels at most."),
        ("[" * 100_000, "line 1: There may be 20 levels at most."),
        (
            "a: &a [x]\n" + "".join(f"b{n}: &a [*a]\n" for n in range(50)),
            "line 20: There may be 20 levels at most.",
        ),
        (b"version: 1\nwindow: \xff", "line 2: The file is not UTF-8."),
        (b"version: 1\nwindow: \x07", "This is not valid YAML:"),
        ("x" * (1024 * 1024), "line 1: The document must be a mapping."),
    ],
)
def test_a_broken_file_is_told_with_its_line(text: str | bytes, sentence: str) -> None:
    """Nothing is constructed, nothing repeats itself, nothing nests for ever."""
    assert file_refusal(text).startswith(sentence)


def test_aliases_do_not_grow_a_small_file_into_a_large_one() -> None:
    """A billion values of half a kilobyte are refused in no time; a list used twice is welcome."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    began = time.monotonic()

    assert "the document has more than 200000 values" in file_refusal("\n".join(lines)).lower()
    assert time.monotonic() - began < 5
    shared = read_rules_text(
        b"version: 1\nrules:\n"
        b"  - {name: one, match: &prod ['env=\"prod\"'], by: [source]}\n"
        b"  - {name: two, match: *prod, by: [alert_name]}\n"
    )
    assert shared.rules[0].matchers == shared.rules[1].matchers


def test_a_text_means_what_it_says() -> None:
    """No value of YAML becomes a number, a truth or a date."""
    alerts = "[{id: a, alert_name: x, labels: {up: on, code: 010, at: 1:30, day: 2026-01-01, no: 'null'}}]"
    read = read_rules_text(f"version: 1\ncases:\n - {{name: c, alerts: {alerts}, incidents: [[a]]}}".encode())

    assert read.cases[0].alerts[0].labels == {
        "up": "on",
        "code": "010",
        "at": "1:30",
        "day": "2026-01-01",
        "no": "null",
    }


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """Absent, a directory, or too large."""
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (1024 * 1024 + 1))

    for path, sentence in (
        (tmp_path / "absent.yaml", "The file cannot be read: No such file or directory."),
        (tmp_path, "The file cannot be read: Is a directory."),
        (large, "The file may have 1048576 bytes at most."),
    ):
        with pytest.raises(RulesError) as caught:
            read_rules_file(path)
        assert str(caught.value) == sentence


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "window", "rules", "cases", "name", "by", "match", "alerts", "id"]),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)  # the machine may be busy
@given(document=documents)
def test_any_document_is_read_or_refused(document: object) -> None:
    """Never anything else, from the API or from a file."""
    for read in (lambda: read_document(document), lambda: read_rules_text(repr(document).encode())):
        with contextlib.suppress(RulesError):
            assert read().as_json()["version"] == 1


@settings(deadline=None)  # the machine may be busy
@given(seconds=st.integers(0, 365 * 86400))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    """Exactly, in one unit."""
    written = format_duration(parse_duration(f"{seconds}s"))

    assert parse_duration(written).total_seconds() == seconds
    assert written[:-1].isdigit()
