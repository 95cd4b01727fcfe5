"""Reading clusters by the clock, and what people do with the incidents that come of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

import attrs
import sqlalchemy as sa
import structlog

from akmatori_sdk._generated.aotanami.models import IncidentChangeKind, IncidentStatus
from akmatori_server.engine import Engine
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.kubernetes.clusters.access import Feature
from akmatori_server.kubernetes.clusters.connection import ClusterError
from akmatori_server.kubernetes.incidents import baselines, store
from akmatori_server.kubernetes.incidents.correlation import expired
from akmatori_server.kubernetes.incidents.intake import Intake, Tell, in_silence
from akmatori_server.kubernetes.incidents.model import (
    Acknowledgement,
    Case,
    Change,
    Event,
    Rules,
)
from akmatori_server.kubernetes.incidents.reading import Picture, Reader
from akmatori_server.kubernetes.incidents.sources import DriftSource, FindingSource, Source
from akmatori_server.kubernetes.manifests import Problem
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import ClusterTarget

EVERY_MINUTE, EVERY_DAY = "* * * * *", "23 4 * * *"
MOST_EVENTS = 1000
MOST_CHANGES = 1000

_ID = re.compile(r"INC-(\d{6,15})")
_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.incidents")

Check = Callable[["Told"], None]
Record = Callable[[sa.Connection, "Told", "Told"], None]


@attrs.frozen(kw_only=True)
class Told:
    """An incident with all that is told of it."""

    target: str
    case: Case
    events: Sequence[Event]
    history: Sequence[Change]


class IncidentService:
    """Keeps the incidents of the live clusters."""

    def __init__(
        self,
        site: KubernetesSite,
        *,
        sources: Sequence[Source] = (FindingSource(), DriftSource()),
        rules: Rules | None = None,
        tell: Tell = in_silence,
    ) -> None:
        """Take what it needs.

        Args:
            site: the clusters, the database and the clock.
            sources: what is taken in beside what the clusters show.
            rules: how events become incidents.
            tell: hears what has happened to incidents, in the transaction that stores it.
        """
        self._site = site
        self._database = site.database
        self._tell = tell
        self._intake = Intake(rules or Rules(), tuple(sources), tell)

    def declare(self, engine: Engine) -> None:
        """Have clusters read every minute, and what is old forgotten."""
        if self._site.clusters:
            engine.schedule("k8s-incidents", EVERY_MINUTE, self.read)
            engine.schedule("k8s-incidents-forget", EVERY_DAY, self.forget)

    def read(self) -> None:
        """Read each cluster once. One that does not answer changes nothing: the next minute it is asked again."""
        self.expire()
        for cluster in self._site.clusters:
            try:
                began, picture = self._picture(cluster)
            except ClusterError as error:
                _log.warning("incidents_not_read", cluster=cluster.name, reason=str(error))
                continue
            self.take(cluster.name, picture, began)

    def take(self, target: str, picture: Picture, began: datetime) -> None:
        """Store what a reading that began at a moment showed."""
        with self._database.write() as connection:
            changed = self._intake.take(connection, target, picture, began)
        if changed is None:
            _log.info("incidents_reading_dropped", cluster=target, reason="a newer one is stored")
            return
        for case in changed:
            _log.info(
                "incident_changed", cluster=target, incident=incident_id(case), status=case.status.value
            )

    def expire(self) -> None:
        """Open again what was acknowledged until a moment that has come."""
        now = self._site.now()
        with self._database.read() as connection:
            numbers = store.acknowledged_until(connection, now)
        for number in numbers:
            with self._database.write() as connection:
                target, case = _locked(connection, number, now)
                after = expired(case, now)
                if after is not case:
                    store.put_case(connection, after)
                    self._tell(connection, target, [after])

    def forget(self) -> None:
        """Delete what no answer tells any more."""
        now = self._site.now()
        with self._database.write() as connection:
            store.forget(connection, now)
            baselines.forget(connection, now)

    def page(
        self, conditions: Sequence[sa.ColumnElement[bool]], *, offset: int, limit: int
    ) -> tuple[list[tuple[str, Case]], int]:
        """Return a part of the incidents, without their events, and how many there are."""
        with self._database.read() as connection:
            return store.page(connection, conditions, offset=offset, limit=limit)

    def get(self, wanted: str) -> Told:
        """Return an incident.

        Raises:
            NotFound: there is no such incident.
        """
        number = _number(wanted)
        with self._database.read() as connection:
            found = store.get(connection, number)
            if found is None:
                raise _unknown(wanted)
            return _told(connection, *found)

    def acknowledge(
        self, wanted: str, *, by: str, note: str, expires_at: datetime | None, check: Check, record: Record
    ) -> Told:
        """Take notice of an incident. The second to do so adds a note, and changes nothing else.

        Args:
            wanted: The id of the incident.
            by: Who does it.
            note: For the others; may be empty.
            expires_at: When it ends; None for when the incident does.
            check: Called with the incident as it is; raises when it is not as the caller has seen it.
            record: Called in the transaction with what was before and after, when something has changed.

        Raises:
            NotFound: there is no such incident.
            Conflict: it is resolved, or has changed.
            BadRequest: the acknowledgement would be over already.
        """
        now = self._site.now()
        if expires_at is not None and expires_at <= now:
            raise BadRequest(
                "The acknowledgement must end in the future.",
                details={"expiresAt": "This moment has passed."},
            )
        with self._database.write() as connection:
            number = _number(wanted)
            if store.target_of(connection, number) is None:
                raise _unknown(wanted)
            target, case = _locked(connection, number, now)
            before = _told(connection, target, case)
            check(before)
            if case.status is IncidentStatus.RESOLVED:
                raise Conflict(f"{incident_id(case)} is resolved; there is nothing to acknowledge.")
            case = expired(case, now)
            after = _acknowledged(
                case, before.history, Acknowledgement(at=now, by=by, note=note, expires_at=expires_at)
            )
            if after is case:
                return before
            done = _told(connection, target, store.put_case(connection, after))
            record(connection, before, done)
            return done

    def _picture(self, cluster: ClusterTarget) -> tuple[datetime, Picture]:
        began = self._site.now()
        reader = Reader(began)
        with cluster.reading(Feature.INCIDENTS) as reading:
            reading.context()
            missing: list[str] = []
            for found in reading.each():
                reader.take(found)
                if isinstance(found, Problem):
                    missing.append(found.message)
            unread = reading.unread
        if unread.kinds:
            _log.warning("incidents_read_in_part", cluster=cluster.name, missing=missing)
        return began, reader.picture(unread)


def incident_id(case: Case) -> str:
    """Return the name of an incident."""
    return case.id


def _acknowledged(case: Case, history: Sequence[Change], wanted: Acknowledgement) -> Case:
    taken = case.acknowledgement
    if taken is None:
        return attrs.evolve(
            case,
            status=IncidentStatus.ACKNOWLEDGED,
            acknowledgement=wanted,
            updated_at=wanted.at,
            news=(
                *case.news,
                Change(at=wanted.at, kind=IncidentChangeKind.ACKNOWLEDGED, by=wanted.by, note=wanted.note),
            ),
        )
    said = (IncidentChangeKind.ACKNOWLEDGED, IncidentChangeKind.NOTED)
    last = next((one for one in reversed(history) if one.kind in said), None)
    # Sent again by who did not get the answer, it is one note.
    if not wanted.note or (last is not None and (last.by, last.note) == (wanted.by, wanted.note)):
        return case
    return attrs.evolve(
        case,
        acknowledgement=attrs.evolve(taken, note=wanted.note),
        updated_at=wanted.at,
        news=(
            *case.news,
            Change(at=wanted.at, kind=IncidentChangeKind.NOTED, by=wanted.by, note=wanted.note),
        ),
    )


def _locked(connection: sa.Connection, number: int, now: datetime) -> tuple[str, Case]:
    """Return an incident that nobody else changes until the transaction ends, a reading of its cluster neither."""
    target = store.target_of(connection, number)
    if target is not None:
        store.lock_cluster(connection, target, now)
    found = store.get(connection, number, to_change=True)
    if found is None:
        raise NotFound("The incident is gone.")
    return found


def _told(connection: sa.Connection, target: str, case: Case) -> Told:
    return Told(
        target=target,
        case=case,
        events=store.events_of(connection, case.number, MOST_EVENTS),
        history=store.history_of(connection, case.number, MOST_CHANGES),
    )


def _number(wanted: str) -> int:
    found = _ID.fullmatch(wanted)
    # Each has one name: INC-0000042 is not it.
    if found is None or f"INC-{int(found[1]):06d}" != wanted:
        raise _unknown(wanted)
    return int(found[1])


def _unknown(wanted: str) -> NotFound:
    return NotFound(f"There is no incident {wanted}.")
