"""Full-text search of runbooks: the same answers on both databases."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_server.runbooks.models import RunbookMatch, RunbookText
from akmatori_server.runbooks.search import search
from tests.server.incidents.domain import Domain

RUNBOOKS = {
    "Disk is filling up": "Find the largest directories with `du -xsh /var/*` and remove old logs.",
    "High CPU load": "Look at `top`; restart the worker that runs away.",
    "Certificate expires soon": "Renew it with certbot and reload nginx.",
    "Postgres replication lag": "Check the standby's disk and the network between the two.",
    "HTTP 5xx rate": "Look at the error log of the gateway; roll back the last deployment.",
    "OOM killed pods": "Raise the memory limit or find the leak.",
    "Kafka consumer lag": "Scale the consumers; look for a poison message.",
    "Host down": "Is it reachable by ping? Ask the data centre.",
}
ALERTS = {
    "NodeDiskFilling db-07: /var is 93% full, predicted full in 5h": "Disk is filling up",
    "HighCPU on web-3, load average above 20": "High CPU load",
    "CertificateExpiry example.net expires in 3 days": "Certificate expires soon",
    "PostgresReplicationLag: standby is 400 s behind": "Postgres replication lag",
    "HTTP5xxRate above 4% on checkout gateway": "HTTP 5xx rate",
    "KubePodOOMKilled payments-6b memory limit reached": "OOM killed pods",
    "KafkaConsumerGroupLag over 50k orders": "Kafka consumer lag",
    "HostDown web-1 has been unreachable": "Host down",
}


@pytest.fixture
def library(domain: Domain) -> Domain:
    """A domain with runbooks."""
    for title, content in RUNBOOKS.items():
        domain.runbooks.create(RunbookText(title=title, content=content))
    return domain


def find(domain: Domain, text: str, limit: int = 5) -> list[RunbookMatch]:
    """Search."""
    with domain.database.read() as connection:
        return search(connection, text, limit)


@pytest.mark.parametrize(("alert", "title"), ALERTS.items(), ids=lambda text: text.split()[0])
def test_the_runbook_of_an_alert_comes_first(library: Domain, alert: str, title: str) -> None:
    """Whatever form its words have."""
    assert find(library, alert)[0].title == title


def test_a_match_tells_its_words_and_its_score(library: Domain) -> None:
    """The words in the order of the question; the title counts three times what the content does."""
    match = find(library, "disk full of logs")[0]

    assert match.title == "Disk is filling up"
    assert match.content.startswith("Find the largest")
    assert match.matched_terms == ("disk", "logs")
    assert match.score == pytest.approx((1 + 1 / 3) / 3)


def test_scores_lie_between_nothing_and_one(library: Domain) -> None:
    """One is for a question whose every word is in the title."""
    assert find(library, "host down")[0].score == 1.0
    assert all(0 < match.score <= 1 for alert in ALERTS for match in find(library, alert, 8))


def test_what_no_runbook_has_is_not_found(library: Domain) -> None:
    """No words, stop words only, other words, or no answers wanted."""
    assert find(library, "") == []
    assert find(library, "the and of is") == []
    assert find(library, "zeppelin") == []
    assert find(library, "disk", 0) == []


def test_the_limit_holds(library: Domain) -> None:
    """The best ones are kept."""
    assert [match.title for match in find(library, "lag disk", 1)] == ["Postgres replication lag"]


def test_accents_and_case_do_not_matter_in_ascii(library: Domain) -> None:
    """The question may shout."""
    assert find(library, "KAFKA CONSUMERS")[0].title == "Kafka consumer lag"


def test_the_index_follows_every_write(library: Domain) -> None:
    """What was replaced is found by its new words only, what was deleted not at all."""
    stored = library.runbooks.create(RunbookText(title="Zeppelin lands", content="Tie it up."))
    found = find(library, "zeppelin")
    library.runbooks.replace(stored.id, RunbookText(title="Balloon lands", content="Tie it up."))
    after_replace = (find(library, "zeppelin"), find(library, "balloons"))
    library.runbooks.delete(stored.id)

    assert [match.id for match in found] == [stored.id]
    assert after_replace[0] == []
    assert [match.id for match in after_replace[1]] == [stored.id]
    assert find(library, "balloon") == []


def test_a_runbook_as_large_as_allowed_can_be_stored(library: Domain) -> None:
    """A megabyte of different words exceeds what PostgreSQL indexes; the beginning is searched."""
    content = "zeppelin " + " ".join(f"w{number:x}障害" for number in range(90_000))
    stored = library.runbooks.create(RunbookText(title="Large", content=content[: 1024 * 1024]))

    assert [match.id for match in find(library, "zeppelin")] == [stored.id]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(text=st.text(max_size=80) | st.text("'\"\\|&!():*<->- aA1_", max_size=60))
def test_every_text_is_safe_to_search_for(library: Domain, text: str) -> None:
    """Nothing in a question is read as syntax."""
    for match in find(library, text + " disk"):
        assert match.matched_terms
