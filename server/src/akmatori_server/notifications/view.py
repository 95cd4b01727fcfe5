"""Notifications and their settings as the API shows them, addresses masked."""

from __future__ import annotations

from collections.abc import Iterable

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.errors import BadRequest
from akmatori_server.notifications.models import (
    UNFINISHED,
    USUAL_TARGET_KINDS,
    Attempt,
    LeastSeverity,
    NotificationKind,
)
from akmatori_server.notifications.service import TestResult, Told
from akmatori_server.notifications.settings import NotificationSettings, Target, WrittenTarget
from akmatori_server.notifications.settings_store import names_of


def settings_model(settings: NotificationSettings) -> models.NotificationSettings:
    """Return the settings as the API shows them."""
    return models.NotificationSettings(
        id=settings.id,
        slack=models.SlackNotifications(
            kinds=_shown_kinds(settings.slack_kinds),
            min_severity=models.NotificationMinSeverity(settings.slack_min_severity.value),
        ),
        targets=[_target_model(target) for target in settings.targets],
        created_at=settings.created_at,
        updated_at=settings.updated_at,
    )


def notification_model(told: Told) -> models.Notification:
    """Return a notification as the API shows it."""
    one = told.notification
    return models.Notification(
        uuid=one.uuid,
        kind=models.NotificationKind(one.kind.value),
        channel=one.channel,
        channel_type=one.channel_type,
        state=models.NotificationState(one.state.value),
        incident_uuid=one.incident_uuid,
        severity=one.severity,
        title=one.title,
        message=one.message,
        source=one.source,
        resource_kind=one.resource_kind,
        resource_name=one.resource_name,
        dedup_key=one.dedup_key,
        aggregated_count=one.aggregated_count,
        attempt_count=one.attempts,
        attempts=[_attempt_model(attempt) for attempt in told.attempts],
        error=one.error,
        http_status=one.http_status,
        created_at=one.created_at,
        next_try_at=one.next_try_at if one.state in UNFINISHED else None,
        sent_at=one.sent_at,
    )


def result_model(result: TestResult) -> models.NotificationTestResult:
    """Return the result of a test as the API shows it."""
    return models.NotificationTestResult(
        channel=result.channel,
        success=result.is_success,
        message=result.message,
        duration_ms=result.duration_ms,
        http_status=result.http_status,
    )


def written_targets(
    given: Iterable[models.UpdateNotificationTarget],
) -> list[WrittenTarget]:
    """Return targets as a caller wrote them."""
    return [
        WrittenTarget(
            name=one.name,
            url=None if one.url is UNSET else one.url,
            enabled=one.enabled if isinstance(one.enabled, bool) else True,
            kinds=USUAL_TARGET_KINDS if not _is_given(one.kinds) else written_kinds(one.kinds or ()),
            min_severity=written_severity(one.min_severity) or LeastSeverity.INFO,
        )
        for one in given
    ]


def written_kinds(given: Iterable[models.NotificationKind]) -> frozenset[NotificationKind]:
    """Return kinds as a caller wrote them.

    Raises:
        BadRequest: one is unknown.
    """
    try:
        return frozenset(NotificationKind(kind.value) for kind in given)
    except ValueError:
        known = ", ".join(kind.value for kind in NotificationKind)
        raise BadRequest(f"kinds: each must be one of {known}.") from None


def written_severity(given: models.NotificationMinSeverity | Unset | None) -> LeastSeverity | None:
    """Return a least severity as a caller wrote it, None when it is left out.

    Raises:
        BadRequest: it is unknown.
    """
    if given is None or given is UNSET:
        return None
    try:
        return LeastSeverity(given.value)
    except ValueError:
        known = ", ".join(severity.value for severity in LeastSeverity)
        raise BadRequest(f"min_severity: must be one of {known}.") from None


def _is_given(value: object) -> bool:
    return value is not None and value is not UNSET


def _target_model(target: Target) -> models.NotificationTarget:
    return models.NotificationTarget(
        name=target.name,
        url=target.shown_url if target.url.is_set else "",
        enabled=target.enabled,
        kinds=_shown_kinds(target.kinds),
        min_severity=models.NotificationMinSeverity(target.min_severity.value),
    )


def _shown_kinds(kinds: Iterable[NotificationKind]) -> list[models.NotificationKind]:
    return [models.NotificationKind(name) for name in names_of(kinds)]


def _attempt_model(attempt: Attempt) -> models.NotificationAttempt:
    return models.NotificationAttempt(
        at=attempt.at,
        outcome=models.NotificationOutcome(attempt.outcome.value),
        sentence=attempt.sentence,
        duration_ms=attempt.duration_ms,
        http_status=attempt.http_status,
    )
