"""Symptoms, the events they are folded into, and the incidents that events make up, as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias

import attrs

from akmatori_sdk._generated.aotanami.models import EventType, IncidentChangeKind, IncidentStatus, Severity

NO_FACTS: Mapping[str, str] = MappingProxyType({})


class Origin(enum.StrEnum):
    """Where a symptom was read; it can be gone only when that was read again."""

    PODS = "pods"
    EVENTS = "events"
    NODES = "nodes"
    DEPLOYMENTS = "deployments"
    FINDINGS = "findings"
    DRIFT = "drift"


LIVE = frozenset({Origin.PODS, Origin.EVENTS, Origin.NODES, Origin.DEPLOYMENTS})
"""What is read every time; the others are results of work that is done less often."""


@attrs.frozen(order=True)
class Key:
    """What an incident is about: a workload by what makes it in the end, or another object."""

    namespace: str
    kind: str
    name: str


@attrs.frozen(order=True)
class Fold:
    """What makes two symptoms of one workload the same event."""

    origin: str
    type: str
    reason: str
    container: str = ""


@attrs.frozen(kw_only=True)
class Symptom:
    """One thing that is wrong with one object, as one reading shows it."""

    key: Key
    type: EventType
    reason: str
    severity: Severity
    origin: Origin
    at: datetime
    """When it happened last, or since when it is so."""
    identity: str
    """The same in every reading that shows the same thing."""
    number: int = 1
    """How often it happened up to now; never less than in the reading before."""
    previous_at: datetime | None = None
    """When it happened the time before, where that is known."""
    first_at: datetime | None = None
    """When it happened first, where that is known."""
    stands: bool = False
    """Whether it is a state, which is there until it is gone, and no moment."""
    container: str = ""
    resource_kind: str = ""
    resource_name: str = ""
    message: str = ""
    source: str = ""
    facts: Mapping[str, str] = NO_FACTS

    @property
    def fold(self) -> Fold:
        """What it is counted with."""
        return Fold(self.origin.value, self.type.value, self.reason, self.container)


@attrs.frozen(kw_only=True)
class Event:
    """All symptoms of one fold: shown once, with a count."""

    fold: Fold
    severity: Severity
    stands: bool
    resource_kind: str
    resource_name: str
    message: str
    source: str
    facts: Mapping[str, str] = NO_FACTS
    count: int
    first_at: datetime
    last_at: datetime
    previous_at: datetime | None = None
    seen_at: datetime
    """The last reading that showed it."""
    missed: int = 0
    """How many readings in a row did not."""

    @property
    def type(self) -> EventType:
        """Its type."""
        return EventType(self.fold.type)

    @property
    def origin(self) -> Origin:
        """Where it was read."""
        return Origin(self.fold.origin)


@attrs.frozen(kw_only=True)
class Change:
    """One line of an incident's history."""

    at: datetime
    kind: IncidentChangeKind
    by: str = ""
    """Who did it; empty for the server itself."""
    note: str = ""


@attrs.frozen(kw_only=True)
class Acknowledgement:
    """Who has taken notice, and until when."""

    at: datetime
    by: str
    note: str = ""
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Case:
    """An incident. Its number is 0 until it is stored."""

    number: int = 0
    version: int = 1
    key: Key
    status: IncidentStatus = IncidentStatus.OPEN
    severity: Severity
    title: str = ""
    root_cause: str = ""
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
    acknowledgement: Acknowledgement | None = None
    event_count: int = 0
    events: Mapping[Fold, Event] = attrs.field(factory=dict[Fold, Event])
    news: tuple[Change, ...] = ()
    """What has happened since it was read from the database."""

    @property
    def id(self) -> str:
        """What it is called."""
        return f"INC-{self.number:06d}"


Memory: TypeAlias = Mapping[Key, Mapping[Fold, Event]]
"""Events that are part of no incident yet."""


@attrs.frozen(kw_only=True)
class Observation:
    """What one reading of one cluster showed."""

    at: datetime
    symptoms: tuple[Symptom, ...] = ()
    read: frozenset[Origin] = LIVE
    """What was read to its end."""
    read_in: Mapping[Origin, frozenset[str]] = attrs.field(factory=dict[Origin, frozenset[str]])
    """What was read to its end in these namespaces alone."""

    def shows(self, origin: Origin, namespace: str) -> bool:
        """Whether what is not shown of a namespace is not there."""
        # Events about what is in no namespace are kept in this one.
        return origin in self.read or (namespace or "default") in self.read_in.get(origin, ())


@attrs.frozen(kw_only=True)
class Rules:
    """How events become incidents."""

    window: timedelta = timedelta(minutes=5)
    windows: Mapping[EventType, timedelta] = MappingProxyType(
        {
            # A container that crashes waits up to five minutes for its next start.
            EventType.POD_CRASH: timedelta(minutes=10),
            EventType.DEPLOYMENT: timedelta(minutes=10),
        }
    )
    events_to_open: int = 2
    least_severity: Severity = Severity.MEDIUM
    """Events that are less bad join an incident and never open one."""
    stable: timedelta = timedelta(minutes=15)
    """How long nothing may have happened before an incident is over."""
    readings_until_gone: int = 3
    scans_until_gone: int = 1
    """The same for scans: what they could not look for, they do not call gone."""
    comparisons_until_gone: int = 2
    types_to_raise: int = 3
    most_events: int = 200
    """Different events of one incident; more are counted together."""

    def window_of(self, kind: EventType) -> timedelta:
        """Return how close together events have to be."""
        return self.windows.get(kind, self.window)

    def until_gone(self, origin: Origin) -> int:
        """Return how many readings in a row must not show a state before it is gone."""
        if origin is Origin.FINDINGS:
            return self.scans_until_gone
        return self.comparisons_until_gone if origin is Origin.DRIFT else self.readings_until_gone
