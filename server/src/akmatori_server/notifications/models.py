"""Notifications as values: what is told, where it goes, and what became of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from akmatori_server.incidents.storable import JSON

# The name of the one channel that is no target of Apprise.
SLACK = "slack"


class NotificationKind(enum.StrEnum):
    """What is told."""

    INCIDENT_OPENED = "incident_opened"
    INCIDENT_STORM = "incident_storm"
    INVESTIGATION_STARTED = "investigation_started"
    INVESTIGATION_FINISHED = "investigation_finished"
    INCIDENT_RESOLVED = "incident_resolved"
    INCIDENT_REOPENED = "incident_reopened"
    APPROVAL_NEEDED = "approval_needed"
    KUBERNETES_INCIDENT_OPENED = "kubernetes_incident_opened"
    KUBERNETES_INCIDENT_WORSENED = "kubernetes_incident_worsened"
    KUBERNETES_INCIDENT_REOPENED = "kubernetes_incident_reopened"
    KUBERNETES_INCIDENT_RESOLVED = "kubernetes_incident_resolved"
    TOKEN_BUDGET = "token_budget"  # noqa: S105  of language models, and no secret

    @property
    def is_state(self) -> bool:
        """Whether it tells how things stand: of several that wait, only the newest is of interest."""
        return self in {NotificationKind.INCIDENT_RESOLVED, NotificationKind.INCIDENT_REOPENED}

    @property
    def is_opening(self) -> bool:
        """Whether it is the first message about an incident."""
        return self in {NotificationKind.INCIDENT_OPENED, NotificationKind.INCIDENT_STORM}

    @property
    def is_of_cluster(self) -> bool:
        """Whether it is about incidents of a Kubernetes cluster."""
        return self.value.startswith("kubernetes_")


EVERY_KIND = frozenset(NotificationKind)
# That an investigation runs is a mark on Slack's first message; elsewhere it would be a message of its own.
USUAL_TARGET_KINDS = EVERY_KIND - {NotificationKind.INVESTIGATION_STARTED}


class LeastSeverity(enum.StrEnum):
    """From which severity on a channel is told."""

    CRITICAL = "critical"
    HIGH = "high"
    WARNING = "warning"
    INFO = "info"

    def is_reached(self, severity: str) -> bool:
        """Whether a severity, of an alert or of an incident of a cluster, is as bad as this."""
        return _RANKS.get(severity, _RANKS["warning"]) <= _RANKS[self.value]


# The words of alerts and those of Kubernetes, the worst first.
_RANKS = {"critical": 0, "high": 1, "warning": 2, "medium": 2, "low": 3, "info": 3}


class State(enum.StrEnum):
    """Where a notification stands."""

    PENDING = "pending"
    SENT = "sent"
    # Tried in vain, and to be tried again.
    FAILED = "failed"
    GIVEN_UP = "given_up"
    # There was nothing to send: a newer one tells it, or nobody had been told what it takes back.
    SKIPPED = "skipped"


UNFINISHED = frozenset({State.PENDING, State.FAILED})


class Outcome(enum.StrEnum):
    """What came of one attempt."""

    # It goes on, or the process died in the middle of it.
    STARTED = "started"
    SENT = "sent"
    # There was nothing to send: a newer one tells it, or the first message is missing.
    SKIPPED = "skipped"
    # Worth another attempt.
    FAILED = "failed"
    # Another attempt would come to the same.
    REFUSED = "refused"
    # The channel asked to wait.
    RATE_LIMITED = "rate_limited"
    # Nobody knows whether it arrived.
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class NewNotification:
    """A notification that is to be stored."""

    kind: NotificationKind
    channel: str
    channel_type: str
    dedup_key: str
    incident_id: int | None
    incident_uuid: str | None
    # What it is ordered by: those of one lane are sent one after the other.
    lane: str
    title: str
    source: str
    created_at: datetime
    # Not sent before that: what follows shortly may make it needless.
    not_before: datetime
    # What is left empty here is filled in when it is first tried.
    severity: str = ""
    resource_kind: str = ""
    resource_name: str = ""
    namespace: str = ""
    aggregated_count: int = 1
    metadata: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON])


@attrs.frozen(kw_only=True)
class Attempt:
    """One try to send."""

    at: datetime
    outcome: Outcome
    sentence: str
    duration_ms: int | None
    http_status: int | None


@attrs.frozen(kw_only=True)
class Notification:
    """A stored notification."""

    id: int
    uuid: str
    incident_id: int | None
    incident_uuid: str | None
    lane: str
    kind: NotificationKind
    channel: str
    channel_type: str
    dedup_key: str
    state: State
    severity: str
    title: str
    message: str
    source: str
    resource_kind: str
    resource_name: str
    namespace: str
    metadata: Mapping[str, JSON]
    # What Slack calls the message once it is there.
    external_id: str
    attempts: int
    aggregated_count: int
    error: str
    http_status: int | None
    next_try_at: datetime
    created_at: datetime
    sent_at: datetime | None


@attrs.frozen(kw_only=True)
class Wanted:
    """Which notifications a reader wants; None is no condition."""

    state: State | None = None
    incident_uuid: str | None = None
    channel: str | None = None
    kind: NotificationKind | None = None


EVERYTHING = Wanted()
