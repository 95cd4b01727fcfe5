"""SQL of the notification settings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.crypto import SecretBox
from akmatori_server.notifications.models import EVERY_KIND, SLACK, LeastSeverity, NotificationKind
from akmatori_server.notifications.settings import NotificationSettings, Target, target_place
from akmatori_server.notifications.tables import notification_settings, notification_targets
from akmatori_server.secrets.secret import Secret
from akmatori_server.settings.tables import ONLY_ROW

_SEVERITIES = {severity.value for severity in LeastSeverity}
_KNOWN = {kind.value for kind in NotificationKind}


def seed(connection: sa.Connection, *, now: datetime) -> None:
    """Write what is set before anybody has changed it; two servers may do it at once."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(notification_settings).values(
        id=ONLY_ROW, slack_kinds=names_of(EVERY_KIND), created_at=now, updated_at=now
    )
    connection.execute(insert.on_conflict_do_nothing())


def read(connection: sa.Connection, box: SecretBox, *, lock: bool = False) -> NotificationSettings:
    """Read the settings."""
    query = sa.select(notification_settings).where(notification_settings.c.id == ONLY_ROW)
    row = connection.execute(query.with_for_update() if lock else query).one()
    targets = sa.select(notification_targets).order_by(notification_targets.c.position)
    return NotificationSettings(
        id=row.id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        slack_kinds=_kinds(row.slack_kinds),
        slack_min_severity=_severity(row.slack_min_severity),
        targets=tuple(_target(found, box) for found in connection.execute(targets)),
    )


def write(connection: sa.Connection, settings: NotificationSettings) -> None:
    """Store the settings."""
    connection.execute(
        sa.update(notification_settings)
        .where(notification_settings.c.id == settings.id)
        .values(
            slack_kinds=names_of(settings.slack_kinds),
            slack_min_severity=settings.slack_min_severity.value,
            version=settings.version,
            updated_at=settings.updated_at,
        )
    )
    connection.execute(sa.delete(notification_targets))
    rows = [
        {
            "uuid": target.uuid,
            "name": target.name,
            "url": target.url.token,
            "shown_url": target.shown_url,
            "scheme": target.scheme,
            "enabled": target.enabled,
            "kinds": names_of(target.kinds),
            "min_severity": target.min_severity.value,
            "position": position,
        }
        for position, target in enumerate(settings.targets)
    ]
    if rows:
        connection.execute(sa.insert(notification_targets), rows)


def least_severity(connection: sa.Connection, channel: str) -> LeastSeverity:
    """Return from which severity on a channel is told; one that is gone, of everything."""
    query = sa.select(notification_settings.c.slack_min_severity)
    if channel != SLACK:
        targets = notification_targets.c
        query = sa.select(targets.min_severity).where(targets.name == channel)
    found = connection.execute(query).scalar_one_or_none()
    return LeastSeverity.INFO if found is None else _severity(found)


def names_of(kinds: Iterable[NotificationKind]) -> list[str]:
    """Return the kinds by name, in the order in which they are declared."""
    wanted = set(kinds)
    return [kind.value for kind in NotificationKind if kind in wanted]


def _kinds(names: Iterable[str]) -> frozenset[NotificationKind]:
    # A newer server may have written names that this one does not know.
    return frozenset(NotificationKind(name) for name in names if name in _KNOWN)


def _severity(name: str) -> LeastSeverity:
    # Likewise: rather too much is told than too little.
    return LeastSeverity(name) if name in _SEVERITIES else LeastSeverity.INFO


def _target(row: Any, box: SecretBox) -> Target:
    return Target(
        uuid=row.uuid,
        name=row.name,
        url=Secret(row.url, target_place(row.uuid), box),
        shown_url=row.shown_url,
        scheme=row.scheme,
        enabled=row.enabled,
        kinds=_kinds(row.kinds),
        min_severity=_severity(row.min_severity),
    )
