"""SQL of clusters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_server.incidents.storable import storable_text
from akmatori_server.kubernetes.status.model import Component, Condition, ConditionType, Heartbeat, Nodes
from akmatori_server.kubernetes.status.tables import k8s_clusters

LONGEST_MESSAGE = 2000
LONGEST_ENDPOINT = 2000
LONGEST_WORD = 100
LONGEST_VERSION = 64


def heartbeats(connection: sa.Connection) -> dict[str, Heartbeat]:
    """Return what each cluster said last."""
    return {row.name: _heartbeat(row) for row in connection.execute(sa.select(k8s_clusters))}


def replace(connection: sa.Connection, beats: Sequence[Heartbeat], names: Collection[str]) -> None:
    """Store what clusters said, and forget those that are not among `names`."""
    asked = [beat.name for beat in beats]
    table = k8s_clusters
    connection.execute(
        sa.delete(table).where(sa.or_(table.c.name.in_(asked), table.c.name.not_in(sorted(names))))
    )
    if beats:
        connection.execute(sa.insert(table), [_row(beat) for beat in beats])


def _row(beat: Heartbeat) -> Mapping[str, object]:
    return {
        "name": beat.name,
        "endpoint": storable_text(beat.endpoint, LONGEST_ENDPOINT),
        "version": storable_text(beat.version, LONGEST_VERSION),
        "region": storable_text(beat.region, LONGEST_WORD),
        "provider": storable_text(beat.provider, LONGEST_WORD),
        "nodes": None if beat.nodes is None else beat.nodes.total,
        "nodes_ready": None if beat.nodes is None else beat.nodes.ready,
        "nodes_pressed": None if beat.nodes is None else beat.nodes.pressed,
        "pods": beat.pods,
        "conditions": [
            {
                "type": one.type.value,
                "status": one.status,
                "reason": storable_text(one.reason, LONGEST_WORD),
                "message": storable_text(one.message, LONGEST_MESSAGE),
                "since": one.since.isoformat(),
            }
            for one in beat.conditions
        ],
        "components": None
        if beat.components is None
        else [
            {"name": storable_text(one.name), "available": one.is_available, "message": one.message}
            for one in beat.components
        ],
        "heartbeat_at": beat.heartbeat_at,
        "asked_at": beat.asked_at,
        "error": storable_text(beat.error, LONGEST_MESSAGE),
    }


def _heartbeat(row: sa.Row[Any]) -> Heartbeat:
    return Heartbeat(
        name=row.name,
        endpoint=row.endpoint,
        version=row.version,
        region=row.region,
        provider=row.provider,
        nodes=None
        if row.nodes is None
        else Nodes(total=row.nodes, ready=row.nodes_ready, pressed=row.nodes_pressed),
        pods=row.pods,
        conditions=tuple(
            Condition(
                type=ConditionType(one["type"]),
                status=one["status"],
                reason=one["reason"],
                message=one["message"],
                since=datetime.fromisoformat(one["since"]),
            )
            for one in row.conditions
        ),
        components=None
        if row.components is None
        else tuple(
            Component(name=one["name"], is_available=one["available"], message=one["message"])
            for one in row.components
        ),
        heartbeat_at=row.heartbeat_at,
        asked_at=row.asked_at,
        error=row.error,
    )
