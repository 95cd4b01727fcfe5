"""Telling Slack: a message for each incident, and what happens to the incident in that message's thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from akmatori_server.incidents.models import Incident, Status
from akmatori_server.notifications.failures import NothingToSendError, SendError
from akmatori_server.notifications.messages import (
    footer,
    headline,
    message_of,
    opening,
    report,
    state_line,
    where,
)
from akmatori_server.notifications.models import Notification, NotificationKind
from akmatori_server.notifications.mrkdwn import cut, escape, to_mrkdwn
from akmatori_server.notifications.slack_api import SlackApi, SlackError

MOST_BYTES = 8000
# Slack's own limit for one section.
LONGEST_SECTION = 2900
OPENED, RUNNING, DONE, FAILED = "rotating_light", "hourglass_flowing_sand", "white_check_mark", "x"
INVESTIGATING = "is investigating…"
NEVER_TOLD = "Slack was never told of this incident."
EVENT_TYPE = "akmatori_notification"
# The clocks of two machines differ, and a message may have taken a while.
SKEW = timedelta(minutes=5)
HISTORY = 200
# Marks and edits of messages that people deleted, or marks that are there, or gone, already.
_HARMLESS = {
    "already_reacted",
    "no_reaction",
    "message_not_found",
    "cant_update_message",
    "edit_window_closed",
    "too_many_reactions",
    "thread_not_found",
}


@attrs.frozen
class Posted:
    """A message that is in Slack now."""

    channel_id: str
    ts: str
    text: str
    # Whether it is the incident's first message, whose thread the others go into.
    is_first: bool


Note = Callable[[Posted], None]
"""Writes down that a message was posted, before anything else is done."""


class SlackSender:
    """Sends one notification. `note` is called as soon as its message is posted, so that it is posted once."""

    def __init__(self, api: SlackApi, *, channel: Callable[[], str], note: Note) -> None:
        self._api = api
        self._channel = channel
        self._note = note
        self._just_posted: tuple[str, str] | None = None

    def send(
        self, notification: Notification, incident: Incident | None, *, link: str, doubt: datetime | None
    ) -> str:
        """Tell it, and return the text as it was sent.

        Args:
            notification: what to tell.
            incident: what it is about, as it is now.
            link: where people read more, "" when nobody knows.
            doubt: when it was tried first without anybody knowing whether it arrived; None when it never was.

        Raises:
            NothingToSendError: there is no message that it would be a mark on.
            SendError: it was not sent.
        """
        kind = notification.kind
        if incident is None or kind is NotificationKind.APPROVAL_NEEDED:
            message = message_of(notification, incident, link)
            return self._post(notification, incident, to_mrkdwn(message.body), doubt)
        if kind.is_opening:
            text = self._post(notification, incident, _opening_text(incident, link), doubt)
            with contextlib.suppress(_DecorationError):
                self._mark(_first(self._placed(notification, incident)), OPENED)
            return text
        if kind is NotificationKind.INVESTIGATION_FINISHED:
            return self._finish(notification, incident, link, doubt)
        first = _first((incident.slack_channel_id, incident.slack_message_ts))
        if kind is NotificationKind.INVESTIGATION_STARTED:
            # The mark is all there is to tell here, so that it cannot be set is an error.
            self._mark(first, RUNNING)
            if incident.status == Status.RUNNING:
                # The clock says it again; that Slack does not take it is no harm.
                with contextlib.suppress(SendError):
                    set_status(self._api, first)
            return ""
        text = self._post(notification, incident, to_mrkdwn(state_line(kind, incident)), doubt)
        self.update(first, _opening_text(incident, link))
        return text

    def test(self, text: str) -> str:
        """Post a message that is about nothing; return the id of the channel."""
        answer = self._api.call(
            "chat.postMessage", json={"channel": self._channel(), "text": text, "unfurl_links": False}
        )
        return str(answer.get("channel", ""))

    def _finish(
        self, notification: Notification, incident: Incident, link: str, doubt: datetime | None
    ) -> str:
        text = self._post(notification, incident, _report_text(incident, link), doubt)
        first = _first(self._placed(notification, incident))
        with contextlib.suppress(_DecorationError):
            self._mark(first, RUNNING, method="reactions.remove")
        with contextlib.suppress(_DecorationError):
            self._mark(first, FAILED if incident.status == Status.FAILED else DONE)
        return text

    def _placed(self, notification: Notification, incident: Incident) -> tuple[str, str]:
        """Return where the incident's first message is: perhaps it was posted a moment ago."""
        return self._just_posted or (incident.slack_channel_id, incident.slack_message_ts)

    def _post(
        self, notification: Notification, incident: Incident | None, text: str, doubt: datetime | None
    ) -> str:
        thread = ("", "")
        if incident is not None and not notification.kind.is_opening:
            thread = (incident.slack_channel_id, incident.slack_message_ts)
        if not thread[1] and notification.kind.is_state:
            raise NothingToSendError(NEVER_TOLD)
        is_first = incident is not None and not thread[1] and notification.kind in _BEGINS_THREAD
        return self.post(
            notification,
            text,
            doubt,
            thread=thread,
            is_first=is_first,
            has_blocks=notification.kind.is_opening,
        )

    def post(
        self,
        notification: Notification,
        text: str,
        doubt: datetime | None,
        *,
        thread: tuple[str, str] = ("", ""),
        is_first: bool = False,
        has_blocks: bool = False,
        is_broadcast: bool = False,
    ) -> str:
        """Post a message unless it is there already, and return its text.

        Args:
            notification: what it tells.
            text: what it says.
            doubt: see `send`.
            thread: the channel and the first message of the thread it goes into; empty for none.
            is_first: whether others will go into its thread.
            has_blocks: whether it is laid out as a section.
            is_broadcast: whether a reply in a thread is shown in the channel, too.
        """
        if notification.external_id:
            # Posted by an earlier attempt, which did not come to what follows.
            return notification.message
        channel = thread[0] if thread[1] else self._channel()
        found = None if doubt is None else self._find(notification, channel, thread[1], doubt)
        if found is None:
            more: dict[str, object] = {"thread_ts": thread[1]} if thread[1] else {}
            if has_blocks:
                more["blocks"] = _blocks(text)
            if thread[1] and is_broadcast:
                more["reply_broadcast"] = True
            found = self._posted(notification, channel, text, more)
        if is_first:
            self._just_posted = found
        self._note(Posted(*found, text=text, is_first=is_first))
        return text

    def _posted(
        self, notification: Notification, channel: str, text: str, more: Mapping[str, object]
    ) -> tuple[str, str]:
        body: dict[str, object] = {
            "channel": channel,
            "text": text,
            "unfurl_links": False,
            "unfurl_media": False,
            # By it the message is found again when nobody heard whether it was posted.
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"notification": notification.uuid}},
            **more,
        }
        answer = self._api.call("chat.postMessage", json=body)
        return str(answer.get("channel", channel)), str(answer["ts"])

    def _find(
        self, notification: Notification, channel: str, thread: str, since: datetime
    ) -> tuple[str, str] | None:
        """Look whether the message is in Slack; None when it is not, or Slack does not let us look."""
        asked: dict[str, object] = {
            "channel": channel,
            "oldest": f"{(since - SKEW).timestamp():.6f}",
            "limit": HISTORY,
            "include_all_metadata": "true",
        }
        method = "conversations.replies" if thread else "conversations.history"
        try:
            answer = self._api.call(method, params={**asked, "ts": thread} if thread else asked)
        except SlackError as error:
            if error.retry_after is not None:
                raise
            # The scope to read is not granted: rather told twice than not at all.
            return None
        for message in answer.get("messages", []):
            if _notification_in(message) == notification.uuid:
                return channel, str(message["ts"])
        return None

    def mark(self, first: tuple[str, str], name: str) -> None:
        """Mark a message; that it is refused costs nothing."""
        if self._just_posted is not None:
            first = self._just_posted
        if first[1]:
            with contextlib.suppress(_DecorationError):
                self._mark(first, name)

    def _mark(self, first: tuple[str, str], name: str, *, method: str = "reactions.add") -> None:
        self._decorate(method, {"channel": first[0], "timestamp": first[1], "name": name})

    def update(self, first: tuple[str, str], text: str) -> None:
        """Have a message say how it is now."""
        with contextlib.suppress(_DecorationError):
            self._decorate(
                "chat.update",
                {"channel": first[0], "ts": first[1], "text": text, "blocks": _blocks(text)},
            )

    def _decorate(self, method: str, body: dict[str, object]) -> None:
        try:
            self._api.call(method, json=body)
        except SlackError as error:
            if error.code in _HARMLESS:
                return
            if error.is_final:
                raise _DecorationError(error.sentence, is_final=True, http_status=error.http_status) from None
            raise


def set_status(api: SlackApi, first: tuple[str, str]) -> None:
    """Say under a thread that its incident is investigated; Slack shows it until a reply, for two minutes.

    Raises:
        SendError: Slack does not take it.
    """
    status = {"channel_id": first[0], "thread_ts": first[1], "status": INVESTIGATING}
    api.call("assistant.threads.setStatus", json=status)


class _DecorationError(SendError):
    """The message is there, but a mark on it is refused."""


_BEGINS_THREAD = frozenset(
    {
        NotificationKind.INCIDENT_OPENED,
        NotificationKind.INCIDENT_STORM,
        NotificationKind.INVESTIGATION_FINISHED,
    }
)


def _notification_in(message: Mapping[str, Any]) -> object:
    """Return which notification a message of Slack's is, None when it is none of ours."""
    metadata: Mapping[str, Any] = message.get("metadata") or {}
    payload: Mapping[str, Any] = metadata.get("event_payload") or {}
    return payload.get("notification")


def _first(place: tuple[str, str]) -> tuple[str, str]:
    if not place[1]:
        raise NothingToSendError(NEVER_TOLD)
    return place


def _opening_text(incident: Incident, link: str) -> str:
    return titled(headline(incident), opening(incident, link).body)


def titled(title: str, markdown: str) -> str:
    """Return a message of one section with its title."""
    body, _ = cut(to_mrkdwn(markdown), LONGEST_SECTION - 500)
    return f"*{escape(title).replace('*', '')}*\n{body}"


def _blocks(text: str) -> list[dict[str, Any]]:
    shown, _ = cut(text, LONGEST_SECTION)
    return [{"type": "section", "text": {"type": "mrkdwn", "text": shown}}]


def _report_text(incident: Incident, link: str) -> str:
    """Return the report, at most 8000 bytes of it with its footer; the rest is behind the link."""
    begins = "" if incident.slack_message_ts else f"*{escape(headline(incident)).replace('*', '')}*\n\n"
    ends = f"\n\n{escape(footer(incident))} | {to_mrkdwn(where(link, incident))}"
    rest = "\n\n_… the rest is in the incident._"
    room = MOST_BYTES - len((begins + ends).encode())
    written = to_mrkdwn(report(incident))
    shown, is_cut = cut(written, room)
    if is_cut:
        shown = cut(written, room - len(rest.encode()))[0] + rest
    return f"{begins}{shown}{ends}"
