"""Telling Slack of the incidents of clusters: a message for each or for many, and what follows in its thread."""

from __future__ import annotations

from datetime import datetime

from akmatori_server.notifications.cluster_incidents import ClusterIncident, ClusterNews
from akmatori_server.notifications.cluster_messages import (
    bundle,
    bundle_title,
    headline,
    opening,
    state_line,
)
from akmatori_server.notifications.failures import NothingToSendError
from akmatori_server.notifications.models import Notification, NotificationKind
from akmatori_server.notifications.mrkdwn import escape, to_mrkdwn
from akmatori_server.notifications.slack import DONE, NEVER_TOLD, OPENED, SlackSender, titled

_OPENED = NotificationKind.KUBERNETES_INCIDENT_OPENED
_RESOLVED = NotificationKind.KUBERNETES_INCIDENT_RESOLVED


class ClusterSlack:
    """Sends one notification about a cluster."""

    def __init__(self, sender: SlackSender) -> None:
        self._sender = sender

    def send(self, notification: Notification, news: ClusterNews, link: str, doubt: datetime | None) -> str:
        """Tell it, and return the text as it was sent.

        Args:
            notification: what to tell.
            news: what it is about, as it is now.
            link: where people read more, "" when nobody knows.
            doubt: when it was tried first without anybody knowing whether it arrived; None when it never was.

        Raises:
            NothingToSendError: there is no message that it would follow.
            SendError: it was not sent.
        """
        incident = news.one
        if incident is None:
            text = titled(bundle_title(notification), bundle(notification, news, link))
            return self._sender.post(
                notification, text, doubt, is_first=notification.kind is _OPENED, has_blocks=True
            )
        if notification.kind is _OPENED:
            text = titled(headline(incident), opening(incident, link))
            return self._begin(notification, incident, text, doubt)
        line = state_line(notification, incident)
        if not incident.slack_place[1]:
            if notification.kind is _RESOLVED:
                raise NothingToSendError(NEVER_TOLD)
            # Only now is it bad enough for this channel, or Slack was set up only now.
            text = titled(headline(incident), f"{line}\n\n{opening(incident, link)}")
            return self._begin(notification, incident, text, doubt)
        return self._follow(notification, incident, line, link, doubt)

    def _begin(
        self, notification: Notification, incident: ClusterIncident, text: str, doubt: datetime | None
    ) -> str:
        told = self._sender.post(notification, text, doubt, is_first=True, has_blocks=True)
        self._sender.mark(incident.slack_place, OPENED)
        return told

    def _follow(
        self,
        notification: Notification,
        incident: ClusterIncident,
        line: str,
        link: str,
        doubt: datetime | None,
    ) -> str:
        place = incident.slack_place
        text = to_mrkdwn(line)
        if incident.slack_is_shared:
            text = f"*{escape(headline(incident)).replace('*', '')}* (`{incident.id}`)\n{text}"
        is_over = notification.kind is _RESOLVED
        # What becomes worse has to be seen by those who do not follow the thread, too.
        told = self._sender.post(notification, text, doubt, thread=place, is_broadcast=not is_over)
        if not incident.slack_is_shared:
            self._sender.update(place, titled(headline(incident), opening(incident, link)))
            if is_over:
                self._sender.mark(place, DONE)
        return told
