"""Taking a delivery in: read all of it first, then store all of it in one transaction, then answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import attrs
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alert_sources.types import SLACK_CHANNEL
from akmatori_server.alerts import store
from akmatori_server.alerts.adapters import ADAPTERS
from akmatori_server.alerts.document import read_document
from akmatori_server.alerts.ledger import AlertRow, Ledger, settle
from akmatori_server.alerts.models import NormalisedAlert
from akmatori_server.alerts.signature import proves_secret
from akmatori_server.errors import BadRequest, Forbidden, NotInThisVersion, Unauthorized, Unavailable
from akmatori_server.incidents import store as incident_store
from akmatori_server.incidents.models import NewIncident
from akmatori_server.incidents.service import Opening
from akmatori_server.incidents.storable import JSON
from akmatori_server.incidents.title import title_of

_log = structlog.stdlib.get_logger("akmatori_server.alerts")

# Losing a race takes one more attempt, since the winner's rows are there then; more means something else is
# wrong.
ATTEMPTS = 5
RETRY_AFTER_SECONDS = 5
# An incident names this many alerts of its group; all of them are in the table of alerts.
MOST_RELATED = 50
# What PostgreSQL calls a deadlock, and a transaction that cannot be put in an order with another one.
_RACES = frozenset({"40P01", "40001"})


class Sources(Protocol):
    """Where a delivery's source is looked up."""

    def for_delivery(self, uuid: str, /) -> tuple[AlertSource, str]:
        """Return the source and its secret ("" when it has none), or raise NotFound."""
        ...


class Incidents(Protocol):
    """Where incidents are opened."""

    def opening(self) -> AbstractContextManager[Opening]:
        """Yield one write transaction in which incidents may be opened."""
        ...


@attrs.frozen(kw_only=True)
class Receipt:
    """What a delivery came to."""

    alerts: int
    incidents: Sequence[str]


class Ingest:
    """Takes deliveries in. What it answered for is stored."""

    def __init__(self, sources: Sources, incidents: Incidents) -> None:
        self._sources = sources
        self._incidents = incidents

    def receive(self, source_uuid: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Check, read and store one delivery.

        The sender proves to know the secret before it learns anything about the source but that it exists.

        Raises:
            NotFound: no source has this uuid.
            Unauthorized: the secret is missing or wrong.
            Forbidden: the source is disabled.
            BadRequest: the body is not what the source's type sends.
            NotInThisVersion: the source's type cannot be read yet.
            Unavailable: it could not be stored; the sender tries again.
        """
        source, secret = self._sources.for_delivery(source_uuid)
        parse = ADAPTERS.get(source.type.name)
        if parse is not None and not proves_secret(source.type.name, secret, headers):
            _log.warning("webhook_rejected", source=source.uuid, reason="bad_secret")
            raise Unauthorized("The secret of this alert source is missing or wrong.")
        if not source.enabled:
            raise Forbidden("This alert source is disabled.")
        if source.type.name == SLACK_CHANNEL:
            raise BadRequest("Slack channels send no webhooks; their messages are read from Slack.")
        if parse is None:
            raise NotInThisVersion(f"Reading alerts from {source.type.display_name}")
        alerts = parse(read_document(body), source.effective_mappings)
        return self._store(source, alerts)

    def _store(self, source: AlertSource, alerts: list[NormalisedAlert]) -> Receipt:
        if not alerts:
            return Receipt(alerts=0, incidents=[])
        for attempt in range(1, ATTEMPTS + 1):
            try:
                opened = self._store_once(source, alerts)
            except DBAPIError as error:
                if not _is_lost_race(error):
                    raise
                _log.info("alert_race_lost", source=source.uuid, attempt=attempt)
            except OSError as error:
                _log.exception("alert_not_stored", source=source.uuid)
                raise _not_stored() from error
            else:
                return Receipt(alerts=len(alerts), incidents=opened)
        raise _not_stored()

    def _store_once(self, source: AlertSource, alerts: list[NormalisedAlert]) -> list[str]:
        with self._incidents.opening() as opening:
            fingerprints = (alert.source_fingerprint for alert in alerts)
            newest = store.newest_rows(opening.connection, source.id, fingerprints)
            ledger = settle(newest, alerts, opening.now)
            opened = _assign_incidents(opening, source, ledger)
            # First what ends: a fingerprint may have one firing row only, at every moment.
            store.update_rows(opening.connection, ledger.changed.values())
            store.insert_rows(opening.connection, source.id, ledger.opened)
        _log.info(
            "alerts_received",
            source=source.uuid,
            alerts=len(alerts),
            opened=len(ledger.opened),
            known=len(ledger.changed),
            incidents=opened,
        )
        for alert in ledger.ignored:
            _log.info("alert_resolve_ignored", source=source.uuid, fingerprint=alert.source_fingerprint)
        return opened


def _assign_incidents(opening: Opening, source: AlertSource, ledger: Ledger) -> list[str]:
    """Give every new alert an incident; return the uuids of those that had to be opened."""
    opened: list[str] = []
    for key, rows in _groups(ledger.opened):
        incident_id = _joinable(opening.connection, ledger.known_incidents.get(key, set())) if key else None
        if incident_id is None:
            incident = opening.open(_describe(source, rows))
            incident_id = incident.id
            opened.append(incident.uuid)
        for row in rows:
            row.incident_id = incident_id
    return opened


def _groups(rows: list[AlertRow]) -> list[tuple[str, list[AlertRow]]]:
    """Put the alerts of one group of the source together; one that is in no group stays alone."""
    together: dict[str, list[AlertRow]] = {}
    alone: list[tuple[str, list[AlertRow]]] = []
    for row in rows:
        key = row.alert.group_key if row.alert is not None else ""
        if key:
            together.setdefault(key, []).append(row)
        else:
            alone.append(("", [row]))
    return [*together.items(), *alone]


def _joinable(connection: sa.Connection, incident_ids: set[int]) -> int | None:
    """Return an incident of the group that a further alert may join: one that nobody works on yet.

    An investigation reads the alerts when it begins. Joined later, an alert would be looked at by nobody.
    """
    newest = sorted(incident_ids)[-store.CHUNK :]
    return incident_store.still_pending(connection, newest) if newest else None


def _describe(source: AlertSource, rows: list[AlertRow]) -> NewIncident:
    alerts = [row.alert for row in rows if row.alert is not None]
    # The worst alert speaks for its group; among equals the first one of the delivery.
    lead = min(alerts, key=lambda alert: alert.severity.rank)
    context = lead.as_context(source_type=source.type.name, source_instance=source.name)
    related: list[JSON] = [alert.as_related() for alert in alerts if alert is not lead]
    if related:
        context["related_alerts"] = related[:MOST_RELATED]
    if lead.group_key:
        context["group_key"] = lead.group_key
    return NewIncident(
        source=source.type.name,
        source_id=lead.source_fingerprint,
        title=title_of(lead.headline, source=source.type.name),
        context=context,
    )


def _is_lost_race(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in _RACES


def _not_stored() -> Unavailable:
    return Unavailable("The alerts could not be stored; send them again.", retry_after=RETRY_AFTER_SECONDS)
