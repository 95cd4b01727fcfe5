"""Answers the operations of the tag `notifications`."""

from __future__ import annotations

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.database import Database
from akmatori_server.etag import require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.optional import given
from akmatori_server.notifications.models import NotificationKind, State, Wanted
from akmatori_server.notifications.service import NotificationService
from akmatori_server.notifications.settings import NotificationSettings
from akmatori_server.notifications.view import (
    notification_model,
    result_model,
    settings_model,
    written_kinds,
    written_severity,
    written_targets,
)
from akmatori_server.pagination import pagination_of, requested_page
from akmatori_server.settings.shown import etag

TARGET = "settings:notifications"


class NotificationHandlers:
    """Notifications over HTTP."""

    def __init__(self, notifications: NotificationService, trail: AuditTrail, database: Database) -> None:
        self._notifications = notifications
        self._trail = trail
        self._database = database

    def list_notifications(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        per_page: int | Unset,
        state: models.NotificationState | Unset,
        incident: str | Unset,
        channel: str | Unset,
        kind: models.NotificationKind | Unset,
    ) -> models.NotificationList:
        """List what was told, the newest first."""
        wanted = Wanted(
            state=None if state is UNSET else State(state.value),
            incident_uuid=given(incident),
            channel=given(channel),
            kind=None if kind is UNSET else NotificationKind(kind.value),
        )
        request = requested_page(page, per_page)
        found, total = self._notifications.page(wanted, request)
        shown = [notification_model(told) for told in found]
        if request is None:
            return shown
        return models.NotificationPage(data=shown, pagination=pagination_of(request, total))

    def get_notification_settings(self, _call: Call, /) -> Answer[models.NotificationSettings]:
        """Read what is told where."""
        return _answer(self._notifications.settings())

    def update_notification_settings(
        self, call: Call, /, *, if_match: str | Unset, body: models.UpdateNotificationSettingsRequest
    ) -> Answer[models.NotificationSettings]:
        """Change what is told where."""
        slack = None if body.slack is UNSET else body.slack
        targets = None if body.targets is UNSET else body.targets
        with self._notifications.writing() as write:
            require_match(if_match, etag(write.before))
            after = write.put(
                write.before.changed(
                    slack_kinds=(
                        None
                        if slack is None or slack.kinds is UNSET or slack.kinds is None
                        else written_kinds(slack.kinds)
                    ),
                    slack_min_severity=None if slack is None else written_severity(slack.min_severity),
                    targets=None if targets is None else written_targets(targets),
                    box=write.box,
                )
            )
            self._trail.record(
                write.connection,
                call,
                Action.NOTIFICATIONS_UPDATED,
                TARGET,
                codec.encode_notification_settings(settings_model(write.before)),
                codec.encode_notification_settings(settings_model(after)),
            )
        return _answer(after)

    def test_notifications(
        self, call: Call, /, *, body: models.TestNotificationsRequest
    ) -> models.NotificationTestResult:
        """Send one message to one channel, and say what happened."""
        shown = result_model(self._notifications.test(body.channel))
        with self._database.write() as connection:
            after = codec.encode_notification_test_result(shown)
            self._trail.record(connection, call, Action.NOTIFICATION_TESTED, TARGET, None, after)
        return shown


def _answer(settings: NotificationSettings) -> Answer[models.NotificationSettings]:
    return Answer(settings_model(settings), headers={"ETag": etag(settings)})
