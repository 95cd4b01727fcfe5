"""Payloads as the vendors' public documentation describes them; each says of which version.

They were written for these tests from the documentation, not recorded from a live system.
"""

from __future__ import annotations

import copy
from typing import Any

# Prometheus Alertmanager 0.28, webhook payload version 4.
ALERTMANAGER: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="NodeDiskFilling"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "aiops",
    "groupLabels": {"alertname": "NodeDiskFilling"},
    "commonLabels": {"alertname": "NodeDiskFilling"},
    "commonAnnotations": {},
    "externalURL": "http://am.example.net:9093",
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "NodeDiskFilling",
                "severity": "major",
                "instance": "db-07.example.net:9100",
                "job": "node",
            },
            "annotations": {"summary": "/var is 93% full", "description": "Predicted full in 5h"},
            "startsAt": "2026-04-20T07:12:30.115Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prom.example.net/graph?g0.expr=disk",
            "fingerprint": "9f1c2b7a44e0d5aa",
        }
    ],
}

# Grafana 12, webhook contact point of unified alerting, payload version 1.
GRAFANA: dict[str, Any] = {
    "receiver": "aiops",
    "status": "firing",
    "orgId": 1,
    "version": "1",
    "groupKey": '{}:{alertname="Queue lag"}',
    "truncatedAlerts": 0,
    "title": "[FIRING:2] Queue lag",
    "state": "alerting",
    "message": "**Firing**\n\nValue: B=51230",
    "groupLabels": {"alertname": "Queue lag"},
    "commonLabels": {"alertname": "Queue lag", "severity": "critical"},
    "commonAnnotations": {},
    "externalURL": "https://grafana.example.net/",
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "Queue lag",
                "grafana_folder": "Queues",
                "severity": "critical",
                "instance": "mq-2",
                "job": "rabbit",
            },
            "annotations": {"summary": "lag over 50k", "description": "orders queue"},
            "startsAt": "2026-04-20T07:15:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "values": {"B": 51230},
            "valueString": "[ var='B' labels={instance=mq-2} value=51230 ]",
            "generatorURL": "https://grafana.example.net/alerting/grafana/ab12/view?orgId=1",
            "fingerprint": "c6eadffa33fcdf37",
            "silenceURL": "https://grafana.example.net/alerting/silence/new?orgId=1",
            "dashboardURL": "https://grafana.example.net/d/queues",
            "panelURL": "https://grafana.example.net/d/queues?viewPanel=4",
            "imageURL": "",
            "orgId": 1,
        },
        {
            "status": "resolved",
            "labels": {"alertname": "Queue lag", "severity": "critical", "instance": "mq-1", "job": "rabbit"},
            "annotations": {"summary": "lag over 50k"},
            "startsAt": "2026-04-20T07:10:00+02:00",
            "endsAt": "2026-04-20T09:14:30+02:00",
            "values": None,
            "valueString": "[ var='B' labels={instance=mq-1} value=12 ]",
            "generatorURL": "https://grafana.example.net/alerting/grafana/ab12/view?orgId=1",
            "fingerprint": "8badf00d33fcdf37",
            "dashboardURL": "",
            "panelURL": "",
        },
    ],
}

# Grafana 8, notification channel of the type webhook (the alerting that unified alerting replaced).
GRAFANA_LEGACY: dict[str, Any] = {
    "dashboardId": 1,
    "evalMatches": [{"value": 91.5, "metric": "cpu", "tags": {"instance": "web-1", "dc": "fra"}}],
    "imageUrl": "https://grafana.example.net/assets/img.png",
    "message": "CPU is busy",
    "orgId": 2,
    "panelId": 2,
    "ruleId": 7,
    "ruleName": "CPU load",
    "ruleUrl": "https://grafana.example.net/d/hZ7BuVbWz/cpu",
    "state": "alerting",
    "tags": {"team": "web"},
    "title": "[Alerting] CPU load",
}


def pagerduty(kind: str = "incident.triggered", **incident: Any) -> dict[str, Any]:
    """An event of PagerDuty's webhooks version 3 (developer documentation of 2026)."""
    return {
        "event": {
            "id": "01DVB1K2F9QW",
            "event_type": kind,
            "resource_type": "incident",
            "occurred_at": "2026-04-20T07:20:11.000Z",
            "agent": {"id": "PLH1HKV", "summary": "An Engineer", "type": "user_reference"},
            "client": {"name": "PagerDuty"},
            "data": {
                "id": "Q2M7ZK4PLAXE01",
                "type": "incident",
                "self": "https://api.pagerduty.com/incidents/Q2M7ZK4PLAXE01",
                "html_url": "https://acme.pagerduty.com/incidents/Q2M7ZK4PLAXE01",
                "number": 4821,
                "status": "triggered",
                "incident_key": "payments-5xx",
                "created_at": "2026-04-20T07:19:58Z",
                "title": "Payments 5xx above 4%",
                "service": {"id": "PF9KMXH", "summary": "Payments API", "type": "service_reference"},
                "assignees": [{"id": "PTUXL6G", "summary": "User 123", "type": "user_reference"}],
                "escalation_policy": {"id": "PUS0KTE", "summary": "Default"},
                "teams": [],
                "priority": {"id": "PSO75BM", "summary": "P2", "type": "priority_reference"},
                "urgency": "high",
                "conference_bridge": None,
                "resolve_reason": None,
                **incident,
            },
        }
    }


PAGERDUTY = pagerduty()
# Events of version 3 that are about something else than an incident's beginning and end.
PAGERDUTY_OTHERS: list[dict[str, Any]] = [
    {
        "event": {
            "id": "02A",
            "event_type": "pagey.ping",
            "resource_type": "pagey",
            "occurred_at": "2026-04-20T07:20:11.000Z",
            "agent": None,
            "client": None,
            "data": {"message": "Hello from your friend Pagey!", "type": "ping"},
        }
    },
    {
        "event": {
            "event_type": "incident.annotated",
            "resource_type": "incident",
            "data": {"incident": {"id": "Q2"}, "id": "P2LA89X", "content": "noted", "type": "incident_note"},
        }
    },
    {
        "event": {
            "event_type": "incident.status_update_published",
            "resource_type": "incident",
            "data": {"incident": {"id": "Q2"}, "message": "soon", "type": "incident_status_update"},
        }
    },
    {
        "event": {
            "event_type": "incident.responder.added",
            "resource_type": "incident",
            "data": {"incident": {"id": "Q2"}, "state": "pending", "type": "incident_responder"},
        }
    },
    {
        "event": {
            "event_type": "service.updated",
            "resource_type": "service",
            "data": {"id": "PF9KMXH", "summary": "Payments API", "type": "service"},
        }
    },
    *(
        pagerduty(f"incident.{change}")
        for change in (
            "delegated",
            "escalated",
            "reassigned",
            "priority_updated",
            "service_updated",
            "incident_type.changed",
            "something.new",
        )
    ),
]
# A message of PagerDuty's webhooks version 2 (unsupported since October 2022, still delivered).
PAGERDUTY_2: dict[str, Any] = {
    "messages": [
        {
            "id": "bb8b8fe0",
            "event": "incident.trigger",
            "created_on": "2026-04-20T07:20:11Z",
            "webhook": {"id": "PW", "type": "webhook"},
            "incident": {
                "id": "PT4KHLK",
                "title": "Old style",
                "urgency": "low",
                "created_at": "2026-04-20T07:20:00Z",
                "service": {"id": "PN49J75", "name": "Production XDB Cluster"},
            },
        },
        {"event": "incident.resolve", "created_on": "2026-04-20T08:00:00Z", "incident": {"id": "PT4KHLK"}},
        {"event": "incident.assign", "incident": {"id": "PT4KHLK"}},
    ]
}

# A template for Datadog's webhooks integration with the variables of its documentation (2026) filled in.
DATADOG: dict[str, Any] = {
    "id": "7712040055319",
    "title": "[Triggered on {host:api-3}] p95 latency high",
    "body": "%%%\np95 above 900 ms for 10 min\n%%%",
    "alert_type": "error",
    "event_type": "query_alert_monitor",
    "priority": "normal",
    "alert_id": "48213377",
    "alert_title": "p95 latency high on api-3",
    "alert_status": "trace.http.request.duration over host:api-3 was > 0.9 on average during the last 10m",
    "alert_transition": "Triggered",
    "hostname": "api-3",
    "org_id": "20881",
    "org_name": "Example",
    "date": "1776669150000",
    "last_updated": "1776669150000",
    "tags": "env:prod,service:checkout,host:api-3,canary",
    "alert_cycle_key": "5521908877",
    "alert_metric": "trace.http.request.duration",
    "alert_query": "avg(last_10m):avg:trace.http.request.duration{host:api-3} > 0.9",
    "alert_scope": "host:api-3",
    "event_links": [
        {"name": "Monitor", "url": "https://app.datadoghq.com/monitors/48213377"},
        {"name": "The Runbook", "url": "https://wiki.example.net/rb/latency"},
    ],
}
# The template that Datadog fills in when the operator writes none.
DATADOG_STOCK: dict[str, Any] = {
    "body": "p95 above 900 ms for 10 min",
    "last_updated": "1776669150000",
    "event_type": "query_alert_monitor",
    "title": "[Triggered on {host:api-3}] p95 latency high",
    "date": "1776669150000",
    "org": {"id": "20881", "name": "Example"},
    "id": "7712040055319",
}

# The object of a media type's script, with macros of Zabbix 7.0.
ZABBIX: dict[str, Any] = {
    "event_time": "2026-04-20 07:25:00",
    "alert_name": "Load average too high",
    "severity": "High",
    "priority": "4",
    "metric_name": "system.cpu.load[percpu,avg1]",
    "metric_value": "7.9",
    "trigger_expression": "{host:system.cpu.load.avg(5m)}>5",
    "pending_duration": "5m",
    "event_id": "990217",
    "hardware": "hv-12",
    "event_status": "PROBLEM",
    "runbook_url": "",
}
# The parameters that the webhooks of Zabbix 7.0's own media types pass on, of a recovery.
ZABBIX_MEDIA_TYPE: dict[str, Any] = {
    "event_id": "990217",
    "event_name": "Load average too high",
    "event_nseverity": 3,
    "event_severity": "Average",
    "event_value": "0",
    "event_source": "0",
    "event_update_status": "0",
    "event_date": "2026.04.20",
    "event_time": "07:25:00",
    "event_recovery_date": "2026.04.20",
    "event_recovery_time": "07:45:30",
    "event_opdata": "Current load: 0.9",
    "event_tags": "{EVENT.TAGSJSON}",
    "host_name": "hv-12",
    "trigger_id": "18004",
    "trigger_expression": "*UNKNOWN*",
    "timezone": "Europe/Berlin",
    "tags": [{"tag": "scope", "value": "performance"}, {"tag": "kept"}],
}
# Real-time export of trigger events, Zabbix 7.0: a problem and its recovery.
ZABBIX_EXPORT: list[dict[str, Any]] = [
    {
        "clock": 1776669900,
        "ns": 525555555,
        "value": 1,
        "eventid": 42,
        "name": "Either Zabbix agent is not running or the host is down",
        "severity": 5,
        "hosts": [{"host": "hosta", "name": "Host A"}],
        "groups": ["Linux servers"],
        "tags": [{"tag": "availability", "value": ""}],
    },
    {"clock": 1776670500, "ns": 1, "value": 0, "eventid": 43, "p_eventid": 42},
]

# Some in-house program's format, and a mapping for it.
GENERIC: dict[str, Any] = {
    "sent": {"by": "checker", "host": "shared-host"},
    "problems": [
        {
            "what": {"title": "Backup is late", "level": "P2"},
            "state": "open",
            "since": 1776669900,
            "ref": 77,
            "facts": [{"name": "cluster", "value": "eu-1"}, {"key": "team", "value": "storage"}],
        }
    ],
}
GENERIC_MAPPINGS = {
    "alerts": "problems",
    "alert_name": "what.title",
    "severity": "what.level",
    "status": "state",
    "started_at": "since",
    "source_alert_id": "ref",
    "target_host": "sent.host",
    "labels": "facts",
}

EVERY_VENDOR: dict[str, dict[str, Any]] = {
    "alertmanager": ALERTMANAGER,
    "grafana": GRAFANA,
    "pagerduty": PAGERDUTY,
    "datadog": DATADOG,
    "zabbix": ZABBIX,
}


def changed(document: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a copy with other members; one that is Ellipsis is taken out."""
    merged = {**copy.deepcopy(document), **members}
    return {name: value for name, value in merged.items() if value is not ...}
