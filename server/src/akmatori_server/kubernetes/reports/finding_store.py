"""SQL of findings while a scan stores them: rows go on, are replaced, or begin.

Nothing of it shows before the scan has ended: whoever reads asks for the number of a scan that has, and rows that
are stored meanwhile only say more about a number that has not. What a scan leaves that is broken off is undone by
the next one of its scope.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import attrs
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.aotanami.codec import encode_finding
from akmatori_sdk._generated.aotanami.models import Finding
from akmatori_server.database import Database
from akmatori_server.incidents.storable import storable_object, storable_text
from akmatori_server.kubernetes.reports.scan_store import Begun, beat
from akmatori_server.kubernetes.reports.tables import k8s_finding_texts, k8s_findings
from akmatori_server.kubernetes.scans.model import rank

# Rows of one transaction: nobody else waits long for the database.
CHUNK = 500
_DIGEST = 32
_BODY = ("container", "fieldPath", "evidence", "workload", "source", "occurrences", "suppressionReason")
_MATCHED = tuple(
    k8s_findings.c[name] for name in ("id", "fingerprint", "digest", "last_seq", "first_seen_at")
)
_NEWEST = k8s_findings.c.replaced_seq.is_(None)


def undo(connection: sa.Connection, scope_id: int, newest_seq: int, newest_at: datetime | None) -> None:
    """Take back what scans left that were broken off after the newest one that ended."""
    mine = k8s_findings.c.scope_id == scope_id
    connection.execute(sa.delete(k8s_findings).where(mine, k8s_findings.c.first_seq > newest_seq))
    went_on = sa.update(k8s_findings).where(mine, k8s_findings.c.last_seq > newest_seq)
    connection.execute(went_on.values(last_seq=newest_seq, held_seq=newest_seq, last_seen_at=newest_at))
    replaced = sa.update(k8s_findings).where(mine, k8s_findings.c.replaced_seq > newest_seq)
    connection.execute(replaced.values(replaced_seq=None))


def hold(
    connection: sa.Connection,
    scope_id: int,
    seq: int,
    cluster: str,
    unsure: Mapping[str, frozenset[str]] | None,
) -> None:
    """Keep findings that a scan did not see because it could not look.

    Args:
        connection: The transaction in which the scan ends.
        scope_id: The scope of the scan.
        seq: Its number.
        cluster: Whose findings.
        unsure: What these checks found, but for the namespaces in which they saw everything; None for all.
    """
    statement = sa.update(k8s_findings).where(
        k8s_findings.c.scope_id == scope_id,
        _NEWEST,
        k8s_findings.c.held_seq == seq - 1,
        k8s_findings.c.cluster == cluster,
    )
    statement = statement.values(held_seq=seq)
    if unsure is None:
        connection.execute(statement)
        return
    for seen in set(unsure.values()):
        checks = sorted(check for check, namespaces in unsure.items() if namespaces == seen)
        held = statement.where(k8s_findings.c.check_id.in_(checks))
        connection.execute(held.where(sa.not_(_is_in(seen))) if seen else held)


def forget(connection: sa.Connection, scope_id: int, seq: int, checks: frozenset[str]) -> None:
    """Tell no more of what checks found that are not made any more: it is not there, but not mended either.

    Args:
        connection: The transaction in which the scan ends.
        scope_id: The scope of the scan.
        seq: Its number.
        checks: The checks.
    """
    statement = sa.update(k8s_findings).where(
        k8s_findings.c.scope_id == scope_id,
        _NEWEST,
        k8s_findings.c.held_seq == seq - 1,
        k8s_findings.c.check_id.in_(sorted(checks)),
    )
    connection.execute(statement.values(replaced_seq=seq))


def _is_in(namespaces: frozenset[str]) -> sa.ColumnElement[bool]:
    columns, names = k8s_findings.c, sorted(namespaces)
    # A Namespace is part of itself.
    return sa.or_(columns.namespace.in_(names), sa.and_(columns.kind == "Namespace", columns.name.in_(names)))


@attrs.define
class FindingWriter:
    """Stores the findings of one scan in pieces."""

    _database: Database
    _begun: Begun
    _seq: int
    _clock: Callable[[], datetime]
    _now: datetime = attrs.field(init=False)
    """The moment of everything that this scan sees."""
    _texts: dict[str, int] = attrs.field(factory=dict[str, int])

    def __attrs_post_init__(self) -> None:
        self._now = self._clock()

    def store(self, findings: Iterable[Finding]) -> Iterator[list[Finding]]:
        """Store findings, and yield those that are new to this scan, piece by piece.

        Raises:
            SupersededError: another process runs the scan now.
        """
        waiting = iter(findings)
        while piece := list(islice(waiting, CHUNK)):
            with self._database.write() as connection:
                beat(connection, self._begun, self._clock())
                stored = self._store(connection, piece)
            yield stored

    def _store(self, connection: sa.Connection, piece: Sequence[Finding]) -> list[Finding]:
        by_fingerprint = {finding.id: finding for finding in piece}
        known = self._known(connection, by_fingerprint)
        # Two objects that Kubernetes could not tell apart are one.
        fresh = {
            fingerprint: finding
            for fingerprint, finding in by_fingerprint.items()
            if fingerprint not in known or known[fingerprint].last_seq < self._seq
        }
        going_on: list[int] = []
        replaced: list[int] = []
        rows: list[dict[str, Any]] = []
        for fingerprint, finding in fresh.items():
            row = self._row(connection, finding)
            before = known.get(fingerprint)
            if before is not None and before.digest == row["digest"] and before.last_seq == self._seq - 1:
                going_on.append(before.id)
                continue
            if before is not None:
                replaced.append(before.id)
                row["first_seen_at"] = before.first_seen_at
            rows.append(row)
        self._write(connection, going_on, replaced, rows)
        return list(fresh.values())

    def _known(self, connection: sa.Connection, fingerprints: Iterable[str]) -> dict[str, sa.Row[Any]]:
        query = sa.select(*_MATCHED).where(
            k8s_findings.c.scope_id == self._begun.scope_id,
            k8s_findings.c.fingerprint.in_(list(fingerprints)),
            _NEWEST,
        )
        return {row.fingerprint: row for row in connection.execute(query)}

    def _write(
        self,
        connection: sa.Connection,
        going_on: Sequence[int],
        replaced: Sequence[int],
        rows: Sequence[dict[str, Any]],
    ) -> None:
        columns = k8s_findings.c
        if going_on:
            connection.execute(
                sa.update(k8s_findings)
                .where(columns.id.in_(going_on))
                .values(last_seq=self._seq, held_seq=self._seq, last_seen_at=self._now)
            )
        if replaced:
            connection.execute(
                sa.update(k8s_findings).where(columns.id.in_(replaced)).values(replaced_seq=self._seq)
            )
        if rows:
            connection.execute(sa.insert(k8s_findings), rows)

    def _row(self, connection: sa.Connection, finding: Finding) -> dict[str, Any]:
        encoded = encode_finding(finding)
        body = storable_object({name: encoded[name] for name in _BODY if name in encoded})
        resource = finding.resource
        row: dict[str, Any] = {
            "rank": rank(finding.severity),
            "category": finding.category.value,
            "check_id": str(finding.check_id),
            "text_id": self._text(connection, finding, encoded.get("controls", [])),
            "cluster": finding.cluster or "",
            "namespace": storable_text(resource.namespace or "", 253),
            "kind": storable_text(resource.kind, 63),
            "name": storable_text(resource.name, 253),
            "is_suppressed": finding.suppressed is True,
            "body": body | {"apiVersion": storable_text(resource.api_version or "", 330)},
        }
        digest = _digest(row)
        return row | {
            "scope_id": self._begun.scope_id,
            "fingerprint": finding.id,
            "digest": digest,
            "first_seq": self._seq,
            "last_seq": self._seq,
            "held_seq": self._seq,
            "first_seen_at": self._now,
            "last_seen_at": self._now,
        }

    def _text(self, connection: sa.Connection, finding: Finding, controls: object) -> int:
        text = {
            "title": finding.title,
            "description": finding.description,
            "recommendation": "" if finding.recommendation is UNSET else finding.recommendation,
            "controls": controls,
        }
        digest = _digest(text)
        known = self._texts.get(digest)
        if known is None:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            insert = dialect.insert(k8s_finding_texts).values(digest=digest, **text)
            connection.execute(insert.on_conflict_do_nothing(index_elements=["digest"]))
            known = connection.execute(
                sa.select(k8s_finding_texts.c.id).where(k8s_finding_texts.c.digest == digest)
            ).scalar_one()
            self._texts[digest] = known
        return known


def _digest(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:_DIGEST]
