"""The kinds of alert sources. They are written to the database at every start, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from akmatori_server.alert_sources.mappings import GENERIC

SLACK_CHANNEL = "slack_channel"


@attrs.frozen(kw_only=True)
class SourceType:
    """What is published about one kind of source."""

    name: str
    display_name: str
    description: str
    webhook_secret_header: str
    # Normalised member to the dotted path in the vendor's payload, as the product publishes it.
    default_field_mappings: Mapping[str, str] = MappingProxyType({})


ALERTMANAGER = SourceType(
    name="alertmanager",
    display_name="Prometheus Alertmanager",
    description="Alerts from the webhook receiver of Prometheus Alertmanager.",
    webhook_secret_header="X-Alertmanager-Secret",  # noqa: S106  the name of a header
    default_field_mappings=MappingProxyType(
        {
            "alert_name": "labels.alertname",
            "severity": "labels.severity",
            "status": "status",
            "summary": "annotations.summary",
            "description": "annotations.description",
            "target_host": "labels.instance",
            "target_service": "labels.job",
            "runbook_url": "annotations.runbook_url",
            "source_fingerprint": "fingerprint",
            "started_at": "startsAt",
            "ended_at": "endsAt",
        }
    ),
)

GRAFANA = SourceType(
    name="grafana",
    display_name="Grafana Alerting",
    description="Alerts from a webhook contact point of Grafana Alerting.",
    webhook_secret_header="X-Grafana-Secret",  # noqa: S106  the name of a header
    default_field_mappings=MappingProxyType(
        {
            "alert_name": "ruleName",
            "severity": "state",
            "status": "state",
            "summary": "message",
            "target_host": "evalMatches.0.tags.instance",
            "runbook_url": "ruleUrl",
            "source_alert_id": "ruleId",
        }
    ),
)

SOURCE_TYPES: tuple[SourceType, ...] = (
    ALERTMANAGER,
    SourceType(
        name="pagerduty",
        display_name="PagerDuty",
        description="Incident events from a PagerDuty v3 webhook subscription.",
        webhook_secret_header="X-PagerDuty-Signature",  # noqa: S106  the name of a header
        default_field_mappings=MappingProxyType(
            {
                "alert_name": "event.data.title",
                "severity": "event.data.priority.summary",
                "status": "event.event_type",
                "summary": "event.data.description",
                "target_host": "event.data.source",
                "target_service": "event.data.service.name",
                "runbook_url": "event.data.body.details.runbook",
                "source_alert_id": "event.data.id",
            }
        ),
    ),
    GRAFANA,
    SourceType(
        name="datadog",
        display_name="Datadog",
        description="Monitor notifications from a Datadog webhook integration.",
        webhook_secret_header="X-Datadog-Signature",  # noqa: S106  the name of a header
        default_field_mappings=MappingProxyType(
            {
                "alert_name": "title",
                "severity": "priority",
                "status": "alert_type",
                "summary": "body",
                "target_host": "tags.host",
                "runbook_url": "event_links.0.url",
                "source_alert_id": "id",
            }
        ),
    ),
    SourceType(
        name="zabbix",
        display_name="Zabbix",
        description="Problems from a Zabbix webhook media type.",
        webhook_secret_header="X-Zabbix-Secret",  # noqa: S106  the name of a header
        default_field_mappings=MappingProxyType(
            {
                "alert_name": "alert_name",
                "severity": "priority",
                "status": "event_status",
                "summary": "trigger_expression",
                "target_host": "hardware",
                "metric_name": "metric_name",
                "metric_value": "metric_value",
                "runbook_url": "runbook_url",
                "source_alert_id": "event_id",
                "started_at": "event_time",
            }
        ),
    ),
    SourceType(
        name=SLACK_CHANNEL,
        display_name="Slack Alert Channel",
        description="Alerts that other tools post to a Slack channel.",
        webhook_secret_header="",
    ),
    SourceType(
        name=GENERIC,
        display_name="Generic JSON",
        description="Alerts from anything that posts JSON; the field mappings of the source say where they are in it.",
        webhook_secret_header="X-Webhook-Secret",  # noqa: S106  the name of a header
    ),
)
