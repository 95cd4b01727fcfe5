"""What goes where: the kinds that Slack is told, and the targets of Apprise with theirs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence

import attrs

from akmatori_server.crypto import SecretBox
from akmatori_server.errors import BadRequest
from akmatori_server.notifications.addresses import read_address
from akmatori_server.notifications.models import SLACK, LeastSeverity, NotificationKind
from akmatori_server.secrets.secret import Secret
from akmatori_server.settings.stored import Stored

MOST_TARGETS = 50
_NAME = re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,98}[^\s\x00-\x1f])?")


@attrs.frozen(kw_only=True)
class Target:
    """One address that Apprise sends to."""

    uuid: str
    name: str
    url: Secret
    # What of the address may be shown.
    shown_url: str
    # The first part of the address: json, mailto, msteams, …
    scheme: str
    enabled: bool
    kinds: frozenset[NotificationKind]
    min_severity: LeastSeverity = LeastSeverity.INFO


@attrs.frozen(kw_only=True)
class WrittenTarget:
    """A target as a caller gives it; None and what was shown keep the address that is stored."""

    name: str
    url: str | None = attrs.field(default=None, repr=False)
    enabled: bool = True
    kinds: frozenset[NotificationKind]
    min_severity: LeastSeverity = LeastSeverity.INFO


@attrs.frozen(kw_only=True)
class NotificationSettings(Stored):
    """What goes where."""

    slack_kinds: frozenset[NotificationKind]
    slack_min_severity: LeastSeverity = LeastSeverity.INFO
    targets: tuple[Target, ...]

    def target(self, name: str) -> Target | None:
        """Return the target with this name."""
        return next((target for target in self.targets if target.name == name), None)

    def changed(
        self,
        *,
        slack_kinds: Iterable[NotificationKind] | None,
        targets: Sequence[WrittenTarget] | None,
        box: SecretBox,
        slack_min_severity: LeastSeverity | None = None,
    ) -> NotificationSettings:
        """Return the settings with what is not None replaced.

        Raises:
            BadRequest: a target breaks a rule; the sentence says which.
        """
        return attrs.evolve(
            self,
            slack_kinds=self.slack_kinds if slack_kinds is None else frozenset(slack_kinds),
            slack_min_severity=slack_min_severity or self.slack_min_severity,
            targets=self.targets if targets is None else self._replaced(targets, box),
        )

    def _replaced(self, written: Sequence[WrittenTarget], box: SecretBox) -> tuple[Target, ...]:
        if len(written) > MOST_TARGETS:
            raise BadRequest(f"targets: {MOST_TARGETS} targets at most.")
        names: set[str] = set()
        for number, one in enumerate(written):
            _check_name(one.name, f"targets[{number}].name", names)
            names.add(one.name)
        return tuple(self._written(one, f"targets[{number}].url", box) for number, one in enumerate(written))

    def _written(self, one: WrittenTarget, member: str, box: SecretBox) -> Target:
        known = self.target(one.name)
        if known is not None and known.url.is_set and one.url in {None, known.shown_url}:
            return attrs.evolve(known, enabled=one.enabled, kinds=one.kinds, min_severity=one.min_severity)
        if not one.url:
            raise BadRequest(f"{member}: a new target needs the address to send to.")
        address = read_address(one.url, member=member)
        identifier = str(uuid.uuid4()) if known is None else known.uuid
        place = target_place(identifier)
        return Target(
            uuid=identifier,
            name=one.name,
            url=Secret(box.encrypt(one.url, place), place, box),
            shown_url=address.shown,
            scheme=address.scheme,
            enabled=one.enabled,
            kinds=one.kinds,
            min_severity=one.min_severity,
        )


def target_place(identifier: str) -> str:
    """Return where the address of a target is stored, for its encryption."""
    return f"notification_targets:{identifier}:url"


def _check_name(name: str, member: str, taken: set[str]) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"{member}: must be 1 to 100 characters on one line, without blanks around it.")
    if name == SLACK:
        raise BadRequest(f"{member}: {SLACK} is the name of the channel that the Slack settings configure.")
    if name in taken:
        raise BadRequest(f"{member}: another target has this name.")
