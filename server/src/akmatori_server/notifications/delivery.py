"""Handing a notification to the channel it is for, with the settings as they are at this moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs
import sqlalchemy as sa

from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.incidents import store as incident_store
from akmatori_server.incidents.models import Incident
from akmatori_server.incidents.tables import incidents
from akmatori_server.notifications import settings_store, store
from akmatori_server.notifications.addresses import send
from akmatori_server.notifications.cluster_incidents import ONE, ClusterNews, note_place, read_news
from akmatori_server.notifications.cluster_messages import cluster_message
from akmatori_server.notifications.cluster_slack import ClusterSlack
from akmatori_server.notifications.failures import SendError
from akmatori_server.notifications.messages import message_of
from akmatori_server.notifications.models import SLACK, Notification, NotificationKind
from akmatori_server.notifications.sending import SenderProxy, send_through
from akmatori_server.notifications.slack import Posted, SlackSender
from akmatori_server.notifications.slack_api import OFFICIAL_URL, SlackApi, SlackError
from akmatori_server.notifications.slack_channel import SlackDirectory
from akmatori_server.notifications.words import Message
from akmatori_server.settings import store as server_settings
from akmatori_server.settings.route import Route
from akmatori_server.settings.slack import SlackSettings

NO_NEWS = ClusterNews((), is_bundle=False)


@attrs.frozen(kw_only=True)
class Ticket:
    """One attempt that has begun."""

    notification: Notification
    attempt_id: int
    # When it was first tried without anybody knowing whether it arrived.
    doubt: datetime | None
    incident: Incident | None
    # What it is about in a Kubernetes cluster.
    news: ClusterNews = NO_NEWS
    # Why it need not be sent, "" when it must.
    needless: str = ""


def no_proxy_at_all() -> None:
    """Send everything directly, or as the environment of this process says."""


class Delivery:
    """Reads the settings with every message: new ones count from the next message on."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        *,
        route: Route,
        now: Callable[[], datetime],
        proxy: Callable[[], SenderProxy | None] = no_proxy_at_all,
        slack_url: str | None = None,
        public_url: str = "",
    ) -> None:
        """Take what it needs.

        Args:
            database: where the settings and the incidents are.
            box: opens the secrets.
            route: the proxy for Slack.
            now: the clock.
            proxy: the proxy for what Apprise sends.
            slack_url: another address of Slack's API: a gateway, or a stand-in.
            public_url: where people reach this installation, when the general settings do not say.
        """
        self._database = database
        self._box = box
        self._route = route
        self._now = now
        self._proxy = proxy
        self._slack_url = slack_url or OFFICIAL_URL
        self._public_url = public_url.rstrip("/")
        self._directory = SlackDirectory()

    def incident(self, connection: sa.Connection, notification: Notification) -> Incident | None:
        """Return what a notification is about, None when it is about no incident, or that is gone."""
        if notification.incident_uuid is None:
            return None
        return incident_store.get(connection, notification.incident_uuid)

    def news(self, connection: sa.Connection, notification: Notification) -> ClusterNews:
        """Return the incidents of a cluster that a notification is about, none when it is about something else."""
        return read_news(connection, notification) if notification.kind.is_of_cluster else NO_NEWS

    def deliver(self, ticket: Ticket) -> str:
        """Send it, and return the text as it was sent.

        Raises:
            NothingToSendError: there is nothing to tell any more.
            SendError: it was not sent.
            SecretUnreadableError: the channel's secret was stored with another key.
        """
        notification = ticket.notification
        is_of_cluster = notification.kind.is_of_cluster
        if (ticket.incident is None and notification.source == "incident") or (
            is_of_cluster and not ticket.news.incidents
        ):
            raise SendError("The incident is deleted.", is_final=True)
        link = self._link(notification)
        if notification.channel == SLACK:
            return self._to_slack(ticket, link)
        url = self.address(notification.channel, is_test=False)
        message = (
            cluster_message(notification, ticket.news, link)
            if is_of_cluster
            else message_of(notification, ticket.incident, link)
        )
        self.send(notification.channel, url, message)
        return message.body

    def send(self, name: str, url: str, message: Message) -> None:
        """Send a message to a target's address, through the proxy when the settings say so.

        Raises:
            SendError: it was not sent.
            UnknownOutcomeError: nobody knows.
            SecretUnreadableError: the password of the proxy was stored with another key.
        """
        proxy = self._proxy()
        try:
            if proxy is None:
                send(url, **attrs.asdict(message))
            else:
                send_through(proxy, url, message)
        except SendError as error:
            raise error.named(f"The target {name}") from None

    def address(self, name: str, *, is_test: bool) -> str:
        """Return the address of a target.

        Raises:
            SendError: there is no such target, or it is switched off.
            SecretUnreadableError: its address was stored with another key.
        """
        with self._database.read() as connection:
            target = settings_store.read(connection, self._box).target(name)
        if target is None:
            raise SendError(f"There is no target named {name} any more.", is_final=True)
        if not target.enabled and not is_test:
            raise SendError(f"The target {name} is switched off.", is_final=True)
        if not target.url.is_set:
            raise SendError(f"The address of the target {name} is gone; enter it again.", is_final=True)
        return target.url.reveal()

    def slack(self) -> tuple[SlackSettings, SlackApi, Callable[[], str]]:
        """Return the Slack settings, its API with their token, and what finds the channel.

        Raises:
            SendError: there is no token, or the SDK is not installed.
            SecretUnreadableError: the token was stored with another key.
        """
        with self._database.read() as connection:
            settings = server_settings.slack(connection, self._box)
        token = settings.bot_token.reveal()
        if not token:
            raise SendError("There is no bot token; put one into the Slack settings.", is_final=True)
        proxy = self._route(self._slack_url)
        api = SlackApi(token, base_url=self._slack_url, proxy=None if proxy is None else proxy.url)

        def channel() -> str:
            if not settings.alerts_channel.strip():
                raise SendError("No channel is chosen; set alerts_channel.", is_final=True)
            return self._directory.find(api, token, settings.alerts_channel)

        return settings, api, channel

    def forget_channels(self) -> None:
        """Look channels up again the next time."""
        self._directory.forget()

    def _to_slack(self, ticket: Ticket, link: str) -> str:
        settings, api, channel = self.slack()
        if not settings.is_active:
            raise SendError("Slack is switched off.", is_final=True)

        def note(posted: Posted) -> None:
            self._note(ticket, posted)

        sender = SlackSender(api, channel=channel, note=note)
        try:
            if ticket.notification.kind.is_of_cluster:
                return ClusterSlack(sender).send(ticket.notification, ticket.news, link, ticket.doubt)
            return sender.send(ticket.notification, ticket.incident, link=link, doubt=ticket.doubt)
        except SlackError as error:
            if error.code == "channel_not_found":
                self._directory.forget()
            raise

    def _note(self, ticket: Ticket, posted: Posted) -> None:
        """Write down what the message is called, in one transaction with the incident's own note of it."""
        with self._database.write() as connection:
            store.set_sent_as(connection, ticket.notification.id, posted.ts, posted.text)
            if posted.is_first and ticket.news.incidents:
                note_place(connection, ticket.notification, posted.channel_id, posted.ts)
            if posted.is_first and ticket.incident is not None:
                connection.execute(
                    sa.update(incidents)
                    .where(incidents.c.id == ticket.incident.id, incidents.c.slack_message_ts == "")
                    .values(
                        slack_channel_id=posted.channel_id[:64],
                        slack_message_ts=posted.ts[:64],
                        updated_at=self._now(),
                    )
                )

    def _link(self, notification: Notification) -> str:
        with self._database.read() as connection:
            base = server_settings.general(connection).link_base or self._public_url
        if not base:
            return ""
        if notification.kind is NotificationKind.APPROVAL_NEEDED:
            return f"{base}/proposals/{notification.metadata.get('proposal', '')}"
        if notification.kind is NotificationKind.TOKEN_BUDGET:
            return ""
        if notification.kind.is_of_cluster:
            identifier = notification.metadata.get(ONE)
            return f"{base}/incidents/{identifier}" if identifier else f"{base}/incidents"
        return f"{base}/incidents/{notification.incident_uuid}"
