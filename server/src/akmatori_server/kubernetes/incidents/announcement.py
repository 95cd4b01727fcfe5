"""What people are to be told of incidents that have changed, for each channel: one by one, or many at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import IncidentChangeKind
from akmatori_server.kubernetes.incidents.model import Case, Change
from akmatori_server.kubernetes.scans.model import rank
from akmatori_server.notifications.announcer import Announcer
from akmatori_server.notifications.channels import Channel
from akmatori_server.notifications.cluster_incidents import CLUSTER, NOTE, ONE, SEVERAL
from akmatori_server.notifications.models import NewNotification, NotificationKind

# More changes of one kind that one reading shows are one message.
MOST_SINGLE = 3
# Of those that are told of together, so many are found again when something follows.
MOST_TOGETHER = 2000
LONGEST_LANE = 320
SOURCE = "kubernetes_incident"

# The first of these that has happened is what is told.
_KINDS = {
    IncidentChangeKind.RESOLVED: NotificationKind.KUBERNETES_INCIDENT_RESOLVED,
    IncidentChangeKind.OPENED: NotificationKind.KUBERNETES_INCIDENT_OPENED,
    IncidentChangeKind.REOPENED: NotificationKind.KUBERNETES_INCIDENT_REOPENED,
    IncidentChangeKind.SEVERITY_ROSE: NotificationKind.KUBERNETES_INCIDENT_WORSENED,
}


@attrs.frozen
class _News:
    case: Case
    change: Change


class IncidentAnnouncer:
    """Stores what is to be told of incidents, in the transaction that changes them."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer

    def tell(self, connection: sa.Connection, target: str, cases: Sequence[Case]) -> None:
        """Store what has happened to incidents of a cluster, as their `news` have it. Never raises."""
        found = _by_kind(cases)
        if found:
            self._announcer.tell(
                connection, lambda channel: _for_channel(channel, target, found), about=f"cluster:{target}"
            )


def _by_kind(cases: Sequence[Case]) -> Mapping[NotificationKind, list[_News]]:
    found: dict[NotificationKind, list[_News]] = {kind: [] for kind in _KINDS.values()}
    for case in cases:
        happened = {change.kind: change for change in case.news}
        # Over before anybody heard of it.
        if {IncidentChangeKind.OPENED, IncidentChangeKind.RESOLVED} <= happened.keys():
            continue
        told = next((kind for kind in _KINDS if kind in happened), None)
        if told is not None:
            found[_KINDS[told]].append(_News(case, happened[told]))
    return {
        kind: sorted(news, key=lambda one: (rank(one.case.severity), one.case.number))
        for kind, news in found.items()
        if news
    }


def _for_channel(
    channel: Channel, target: str, found: Mapping[NotificationKind, Sequence[_News]]
) -> Iterator[NewNotification]:
    for kind, news in found.items():
        if kind not in channel.kinds:
            continue
        # What the channel is not told of is stored likewise: the list of notifications says that it was left out.
        groups: tuple[list[_News], list[_News]] = ([], [])
        for one in news:
            groups[not channel.min_severity.is_reached(one.case.severity.value)].append(one)
        for group in groups:
            if len(group) > MOST_SINGLE:
                yield _together(kind, channel, target, group)
            else:
                yield from (_single(kind, channel, target, one) for one in group)


def _single(kind: NotificationKind, channel: Channel, target: str, news: _News) -> NewNotification:
    case, change = news.case, news.change
    key = f"{channel.name}:{kind}:{case.id}"
    if change.kind is IncidentChangeKind.SEVERITY_ROSE:
        key += f":{case.severity.value}"
    elif change.kind is IncidentChangeKind.REOPENED:
        key += f":{change.at.isoformat()}"
    facts = {CLUSTER: target, ONE: case.id, NOTE: change.note}
    return NewNotification(
        kind=kind,
        channel=channel.name,
        channel_type=channel.type,
        dedup_key=key,
        incident_id=None,
        incident_uuid=None,
        lane=_lane(channel, target),
        title=case.title,
        source=SOURCE,
        severity=case.severity.value,
        resource_kind=case.key.kind,
        resource_name=case.key.name,
        namespace=case.key.namespace,
        created_at=change.at,
        not_before=change.at,
        metadata={name: value for name, value in facts.items() if value},
    )


def _together(
    kind: NotificationKind, channel: Channel, target: str, group: Sequence[_News]
) -> NewNotification:
    worst, at = group[0].case, group[0].change.at
    return NewNotification(
        kind=kind,
        channel=channel.name,
        channel_type=channel.type,
        dedup_key=f"{channel.name}:{kind}:{target}:{worst.id}:{at.isoformat()}",
        incident_id=None,
        incident_uuid=None,
        lane=_lane(channel, target),
        title=f"{len(group)} incidents in the cluster {target}",
        source=SOURCE,
        severity=worst.severity.value,
        resource_kind="Cluster",
        resource_name=target,
        aggregated_count=len(group),
        created_at=at,
        not_before=at,
        metadata={
            CLUSTER: target,
            SEVERAL: [one.case.id for one in group[:MOST_TOGETHER]],
        },
    )


def _lane(channel: Channel, target: str) -> str:
    # One for the whole cluster: what follows an incident comes after the message that told of it with others.
    return f"{channel.name}:kubernetes:{target}"[:LONGEST_LANE]
