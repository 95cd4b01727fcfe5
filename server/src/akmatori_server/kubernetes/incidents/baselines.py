"""SQL of the baselines of rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.kubernetes.incidents.anomalies import Baseline, Rate, RateKey
from akmatori_server.kubernetes.incidents.model import Key
from akmatori_server.kubernetes.incidents.tables import k8s_incident_baselines as table

KEEP = timedelta(days=30)
_INDEX = ("target", "namespace", "kind", "name", "container", "rate")


def learn(connection: sa.Connection, target: str, keys: Iterable[RateKey], now: datetime) -> None:
    """Begin baselines that are not there yet, and note that all of these are still of use."""
    fresh: dict[str, object] = {"hours": dict[str, int](), "first_at": now, "seen_at": now}
    rows = [_names(target, key) | fresh for key in keys]
    if not rows:
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(_INDEX), set_={"seen_at": statement.excluded.seen_at}
        ),
        rows,
    )


def load(connection: sa.Connection, target: str, keys: Sequence[RateKey]) -> dict[RateKey, Baseline]:
    """Return these baselines."""
    names = sorted({key.key.name for key in keys})
    found: dict[RateKey, Baseline] = {}
    wanted = set(keys)
    for start in range(0, len(names), 500):
        query = sa.select(table).where(table.c.target == target, table.c.name.in_(names[start : start + 500]))
        for row in connection.execute(query):
            key = RateKey(Key(row.namespace, row.kind, row.name), row.container, Rate(row.rate))
            if key in wanted:
                hours = {int(hour): number for hour, number in row.hours.items()}
                found[key] = Baseline(row.first_at, hours)
    return found


def put(connection: sa.Connection, target: str, counted: Mapping[RateKey, Baseline]) -> None:
    """Store the counts of baselines."""
    for key, baseline in counted.items():
        names = _names(target, key)
        connection.execute(
            sa.update(table)
            .where(*(table.c[name] == value for name, value in names.items()))
            .values(hours={str(hour): number for hour, number in baseline.hours.items()})
        )


def forget(connection: sa.Connection, now: datetime) -> None:
    """Delete the baselines of what has been gone for long."""
    connection.execute(sa.delete(table).where(table.c.seen_at < now - KEEP))


def _names(target: str, key: RateKey) -> dict[str, object]:
    return {
        "target": target,
        "namespace": key.key.namespace,
        "kind": key.key.kind,
        "name": key.key.name,
        "container": key.container,
        "rate": key.rate.value,
    }
