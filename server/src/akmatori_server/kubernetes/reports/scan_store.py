"""SQL of scans: their creation, their run, their end, and what remains of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_sdk._generated.aotanami.codec import (
    decode_scanner_error,
    encode_compliance_result,
    encode_scan_summary,
    encode_scanner_error,
)
from akmatori_sdk._generated.aotanami.models import (
    Category,
    ComplianceResult,
    Framework,
    ScannerError,
    ScanPhase,
    ScanSummary,
    ScanTrigger,
)
from akmatori_server.kubernetes.reports.plan import Plan, StoredPlan
from akmatori_server.kubernetes.reports.tables import k8s_scan_scopes, k8s_scans

ACTIVE = (ScanPhase.PENDING.value, ScanPhase.RUNNING.value)
# All but what only a report shows, which may be large.
_COLUMNS = tuple(column for column in k8s_scans.c if str(column.name) != "compliance")
_NUMBERED = tuple(k8s_scans.c[name] for name in ("scope_id", "seq", "scan_id", "completed_at", "summary"))


@attrs.frozen(kw_only=True)
class NewScan:
    """A scan that is asked for."""

    scan_id: str
    plan: Plan
    frameworks: Sequence[Framework]
    trigger: ScanTrigger
    triggered_by: str
    name: str = ""
    schedule: str = ""
    created_at: datetime


@attrs.frozen(kw_only=True)
class Begun:
    """A scan that this process runs now, for as long as `attempt` is the newest beginning of it."""

    scan_id: str
    scope_id: int
    attempt: int
    plan: Plan
    frameworks: tuple[Framework, ...]


@attrs.frozen(kw_only=True)
class Ending:
    """How a scan ended; `seq` is None when it brings no findings."""

    phase: ScanPhase
    errors: Sequence[ScannerError]
    at: datetime
    warnings: Sequence[str] = ()
    seq: int | None = None
    summary: ScanSummary | None = None
    compliance: Sequence[ComplianceResult] = ()


class SupersededError(Exception):
    """The scan has been begun once more by another process, or has been given up."""


def create(connection: sa.Connection, new: NewScan) -> bool:
    """Store a scan that is to run; False when one of its scope waits or runs already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(k8s_scan_scopes)
        .values(key=new.plan.key, plan=new.plan.stored, newest_seq=0, used_at=new.created_at)
        .on_conflict_do_update(index_elements=["key"], set_={"used_at": new.created_at})
    )
    scope_id = connection.execute(
        sa.select(k8s_scan_scopes.c.id).where(k8s_scan_scopes.c.key == new.plan.key)
    ).scalar_one()
    added = connection.execute(
        dialect.insert(k8s_scans)
        .values(
            scan_id=new.scan_id,
            scope_id=scope_id,
            active_scope=scope_id,
            phase=ScanPhase.PENDING.value,
            trigger=new.trigger.value,
            triggered_by=new.triggered_by,
            name=new.name,
            schedule=new.schedule,
            scanners="," + "".join(f"{name}," for name in new.plan.stored["scanners"]),
            frameworks=[framework.value for framework in new.frameworks],
            plan=new.plan.stored,
            attempt=0,
            created_at=new.created_at,
            errors=[],
            warnings=[],
        )
        .on_conflict_do_nothing(index_elements=["active_scope"])
        .returning(k8s_scans.c.id)
    )
    return added.first() is not None


def active(connection: sa.Connection) -> int:
    """Count the scans that wait or run."""
    query = sa.select(sa.func.count()).select_from(k8s_scans).where(k8s_scans.c.active_scope.is_not(None))
    return connection.execute(query).scalar_one()


def active_scan(connection: sa.Connection, key: str) -> str | None:
    """Return the scan of a scope that waits or runs."""
    query = (
        sa.select(k8s_scans.c.scan_id)
        .join(k8s_scan_scopes, k8s_scans.c.active_scope == k8s_scan_scopes.c.id)
        .where(k8s_scan_scopes.c.key == key)
    )
    return connection.execute(query).scalar_one_or_none()


def begin(connection: sa.Connection, scan_id: str, now: datetime) -> Begun | None:
    """Begin a scan, or begin it once more; None when it has ended, or there is none."""
    row = connection.execute(
        sa.update(k8s_scans)
        .where(k8s_scans.c.scan_id == scan_id, k8s_scans.c.active_scope.is_not(None))
        .values(
            attempt=k8s_scans.c.attempt + 1,
            phase=ScanPhase.RUNNING.value,
            started_at=sa.func.coalesce(
                k8s_scans.c.started_at, sa.bindparam("now", now, k8s_scans.c.started_at.type)
            ),
            heartbeat_at=now,
        )
        .returning(k8s_scans.c.scope_id, k8s_scans.c.attempt, k8s_scans.c.plan, k8s_scans.c.frameworks)
    ).one_or_none()
    if row is None:
        return None
    return Begun(
        scan_id=scan_id,
        scope_id=row.scope_id,
        attempt=row.attempt,
        plan=Plan.read(row.plan),
        frameworks=tuple(Framework(name) for name in row.frameworks),
    )


def beat(connection: sa.Connection, begun: Begun, now: datetime) -> None:
    """Note that the scan goes on, as part of the caller's transaction.

    Raises:
        SupersededError: it is not this process that runs it any more.
    """
    _own(connection, begun, heartbeat_at=now)


def end(connection: sa.Connection, begun: Begun, ending: Ending) -> None:
    """Store how a scan ended.

    Raises:
        SupersededError: it is not this process that runs it any more.
    """
    if ending.seq is not None:
        # The scope before the scan, as `create` has it: in another order the two would wait for each other.
        connection.execute(
            sa.update(k8s_scan_scopes)
            .where(k8s_scan_scopes.c.id == begun.scope_id)
            .values(newest_seq=ending.seq, newest_phase=ending.phase.value, newest_at=ending.at)
        )
    _own(connection, begun, **_ended(ending))


def give_up(
    connection: sa.Connection, *, silent_since: datetime, waits_since: datetime, ending: Ending
) -> int:
    """End the scans that nobody runs any more, or that nobody ever began; return how many."""
    is_silent = sa.and_(k8s_scans.c.phase == ScanPhase.RUNNING.value, k8s_scans.c.heartbeat_at < silent_since)
    is_forgotten = sa.and_(k8s_scans.c.phase == ScanPhase.PENDING.value, k8s_scans.c.created_at < waits_since)
    return connection.execute(
        sa.update(k8s_scans).where(sa.or_(is_silent, is_forgotten)).values(**_ended(ending))
    ).rowcount


def _ended(ending: Ending) -> dict[str, Any]:
    return {
        "phase": ending.phase.value,
        "active_scope": None,
        "completed_at": ending.at,
        "seq": ending.seq,
        "errors": [encode_scanner_error(error) for error in ending.errors],
        "warnings": list(ending.warnings),
        "summary": None if ending.summary is None else encode_scan_summary(ending.summary),
        "compliance": [encode_compliance_result(result) for result in ending.compliance],
    }


def _own(connection: sa.Connection, begun: Begun, **values: Any) -> None:
    changed = connection.execute(
        sa.update(k8s_scans)
        .where(
            k8s_scans.c.scan_id == begun.scan_id,
            k8s_scans.c.attempt == begun.attempt,
            k8s_scans.c.active_scope.is_not(None),
        )
        .values(**values)
    ).rowcount
    if not changed:
        raise SupersededError(begun.scan_id)


@attrs.frozen(kw_only=True)
class Wanted:
    """Which scans are asked for; empty and None mean any."""

    phases: frozenset[ScanPhase] = frozenset()
    scanners: frozenset[Category] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


def page(
    connection: sa.Connection, wanted: Wanted, *, offset: int, limit: int
) -> tuple[Sequence[sa.Row[Any]], int]:
    """Return a part of the scans, newest first, and how many there are."""
    begins = sa.func.coalesce(
        k8s_scans.c.started_at, k8s_scans.c.created_at, type_=k8s_scans.c.created_at.type
    )
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.phases:
        conditions.append(k8s_scans.c.phase.in_(sorted(phase.value for phase in wanted.phases)))
    if wanted.scanners:
        names = sorted(scanner.value for scanner in wanted.scanners)
        conditions.append(sa.or_(*(k8s_scans.c.scanners.contains(f",{name},") for name in names)))
    if wanted.since is not None:
        conditions.append(begins >= wanted.since)
    if wanted.until is not None:
        conditions.append(begins < wanted.until)
    total = connection.execute(
        sa.select(sa.func.count()).select_from(k8s_scans).where(*conditions)
    ).scalar_one()
    if offset >= total:
        return [], total
    query = sa.select(*_COLUMNS).where(*conditions).order_by(k8s_scans.c.id.desc())
    return connection.execute(query.offset(offset).limit(limit)).all(), total


def get(connection: sa.Connection, scan_id: str) -> sa.Row[Any] | None:
    """Return one scan, without its compliance."""
    return connection.execute(sa.select(*_COLUMNS).where(k8s_scans.c.scan_id == scan_id)).one_or_none()


def compliance(connection: sa.Connection, scan_id: str) -> list[Any]:
    """Return how a scan stands against its frameworks, as it is stored."""
    query = sa.select(k8s_scans.c.compliance).where(k8s_scans.c.scan_id == scan_id)
    return connection.execute(query).scalar_one() or []


@attrs.frozen(kw_only=True)
class Scope:
    """A plan that was scanned, and the newest scan of it."""

    id: int
    plan: Plan
    newest_seq: int
    newest_phase: ScanPhase | None
    newest_at: datetime | None


def scope(connection: sa.Connection, scope_id: int) -> Scope:
    """Return a scope."""
    query = sa.select(k8s_scan_scopes).where(k8s_scan_scopes.c.id == scope_id)
    return _scope(connection.execute(query).one())


def errors_of_newest(connection: sa.Connection, newest: Scope) -> list[ScannerError]:
    """Return what the newest scan of a scope missed."""
    query = sa.select(k8s_scans.c.errors).where(
        k8s_scans.c.scope_id == newest.id, k8s_scans.c.seq == newest.newest_seq
    )
    return [decode_scanner_error(error) for error in connection.execute(query).scalar_one_or_none() or ()]


def scopes(connection: sa.Connection) -> list[Scope]:
    """Return the scopes that have findings to tell, the one scanned last first."""
    query = (
        sa.select(k8s_scan_scopes)
        .where(k8s_scan_scopes.c.newest_seq > 0)
        .order_by(k8s_scan_scopes.c.newest_at.desc(), k8s_scan_scopes.c.id.desc())
    )
    return [_scope(row) for row in connection.execute(query)]


def _scope(row: sa.Row[Any]) -> Scope:
    stored: StoredPlan = row.plan
    return Scope(
        id=row.id,
        plan=Plan.read(stored),
        newest_seq=row.newest_seq,
        newest_phase=None if row.newest_phase is None else ScanPhase(row.newest_phase),
        newest_at=row.newest_at,
    )


def numbers(connection: sa.Connection, scope_ids: Collection[int]) -> dict[tuple[int, int], sa.Row[Any]]:
    """Return the scans of scopes by the scope and their number: id, end and summary."""
    query = sa.select(*_NUMBERED).where(
        k8s_scans.c.scope_id.in_(sorted(scope_ids)), k8s_scans.c.seq.is_not(None)
    )
    return {(row.scope_id, row.seq): row for row in connection.execute(query)}
