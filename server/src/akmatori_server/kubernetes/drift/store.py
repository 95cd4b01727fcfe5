"""SQL of drift: the newest comparison of a target."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import DriftSource, DriftSourceType, DriftType, Severity
from akmatori_server.incidents.storable import storable_text
from akmatori_server.kubernetes.drift.model import Comparison, Drift
from akmatori_server.kubernetes.drift.tables import k8s_drift_checks, k8s_drifts
from akmatori_server.kubernetes.scans.model import rank

# More differences say only that something else is compared than was meant.
MOST_DRIFTS = 20_000
FINGERPRINT_LENGTH = 32


@attrs.frozen(kw_only=True)
class Checked:
    """When a target was compared, and what with."""

    checked_at: datetime
    source: DriftSource
    managed: Mapping[str, int]
    unmanaged: Mapping[str, int]
    namespaces: Sequence[str]
    problems: Mapping[str, Sequence[str]]
    """What could not be read or compared, in sentences, by namespace."""


@attrs.frozen(kw_only=True)
class Wanted:
    """Which differences of a namespace are asked for; empty means any."""

    types: frozenset[DriftType] = frozenset()
    severities: frozenset[Severity] = frozenset()
    kinds: frozenset[str] = frozenset()


def fingerprint(drift: Drift) -> str:
    """Return what a difference is known by from one comparison to the next."""
    identity = drift.identity
    parts = (identity.group, identity.kind, identity.namespace, identity.name, drift.type.value, drift.field)
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:FINGERPRINT_LENGTH]


def replace(connection: sa.Connection, target: str, comparison: Comparison, checked: Checked) -> None:
    """Store a comparison in place of the one before; a difference that was there keeps its beginning."""
    first_seen: dict[str, datetime] = {
        row.fingerprint: row.detected_at
        for row in connection.execute(
            sa.select(k8s_drifts.c.fingerprint, k8s_drifts.c.detected_at).where(k8s_drifts.c.target == target)
        )
    }
    connection.execute(sa.delete(k8s_drifts).where(k8s_drifts.c.target == target))
    connection.execute(sa.delete(k8s_drift_checks).where(k8s_drift_checks.c.target == target))
    rows = {row["fingerprint"]: row for drift in comparison.drifts for row in [_row(target, drift)]}
    for row in rows.values():
        row["detected_at"] = first_seen.get(row["fingerprint"], checked.checked_at)
    worst = sorted(rows.values(), key=lambda row: row["rank"])[:MOST_DRIFTS]
    if worst:
        connection.execute(sa.insert(k8s_drifts), worst)
    connection.execute(
        sa.insert(k8s_drift_checks).values(
            target=target,
            checked_at=checked.checked_at,
            source={
                name: value
                for name, value in (
                    ("type", checked.source.type.value),
                    ("path", checked.source.path or ""),
                    ("url", checked.source.url or ""),
                    ("revision", checked.source.revision or ""),
                )
                if value
            },
            managed=dict(checked.managed),
            unmanaged=dict(checked.unmanaged),
            namespaces=list(checked.namespaces),
            problems={namespace: list(found) for namespace, found in checked.problems.items()},
        )
    )


def newest(connection: sa.Connection, target: str) -> Checked | None:
    """Return when a target was compared last; None when it never was."""
    row = connection.execute(
        sa.select(k8s_drift_checks).where(k8s_drift_checks.c.target == target)
    ).one_or_none()
    if row is None:
        return None
    source = DriftSource(type=DriftSourceType(row.source["type"]))
    for name in ("path", "url", "revision"):
        if row.source.get(name):
            setattr(source, name, row.source[name])
    return Checked(
        checked_at=row.checked_at,
        source=source,
        managed=row.managed,
        unmanaged=row.unmanaged,
        namespaces=row.namespaces,
        problems=row.problems,
    )


def counts(connection: sa.Connection, target: str) -> list[tuple[str, DriftType, Severity, int]]:
    """Count the differences by namespace, type and severity."""
    query = (
        sa.select(k8s_drifts.c.namespace, k8s_drifts.c.type, k8s_drifts.c.severity, sa.func.count())
        .where(k8s_drifts.c.target == target)
        .group_by(k8s_drifts.c.namespace, k8s_drifts.c.type, k8s_drifts.c.severity)
    )
    return [
        (namespace, DriftType(kind), Severity(severity), number)
        for namespace, kind, severity, number in connection.execute(query)
    ]


def page(
    connection: sa.Connection, target: str, namespace: str, wanted: Wanted, *, offset: int, limit: int
) -> tuple[list[sa.Row[Any]], int]:
    """Return a part of the differences of a namespace, the worst first, and how many there are."""
    conditions = [k8s_drifts.c.target == target, k8s_drifts.c.namespace == namespace]
    if wanted.types:
        conditions.append(k8s_drifts.c.type.in_([one.value for one in wanted.types]))
    if wanted.severities:
        conditions.append(k8s_drifts.c.severity.in_([one.value for one in wanted.severities]))
    if wanted.kinds:
        conditions.append(k8s_drifts.c.kind.in_(list(wanted.kinds)))
    total = connection.execute(
        sa.select(sa.func.count()).select_from(k8s_drifts).where(*conditions)
    ).scalar_one()
    if offset >= total:
        return [], total
    query = sa.select(k8s_drifts).where(*conditions).order_by(k8s_drifts.c.rank, k8s_drifts.c.id)
    return list(connection.execute(query.offset(offset).limit(limit))), total


def _row(target: str, drift: Drift) -> dict[str, Any]:
    return {
        "target": target,
        "fingerprint": fingerprint(drift),
        "namespace": drift.identity.namespace[:253],
        "type": drift.type.value,
        "severity": drift.severity.value,
        "rank": rank(drift.severity),
        "api_version": drift.api_version[:330],
        "kind": storable_text(drift.identity.kind, 63),
        "name": storable_text(drift.identity.name, 253),
        "field": storable_text(drift.field, 1000),
        "operation": None if drift.operation is None else drift.operation.value,
        "desired_value": None if drift.desired_value is None else storable_text(drift.desired_value),
        "live_value": None if drift.live_value is None else storable_text(drift.live_value),
        "message": storable_text(drift.message, 2000),
        "manager": storable_text(drift.manager, 300),
        "source_file": storable_text(drift.source_file, 1000),
        "source_line": drift.source_line,
        "is_redacted": drift.is_redacted,
    }
