"""SQL of notifications. Every function works on the caller's connection, in the caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.incidents.storable import storable_object, storable_text
from akmatori_server.notifications.models import (
    EVERYTHING,
    UNFINISHED,
    Attempt,
    NewNotification,
    Notification,
    NotificationKind,
    Outcome,
    State,
    Wanted,
)
from akmatori_server.notifications.tables import notification_attempts, notifications

LONGEST_TITLE = 500
LONGEST_RESOURCE = 253
LONGEST_NAMESPACE = 63
LONGEST_MESSAGE = 10_000
LONGEST_SENTENCE = 1_000
# A month may be longer than notifications are kept.
LONGEST_BUDGET = timedelta(days=2)
# Of each notification this many attempts are read, the newest.
MOST_ATTEMPTS_READ = 50

_UNFINISHED = sorted(state.value for state in UNFINISHED)
_COLUMNS = tuple(
    column for column in notifications.c if str(column.name) not in {"claimed_by", "claimed_until"}
)


def add(connection: sa.Connection, new: Sequence[NewNotification]) -> int:
    """Store notifications, but for those whose dedup key is there already; return how many are new."""
    rows = [
        {
            "uuid": str(uuid.uuid4()),
            "incident_id": one.incident_id,
            "incident_uuid": one.incident_uuid,
            "lane": one.lane,
            "kind": one.kind.value,
            "channel": one.channel,
            "channel_type": one.channel_type,
            "dedup_key": one.dedup_key,
            "state": State.PENDING.value,
            "title": storable_text(one.title, LONGEST_TITLE),
            "source": one.source,
            "severity": one.severity,
            "resource_kind": one.resource_kind,
            "resource_name": storable_text(one.resource_name, LONGEST_RESOURCE),
            "namespace": storable_text(one.namespace, LONGEST_NAMESPACE),
            "aggregated_count": one.aggregated_count,
            "metadata": storable_object(dict(one.metadata)),
            "next_try_at": one.not_before,
            "created_at": one.created_at,
        }
        for one in new
    ]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(notifications).on_conflict_do_nothing(index_elements=["dedup_key"])
    return len(connection.execute(insert.returning(notifications.c.id), rows).all())


def claim(
    connection: sa.Connection, *, owner: str, now: datetime, until: datetime, paused: Collection[str]
) -> Notification | None:
    """Take the next notification that is due, and begin an attempt; None when there is none.

    Only the oldest unfinished one of a lane can be taken, so whoever has it has the lane.
    """
    older = notifications.alias("older")
    is_behind = sa.exists().where(
        older.c.lane == notifications.c.lane,
        older.c.id < notifications.c.id,
        older.c.state.in_(_UNFINISHED),
    )
    is_free = sa.or_(
        notifications.c.claimed_until.is_(None),
        notifications.c.claimed_until < now,
        notifications.c.claimed_by == owner,
    )
    query = (
        sa.select(notifications.c.id)
        .where(
            notifications.c.state.in_(_UNFINISHED),
            notifications.c.next_try_at <= now,
            is_free,
            ~is_behind,
        )
        .order_by(notifications.c.next_try_at, notifications.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if paused:
        query = query.where(notifications.c.channel.not_in(sorted(paused)))
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        return None
    row = connection.execute(
        sa.update(notifications)
        # Looked at once more: another one may have taken it, and given it back, meanwhile.
        .where(notifications.c.id == found, is_free, notifications.c.state.in_(_UNFINISHED))
        .values(claimed_by=owner, claimed_until=until, attempts=notifications.c.attempts + 1)
        .returning(*_COLUMNS)
    ).one_or_none()
    return None if row is None else _notification(row)


def begin_attempt(connection: sa.Connection, notification_id: int, *, now: datetime) -> tuple[int, bool]:
    """Note that an attempt begins; return its number, and whether an earlier one may have arrived unheard."""
    newest = connection.execute(
        sa.select(notification_attempts.c.id, notification_attempts.c.outcome)
        .where(notification_attempts.c.notification_id == notification_id)
        .order_by(notification_attempts.c.id.desc())
        .limit(1)
    ).one_or_none()
    is_doubtful = newest is not None and newest.outcome in {Outcome.STARTED.value, Outcome.UNKNOWN.value}
    if newest is not None and newest.outcome == Outcome.STARTED.value:
        connection.execute(
            sa.update(notification_attempts)
            .where(notification_attempts.c.id == newest.id)
            .values(outcome=Outcome.UNKNOWN.value, sentence="The server ended in the middle of it.")
        )
    insert = sa.insert(notification_attempts).values(
        notification_id=notification_id, at=now, outcome=Outcome.STARTED.value, sentence=""
    )
    number = connection.execute(insert.returning(notification_attempts.c.id)).scalar_one()
    return int(number), is_doubtful


def first_doubt(connection: sa.Connection, notification_id: int) -> datetime | None:
    """Return when the first attempt of unknown outcome was made."""
    query = sa.select(sa.func.min(notification_attempts.c.at)).where(
        notification_attempts.c.notification_id == notification_id,
        notification_attempts.c.outcome == Outcome.UNKNOWN.value,
    )
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def end_attempt(
    connection: sa.Connection,
    attempt_id: int,
    outcome: Outcome,
    sentence: str,
    *,
    duration_ms: int,
    http_status: int | None,
) -> None:
    """Note what came of an attempt."""
    connection.execute(
        sa.update(notification_attempts)
        .where(notification_attempts.c.id == attempt_id)
        .values(
            outcome=outcome.value,
            sentence=storable_text(sentence, LONGEST_SENTENCE),
            duration_ms=duration_ms,
            http_status=http_status,
        )
    )


def describe(
    connection: sa.Connection,
    notification_id: int,
    *,
    severity: str,
    resource_kind: str,
    resource_name: str,
    namespace: str,
) -> None:
    """Note what a notification is about."""
    connection.execute(
        sa.update(notifications)
        .where(notifications.c.id == notification_id)
        .values(
            severity=severity,
            resource_kind=resource_kind,
            resource_name=storable_text(resource_name, LONGEST_RESOURCE),
            namespace=storable_text(namespace, LONGEST_NAMESPACE),
        )
    )


def set_sent_as(connection: sa.Connection, notification_id: int, external_id: str, message: str) -> None:
    """Note what the channel calls the message that was just posted."""
    values = {"external_id": external_id, "message": storable_text(message, LONGEST_MESSAGE)}
    connection.execute(sa.update(notifications).where(notifications.c.id == notification_id).values(**values))


def finish(
    connection: sa.Connection,
    notification: Notification,
    state: State,
    *,
    owner: str,
    error: str,
    http_status: int | None,
    next_try_at: datetime,
    sent_at: datetime | None,
    message: str | None = None,
) -> bool:
    """Give a notification back with what became of it; False when somebody else has it by now."""
    values: dict[str, Any] = {
        "state": state.value,
        "error": storable_text(error, LONGEST_SENTENCE),
        "http_status": http_status,
        "next_try_at": next_try_at,
        "sent_at": sent_at,
        "claimed_by": None,
        "claimed_until": None,
    }
    if message is not None:
        values["message"] = storable_text(message, LONGEST_MESSAGE)
    changed = connection.execute(
        sa.update(notifications)
        .where(notifications.c.id == notification.id, notifications.c.claimed_by == owner)
        .values(**values)
    )
    return changed.rowcount == 1


def merge_into_newer(connection: sa.Connection, notification: Notification) -> bool:
    """Let the newest waiting notification of the lane about its state stand for this one, too, if there is one."""
    newer = connection.execute(
        sa.select(sa.func.max(notifications.c.id)).where(
            notifications.c.lane == notification.lane,
            notifications.c.id > notification.id,
            notifications.c.state.in_(_UNFINISHED),
            notifications.c.kind.in_([kind.value for kind in NotificationKind if kind.is_state]),
        )
    ).scalar_one()
    if newer is None:
        return False
    count = notifications.c.aggregated_count + notification.aggregated_count
    connection.execute(
        sa.update(notifications).where(notifications.c.id == newer).values(aggregated_count=count)
    )
    return True


def last_state_told(connection: sa.Connection, notification: Notification) -> Notification | None:
    """Return the last one about the state that was sent in the same lane."""
    query = (
        sa.select(*_COLUMNS)
        .where(
            notifications.c.lane == notification.lane,
            notifications.c.id < notification.id,
            notifications.c.state == State.SENT.value,
            notifications.c.kind.in_([kind.value for kind in NotificationKind if kind.is_state]),
        )
        .order_by(notifications.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _notification(row)


def due_at_all(connection: sa.Connection, *, now: datetime, before: datetime) -> bool:
    """Whether something waits that should have been sent before a moment, and nobody is at it."""
    query = sa.select(notifications.c.id).where(
        notifications.c.state.in_(_UNFINISHED),
        notifications.c.next_try_at < before,
        sa.or_(notifications.c.claimed_until.is_(None), notifications.c.claimed_until < now),
    )
    return connection.execute(query.limit(1)).first() is not None


def hurry(connection: sa.Connection, channels: Collection[str], *, now: datetime) -> int:
    """Have what waits for another attempt tried at once; return how many."""
    return connection.execute(
        sa.update(notifications)
        .where(notifications.c.state == State.FAILED.value, notifications.c.channel.in_(sorted(channels)))
        .values(next_try_at=now)
    ).rowcount


def page(
    connection: sa.Connection, wanted: Wanted = EVERYTHING, *, offset: int = 0, limit: int | None = None
) -> list[Notification]:
    """Return notifications, the newest first."""
    query = _matching(sa.select(*_COLUMNS), wanted).order_by(notifications.c.id.desc())
    return [_notification(row) for row in connection.execute(query.offset(offset).limit(limit))]


def count(connection: sa.Connection, wanted: Wanted = EVERYTHING) -> int:
    """Count notifications."""
    query = _matching(sa.select(sa.func.count()).select_from(notifications), wanted)
    total: int = connection.execute(query).scalar_one()
    return total


def attempts_of(connection: sa.Connection, ids: Sequence[int]) -> Mapping[int, list[Attempt]]:
    """Return the attempts of notifications, the oldest first."""
    number = (
        sa.func.row_number()
        .over(
            partition_by=notification_attempts.c.notification_id,
            order_by=notification_attempts.c.id.desc(),
        )
        .label("number")
    )
    newest = sa.select(notification_attempts, number).where(notification_attempts.c.notification_id.in_(ids))
    ranked = newest.subquery()
    query = sa.select(ranked).where(ranked.c.number <= MOST_ATTEMPTS_READ).order_by(ranked.c.id)
    found: dict[int, list[Attempt]] = {}
    for row in connection.execute(query):
        found.setdefault(row.notification_id, []).append(
            Attempt(
                at=row.at,
                outcome=Outcome(row.outcome),
                sentence=row.sentence,
                duration_ms=row.duration_ms,
                http_status=row.http_status,
            )
        )
    return found


def delete_before(connection: sa.Connection, moment: datetime, *, limit: int) -> int:
    """Delete notifications made before a moment, with their attempts; return how many."""
    old = sa.select(notifications.c.id).where(_is_older(moment)).limit(limit)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(
            sa.delete(notification_attempts).where(notification_attempts.c.notification_id.in_(ids))
        )
        connection.execute(sa.delete(notifications).where(notifications.c.id.in_(ids)))
    return len(ids)


def _is_older(moment: datetime) -> sa.ColumnElement[bool]:
    made = notifications.c.created_at
    # That a budget was told of is remembered for as long as its longest window.
    is_budget = notifications.c.kind == NotificationKind.TOKEN_BUDGET.value
    return sa.and_(made < moment, sa.or_(~is_budget, made < moment - LONGEST_BUDGET))


def _matching(query: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    for column, value in (
        (notifications.c.state, wanted.state),
        (notifications.c.incident_uuid, wanted.incident_uuid),
        (notifications.c.channel, wanted.channel),
        (notifications.c.kind, wanted.kind),
    ):
        if value is not None:
            query = query.where(column == str(value))
    return query


def _notification(row: sa.Row[Any]) -> Notification:
    values = dict(zip((str(column.name) for column in _COLUMNS), row, strict=True))
    values["kind"] = NotificationKind(values["kind"])
    values["state"] = State(values["state"])
    return Notification(**values)
