"""The line under an incident's thread in Slack that says that it is investigated, for as long as it is.

Slack takes it away by itself when the report is posted, and two minutes after it was last set.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.engine.port import Schedule
from akmatori_server.incidents.models import Status
from akmatori_server.incidents.tables import incidents
from akmatori_server.notifications.delivery import Delivery
from akmatori_server.notifications.failures import SendError
from akmatori_server.notifications.models import SLACK, NotificationKind, State
from akmatori_server.notifications.slack import set_status
from akmatori_server.notifications.tables import notifications

NAME = "slack-thread-status"
EVERY_MINUTE = "* * * * *"
# After that it says nothing any more: a line that never changes is not read.
SHOWN_FOR = timedelta(hours=1)
# The newest; Slack limits how often it is told.
MOST = 20
# How long Slack is not asked again when it refuses: the app may lack the right to it.
REFUSED_FOR = timedelta(minutes=10)


class ThreadStatus:
    """Keeps the line there."""

    def __init__(self, database: Database, delivery: Delivery, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._delivery = delivery
        self._now = now
        self._refused_until: datetime | None = None

    def declare(self, engine: Schedule) -> None:
        """Have the engine do it every minute."""
        engine.schedule(NAME, EVERY_MINUTE, self.refresh)

    def refresh(self) -> None:
        """Say so in the threads of all investigations that run; what cannot be said is left unsaid."""
        now = self._now()
        if self._refused_until is not None and now < self._refused_until:
            return
        threads = self._threads(now)
        if not threads:
            return
        try:
            settings, api, _ = self._delivery.slack()
            if settings.is_active:
                for thread in threads:
                    set_status(api, thread)
        except SecretUnreadableError:
            return
        except SendError as error:
            if error.is_final:
                self._refused_until = now + REFUSED_FOR

    def _threads(self, now: datetime) -> list[tuple[str, str]]:
        begun = notifications.c
        query = (
            sa.select(incidents.c.slack_channel_id, incidents.c.slack_message_ts)
            .join(notifications, begun.incident_uuid == incidents.c.uuid)
            .where(
                incidents.c.status == Status.RUNNING.value,
                incidents.c.slack_message_ts != "",
                # Slack was told that this run began.
                begun.kind == NotificationKind.INVESTIGATION_STARTED.value,
                begun.channel == SLACK,
                begun.state == State.SENT.value,
                begun.created_at > now - SHOWN_FOR,
            )
            .order_by(begun.id.desc())
            .limit(MOST)
        )
        with self._database.read() as connection:
            found = [(row.slack_channel_id, row.slack_message_ts) for row in connection.execute(query)]
        return list(dict.fromkeys(found))
