"""What an incident is opened with: the worst of its alerts speaks for it, or the storm for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alerts.homes import OpenIncident
from akmatori_server.alerts.models import NormalisedAlert
from akmatori_server.incidents.models import Kind, NewIncident
from akmatori_server.incidents.storable import JSON
from akmatori_server.incidents.title import title_of

# An incident names this many alerts of its group; all of them are in the table of alerts.
MOST_RELATED = 50
MOST_COUNTED = 20


def describe(source: AlertSource, incident: OpenIncident) -> NewIncident:
    """Return what opens an incident for the alerts it has."""
    alerts = [row.alert for row in incident.rows if row.alert is not None]
    # The worst alert speaks for its group; among equals the first one of the delivery.
    lead = min(alerts, key=lambda alert: alert.severity.rank)
    context = lead.as_context(source_type=source.type.name, source_instance=source.name)
    related: list[JSON] = [alert.as_related() for alert in alerts[: MOST_RELATED + 1] if alert is not lead]
    if related:
        context["related_alerts"] = related[:MOST_RELATED]
    if lead.group_key:
        context["group_key"] = lead.group_key
    if incident.is_storm:
        context["storm"] = _storm(alerts)
    return NewIncident(
        source=source.type.name,
        source_id=lead.source_fingerprint,
        title=_title(source, lead, incident),
        context=context,
        kind=Kind.STORM if incident.is_storm else Kind.ALERT,
        alert_source_id=source.id,
        open_key=incident.key,
    )


def _title(source: AlertSource, lead: NormalisedAlert, incident: OpenIncident) -> str:
    if incident.is_storm:
        return title_of(f"Alert storm from {source.name}, worst: {lead.headline}", source=source.type.name)
    return title_of(lead.headline, source=source.type.name)


def _storm(alerts: Sequence[NormalisedAlert]) -> dict[str, JSON]:
    """Count what the storm began with, the most frequent first."""
    return {
        "alerts": len(alerts),
        "by_name": _counted(alert.alert_name for alert in alerts),
        "by_host": _counted(alert.target_host for alert in alerts),
        "by_service": _counted(alert.target_service for alert in alerts),
        "by_severity": _counted(alert.severity.value for alert in alerts),
    }


def _counted(names: Iterable[str]) -> dict[str, JSON]:
    counted = Counter(name for name in names if name)
    return dict(counted.most_common(MOST_COUNTED))
