"""What is told, in Markdown: the same words for every channel. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from akmatori_server.incidents.models import Incident, Kind, Status
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.report import footer as cost
from akmatori_server.investigation.report import inline
from akmatori_server.notifications.blocks import with_blocks_written_out
from akmatori_server.notifications.brief import brief
from akmatori_server.notifications.cluster_messages import budget_message
from akmatori_server.notifications.models import Notification, NotificationKind
from akmatori_server.notifications.words import Message, fact, joined, link_to

USUAL_SEVERITY = "warning"
EMOJI = {"critical": "🔴", "high": "🟠", "warning": "🟡", "info": "🔵"}
STORM_EMOJI = "🌩️"
LONGEST_SUMMARY = 600
LONGEST_PURPOSE = 500
MOST_COUNTED = 5
# What an answer may end with: we write our own.
_FOOTER = re.compile(r"\n+-{3,}\s*\n+⏱[^\n]{0,300}\s*\Z")


def message_of(notification: Notification, incident: Incident | None, link: str) -> Message:
    """Return what a notification says. `link` leads to the incident or the proposal, "" when nobody knows where."""
    if notification.kind is NotificationKind.TOKEN_BUDGET:
        return budget_message(notification)
    if incident is None or notification.kind is NotificationKind.APPROVAL_NEEDED:
        return _approval(notification, incident, link)
    if notification.kind.is_opening:
        return opening(incident, link)
    if notification.kind is NotificationKind.INVESTIGATION_FINISHED:
        return finished(incident, link)
    words = {
        NotificationKind.INVESTIGATION_STARTED: "⏳ Investigation is running",
        NotificationKind.INCIDENT_RESOLVED: "✅ Resolved",
        NotificationKind.INCIDENT_REOPENED: "🔁 Fires again",
    }
    told = f"{words[notification.kind]}: {incident.title}"
    is_bad_news = notification.kind is NotificationKind.INCIDENT_REOPENED
    return Message(
        told, joined([state_line(notification.kind, incident), where(link, incident)]), is_bad_news
    )


def severity_of(incident: Incident | None) -> str:
    """Return how bad an incident is, as its first alert says."""
    severity = _text(incident, "severity")
    return severity if severity in EMOJI else USUAL_SEVERITY


def headline(incident: Incident) -> str:
    """Return an incident in one line."""
    emoji = STORM_EMOJI if incident.kind == Kind.STORM else EMOJI[severity_of(incident)]
    return f"{emoji} {' '.join(incident.title.split())}"


def opening(incident: Incident, link: str) -> Message:
    """Return the first message about an incident, as things stand now."""
    facts = [
        fact("Status", _status(incident)),
        fact("Source", _source(incident)),
        fact("Severity", severity_of(incident)),
        fact("Host", _text(incident, "target_host")),
        fact("Service", _text(incident, "target_service")),
        fact("Alerts", _alerts(incident)),
    ]
    runbook, summary = _text(incident, "runbook_url"), _text(incident, "summary")
    description = _text(incident, "description")
    body = [
        "\n".join(f"- {fact}" for fact in facts if fact),
        inline(summary, LONGEST_SUMMARY),
        inline(description, LONGEST_SUMMARY) if description != summary else "",
        _storm(incident),
        f"[Runbook]({runbook})" if _is_address(runbook) else "",
        where(link, incident),
    ]
    return Message(
        headline(incident),
        joined(body),
        is_bad_news=True,
        is_critical=severity_of(incident) == "critical",
    )


def finished(incident: Incident, link: str) -> Message:
    """Return what an investigation found, in a few lines: the whole report is too much for most places."""
    has_failed = incident.status == Status.FAILED
    title = f"{'❌ Investigation failed' if has_failed else '✅ Investigation finished'}: {incident.title}"
    return Message(
        title, joined([brief(report(incident)), footer(incident), where(link, incident)]), has_failed
    )


def where(link: str, incident: Incident) -> str:
    """Return where more is to be read: the link where there is one, and always what the API finds it by."""
    return " | ".join(part for part in (link_to(link), f"Incident `{incident.uuid}`") if part)


def report(incident: Incident) -> str:
    """Return the answer of an investigation, its blocks written out, without the footer it may have."""
    answer = _FOOTER.sub("", with_blocks_written_out(incident.response))
    return answer.strip() or "_The investigation left no answer._"


def footer(incident: Incident) -> str:
    """Return what an investigation cost."""
    return cost(elapsed_ms=incident.execution_time_ms, tokens_used=incident.tokens_used).removeprefix("---\n")


def state_line(kind: NotificationKind, incident: Incident) -> str:
    """Return one line about what became of an incident."""
    if kind is NotificationKind.INCIDENT_RESOLVED:
        count = incident.alert_count
        alerts = "the alert is" if count == 1 else f"all {count} alerts are"
        at = "" if incident.resolved_at is None else f" ({incident.resolved_at:%Y-%m-%d %H:%M} UTC)"
        return f"✅ **Resolved:** {alerts} over{at}."
    if kind is NotificationKind.INCIDENT_REOPENED:
        return f"🔁 **Fires again:** {incident.firing_count} of {incident.alert_count} alerts."
    return "⏳ The investigation is running."


def _approval(notification: Notification, incident: Incident | None, link: str) -> Message:
    about = "" if incident is None else f"For the incident: {inline(incident.title)} (`{incident.uuid}`)"
    wanted, purpose, uuid = (notification.metadata.get(name) for name in ("summary", "purpose", "proposal"))
    why = inline(purpose, LONGEST_PURPOSE) if isinstance(purpose, str) else ""
    body = [
        f"✋ **Waits for approval:** {inline(wanted if isinstance(wanted, str) else notification.title, 1000)}",
        f"**Why, in the model's words:** “{why}”" if why else "",
        about,
        _how_to_decide(uuid),
        link_to(link, "Look at it and decide"),
    ]
    # Somebody has to do something, which is more than news.
    return Message(f"✋ Waits for approval: {notification.title}", joined(body), is_bad_news=True)


def _how_to_decide(uuid: JSON) -> str:
    return (
        f"Proposal `{uuid}`: read `GET /api/proposals/{uuid}`, then approve it with"
        f" `POST /api/proposals/{uuid}/approve` or reject it with `POST /api/proposals/{uuid}/reject`"
        " (scope `admin`). Nothing is done before."
    )


def _status(incident: Incident) -> str:
    if incident.resolved_at is not None:
        return f"resolved at {incident.resolved_at:%Y-%m-%d %H:%M} UTC"
    return "firing" if incident.firing_count else ""


def _alerts(incident: Incident) -> str:
    if incident.alert_count <= 1:
        return ""
    return f"{incident.alert_count:,}, of which {incident.firing_count:,} fire"


def _source(incident: Incident) -> str:
    return " / ".join(part for part in (incident.source, _text(incident, "source_instance")) if part)


def _storm(incident: Incident) -> str:
    """Say what a storm began with, the most frequent first."""
    context = incident.context or {}
    storm = context.get("storm")
    if not isinstance(storm, dict):
        return ""
    lines: list[str] = []
    for member, label in (("by_name", "Alerts"), ("by_host", "Hosts"), ("by_service", "Services")):
        counted = storm.get(member)
        if isinstance(counted, dict) and counted:
            lines.append(f"- **{label}:** {_most_frequent(counted)}")
    return "\n".join(["It began with:", "", *lines]) if lines else ""


def _most_frequent(counted: Mapping[str, JSON]) -> str:
    shown = [f"{inline(name, 80)} ({count})" for name, count in list(counted.items())[:MOST_COUNTED]]
    more = len(counted) - MOST_COUNTED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _text(incident: Incident | None, name: str) -> str:
    if incident is None or incident.context is None:
        return ""
    value = incident.context.get(name)
    return value if isinstance(value, str) else ""


def _is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://")) and not re.search(r"[\s()<>]", text)
