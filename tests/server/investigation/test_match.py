"""Which runbook a case gets: alerts as the well-known rule collections name them."""

from __future__ import annotations

import pytest

from akmatori_server.investigation.facts import read_facts
from akmatori_server.investigation.rules.match import Match, choose, is_clear, rank
from akmatori_server.investigation.rules.query import build_query
from tests.server.investigation.cases import Text, case_of


def ranked(runbooks: list[Text], **context: object) -> list[Match]:
    """Rank the runbooks for a case with this context."""
    facts = read_facts(case_of(context))
    return rank(runbooks, build_query(facts), facts)


@pytest.mark.parametrize(
    ("name", "summary", "title"),
    [
        ("NodeFilesystemSpaceFillingUp", "Filesystem is predicted to run out of space", "Disk filling up"),
        ("NodeDiskFilling", "/var is 93% full", "Disk filling up"),
        ("HostOutOfMemory", "Node memory is filling up (< 10% left)", "High memory usage and OOM kills"),
        ("KubePodCrashLooping", "Pod is crash looping.", "Pod crash looping"),
        ("HostHighCpuLoad", "CPU load is > 80%", "High CPU load"),
        ("Load average too high", "system.cpu.load = 7.9", "High CPU load"),
        ("TargetDown", "One or more targets are unreachable.", "Target down"),
        ("InstanceDown", "db-1 has been down for more than 5 minutes", "Target down"),
        ("BlackboxSslCertificateWillExpireSoon", "expires in 20 days", "TLS certificate expires soon"),
        ("Payments 5xx above 4%", "", "HTTP 5xx error rate too high"),
        ("HighErrorRate", "HTTP 500 on checkout", "HTTP 5xx error rate too high"),
        ("KafkaConsumersGroup", "Kafka consumers group lag", "Queue lag grows"),
    ],
)
def test_an_alert_finds_its_runbook(runbooks: list[Text], name: str, summary: str, title: str) -> None:
    """The first of the ranking is the right one and fits well enough to be followed."""
    matched = choose(ranked(runbooks, alert_name=name, summary=summary))

    assert matched is not None
    assert matched.candidate.title == title
    assert matched.terms


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("RaidArrayDegraded", "md0 has lost a disk"),
        ("PostgresqlReplicationLag", "Replication lag is 40s"),
        ("Watchdog", "An alert that should always be firing"),
        ("NodeClockSkewDetected", "Clock is out of sync by more than 0.05s"),
    ],
)
def test_an_alert_without_a_runbook_gets_none(runbooks: list[Text], name: str, summary: str) -> None:
    """A wrong runbook costs more than none."""
    assert choose(ranked(runbooks, alert_name=name, summary=summary)) is None


def test_a_task_in_plain_words_finds_a_runbook(runbooks: list[Text]) -> None:
    """A person asks through the API."""
    matched = choose(ranked(runbooks, task="Why is disk usage on db-01 above 90%?"))

    assert matched is not None
    assert matched.candidate.title == "Disk filling up"


def test_the_runbook_link_of_the_alert_decides(runbooks: list[Text]) -> None:
    """The team wrote down which one; words do not overrule it."""
    first = ranked(
        runbooks, alert_name="HostHighCpuLoad", runbook_url="https://wiki.example.net/rb/Queue_lag-grows.md"
    )[0]

    assert (first.candidate.title, first.score, first.is_linked) == ("Queue lag grows", 1.0, True)


def test_equal_scores_are_ordered_by_title_and_are_not_clear() -> None:
    """Two copies of a runbook: the choice is the same each time and the report says it is not sure."""
    twins = [Text(2, "Disk full B", ""), Text(1, "Disk full A", "")]

    ranking = ranked(twins, alert_name="DiskFull")

    assert [match.candidate.title for match in ranking] == ["Disk full A", "Disk full B"]
    assert not is_clear(ranking)
    assert is_clear(ranking[:1])


def test_the_query_names_first_and_adds_synonyms() -> None:
    """The search text has the words of the name, then of the rest, then what else they may be called."""
    query = build_query(
        read_facts(
            case_of(
                {
                    "alert_name": "NodeDiskFilling",
                    "summary": "/data is full",
                    "target_labels": {
                        "alertname": "NodeDiskFilling",
                        "fstype": "ext4",
                        "instance": "db-07:9100",
                    },
                }
            )
        )
    )

    assert query.naming == ("disk", "filling")
    assert query.describing == ("data", "full", "ext4")
    assert query.text.split()[:5] == ["disk", "filling", "data", "full", "ext4"]
    assert "filesystem" in query.text.split()


def test_no_words_no_match(runbooks: list[Text]) -> None:
    """A task of stop words only."""
    assert choose(ranked(runbooks, task="the and of")) is None
    assert choose([]) is None
