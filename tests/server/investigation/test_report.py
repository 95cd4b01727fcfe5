"""How a report reads, and that text from outside cannot break out of its place in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from akmatori_server.investigation.case import AttachedAlert
from akmatori_server.investigation.facts import read_facts
from akmatori_server.investigation.report import (
    Confidence,
    Report,
    Section,
    code,
    code_block,
    duration,
    inline,
    render,
    table,
)
from akmatori_server.investigation.rules.compose import compose
from akmatori_server.investigation.rules.match import choose, rank
from akmatori_server.investigation.rules.query import build_query
from akmatori_server.investigation.rules.steps import extract_steps
from tests.server.investigation.cases import NOW, Text, case_of, disk_alert


def report_on(
    context: Mapping[str, object], runbooks: list[Text], alerts: tuple[AttachedAlert, ...] = ()
) -> str:
    """Return the rendered report of a case."""
    case = case_of(dict(context), alerts=alerts)
    facts = read_facts(case)
    ranked = rank(runbooks, build_query(facts), facts)
    matched = choose(ranked)
    steps = extract_steps(matched.candidate.content) if matched else []
    return render(compose(case, facts, ranked, matched, steps, NOW), elapsed_ms=2400)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"),
        (0.24, "0.2s"),
        (2, "2s"),
        (60, "1m"),
        (125.9, "2m 5s"),
        (3600, "1h"),
        (11550, "3h 12m"),
        (349200, "4d 1h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """The two largest units are enough."""
    assert duration(seconds) == text


def test_a_report_ends_with_what_it_cost() -> None:
    """Time always; tokens when a model was asked."""
    report = Report(headline="Done.", sections=(Section("A", "b"), Section("Empty", "")), tokens_used=12345)

    assert (
        render(report, elapsed_ms=125_000) == "Done.\n\n## A\n\nb\n\n---\n⏱️ Time: 2m 5s | 🎯 Tokens: 12,345"
    )


def test_a_report_on_a_known_problem(runbooks: list[Text]) -> None:
    """An operator finds the facts, the steps and the limits of the report."""
    text = report_on(disk_alert(), runbooks)

    assert "has been firing for 1h 18m" in text
    assert "The runbook **Disk filling up** fits" in text
    assert "| `mountpoint` | /var |" in text
    assert "<http://prometheus.example.net:9090/graph?" in text
    assert "df -h" in text
    assert "The commands of the runbook were not run." in text
    assert "No tool was used" in text
    assert "## Confidence\n\nHigh." in text
    assert text.endswith("---\n⏱️ Time: 2s")


def test_a_report_on_an_unknown_problem(runbooks: list[Text]) -> None:
    """It says so, names the nearest runbooks with their scores, and where the alert's own runbook is."""
    text = report_on(
        {
            "alert_name": "RaidArrayDegraded",
            "summary": "md0 lost a disk",
            "runbook_url": "https://wiki.example.net/raid",
        },
        runbooks,
    )

    assert "No runbook matches well enough." in text
    assert "- Disk filling up (score 0." in text
    assert "1. Follow the alert's own runbook: <https://wiki.example.net/raid>" in text
    assert "The alert names no host." in text
    assert "The alert does not say when it began." in text
    assert "## Confidence\n\nLow." in text


def test_a_report_without_any_runbook() -> None:
    """A fresh installation has none."""
    text = report_on({"task": "Look at db-1"}, [])

    assert "No runbook has any word in common" in text
    assert "write a runbook for problems like this" in text


def test_a_resolved_alert_is_not_said_to_be_firing(runbooks: list[Text]) -> None:
    """It began then, but it is over."""
    assert "firing for" not in report_on({**disk_alert(), "status": "resolved"}, runbooks)


def test_a_storm_is_summed_up(runbooks: list[Text]) -> None:
    """Several alerts of one incident are listed."""
    alerts = tuple(
        AttachedAlert(
            name=f"A{n}", severity="high", status="firing", payload={}, started_at=None, deliveries=n
        )
        for n in (1, 2)
    )

    text = report_on(disk_alert(), runbooks, alerts)

    assert "2 alerts belong to this incident" in text
    assert "| A2 | high | firing | 2 |" in text


def test_a_value_and_its_threshold_are_told(runbooks: list[Text]) -> None:
    """The measured value beside the limit."""
    text = report_on(
        {"alert_name": "Load", "metric_name": "cpu", "metric_value": "7.9", "threshold_value": "5"}, runbooks
    )

    assert "| Measured | cpu = 7.9 (threshold 5) |" in text


def test_text_from_outside_stays_in_its_place(runbooks: list[Text]) -> None:
    """Markdown, HTML, bars and line breaks in an alert are shown, not interpreted."""
    evil = "x | y\n\n# Owned <script>alert(1)</script> [click](http://evil) `code`"

    text = report_on(
        {"alert_name": evil, "summary": evil, "target_host": "a`b", "target_labels": {"k|`": evil}}, runbooks
    )

    assert "\n# Owned" not in text
    assert "<script" not in text.replace("\\<script", "")
    assert "[click]" not in text.replace("\\[click\\]", "")
    assert "on ``a`b``" in text
    assert "| ``k\\|` `` |" in text or "| `` k\\|` `` |" in text


def test_code_cannot_be_closed_by_its_content() -> None:
    """A fence is longer than any inside."""
    assert code("a `` b") == "```a `` b```"
    assert code_block("```\nrm\n```") == "````\n```\nrm\n```\n````"
    assert table(("H",), [("a|b",)]) == "| H |\n| --- |\n| a\\|b |"
    assert len(inline("x" * 10_000)) <= 300


def test_confidence_needs_a_clear_lead() -> None:
    """Two runbooks fit alike."""
    twins = [Text(1, "Disk full A", ""), Text(2, "Disk full B", "")]

    text = report_on({"alert_name": "DiskFull"}, twins)

    assert f"{Confidence.MEDIUM.capitalize()}. Another runbook, Disk full B, fits nearly as well." in text


def test_an_alert_from_the_future_has_no_age(runbooks: list[Text]) -> None:
    """Clocks differ; a negative age would be nonsense."""
    alert = {**disk_alert(), "started_at": (NOW + timedelta(hours=1)).isoformat()}

    assert "firing for" not in report_on(alert, runbooks)
