"""What is in the database in the end, and how it must agree with what was sent and answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_server.alerts.tables import alerts
from akmatori_server.database import Database
from akmatori_server.events.tables import events
from akmatori_server.incidents.tables import incident_log, incidents
from tests.promises.load import Load

# Told to investigations that are under way when alerts come; each incident has its own.
ALERT_LINES = "alerts:"
# Incidents that the stormy source may open in a minute. So few that the first problems make the storm, however
# slow the machine is.
STORM_THRESHOLD = 1


@attrs.frozen
class Accounts:
    """The rows that count."""

    alerts: Sequence[Any]
    incidents: Sequence[Any]
    log: Sequence[Any]
    events: Sequence[Any]
    # How the workflows of the engine ended.
    ended: Counter[str]

    @classmethod
    def of(cls, database: Database) -> Accounts:
        """Read them, when nothing is written any more."""
        with database.read() as connection:

            def rows(table: sa.Table) -> Sequence[Any]:
                return connection.execute(sa.select(table).order_by(table.c.id)).all()

            return cls(rows(alerts), rows(incidents), rows(incident_log), rows(events), workflows(database))

    def told(self) -> str:
        """Say how much it is."""
        taken_again = sum(row.fence > 1 for row in self.incidents)
        return (
            f"{len(self.alerts)} alerts, {len(self.incidents)} incidents, {taken_again} of them interrupted and "
            f"taken again, {len(self.events)} events"
        )


def workflows(database: Database) -> Counter[str]:
    """Count the investigations by the status they have in the engine, which has other workflows, too."""
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    status = sa.text(f"SELECT status FROM {table} WHERE queue_name = 'incidents'")  # noqa: S608  a constant
    with database.read() as connection:
        return Counter(connection.execute(status).scalars())


def check(accounts: Accounts, load: Load, heard: Sequence[int]) -> None:
    """Compare what was answered with what is stored."""
    assert not load.wrong
    assert load.acknowledged
    check_alerts(accounts, load)
    check_incidents(accounts, load)
    check_counts(accounts)
    check_investigations(accounts)
    check_events(accounts, heard)


def check_alerts(accounts: Accounts, load: Load) -> None:
    """Every alert is there once, as it was told last."""
    statuses = {
        fingerprint: status for problem in load.problems() for fingerprint, status in problem.statuses.items()
    }
    assert load.acknowledged == set(statuses)
    assert load.acknowledged <= {row.fingerprint for row in accounts.alerts}, "acknowledged alerts are lost"
    doubled = {name: n for name, n in Counter(row.fingerprint for row in accounts.alerts).items() if n > 1}
    assert not doubled
    wrong = {
        row.fingerprint: (row.status, statuses[row.fingerprint])
        for row in accounts.alerts
        if row.status != statuses[row.fingerprint]
    }
    assert not wrong


def check_incidents(accounts: Accounts, load: Load) -> None:
    """A calm problem is one incident, and an incident one problem; the others are one storm, but for the first."""
    place = {row.fingerprint: row.incident_id for row in accounts.alerts}
    calm = {
        problem.number: {place[fingerprint] for fingerprint in problem.statuses}
        for problem in load.problems()
        if problem.is_calm
    }
    assert {number: found for number, found in calm.items() if len(found) != 1 or None in found} == {}
    assert len(set().union(*calm.values())) == len(calm)
    assert {row.id for row in accounts.incidents} == set(place.values()), "incidents without alerts"
    kinds = Counter(row.kind for row in accounts.incidents)
    assert kinds["storm"] == 1
    assert kinds["alert"] <= len(calm) + STORM_THRESHOLD


def check_counts(accounts: Accounts) -> None:
    """What the incidents say of their alerts is so."""
    own: dict[int, list[Any]] = defaultdict(list)
    for row in accounts.alerts:
        own[row.incident_id].append(row)
    counted = {row.id: (row.alert_count, row.firing_count) for row in accounts.incidents}
    assert counted == {
        incident: (len(rows), sum(row.status == "firing" for row in rows)) for incident, rows in own.items()
    }
    ends = {row.id: row.resolved_at for row in accounts.incidents}
    assert ends == {
        incident: None
        if any(row.status == "firing" for row in rows)
        else max(row.resolved_at for row in rows)
        for incident, rows in own.items()
    }


def check_investigations(accounts: Accounts) -> None:
    """Every incident was investigated to its end, and its log reads as if nothing had happened."""
    assert {row.status for row in accounts.incidents} == {"completed"}
    assert all("The runbook **Disk filling up** fits" in row.response for row in accounts.incidents)
    assert accounts.ended == {"SUCCESS": len(accounts.incidents)}
    logs: dict[int, list[str]] = {row.id: [] for row in accounts.incidents if row.kind == "alert"}
    for line in accounts.log:
        if line.incident_id in logs and not line.key.startswith(ALERT_LINES):
            logs[line.incident_id].append(line.key)
    # All groups are alike but for the host, so their logs have the same lines in the same order.
    assert len({tuple(keys) for keys in logs.values()}) == 1


def check_events(accounts: Accounts, heard: Sequence[int]) -> None:
    """Whoever listened has every event once and in order, and the events tell the same as the rows."""
    assert list(heard) == [row.id for row in accounts.events]
    told: dict[str, list[str]] = defaultdict(list)
    for row in accounts.events:
        told[row.alert_uuid or row.incident_uuid].append(row.kind)
    for incident in accounts.incidents:
        kinds = Counter(told[incident.uuid])
        assert (kinds["incident.opened"], kinds["incident.completed"]) == (1, 1), incident.uuid
        # It was resolved as often as it was reopened, or once more.
        assert kinds["incident.resolved"] - kinds["incident.reopened"] == (incident.resolved_at is not None)
    storms = {row.id for row in accounts.incidents if row.kind == "storm"}
    for alert in accounts.alerts:
        # The alerts of a storm are not told one by one.
        if alert.incident_id not in storms:
            assert told[alert.uuid][-1] == f"alert.{'fired' if alert.status == 'firing' else 'resolved'}"
