"""What is told where, from a file: for installations that are described by files, and where nobody can ask the API.

```yaml
slack:
  bot_token: xoxb-…
  alerts_channel: "#alerts"
  min_severity: high
targets:
  - name: On call
    url: mailtos://user:password@example.net
    kinds: [kubernetes_incident_opened, kubernetes_incident_resolved]
```
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs

from akmatori_sdk._generated.akmatori import codec
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.config import ConfigurationError
from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.errors import ApiError
from akmatori_server.kubernetes.manifests import Node
from akmatori_server.kubernetes.manifests.documents import DocumentCutter
from akmatori_server.kubernetes.manifests.yaml_nodes import ManifestError, read_bodies
from akmatori_server.notifications.models import (
    EVERY_KIND,
    SLACK,
    USUAL_TARGET_KINDS,
    LeastSeverity,
    NotificationKind,
)
from akmatori_server.notifications.service import NotificationService
from akmatori_server.notifications.settings import Target, WrittenTarget
from akmatori_server.notifications.view import settings_model
from akmatori_server.settings.service import SettingsService
from akmatori_server.settings.shown import slack_model
from akmatori_server.settings.slack import SlackSettings

VARIABLE = "AKMATORI_NOTIFICATIONS_FILE"
LARGEST_FILE = 1024 * 1024
_SLACK = frozenset(
    {"bot_token", "signing_secret", "app_token", "alerts_channel", "enabled", "kinds", "min_severity"}
)
_TARGET = frozenset({"name", "url", "enabled", "kinds", "min_severity"})
# Sending needs the bot token only; without these, Slack does not count as configured.
_UNUSED = "unused"


@attrs.frozen(kw_only=True)
class SlackInFile:
    """What the file says of Slack."""

    bot_token: str = attrs.field(repr=False)
    signing_secret: str | None = attrs.field(repr=False)
    app_token: str | None = attrs.field(repr=False)
    alerts_channel: str
    enabled: bool
    kinds: frozenset[NotificationKind]
    min_severity: LeastSeverity


@attrs.frozen(kw_only=True)
class NotificationsFile:
    """What the file says; None for what it does not mention, which stays as it is."""

    path: Path
    slack: SlackInFile | None
    targets: tuple[WrittenTarget, ...] | None

    def channels(self) -> list[str]:
        """Return what it sets in words: each channel by its name, and from which severity on it is told."""
        found = [] if self.slack is None else [_named(SLACK, self.slack)]
        return found + [_named(one.name, one) for one in self.targets or ()]


def read_notifications_file(path: Path) -> NotificationsFile:
    """Read the file.

    Raises:
        ConfigurationError: it cannot be read, or says something that has no meaning; the sentence names the line, and
            repeats no value.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size > LARGEST_FILE:
                raise _wrong(path, None, f"the file may have {LARGEST_FILE} bytes at most.")
            cutter = DocumentCutter(file)
            bodies = list(read_bodies(cutter, lambda _line, _text: None)) if cutter.next() else []
    except OSError as error:
        raise _wrong(path, None, f"the file cannot be read: {error.strerror or error}.") from None
    except ManifestError as error:
        raise _wrong(path, error.line, "this is no YAML.") from None
    node = bodies[0].node if len(bodies) == 1 else None
    if node is None or not node.is_mapping:
        raise _wrong(path, None, "the file needs the member slack, targets or both.")
    _check_members(path, node, frozenset({"slack", "targets"}), "the file")
    slack, targets = node.get("slack"), node.get("targets")
    return NotificationsFile(
        path=path,
        slack=_slack(path, slack) if slack.exists else None,
        targets=tuple(_target(path, one) for one in targets.each()) if targets.exists else None,
    )


def apply_notifications_file(
    file: NotificationsFile, settings: SettingsService, notifications: NotificationService, trail: AuditTrail
) -> None:
    """Have the settings say what the file says; where they do already, nothing is written.

    Raises:
        ConfigurationError: a target breaks a rule; the sentence says which.
    """
    try:
        if file.slack is not None:
            _apply_slack(file.slack, settings, notifications, trail)
        _apply_rest(file, notifications, trail)
    except ApiError as error:
        raise _wrong(file.path, None, error.message) from None


def _apply_slack(
    slack: SlackInFile, settings: SettingsService, notifications: NotificationService, trail: AuditTrail
) -> None:
    with settings.writing() as write:
        before = write.slack()
        after = before.changed(
            bot_token=slack.bot_token,
            signing_secret=slack.signing_secret or (None if before.signing_secret.is_set else _UNUSED),
            app_token=slack.app_token or (None if before.app_token.is_set else _UNUSED),
            alerts_channel=slack.alerts_channel,
            enabled=slack.enabled,
        )
        if _known(lambda: _slack_values(before)) == _known(lambda: _slack_values(after)):
            return
        stored = write.put_slack(after)
        trail.record(
            write.connection,
            None,
            Action.SLACK_UPDATED,
            "settings:slack",
            codec.encode_slack_settings(slack_model(before)),
            codec.encode_slack_settings(slack_model(stored)),
        )
        notifications.slack_changed(write.connection)


def _apply_rest(file: NotificationsFile, notifications: NotificationService, trail: AuditTrail) -> None:
    with notifications.writing() as write:
        before = write.before
        kinds = before.slack_kinds if file.slack is None else file.slack.kinds
        least = before.slack_min_severity if file.slack is None else file.slack.min_severity
        # Looked at first: to check an address takes the whole of Apprise, and a start should not wait for it.
        if (kinds, least) == (before.slack_kinds, before.slack_min_severity) and (
            file.targets is None
            or _known(lambda: [_values(one) for one in before.targets]) == [*map(_written, file.targets)]
        ):
            return
        stored = write.put(
            before.changed(slack_kinds=kinds, slack_min_severity=least, targets=file.targets, box=write.box)
        )
        trail.record(
            write.connection,
            None,
            Action.NOTIFICATIONS_UPDATED,
            "settings:notifications",
            codec.encode_notification_settings(settings_model(before)),
            codec.encode_notification_settings(settings_model(stored)),
        )


def _named(name: str, one: SlackInFile | WrittenTarget) -> str:
    return f"{name}, from {one.min_severity.value} on" if one.enabled else f"{name}, switched off"


def _slack_values(slack: SlackSettings) -> object:
    secrets = [slack.bot_token.reveal(), slack.signing_secret.reveal(), slack.app_token.reveal()]
    return secrets, slack.alerts_channel, slack.enabled


def _values(one: Target) -> object:
    return one.name, one.url.reveal(), one.enabled, one.kinds, one.min_severity


def _written(one: WrittenTarget) -> object:
    return one.name, one.url, one.enabled, one.kinds, one.min_severity


def _known(values: Callable[[], object]) -> object:
    """Return the values; what cannot be read with this server's key is equal to nothing."""
    try:
        return values()
    except SecretUnreadableError:
        return object()


def _slack(path: Path, node: Node) -> SlackInFile:
    _check_members(path, node, _SLACK, "slack")
    for name in ("bot_token", "alerts_channel"):
        if not node.get(name).text().strip():
            raise _wrong(path, node.line, f"slack needs {name}.")
    return SlackInFile(
        bot_token=node.get("bot_token").text(),
        signing_secret=node.get("signing_secret").text() or None,
        app_token=node.get("app_token").text() or None,
        alerts_channel=node.get("alerts_channel").text(),
        enabled=_flag(path, node),
        kinds=_kinds(path, node, EVERY_KIND),
        min_severity=_severity(path, node),
    )


def _target(path: Path, node: Node) -> WrittenTarget:
    _check_members(path, node, _TARGET, "a target")
    for name in ("name", "url"):
        if not node.get(name).text():
            raise _wrong(path, node.line, f"a target needs {name}.")
    return WrittenTarget(
        name=node.get("name").text(),
        url=node.get("url").text(),
        enabled=_flag(path, node),
        kinds=_kinds(path, node, USUAL_TARGET_KINDS),
        min_severity=_severity(path, node),
    )


def _check_members(path: Path, node: Node, known: frozenset[str], what: str) -> None:
    if not node.is_mapping:
        raise _wrong(path, node.line, f"{what} has members: {', '.join(sorted(known))}.")
    for name, value in node.named():
        if name not in known:
            raise _wrong(path, value.line, f"{what} has no {name}; it has {', '.join(sorted(known))}.")


def _flag(path: Path, node: Node) -> bool:
    enabled = node.get("enabled")
    if not enabled.exists:
        return True
    found = enabled.boolean()
    if found is None:
        raise _wrong(path, enabled.line, "enabled is true or false.")
    return found


def _kinds(path: Path, node: Node, usual: frozenset[NotificationKind]) -> frozenset[NotificationKind]:
    kinds = node.get("kinds")
    if not kinds.exists:
        return usual
    try:
        return frozenset(NotificationKind(one.text()) for one in kinds.each())
    except ValueError:
        known = ", ".join(kind.value for kind in NotificationKind)
        raise _wrong(path, kinds.line, f"each of the kinds must be one of {known}.") from None


def _severity(path: Path, node: Node) -> LeastSeverity:
    severity = node.get("min_severity")
    if not severity.exists:
        return LeastSeverity.INFO
    try:
        return LeastSeverity(severity.text())
    except ValueError:
        known = ", ".join(one.value for one in LeastSeverity)
        raise _wrong(path, severity.line, f"min_severity must be one of {known}.") from None


def _wrong(path: Path, line: int | None, sentence: str) -> ConfigurationError:
    place = f"{path}:{line}" if line else str(path)
    return ConfigurationError(f"{VARIABLE}: {place}: {sentence}")
