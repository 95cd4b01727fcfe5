"""SQL of findings for whoever reads: those of one scan, and those of the newest scan of every scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import Category, ScanPhase, Severity
from akmatori_server.kubernetes.reports.scan_store import Scope
from akmatori_server.kubernetes.reports.tables import k8s_finding_texts, k8s_findings
from akmatori_server.kubernetes.scans.model import SEVERITIES, rank

_F = k8s_findings.c
_COLUMNS = (
    *(column for column in _F if str(column.name) not in {"text_id", "digest"}),
    k8s_finding_texts.c.title,
    k8s_finding_texts.c.description,
    k8s_finding_texts.c.recommendation,
    k8s_finding_texts.c.controls,
)


@attrs.frozen(kw_only=True)
class FindingFilter:
    """Which findings are asked for; empty and None mean any."""

    severities: frozenset[Severity] = frozenset()
    min_severity: Severity | None = None
    categories: frozenset[Category] = frozenset()
    namespaces: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    name: str | None = None
    checks: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    text: str | None = None
    remediated: bool | None = None

    def conditions(self, connection: sa.Connection) -> list[sa.ColumnElement[bool]]:
        """Return the conditions; whether a finding is remediated is for whoever knows the scans."""
        found: list[sa.ColumnElement[bool]] = []
        if self.severities:
            found.append(_F.rank.in_(sorted(rank(severity) for severity in self.severities)))
        if self.min_severity is not None:
            found.append(_F.rank <= rank(self.min_severity))
        if self.name is not None:
            found.append(_F.name == self.name)
        for column, values in (
            (_F.category, [category.value for category in self.categories]),
            (_F.namespace, self.namespaces),
            (_F.kind, self.kinds),
            (_F.check_id, self.checks),
            (_F.cluster, self.clusters),
        ):
            if values:
                found.append(column.in_(sorted(values)))
        if self.text is not None:
            found.append(_mentions(connection, self.text))
        return found


def _mentions(connection: sa.Connection, text: str) -> sa.ColumnElement[bool]:
    # The texts of checks are few, and not read again for every finding.
    texts = k8s_finding_texts.c
    says = sa.or_(
        texts.title.icontains(text, autoescape=True), texts.description.icontains(text, autoescape=True)
    )
    ids = list(connection.execute(sa.select(texts.id).where(says)).scalars())
    return sa.or_(_F.name.icontains(text, autoescape=True), _F.text_id.in_(ids))


Condition = sa.ColumnElement[bool]


def found_by(scope_id: int, seq: int) -> Condition:
    """Return the condition for what one scan found."""
    return sa.and_(_F.scope_id == scope_id, _F.first_seq <= seq, _F.last_seq >= seq)


def is_open(scope_id: int, seq: int) -> Condition:
    """Return the condition for what is there after a scan: found, or not looked for again."""
    return sa.and_(_F.scope_id == scope_id, _F.first_seq <= seq, _F.held_seq >= seq)


def is_gone(scope_id: int, seq: int) -> Condition:
    """Return the condition for what was there before a scan, and is not any more."""
    not_replaced = sa.or_(_F.replaced_seq.is_(None), _F.replaced_seq > seq)
    return sa.and_(_F.scope_id == scope_id, _F.first_seq <= seq, _F.held_seq < seq, not_replaced)


def newest(scopes: Iterable[Scope], targets: frozenset[str]) -> list[Scope]:
    """Return the scopes that tell something which no newer scan of more tells; the newest first."""
    kept: list[Scope] = []
    complete: list[Scope] = []
    for scope in scopes:
        if not scope.plan.targets & targets:
            continue
        if not any(newer.plan.covers(scope.plan, targets) for newer in complete):
            kept.append(scope)
        if scope.newest_phase is ScanPhase.COMPLETED:
            complete.append(scope)
    return kept


def across(
    scopes: Sequence[Scope], targets: frozenset[str], condition: Callable[[int, int], Condition]
) -> Condition:
    """Return the condition for findings of all these scopes, each only in the newest that has ever had it."""
    parts: list[Condition] = []
    for position, scope in enumerate(scopes):
        part = condition(scope.id, scope.newest_seq)
        # Where it says nothing new it is left out: what is counted is then counted in an index alone.
        if not scope.plan.targets <= targets:
            part = sa.and_(part, _F.cluster.in_(sorted(targets)))
        newer = scopes[:position]
        if newer:
            other = k8s_findings.alias("other")
            seen = sa.or_(
                *(sa.and_(other.c.scope_id == one.id, other.c.first_seq <= one.newest_seq) for one in newer)
            )
            part = sa.and_(
                part, ~sa.exists().where(other.c.fingerprint == _F.fingerprint, seen).correlate(k8s_findings)
            )
        parts.append(part)
    return sa.or_(*parts) if parts else sa.false()


def page(
    connection: sa.Connection, conditions: Sequence[Condition], *, offset: int, limit: int
) -> tuple[Sequence[sa.Row[Any]], int]:
    """Return a part of the findings, the worst first, and how many there are."""
    total = connection.execute(
        sa.select(sa.func.count()).select_from(k8s_findings).where(*conditions)
    ).scalar_one()
    if offset >= total:
        return [], total
    # The inner query walks an index; only what is answered is read as a whole.
    inner = (
        sa.select(_F.id).where(*conditions).order_by(_F.rank, _F.id).offset(offset).limit(limit).subquery()
    )
    query = (
        sa.select(*_COLUMNS)
        .join(inner, inner.c.id == _F.id)
        .join(k8s_finding_texts, k8s_finding_texts.c.id == _F.text_id)
        .order_by(_F.rank, _F.id)
    )
    return connection.execute(query).all(), total


def each(
    connection: sa.Connection, conditions: Sequence[Condition], *, at_once: int = 500
) -> Iterator[sa.Row[Any]]:
    """Yield findings, the worst first, reading some at once."""
    after: tuple[int, int] | None = None
    while True:
        query = (
            sa.select(*_COLUMNS)
            .join(k8s_finding_texts, k8s_finding_texts.c.id == _F.text_id)
            .where(*conditions)
            .order_by(_F.rank, _F.id)
            .limit(at_once)
        )
        if after is not None:
            query = query.where(sa.or_(_F.rank > after[0], sa.and_(_F.rank == after[0], _F.id > after[1])))
        rows = connection.execute(query).all()
        yield from rows
        if len(rows) < at_once:
            return
        after = (rows[-1].rank, rows[-1].id)


@attrs.frozen
class Counted:
    """How many findings have this in common."""

    severity: Severity
    category: Category
    namespace: str
    check: str
    number: int


def counts(connection: sa.Connection, conditions: Sequence[Condition]) -> list[Counted]:
    """Count the findings that no exception covers."""
    columns = (_F.rank, _F.category, _F.namespace, _F.check_id)
    query = (
        sa.select(*columns, sa.func.count())
        .where(*conditions, _F.is_suppressed.is_(sa.false()))
        .group_by(*columns)
    )
    found: list[Counted] = []
    for place, category, namespace, check, number in connection.execute(query):
        severity: Severity = SEVERITIES[int(place)]
        found.append(Counted(severity, Category(category), str(namespace), str(check), int(number)))
    return found


def still_open(
    connection: sa.Connection, scope_id: int, seq: int, fingerprints: Sequence[str]
) -> frozenset[str]:
    """Return which of these findings are there after a scan."""
    query = sa.select(_F.fingerprint).where(is_open(scope_id, seq), _F.fingerprint.in_(fingerprints))
    return frozenset(connection.execute(query).scalars())
