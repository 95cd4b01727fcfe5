"""Declarations are read, or refused with the probe and the member that are wrong."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_server.probes import Operator, ProbeError, Severity, read_probes


def declared(**members: Any) -> list[dict[str, Any]]:
    return [{"name": "cpu", "tool": "prometheus", "function": "instant_query", **members}]


def test_a_probe_with_everything() -> None:
    (probe,) = read_probes(
        declared(
            arguments={
                "query": 'up{a="{{ labels.a }}"}',
                "limit": 5,
                "deep": {"list": ["{{ host }}", True, None]},
            },
            when=['severity=~"critical|high"', "labels.team=ops"],
            expect=[
                {
                    "value": "data.result[0].value[1]",
                    "above": 0.9,
                    "says": "{{ value }}",
                    "severity": "critical",
                },
                {"value": "items[*].status.phase", "not_matches": "Running|Succeeded"},
                {"value": "result", "count_above": 3},
                {"value": "a.0.b", "equals": "x", "unit": "jobs"},
                {"value": "[0].name", "present": True},
            ],
            answers=[1, 3],
        )
    )

    assert probe.name == "cpu"
    assert [matcher.name for matcher in probe.when] == ["severity", "labels.team"]
    assert [one.operator for one in probe.expect] == [
        Operator.ABOVE, Operator.NOT_MATCHES, Operator.COUNT_ABOVE, Operator.EQUALS, Operator.PRESENT,
    ]  # fmt: skip
    assert probe.expect[0].severity is Severity.CRITICAL
    assert probe.expect[1].severity is Severity.WARNING
    assert probe.answers == (1, 3)


def test_a_probe_without_a_name_is_called_by_what_it_asks() -> None:
    (probe,) = read_probes([{"tool": "prometheus", "function": "instant_query"}])

    assert probe.name == "prometheus.instant_query"


def test_the_digest_tells_declarations_apart_and_not_their_thresholds() -> None:
    (one,) = read_probes(declared(arguments={"query": "up"}))
    (same,) = read_probes(declared(arguments={"query": "up"}, expect=[{"value": "result", "count_above": 1}]))
    (other,) = read_probes(declared(arguments={"query": "down"}))

    assert one.digest == same.digest != other.digest


def test_what_is_wrong_is_named() -> None:
    for value, sentence in (
        ("text", "probes: must be a list."),
        (["text"], "probe 1: must be a mapping."),
        ([{"tool": "a"}], "probe 1: function is missing."),
        (declared(tol="x"), "probe 1 (cpu): tol: is not known here; did you mean tool?"),
        (declared(arguments=[]), "probe 1 (cpu): arguments: must be a mapping."),
        (declared(arguments={"query": "{{ x }}"}), "probe 1 (cpu): arguments.query: {{ x }}: x is not known"),
        (declared(when="severity=critical"), "probe 1 (cpu): when: must be a list."),
        (declared(when=["severity"]), "probe 1 (cpu): when[0]: severity is not a matcher"),
        (declared(when=['severity=~"("']), "probe 1 (cpu): when[0]: "),
        (declared(expect=[{"above": 1}]), "probe 1 (cpu): expect[0]: value is missing"),
        (declared(expect=[{"value": "a"}]), "probe 1 (cpu): expect[0]: needs one of above"),
        (declared(expect=[{"value": "a", "above": 1, "below": 2}]), "has above and below"),
        (declared(expect=[{"value": "a", "above": "1"}]), "expect[0].above: must be a number."),
        (declared(expect=[{"value": "a", "above": True}]), "expect[0].above: must be a number."),
        (declared(expect=[{"value": "a", "matches": "("}]), "expect[0].matches: "),
        (declared(expect=[{"value": "a", "present": False}]), "expect[0].present: must be true"),
        (declared(expect=[{"value": "a..b", "present": True}]), "expect[0].value: must be a path"),
        (declared(expect=[{"value": "a[x]", "present": True}]), "expect[0].value: must be a path"),
        (declared(expect=[{"value": "a", "above": 1, "severity": "bad"}]), "must be one of critical"),
        (
            declared(expect=[{"value": "a", "above": 1, "says": "{{ nope }}"}]),
            "expect[0].says: {{ nope }}: nope",
        ),
        (declared(answers=["one"]), "probe 1 (cpu): answers[0]: must be the number of a step"),
        (declared() + declared(), "probe 2 (cpu): name: another probe has this name"),
        (declared() * 21, "probes: may have 20 items at most."),
    ):
        with pytest.raises(ProbeError) as refusal:
            read_probes(value)
        assert sentence in str(refusal.value)
