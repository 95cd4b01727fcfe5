"""SQL of usage and of daily costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.kubernetes.costs.histogram import Histogram
from akmatori_server.kubernetes.costs.model import Usage
from akmatori_server.kubernetes.costs.tables import k8s_cost_days, k8s_usage_days

KEEP = timedelta(days=91)
SECONDS_BETWEEN_SAMPLES = 60

ContainerKey: TypeAlias = tuple[str, str, str, str]
"""Namespace, kind and name of a workload, and the name of its container."""


@attrs.frozen(kw_only=True)
class Round:
    """What one container used at one moment, in each of its pods: cores, and bytes."""

    cpu: tuple[float, ...]
    memory: tuple[float, ...]


def add_round(
    connection: sa.Connection, target: str, rounds: Mapping[ContainerKey, Round], now: datetime
) -> None:
    """Add one reading of a cluster to the day's rows."""
    day = _day(now)
    query = sa.select(k8s_usage_days).where(k8s_usage_days.c.target == target, k8s_usage_days.c.day == day)
    known = {(row.namespace, row.kind, row.name, row.container): row for row in connection.execute(query)}
    changed: list[dict[str, object]] = []
    added: list[dict[str, object]] = []
    for key, one in rounds.items():
        cpu, memory = Histogram.of(one.cpu), Histogram.of(one.memory)
        row = known.get(key)
        if row is None:
            namespace, kind, name, container = key
            added.append(
                {
                    "target": target, "day": day, "namespace": namespace, "kind": kind, "name": name,
                    "container": container, "cpu": cpu.as_stored(), "memory": memory.as_stored(), "rounds": 1,
                    "first_at": now, "last_at": now,
                }
            )  # fmt: skip
            continue
        changed.append(
            {
                "row_id": row.id,
                "new_cpu": (Histogram.from_stored(row.cpu) + cpu).as_stored(),
                "new_memory": (Histogram.from_stored(row.memory) + memory).as_stored(),
                "new_rounds": row.rounds + 1,
                "new_last": now,
            }
        )
    if added:
        connection.execute(sa.insert(k8s_usage_days), added)
    if changed:
        table = k8s_usage_days
        update = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("row_id"))
            .values(
                cpu=sa.bindparam("new_cpu", type_=table.c.cpu.type),
                memory=sa.bindparam("new_memory", type_=table.c.memory.type),
                rounds=sa.bindparam("new_rounds"),
                last_at=sa.bindparam("new_last", type_=table.c.last_at.type),
            )
        )
        connection.execute(update, changed)


def forget(connection: sa.Connection, now: datetime) -> None:
    """Delete what is older than any answer goes back."""
    connection.execute(sa.delete(k8s_usage_days).where(k8s_usage_days.c.day < _day(now - KEEP)))
    connection.execute(sa.delete(k8s_cost_days).where(k8s_cost_days.c.day < _day(now - KEEP)))


def usage(connection: sa.Connection, target: str, since: datetime) -> dict[ContainerKey, Usage]:
    """Return what containers used, from the day of a moment on."""
    query = (
        sa.select(k8s_usage_days)
        .where(k8s_usage_days.c.target == target, k8s_usage_days.c.day >= _day(since))
        .order_by(k8s_usage_days.c.day)
    )
    return {key: _usage(rows) for key, rows in _grouped(connection.execute(query)).items()}


def put_cost(connection: sa.Connection, monthly_cost: float, now: datetime) -> None:
    """Store what everything costs today."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(k8s_cost_days).values(day=_day(now), monthly_cost=monthly_cost)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["day"], set_={"monthly_cost": statement.excluded.monthly_cost}
        )
    )


def cost_of(connection: sa.Connection, day: datetime) -> float | None:
    """Return what everything cost on a day, None when nobody reckoned then."""
    query = sa.select(k8s_cost_days.c.monthly_cost).where(k8s_cost_days.c.day == _day(day))
    return connection.execute(query).scalar_one_or_none()


def _grouped(
    rows: Iterable[sa.Row[tuple[object, ...]]],
) -> dict[ContainerKey, list[sa.Row[tuple[object, ...]]]]:
    found: dict[ContainerKey, list[sa.Row[tuple[object, ...]]]] = {}
    for row in rows:
        found.setdefault((row.namespace, row.kind, row.name, row.container), []).append(row)
    return found


def _usage(rows: list[sa.Row[tuple[object, ...]]]) -> Usage:
    cpu, memory = Histogram(), Histogram()
    for row in rows:
        cpu, memory = cpu + Histogram.from_stored(row.cpu), memory + Histogram.from_stored(row.memory)
    observed = (rows[-1].last_at - rows[0].first_at).total_seconds()
    rounds = sum(row.rounds for row in rows)
    # In rounds that nobody made there would have been as many pods as in those that were made.
    pods = cpu.count / rounds if rounds else 0.0
    return Usage(
        cpu=cpu,
        memory=memory,
        observed_seconds=observed,
        expected_samples=(observed / SECONDS_BETWEEN_SAMPLES + 1) * pods,
    )


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
