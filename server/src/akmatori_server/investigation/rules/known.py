"""A case's facts under the names that matchers and templates know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from akmatori_server.alerts.fields import LABELS
from akmatori_server.investigation.facts import Facts
from akmatori_server.probes import Known

LONGEST_EXPRESSION = 8192


def known_of(facts: Facts, now: datetime) -> Known:
    """Return what templates can speak of."""
    return Known(fields_of(facts), now=now, started_at=facts.started_at)


def fields_of(facts: Facts) -> Mapping[str, str]:
    """Return the facts by name; those of an alert also by the names that silences and rules use."""
    fields = {
        "alert_name": facts.name,
        "severity": facts.severity,
        "status": facts.status,
        "summary": facts.summary,
        "description": facts.description,
        "host": facts.host,
        "target_host": facts.host,
        "hostname": host_name(facts.host),
        "service": facts.service,
        "target_service": facts.service,
        "source": facts.source,
        "task": facts.task,
        "metric_name": facts.metric_name,
        "metric_value": facts.metric_value,
        "threshold": facts.threshold,
        "runbook_url": facts.runbook_url,
        "expression": expression_of(facts),
    }
    for group, texts in (
        (LABELS, facts.labels),
        ("annotations.", facts.annotations),
        ("context.", facts.given),
    ):
        fields.update((f"{group}{name}", text) for name, text in texts.items())
    return fields


def host_name(host: str) -> str:
    """Return a host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and ":" not in name else host


def expression_of(facts: Facts) -> str:
    """Return the expression that raised the alert, which Prometheus puts into the address of its graph."""
    for link in facts.links:
        try:
            found = parse_qs(urlsplit(link.url).query).get("g0.expr", [])
        except ValueError:
            continue
        if found and len(found[0]) <= LONGEST_EXPRESSION:
            return found[0].strip()
    return ""


def origin_of(facts: Facts) -> str:
    """Return the host that the alert's expression was evaluated on, "" when that is not told."""
    for link in facts.links:
        if "g0.expr=" in link.url:
            return (urlsplit(link.url).netloc.rpartition("@")[2]).lower()
    return ""
