"""The parts of notifications, put together once for a process."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import attrs
import sqlalchemy as sa
import structlog

from akmatori_server.audit import AuditTrail
from akmatori_server.engine import Engine
from akmatori_server.installation import Installation
from akmatori_server.notifications.announcer import TASK, Announcer
from akmatori_server.notifications.channels import Channels
from akmatori_server.notifications.cleanup import OLD_NOTIFICATIONS
from akmatori_server.notifications.courier import EVERY_MINUTE, NAME, Courier
from akmatori_server.notifications.delivery import Delivery
from akmatori_server.notifications.from_file import apply_notifications_file, read_notifications_file
from akmatori_server.notifications.sending import SenderProxy
from akmatori_server.notifications.service import NotificationService
from akmatori_server.notifications.thread_status import ThreadStatus
from akmatori_server.retention.cleanup import Cleanup
from akmatori_server.settings.proxy import ProxyService
from akmatori_server.settings.service import SettingsService

_log = structlog.stdlib.get_logger("akmatori_server.notifications")


@attrs.frozen(kw_only=True)
class Notifications:
    """What hears of changes, what sends, and what the handlers ask."""

    announcer: Announcer
    courier: Courier
    service: NotificationService
    thread_status: ThreadStatus
    settings: SettingsService
    audit: AuditTrail
    file: Path | None
    cleanup: Cleanup

    def prepare(self) -> None:
        """Write what is set before anybody has changed it, and what the file says.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        self.service.seed()
        if self.file is not None:
            file = read_notifications_file(self.file)
            apply_notifications_file(file, self.settings, self.service, self.audit)
            _log.info("notifications_file", file=str(self.file), channels=file.channels())

    def declare(self, engine: Engine) -> None:
        """Tell the engine who sends, and what is done by the clock. Before the engine runs."""
        engine.task(TASK, self.courier.run)
        engine.schedule(NAME, EVERY_MINUTE, self.courier.submit_overdue)
        self.thread_status.declare(engine)
        self.cleanup.declare(engine)

    def slack_changed(self, connection: sa.Connection) -> None:
        """Use the new Slack settings from now on; part of the transaction that changes them."""
        self.service.slack_changed(connection)


def build_notifications(site: Installation, engine: Engine, settings: SettingsService) -> Notifications:
    """Put the parts together."""
    channels = Channels(site.secrets)
    delivery = Delivery(
        site.database,
        site.secrets,
        route=settings.route(ProxyService.SLACK),
        now=site.now,
        proxy=partial(_sender_proxy, settings),
        slack_url=site.settings.slack_api_url,
        public_url=site.settings.base_url,
    )
    courier = Courier(site.database, delivery, engine, now=site.now)
    return Notifications(
        announcer=Announcer(channels, engine),
        courier=courier,
        service=NotificationService(
            site.database,
            site.secrets,
            channels=channels,
            delivery=delivery,
            courier=courier,
            now=site.now,
        ),
        settings=settings,
        audit=AuditTrail(site.database, now=site.now),
        file=site.settings.notifications_file,
        thread_status=ThreadStatus(site.database, delivery, now=site.now),
        cleanup=Cleanup(OLD_NOTIFICATIONS, site.database, site.now),
    )


def _sender_proxy(settings: SettingsService) -> SenderProxy | None:
    found = settings.proxy()
    if not found.address or ProxyService.NOTIFICATIONS not in found.services:
        return None
    return SenderProxy(found.url, found.no_proxy)
