"""SQL of notifications that something has become of, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import DeliveryStatus, Severity
from akmatori_server.notifications.models import Outcome, State
from akmatori_server.notifications.tables import notification_attempts, notifications

# The severities of incidents, in Aotanami's words.
SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.INFO,
}
# Of what has no severity, such as the question whether something may be done.
USUAL_SEVERITY = Severity.MEDIUM


@attrs.frozen(kw_only=True)
class Wanted:
    """Which notifications are asked for; empty and None are no condition."""

    channels: frozenset[str] = frozenset()
    statuses: frozenset[DeliveryStatus] = frozenset()
    severities: frozenset[Severity] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


def page(
    connection: sa.Connection, wanted: Wanted, *, offset: int, limit: int
) -> tuple[Sequence[sa.Row[Any]], int]:
    """Return one page of rows, each with its `outcome` and its `told_severity`, and the number of all."""
    outcome, severity = _outcome(), _severity()
    table = notifications
    # What waits for its first attempt is neither sent nor failed.
    conditions: list[sa.ColumnElement[bool]] = [table.c.state != State.PENDING.value]
    if wanted.channels:
        conditions.append(table.c.channel.in_(sorted(wanted.channels)))
    if wanted.statuses:
        conditions.append(outcome.in_(sorted(wanted.statuses)))
    if wanted.severities:
        conditions.append(severity.in_(sorted(wanted.severities)))
    if wanted.since is not None:
        conditions.append(table.c.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.c.created_at < wanted.until)
    query = (
        sa.select(table, outcome.label("outcome"), severity.label("told_severity"))
        .where(*conditions)
        .order_by(table.c.created_at.desc(), table.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    count = sa.select(sa.func.count()).select_from(table).where(*conditions)
    return connection.execute(query).all(), connection.execute(count).scalar_one()


def _outcome() -> sa.ColumnElement[str]:
    newest = (
        sa.select(notification_attempts.c.outcome)
        .where(notification_attempts.c.notification_id == notifications.c.id)
        .order_by(notification_attempts.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    state = notifications.c.state
    return sa.case(
        (state == State.SENT.value, DeliveryStatus.SENT.value),
        # Nobody had been told what it takes back, or a newer one says it.
        (state == State.SKIPPED.value, DeliveryStatus.FILTERED.value),
        (
            sa.and_(state == State.FAILED.value, newest == Outcome.RATE_LIMITED.value),
            DeliveryStatus.RATE_LIMITED.value,
        ),
        else_=DeliveryStatus.FAILED.value,
    )


def _severity() -> sa.ColumnElement[str]:
    words = [(notifications.c.severity == ours, theirs.value) for ours, theirs in SEVERITIES.items()]
    return sa.case(*words, else_=USUAL_SEVERITY.value)
