"""The real Alertmanager posts to the real server: from a firing rule's alert to a report, and back to quiet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from akmatori_sdk import UNSET, Akmatori
from akmatori_sdk.akmatori import Alert, Incident
from tests.integration.monitoring import Alertmanager, Backlog, eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(240),
]


def test_an_alert_becomes_an_explained_incident(alertmanager: Alertmanager, client: Akmatori) -> None:
    """One firing alert: one incident, investigated, whose report names the runbook and what the alert says."""
    alertmanager.fire("NodeDiskFilling", mountpoint="/var", instance="db-07:9100")

    incident = the_incident(client, "NodeDiskFilling")
    finished = client.incidents.wait(incident.uuid, timeout=60)

    assert str(finished.status) == "completed"
    assert finished.source == "alertmanager"
    assert "NodeDiskFilling" in finished.title
    assert "Disk filling up" in finished.response
    assert "/var" in finished.response
    assert "db-07:9100" in finished.response
    assert len(incidents_about(client, "NodeDiskFilling")) == 1


def test_a_changed_group_and_its_resolve_make_no_second_incident(
    alertmanager: Alertmanager, client: Akmatori
) -> None:
    """Alertmanager notifies again when its group grows, and when it resolves: still one incident."""
    first = alertmanager.fire("HostDown", instance="web-1")
    incident = the_incident(client, "HostDown")
    second = alertmanager.fire("HostDown", instance="web-2")
    eventually(lambda: len(alerts_of(client, incident)) == 2, "the second alert of the group")
    alertmanager.resolve("HostDown", first, instance="web-1")
    eventually(lambda: statuses(client, incident) == ["resolved", "firing"], "the first one's end")
    assert client.incidents.get(incident.uuid).resolved_at is UNSET
    alertmanager.resolve("HostDown", second, instance="web-2")
    eventually(lambda: is_resolved(client, incident), "the incident's end")

    assert statuses(client, incident) == ["resolved", "resolved"]
    assert len(incidents_about(client, "HostDown")) == 1
    assert alertmanager.failures() == 0


def test_a_rule_of_prometheus_fires_repeats_resolves_and_fires_again(
    backlog: Backlog, alertmanager: Alertmanager, client: Akmatori
) -> None:
    """From a metric over its limit to one explained incident, resolved with it and reopened with it."""
    backlog["mail"] = 500
    incident = the_incident(client, "the queue mail")
    (alert,) = alerts_of(client, incident)
    assert (alert.alert_name, str(alert.severity)) == ("QueueBacklog", "critical")
    assert alert.summary == "The queue mail has 500 jobs waiting"
    assert alert.incident_uuid == incident.uuid

    explanation = client.alerts.explain(alert.uuid)
    assert (str(explanation.outcome), explanation.rule) == ("opened", "group")
    assert "'group'" in explanation.sentence
    compared = {value.field: value.value for value in explanation.compared}
    assert compared == {
        "source": "prod",
        "group_key": '{}/{alertname="QueueBacklog"}:{alertname="QueueBacklog", queue="mail"}',
    }

    eventually(lambda: the_alert(client, incident).deliveries >= 3, "Alertmanager to notify again")
    assert the_alert(client, incident).episodes == 1

    backlog["mail"] = 0
    eventually(lambda: is_resolved(client, incident), "the incident to be resolved")
    over = the_alert(client, incident)
    assert str(over.status) == "resolved"
    assert over.resolved_at == client.incidents.get(incident.uuid).resolved_at
    assert over.resolved_at is not None
    assert over.resolved_at > alert.fired_at

    backlog["mail"] = 900
    eventually(lambda: not is_resolved(client, incident), "the incident to be reopened")
    again = the_alert(client, incident)
    assert (again.uuid, str(again.status), again.episodes) == (alert.uuid, "firing", 2)
    assert again.fired_at > over.resolved_at
    assert str(client.alerts.explain(alert.uuid).outcome) == "reopened"
    assert len(incidents_about(client, "the queue mail")) == 1
    assert alertmanager.failures() == 0
    assert str(client.incidents.wait(incident.uuid, timeout=60).status) == "completed"


def test_two_alertmanagers_of_a_cluster_make_one_incident(
    peers: tuple[Alertmanager, Alertmanager], client: Akmatori
) -> None:
    """Both deliver each notification; their two Prometheis do not agree to the second when it began."""
    first, second = peers
    eventually(lambda: first.peers() == second.peers() == 2, "the cluster to form")
    ago = timedelta(seconds=0.4)

    began = first.fire("ReplicaLag", instance="db-1")
    second.fire("ReplicaLag", instance="db-1", starts_at=began - ago)
    incident = the_incident(client, "ReplicaLag")
    eventually(lambda: the_alert(client, incident).deliveries == 2, "both to deliver")
    assert first.notifications() == second.notifications() == 1

    for peer in peers:
        peer.resolve("ReplicaLag", began - ago, instance="db-1")
    eventually(lambda: first.notifications() == second.notifications() == 2, "both to deliver the end")
    eventually(lambda: is_resolved(client, incident), "the incident to be resolved")

    again = first.fire("ReplicaLag", instance="db-1")
    eventually(lambda: the_alert(client, incident).deliveries == 3, "the first to deliver that it is back")
    second.fire("ReplicaLag", instance="db-1", starts_at=again + ago)
    eventually(lambda: the_alert(client, incident).deliveries == 4, "the other one to deliver that, too")

    assert not is_resolved(client, incident)
    assert the_alert(client, incident).episodes == 2
    assert len(incidents_about(client, "ReplicaLag")) == 1
    assert first.failures() == second.failures() == 0


def incidents_about(client: Akmatori, words: str) -> list[Incident]:
    """Return the incidents with these words in their titles, in any case."""
    return [incident for incident in client.incidents.list() if words.lower() in incident.title.lower()]


def the_incident(client: Akmatori, words: str) -> Incident:
    """Wait for the one incident with these words in its title."""
    eventually(lambda: bool(incidents_about(client, words)), f"an incident about {words}")
    (incident,) = incidents_about(client, words)
    return incident


def alerts_of(client: Akmatori, incident: Incident) -> list[Alert]:
    """Return the alerts of an incident, the oldest first."""
    return list(client.incidents.alerts(incident.uuid))


def the_alert(client: Akmatori, incident: Incident) -> Alert:
    """Return the only alert of an incident."""
    (alert,) = alerts_of(client, incident)
    return alert


def statuses(client: Akmatori, incident: Incident) -> list[str]:
    """Return whether its alerts fire, the oldest first."""
    return [str(alert.status) for alert in alerts_of(client, incident)]


def is_resolved(client: Akmatori, incident: Incident) -> bool:
    """Whether all of its alerts are over."""
    return client.incidents.get(incident.uuid).resolved_at is not UNSET
