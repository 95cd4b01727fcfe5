"""The parts of notifications beside the services of the domain, on a clock that the test moves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import attrs
import orjson
import sqlalchemy as sa

from akmatori_server.alert_sources.models import NewAlertSource
from akmatori_server.database import Database
from akmatori_server.incidents.models import Status
from akmatori_server.investigation.journal import Journal
from akmatori_server.notifications import store
from akmatori_server.notifications.announcer import TASK, Announcer
from akmatori_server.notifications.channels import Channels
from akmatori_server.notifications.courier import Courier
from akmatori_server.notifications.delivery import Delivery
from akmatori_server.notifications.models import EVERYTHING, Notification, Wanted
from akmatori_server.notifications.service import NotificationService
from akmatori_server.settings.route import direct
from akmatori_server.settings.service import SettingsService
from tests.server.incidents.domain import Domain, make_domain
from tests.support.slack import TOKEN, SlackServer


@attrs.define
class Ticks:
    """A monotonic clock that a test moves."""

    now: float = 100.0

    def __call__(self) -> float:
        """Return the present moment."""
        return self.now


@attrs.frozen
class Office:
    """The domain, and those who tell of it."""

    domain: Domain
    settings: SettingsService
    service: NotificationService
    delivery: Delivery
    courier: Courier
    announcer: Announcer
    channels: Channels
    ticks: Ticks
    source: str

    def send(self, seconds: float = 0) -> None:
        """Let time pass, and send what is due."""
        self.domain.clock.tick(seconds)
        self.courier.drain("test")

    def told(self, wanted: Wanted = EVERYTHING) -> list[Notification]:
        """Return the notifications, the oldest first."""
        with self.domain.database.read() as connection:
            return list(reversed(store.page(connection, wanted)))

    def outcomes(self, notification: Notification) -> list[str]:
        """Return what came of each attempt."""
        with self.domain.database.read() as connection:
            found = store.attempts_of(connection, [notification.id])
        return [attempt.outcome.value for attempt in found.get(notification.id, [])]

    def alert(self, name: str = "DiskFull", *, status: str = "firing", **fields: str) -> list[str]:
        """Deliver an alert, and return the incidents it opened."""
        body = self.body(name, status=status, **fields)
        return list(self.domain.deliver(self.source, body).incidents)

    @staticmethod
    def body(name: str, *, status: str = "firing", **fields: str) -> bytes:
        """Return an alert as a Prometheus Alertmanager sends it."""
        alert = {
            "status": status,
            "labels": {"alertname": name, "severity": "high", "instance": "db-1"},
            "annotations": {"summary": "It is full.", **fields},
            "fingerprint": f"fp-{name}",
            "startsAt": "2026-05-15T10:00:00Z",
        }
        return orjson.dumps({"version": "4", "alerts": [alert]})

    def investigate(self, answer: str, status: Status = Status.COMPLETED) -> None:
        """Investigate every incident that waits."""

        async def handler(incident_id: int, run: int) -> None:
            journal = Journal.take(
                self.domain.database, incident_id, run, now=self.domain.clock, events=self.domain.events
            )
            assert journal is not None
            journal.note("step", "Looked around.")
            journal.close(status, answer, tokens_used=1234)

        self.domain.queue.drain(handler)

    def count(self, table: sa.Table) -> int:
        """Count the rows of a table."""
        with self.domain.database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def make_office(database: Database, directory: Path, slack: SlackServer) -> Office:
    """Put the parts together as the server does; nothing is configured yet."""
    domain = make_domain(database, directory)
    settings = SettingsService(database, domain.secrets, now=domain.clock)
    settings.seed()
    ticks = Ticks()
    channels = Channels(domain.secrets, clock=ticks)
    delivery = Delivery(
        database,
        domain.secrets,
        route=direct,
        now=domain.clock,
        slack_url=slack.url,
        public_url="https://a.test",
    )
    courier = Courier(database, delivery, domain.queue, now=domain.clock)
    domain.queue.task(TASK, courier.run)
    announcer = Announcer(channels, domain.queue)
    domain.events.tell(announcer.hear)
    service = NotificationService(
        database, domain.secrets, channels=channels, delivery=delivery, courier=courier, now=domain.clock
    )
    service.seed()
    source = domain.sources.create(NewAlertSource(source_type_name="alertmanager", name="prod"))
    return Office(domain, settings, service, delivery, courier, announcer, channels, ticks, source.uuid)


def use_slack(office: Office, *, channel: str = "#alerts", token: str = TOKEN) -> None:
    """Configure Slack, and switch it on."""
    with office.settings.writing() as write:
        write.put_slack(
            write.slack().changed(
                bot_token=token, signing_secret="s", app_token="a", alerts_channel=channel, enabled=True
            )
        )
        office.service.slack_changed(write.connection)


SETTLED = timedelta(seconds=11).total_seconds()
