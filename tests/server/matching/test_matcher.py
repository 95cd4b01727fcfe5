"""Which alerts a matcher holds for."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.alerts.fields import fields_of
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Severity
from akmatori_server.matching import Matcher, MatcherError, Operator, parse_matcher, value_of

FIELDS = {"alert_name": "DiskFull", "severity": "critical", "labels.severity": "page", "labels.job": "node"}


@pytest.mark.parametrize(
    ("matcher", "holds"),
    [
        ('alert_name="DiskFull"', True),
        ('alert_name="Disk"', False),
        ('alert_name="diskfull"', False),
        ('alert_name!="DiskFull"', False),
        ('alert_name!="CPUHigh"', True),
        ('alert_name=~"Disk.*"', True),
        ('alert_name=~"Disk|Full"', False),
        ('alert_name=~"Disk"', False),
        ('alert_name=~"isk"', False),
        ('alert_name=~"CPUHigh|DiskFull"', True),
        ('alert_name!~"Disk.*"', False),
        ('alert_name!~"CPU.*"', True),
        # A label by its own name, and by its full one; a member of the alert goes before a label.
        ('job="node"', True),
        ('labels.job="node"', True),
        ('severity="page"', False),
        ('labels.severity="page"', True),
        # What is not there is empty.
        ('team=""', True),
        ('team!=""', False),
        ('team=~".*"', True),
        ('team=~".+"', False),
        ('team!="db"', True),
    ],
)
def test_holds_as_in_alertmanager(matcher: str, holds: bool) -> None:
    assert parse_matcher(matcher).matches(FIELDS) is holds


def test_reads_what_an_alert_consists_of() -> None:
    alert = NormalisedAlert(
        alert_name="DiskFull",
        status=AlertStatus.FIRING,
        severity=Severity.HIGH,
        target_host="db-1",
        target_labels={"team": "storage"},
        source_fingerprint="f1",
    )
    fields = fields_of(alert, source="Prod", source_type="alertmanager")
    for matcher in ('source="Prod"', "team=storage", "target_host=~db-[0-9]", "severity=high"):
        assert parse_matcher(matcher).matches(fields), matcher


def test_a_dot_is_any_character_but_the_end_of_a_line() -> None:
    """As in Alertmanager; Python's `$` would also match before a last line break."""
    assert not parse_matcher('a=~".*"').matches({"a": "one\ntwo"})
    assert not parse_matcher('a=~"one"').matches({"a": "one\n"})


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", r"(a)\1", "(?=a)b", "*", "[z-a]"])
def test_an_expression_that_cannot_be_compiled_is_refused_in_a_sentence(pattern: str) -> None:
    with pytest.raises(MatcherError, match=r"^(?s:.*) is not a regular expression of RE2: .+\.$"):
        Matcher("alertname", Operator.MATCHES, pattern)


def test_an_expression_that_would_be_huge_is_refused() -> None:
    with pytest.raises(MatcherError, match="not a regular expression"):
        Matcher("alertname", Operator.MATCHES, "((a{100}){100}){100}")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*)*.*x", "(a?){50}a{50}b", ".*.*.*.*.*.*=.*"])
def test_no_expression_keeps_the_server_busy(pattern: str) -> None:
    """Each of them takes a backtracking engine longer than the universe is old."""
    matcher = Matcher("a", Operator.MATCHES, pattern)
    started = time.process_time()
    assert not matcher.matches({"a": "a" * 20_000})
    assert time.process_time() - started < 1


def test_nothing_is_written_to_the_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    """RE2 would log each wrong expression there by itself."""
    with pytest.raises(MatcherError):
        Matcher("a", Operator.MATCHES, "(")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [("", "x", "needs the name"), ("n" * 256, "x", "255 characters"), ("n", "x" * 4097, "4096 characters")],
)
def test_limits_are_told(name: str, value: str, sentence: str) -> None:
    with pytest.raises(MatcherError, match=sentence):
        Matcher(name, Operator.EQUAL, value)


@given(st.text(), st.sampled_from(Operator), st.text())
def test_matches_empty_is_what_an_absent_member_gets(name: str, operator: Operator, value: str) -> None:
    try:
        matcher = Matcher(name, operator, value)
    except MatcherError:
        return
    assert matcher.matches_empty is matcher.matches({})


@given(st.text(), st.text(max_size=50))
def test_a_negated_operator_is_the_opposite(value: str, text: str) -> None:
    fields = {"a": text}
    equal, not_equal = Matcher("a", Operator.EQUAL, value), Matcher("a", Operator.NOT_EQUAL, value)
    assert equal.matches(fields) is not not_equal.matches(fields)
    try:
        matches = Matcher("a", Operator.MATCHES, value)
    except MatcherError:
        return
    assert matches.matches(fields) is not Matcher("a", Operator.NOT_MATCHES, value).matches(fields)


def test_equal_matchers_are_equal_values() -> None:
    """So that a set of compiled ones can be kept between calls."""
    assert {Matcher("a", Operator.MATCHES, "b.*"), parse_matcher('a=~"b.*"')} == {parse_matcher("a=~b.*")}


def test_value_of_prefers_the_member() -> None:
    assert value_of(FIELDS, "severity") == "critical"
    assert value_of(FIELDS, "job") == "node"
    assert value_of(FIELDS, "nothing") == ""
