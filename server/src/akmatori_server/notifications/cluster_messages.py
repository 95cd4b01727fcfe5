"""What is told of the incidents of clusters, and of budgets, in Markdown. Pure."""

from __future__ import annotations

from akmatori_server.investigation.report import inline
from akmatori_server.notifications.cluster_incidents import CLUSTER, NOTE, ClusterIncident, ClusterNews
from akmatori_server.notifications.models import Notification, NotificationKind
from akmatori_server.notifications.words import Message, fact, joined, link_to

EMOJI = {"critical": "🔴", "high": "🟠", "medium": "🟡", "warning": "🟡", "low": "🔵", "info": "🔵"}
LONGEST_LINE = 200
# Of many: ten of them have to find room in one section of Slack.
LONGEST_OF_MANY = 140
LONGEST_CAUSE = 400
_WORDS = {
    NotificationKind.KUBERNETES_INCIDENT_OPENED: ("", "new incidents"),
    NotificationKind.KUBERNETES_INCIDENT_WORSENED: ("📈 Worse", "incidents became worse"),
    NotificationKind.KUBERNETES_INCIDENT_REOPENED: ("🔁 Open again", "incidents are open again"),
    NotificationKind.KUBERNETES_INCIDENT_RESOLVED: ("✅ Resolved", "incidents are resolved"),
}


def cluster_message(notification: Notification, news: ClusterNews, link: str) -> Message:
    """Return what a notification about incidents of a cluster says; `link` leads to them, "" when nobody knows."""
    is_bad_news = notification.kind is not NotificationKind.KUBERNETES_INCIDENT_RESOLVED
    is_critical = is_bad_news and notification.severity == "critical"
    incident = news.one
    word, _ = _WORDS[notification.kind]
    if incident is None:
        title, body = bundle_title(notification), bundle(notification, news, link)
    elif not word:
        title, body = headline(incident), opening(incident, link)
    else:
        title = f"{word}: {incident.title}"
        body = joined([state_line(notification, incident), facts(incident), where(link, incident)])
    return Message(title, body, is_bad_news, is_critical)


def headline(incident: ClusterIncident) -> str:
    """Return an incident in one line."""
    return f"{EMOJI.get(incident.severity, '🟡')} {' '.join(incident.title.split())}"


def opening(incident: ClusterIncident, link: str) -> str:
    """Return the first message about an incident, as things stand now."""
    events = "\n".join(f"- {inline(event, LONGEST_LINE)}" for event in incident.events)
    cause = f"**Probable cause:** {inline(incident.root_cause, LONGEST_CAUSE)}" if incident.root_cause else ""
    return joined([facts(incident), cause, events, where(link, incident)])


def facts(incident: ClusterIncident) -> str:
    """Return a list of what is known of an incident."""
    place = f"{incident.namespace}/{incident.name}" if incident.namespace else incident.name
    known = [
        fact("Status", _status(incident)),
        fact("Severity", incident.severity),
        fact("Cluster", incident.cluster),
        fact("Resource", f"{incident.kind} {place}"),
        fact("Events", str(incident.event_count)),
    ]
    return "\n".join(f"- {one}" for one in known if one)


def state_line(notification: Notification, incident: ClusterIncident) -> str:
    """Return one line about what became of an incident."""
    word, _ = _WORDS[notification.kind]
    mark, _, rest = word.partition(" ")
    note = notification.metadata.get(NOTE)
    at = ""
    if notification.kind is NotificationKind.KUBERNETES_INCIDENT_RESOLVED and incident.resolved_at:
        at = f" ({incident.resolved_at:%Y-%m-%d %H:%M} UTC)"
    why = inline(note if isinstance(note, str) else "", LONGEST_LINE)
    return f"{mark} **{rest}:** {why}{at}"


def bundle_title(notification: Notification) -> str:
    """Return several incidents in one line."""
    _, words = _WORDS[notification.kind]
    is_over = notification.kind is NotificationKind.KUBERNETES_INCIDENT_RESOLVED
    emoji = "✅" if is_over else EMOJI.get(notification.severity, "🟡")
    return f"{emoji} {notification.aggregated_count:,} {words} in the cluster {notification.metadata.get(CLUSTER)}"


def bundle(notification: Notification, news: ClusterNews, link: str) -> str:
    """Return the worst of several incidents, and how many more there are."""
    lines = [
        f"- {EMOJI.get(one.severity, '🟡')} {inline(one.title, LONGEST_OF_MANY)} · `{one.id}`"
        for one in news.incidents
    ]
    more = notification.aggregated_count - len(news.incidents)
    is_over = notification.kind is NotificationKind.KUBERNETES_INCIDENT_RESOLVED
    path = "/api/v1/incidents?status=resolved" if is_over else "/api/v1/incidents"
    rest = f"… and {more:,} more: `GET {path}` lists all of them." if more > 0 else ""
    return joined(["\n".join(lines), rest, link_to(link, "Open the incidents")])


def where(link: str, incident: ClusterIncident) -> str:
    """Return where more is to be read: the link where there is one, and always what the API calls it."""
    return " | ".join(part for part in (link_to(link), f"Incident `{incident.id}`") if part)


def budget_message(notification: Notification) -> Message:
    """Return that the tokens of a window are nearly used up."""
    told = notification.metadata
    used, limit = (_number(told.get(name)) for name in ("used", "limit"))
    share = f"{told.get('percent')} % of the {told.get('window')} budget are used, {used:,} of {limit:,}."
    body = [
        f"🎟️ **Tokens of language models:** {share}",
        f"The window ends at {told.get('resetAt')}. Nothing is stopped by it; this is told once in a window.",
        "`GET /api/v1/token-usage` tells more.",
    ]
    return Message(f"🎟️ {notification.title}", joined(body), is_bad_news=True)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _status(incident: ClusterIncident) -> str:
    if incident.resolved_at is not None:
        return f"resolved at {incident.resolved_at:%Y-%m-%d %H:%M} UTC"
    if incident.status == "acknowledged":
        return f"acknowledged by {incident.acknowledged_by}"
    return incident.status
