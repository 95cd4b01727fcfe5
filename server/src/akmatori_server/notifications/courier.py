"""Sending what waits: one notification after the other, each attempt written down before and after."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa
import structlog

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.incidents.models import Incident
from akmatori_server.notifications import settings_store, store
from akmatori_server.notifications.announcer import TASK, Tasks
from akmatori_server.notifications.cluster_incidents import ClusterNews
from akmatori_server.notifications.delivery import Delivery, Ticket
from akmatori_server.notifications.failures import NothingToSendError, SendError, UnknownOutcomeError
from akmatori_server.notifications.messages import severity_of
from akmatori_server.notifications.models import (
    LeastSeverity,
    Notification,
    NotificationKind,
    Outcome,
    State,
)

_log = structlog.stdlib.get_logger("akmatori_server.notifications")

# Longer than any attempt takes: what is claimed for longer is of a process that died.
LEASE = timedelta(minutes=3)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)
# What could not be told for a day is no news.
GIVE_UP_AFTER = timedelta(hours=24)
SENDERS = 4
# What is overdue by this was forgotten by its task; the clock sees to it.
OVERDUE = timedelta(minutes=2)
# What a notification is about, as far as the alert says: the first of these.
_RESOURCES = (("Service", "target_service"), ("Host", "target_host"))
# Of an incident that was told of before; who has acknowledged it meanwhile need not be told again.
_REPEATS = {NotificationKind.KUBERNETES_INCIDENT_WORSENED, NotificationKind.KUBERNETES_INCIDENT_REOPENED}
NAME = "notifications-overdue"
EVERY_MINUTE = "* * * * *"


@attrs.frozen(kw_only=True)
class _Result:
    state: State
    outcome: Outcome
    sentence: str = ""
    message: str | None = None
    http_status: int | None = None
    # How long until the next attempt; None when there is none.
    wait: timedelta | None = None


class Courier:
    """Works on the queue's tasks; any number of them, in any number of processes, share what waits."""

    def __init__(
        self, database: Database, delivery: Delivery, tasks: Tasks, *, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._delivery = delivery
        self._tasks = tasks
        self._now = now
        self._lock = threading.Lock()
        # Channels that asked to be left alone, and until when.
        self._paused: dict[str, datetime] = {}
        self._is_closing = False
        # Of its own: what waits for Slack must not take the threads that others need.
        self._threads = ThreadPoolExecutor(SENDERS, thread_name_prefix="notify")

    async def run(self, key: str) -> None:
        """Send everything that is due. The handler of the queue's task."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self.drain, key)

    def drain(self, owner: str) -> None:
        """Send everything that is due, here and now; `owner` tells a task that is done again its own claims."""
        owner = owner[:64]
        while not self._is_closing and self._step(owner):
            pass

    def submit_overdue(self) -> None:
        """Queue a task when something waits that nobody is at. Called by the clock."""
        now = self._now()
        with self._database.write() as connection:
            if store.due_at_all(connection, now=now, before=now - OVERDUE):
                self._tasks.submit(connection, TASK, str(uuid.uuid4()))

    def hurry(self, connection: sa.Connection, channel: str) -> None:
        """Have what failed tried again at once: the settings were changed."""
        with self._lock:
            self._paused.pop(channel, None)
        if store.hurry(connection, [channel], now=self._now()):
            self._tasks.submit(connection, TASK, str(uuid.uuid4()))

    def close(self) -> None:
        """Begin no further attempt, and wait for those that are under way."""
        self._is_closing = True
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _step(self, owner: str) -> bool:
        ticket = self._begin(owner)
        if ticket is None:
            return False
        began = time.monotonic()
        result = self._tried(ticket)
        self._end(owner, ticket, result, duration_ms=int((time.monotonic() - began) * 1000))
        return True

    def _begin(self, owner: str) -> Ticket | None:
        now = self._now()
        with self._database.write() as connection:
            found = store.claim(connection, owner=owner, now=now, until=now + LEASE, paused=self._pauses(now))
            if found is None:
                return None
            attempt_id, is_doubtful = store.begin_attempt(connection, found.id, now=now)
            doubt = store.first_doubt(connection, found.id) if is_doubtful or found.attempts > 1 else None
            incident = self._delivery.incident(connection, found)
            news = self._delivery.news(connection, found)
            severity = found.severity or severity_of(incident)
            if found.attempts == 1 and not found.severity:
                _describe(connection, found, incident)
            is_merged = found.kind.is_state and store.merge_into_newer(connection, found)
            last = store.last_state_told(connection, found) if found.kind.is_state else None
            least = settings_store.least_severity(connection, found.channel)
        return Ticket(
            notification=found,
            attempt_id=attempt_id,
            doubt=doubt,
            incident=incident,
            news=news,
            needless=_too_mild(found, severity, least)
            or _needless(found, is_merged=is_merged, last=last)
            or _silenced(found, news),
        )

    def _tried(self, ticket: Ticket) -> _Result:
        if ticket.needless:
            return _Result(state=State.SKIPPED, outcome=Outcome.SKIPPED, sentence=ticket.needless)
        try:
            message = self._delivery.deliver(ticket)
        except NothingToSendError as nothing:
            return _Result(state=State.SKIPPED, outcome=Outcome.SKIPPED, sentence=nothing.sentence)
        except SendError as error:
            return self._failed(ticket.notification, error)
        except SecretUnreadableError:
            name = ticket.notification.channel
            sentence = (
                f"The secret of the channel {name} cannot be read with this server's key; enter it again."
            )
            return _Result(state=State.GIVEN_UP, outcome=Outcome.REFUSED, sentence=sentence)
        except Exception as error:  # noqa: BLE001  one message that breaks something must not stop the others
            _log.exception("notification_failed", notification=ticket.notification.uuid)
            sentence = f"The server had an error of its own ({type(error).__name__}); its log has more."
            return self._failed(ticket.notification, SendError(sentence))
        return _Result(state=State.SENT, outcome=Outcome.SENT, message=message)

    def _failed(self, notification: Notification, error: SendError) -> _Result:
        now = self._now()
        if error.retry_after is not None:
            wait = timedelta(seconds=error.retry_after)
            with self._lock:
                self._paused[notification.channel] = now + wait
            outcome = Outcome.RATE_LIMITED
        else:
            # The exponent has an end: a message may be tried for a day.
            wait = min(FIRST_WAIT * 2 ** min(notification.attempts - 1, 20), LONGEST_WAIT)
            outcome = Outcome.UNKNOWN if isinstance(error, UnknownOutcomeError) else Outcome.FAILED
        if error.is_final or now + wait > notification.created_at + GIVE_UP_AFTER:
            outcome = Outcome.REFUSED if error.is_final else outcome
            return _Result(
                state=State.GIVEN_UP, outcome=outcome, sentence=error.sentence, http_status=error.http_status
            )
        return _Result(
            state=State.FAILED,
            outcome=outcome,
            sentence=error.sentence,
            http_status=error.http_status,
            wait=wait,
        )

    def _end(self, owner: str, ticket: Ticket, result: _Result, *, duration_ms: int) -> None:
        now, notification = self._now(), ticket.notification
        with self._database.write() as connection:
            store.end_attempt(
                connection,
                ticket.attempt_id,
                result.outcome,
                result.sentence,
                duration_ms=duration_ms,
                http_status=result.http_status,
            )
            store.finish(
                connection,
                notification,
                result.state,
                owner=owner,
                error=result.sentence,
                http_status=result.http_status,
                next_try_at=notification.next_try_at if result.wait is None else now + result.wait,
                sent_at=now if result.state is State.SENT else None,
                message=result.message,
            )
            if result.wait is not None:
                self._tasks.submit(
                    connection, TASK, str(uuid.uuid4()), delay_seconds=result.wait.total_seconds()
                )
        if result.state is State.GIVEN_UP:
            _log.warning(
                "notification_given_up",
                notification=notification.uuid,
                channel=notification.channel,
                reason=result.sentence,
            )

    def _pauses(self, now: datetime) -> frozenset[str]:
        with self._lock:
            self._paused = {channel: until for channel, until in self._paused.items() if until > now}
            return frozenset(self._paused)


def _describe(connection: sa.Connection, notification: Notification, incident: Incident | None) -> None:
    context = (incident.context if incident is not None else None) or {}
    named = ((kind, context.get(member)) for kind, member in _RESOURCES)
    kind, name = next((pair for pair in named if pair[1]), ("", ""))
    labels = context.get("target_labels")
    store.describe(
        connection,
        notification.id,
        severity=severity_of(incident),
        resource_kind=kind,
        resource_name=str(name),
        namespace=str(labels.get("namespace", "")) if isinstance(labels, dict) else "",
    )


def _too_mild(notification: Notification, severity: str, least: LeastSeverity) -> str:
    """Say that a channel is not told of what is not so bad; "" when it is. What waits for a person always is."""
    if notification.kind is NotificationKind.APPROVAL_NEEDED or least.is_reached(severity):
        return ""
    return f"The channel is told from the severity {least.value} on."


def _silenced(notification: Notification, news: ClusterNews) -> str:
    """Say why what was to be told of a cluster's incident again is not any more; "" when it must be."""
    incident = news.one
    if incident is None or notification.kind not in _REPEATS:
        return ""
    if incident.resolved_at is not None:
        return "A newer notification tells how it stands."
    return f"{incident.acknowledged_by} has acknowledged it since." if incident.acknowledged_by else ""


def _needless(notification: Notification, *, is_merged: bool, last: Notification | None) -> str:
    """Say why a notification about the state need not be sent; "" when it must."""
    if not notification.kind.is_state:
        return ""
    if is_merged:
        return "A newer notification tells how it stands."
    was_told = NotificationKind.INCIDENT_REOPENED if last is None else last.kind
    return "It was told already that it stands so." if was_told is notification.kind else ""
