"""SQL of incidents: what is known of a cluster, read and written as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_sdk._generated.aotanami.models import IncidentChangeKind, IncidentStatus
from akmatori_server.kubernetes.incidents.correlation import State, shown
from akmatori_server.kubernetes.incidents.marks import load_marks
from akmatori_server.kubernetes.incidents.model import Case, Change, Event, Fold, Key
from akmatori_server.kubernetes.incidents.rows import case_of, case_values, event_of, event_values
from akmatori_server.kubernetes.incidents.tables import (
    k8s_incident_changes,
    k8s_incident_clusters,
    k8s_incident_events,
    k8s_incidents,
)

EVENTS_KEEP = timedelta(days=30)

_RESOLVED = IncidentStatus.RESOLVED.value


@attrs.frozen(kw_only=True)
class Cluster:
    """What is remembered of the readings of a cluster."""

    read_at: datetime | None = None
    pods_since: datetime | None = None
    generations: Mapping[str, str] = attrs.field(factory=dict[str, str])
    hours: tuple[int, ...] = ()


@attrs.frozen(kw_only=True)
class Stored:
    """A state as it was read, with the rows it is in."""

    state: State
    rows: Mapping[tuple[Key, Fold], int]
    seen: Mapping[str, datetime]
    """When each mark was written."""


def lock_cluster(connection: sa.Connection, target: str, now: datetime) -> Cluster:
    """Return what is remembered of a cluster; nobody else changes it, or its incidents, until the transaction ends."""
    table = k8s_incident_clusters
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    # A row that is there from the first reading on, so that there is something to lock.
    began = now - timedelta(days=36_500)
    connection.execute(
        insert(table)
        .values(target=target, read_at=began, generations={}, hours=[])
        .on_conflict_do_nothing(index_elements=["target"])
    )
    row = connection.execute(sa.select(table).where(table.c.target == target).with_for_update()).one()
    is_new = not row.hours
    return Cluster(
        read_at=None if is_new else row.read_at,
        pods_since=row.pods_since,
        generations=row.generations,
        hours=tuple(row.hours),
    )


def put_cluster(connection: sa.Connection, target: str, cluster: Cluster) -> None:
    """Store what is remembered of a cluster."""
    connection.execute(
        sa.update(k8s_incident_clusters)
        .where(k8s_incident_clusters.c.target == target)
        .values(
            read_at=cluster.read_at,
            pods_since=cluster.pods_since,
            generations=dict(cluster.generations),
            hours=list(cluster.hours),
        )
    )


def load(connection: sa.Connection, target: str) -> Stored:
    """Return the incidents of a cluster that are not over, what is part of none, and the marks."""
    cases = {
        row.id: case_of(row)
        for row in connection.execute(
            sa.select(k8s_incidents).where(
                k8s_incidents.c.target == target, k8s_incidents.c.status != _RESOLVED
            )
        )
    }
    table = k8s_incident_events
    query = sa.select(table).where(
        table.c.target == target, table.c.incident_id.is_(None) | table.c.incident_id.in_(_active(target))
    )
    events: defaultdict[int | None, dict[Key, dict[Fold, Event]]] = defaultdict(dict)
    rows: dict[tuple[Key, Fold], int] = {}
    for row in connection.execute(query):
        key, event = Key(row.namespace, row.kind, row.name), event_of(row)
        events[row.incident_id].setdefault(key, {})[event.fold] = event
        rows[key, event.fold] = row.id
    marks, seen = load_marks(connection, target)
    state = State(
        cases={
            case.key: attrs.evolve(case, events=events[number].get(case.key, {}))
            for number, case in cases.items()
        },
        memory=events[None],
        marks=marks,
    )
    return Stored(state=state, rows=rows, seen=seen)


def save(
    connection: sa.Connection, target: str, before: Stored, after: State, resolved: Iterable[Case]
) -> list[Case]:
    """Store what has changed.

    Returns:
        The incidents that are new, have changed, or are over, with their numbers and what has happened to them.
    """
    changed: list[Case] = []
    wanted: dict[tuple[Key, Fold], tuple[int | None, Event]] = {}
    for case in (*resolved, *after.cases.values()):
        known = before.state.cases.get(case.key)
        number = case.number
        if known is None or shown(case) != shown(known):
            stored = _put_case(connection, target, case)
            changed.append(attrs.evolve(stored, news=case.news))
            number = stored.number
        for fold, event in case.events.items():
            wanted[case.key, fold] = (number, event)
    for key, events in after.memory.items():
        for fold, event in events.items():
            wanted[key, fold] = (None, event)
    _put_events(connection, target, before, wanted)
    return changed


def put_case(connection: sa.Connection, case: Case) -> Case:
    """Store an incident that is known already, with what has happened to it."""
    return _put_case(connection, "", case)


def forget(connection: sa.Connection, now: datetime) -> None:
    """Delete the events of incidents that have long been over; the incidents and their history stay."""
    over = sa.select(k8s_incidents.c.id).where(k8s_incidents.c.resolved_at < now - EVENTS_KEEP)
    connection.execute(sa.delete(k8s_incident_events).where(k8s_incident_events.c.incident_id.in_(over)))


def acknowledged_until(connection: sa.Connection, now: datetime) -> list[int]:
    """Return the incidents whose acknowledgement has expired."""
    query = sa.select(k8s_incidents.c.id).where(
        k8s_incidents.c.status == IncidentStatus.ACKNOWLEDGED.value,
        k8s_incidents.c.acknowledgement_expires_at <= now,
    )
    return list(connection.execute(query).scalars())


def get(connection: sa.Connection, number: int, *, to_change: bool = False) -> tuple[str, Case] | None:
    """Return an incident without its events, and its cluster; `to_change` keeps others from changing it."""
    query = sa.select(k8s_incidents).where(k8s_incidents.c.id == number)
    row = connection.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else (row.target, case_of(row))


def target_of(connection: sa.Connection, number: int) -> str | None:
    """Return the cluster of an incident."""
    return connection.execute(
        sa.select(k8s_incidents.c.target).where(k8s_incidents.c.id == number)
    ).scalar_one_or_none()


def events_of(connection: sa.Connection, number: int, limit: int) -> list[Event]:
    """Return the events of an incident, the newest first."""
    table = k8s_incident_events
    query = sa.select(table).where(table.c.incident_id == number).order_by(table.c.last_at.desc(), table.c.id)
    return [event_of(row) for row in connection.execute(query.limit(limit))]


def history_of(connection: sa.Connection, number: int, limit: int) -> list[Change]:
    """Return the newest changes of an incident, the oldest of them first."""
    table = k8s_incident_changes
    query = sa.select(table).where(table.c.incident_id == number).order_by(table.c.id.desc()).limit(limit)
    found = [
        Change(at=row.at, kind=IncidentChangeKind(row.kind), by=row.by, note=row.note)
        for row in connection.execute(query)
    ]
    return found[::-1]


def page(
    connection: sa.Connection, conditions: Iterable[sa.ColumnElement[bool]], *, offset: int, limit: int
) -> tuple[list[tuple[str, Case]], int]:
    """Return a part of the incidents, the worst first and then the newest change, and how many there are."""
    wanted = list(conditions)
    count = sa.select(sa.func.count()).select_from(k8s_incidents).where(*wanted)
    total = connection.execute(count).scalar_one()
    if offset >= total:
        return [], total
    query = (
        sa.select(k8s_incidents)
        .where(*wanted)
        .order_by(k8s_incidents.c.rank, k8s_incidents.c.updated_at.desc(), k8s_incidents.c.id.desc())
    )
    return [
        (row.target, case_of(row)) for row in connection.execute(query.offset(offset).limit(limit))
    ], total


def _active(target: str) -> sa.Select[tuple[int]]:
    return sa.select(k8s_incidents.c.id).where(
        k8s_incidents.c.target == target, k8s_incidents.c.status != _RESOLVED
    )


def _put_case(connection: sa.Connection, target: str, case: Case) -> Case:
    values = case_values(case)
    if case.number:
        case = attrs.evolve(case, version=case.version + 1)
        connection.execute(
            sa.update(k8s_incidents)
            .where(k8s_incidents.c.id == case.number)
            .values(**values, version=case.version)
        )
    else:
        key = case.key
        number = connection.execute(
            sa.insert(k8s_incidents)
            .values(
                **values,
                target=target,
                namespace=key.namespace,
                kind=key.kind,
                name=key.name,
                version=case.version,
                created_at=case.created_at,
            )
            .returning(k8s_incidents.c.id)
        ).scalar_one()
        case = attrs.evolve(case, number=number)
    if case.news:
        connection.execute(
            sa.insert(k8s_incident_changes),
            [
                {
                    "incident_id": case.number,
                    "at": one.at,
                    "kind": one.kind.value,
                    "by": one.by,
                    "note": one.note,
                }
                for one in case.news
            ],
        )
    return attrs.evolve(case, news=())


def _put_events(
    connection: sa.Connection,
    target: str,
    before: Stored,
    wanted: Mapping[tuple[Key, Fold], tuple[int | None, Event]],
) -> None:
    table = k8s_incident_events
    known = _owners(before.state)
    added: list[dict[str, Any]] = []
    updated: list[dict[str, Any]] = []
    for (key, fold), (number, event) in wanted.items():
        row_id = before.rows.get((key, fold))
        values = event_values(number, event)
        if row_id is None:
            names = {"namespace": key.namespace, "kind": key.kind, "name": key.name}
            added.append({"target": target, **names, **attrs.asdict(fold), **values})
        elif known[key, fold] != (number, event):
            updated.append({"row_id": row_id, **{f"new_{name}": value for name, value in values.items()}})
    if added:
        connection.execute(sa.insert(table), added)
    if updated:
        columns = {name.removeprefix("new_"): name for name in updated[0] if name != "row_id"}
        statement = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("row_id"))
            .values({name: sa.bindparam(bound, type_=table.c[name].type) for name, bound in columns.items()})
        )
        connection.execute(statement, updated)
    gone = [row_id for place, row_id in before.rows.items() if place not in wanted]
    for start in range(0, len(gone), 500):
        connection.execute(sa.delete(table).where(table.c.id.in_(gone[start : start + 500])))


def _owners(state: State) -> dict[tuple[Key, Fold], tuple[int | None, Event]]:
    known: dict[tuple[Key, Fold], tuple[int | None, Event]] = {}
    for case in state.cases.values():
        known.update({(case.key, fold): (case.number, event) for fold, event in case.events.items()})
    for key, events in state.memory.items():
        known.update({(key, fold): (None, event) for fold, event in events.items()})
    return known
