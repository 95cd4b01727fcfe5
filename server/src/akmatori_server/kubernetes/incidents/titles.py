"""What an incident is called: its gravest event in words, where, and how many events there are. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from akmatori_sdk._generated.aotanami.models import EventType
from akmatori_server.kubernetes.incidents.model import Event, Key
from akmatori_server.kubernetes.scans.model import rank

LONGEST_TITLE = 500
# Of a word for the whole incident, so much may be a message.
LONGEST_WORDS = 200
# What is down now before what might be abused, and that before what is only not as it was wanted.
ORDER = (
    EventType.POD_CRASH,
    EventType.NODE_CONDITION,
    EventType.DEPLOYMENT,
    EventType.CONFIG_CHANGE,
    EventType.NETWORK_ANOMALY,
    EventType.ANOMALY,
    EventType.SECURITY_VIOLATION,
    EventType.DRIFT,
)
# What people search for stays as Kubernetes says it; these are our own words for programs.
_SENTENCES = {
    "DriftModified": "{} differs from its desired state",
    "DriftAdded": "{} is not in the desired state",
    "DriftDeleted": "{} is missing from the cluster",
    "ManyRestarts": "{} restarts more often than usual",
    "ManyWarnings": "{} has more warnings than usual",
    "Other": "Many different things happen to {}",
    "OtherStates": "Many different things are wrong with {}",
}


def title_of(key: Key, events: Sequence[Event]) -> str:
    """Return the title: by the severity, then by the type, then by how often it was seen."""
    gravest = min(events, key=_weight)
    place = f"{key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"
    title = _words(gravest).replace("{}", place, 1)
    return f"{title[: LONGEST_TITLE - 50]} ({_counted(events)})"


def _weight(event: Event) -> tuple[object, ...]:
    kind = ORDER.index(event.type) if event.type in ORDER else len(ORDER)
    return (rank(event.severity), kind, -event.count, event.fold)


def _words(event: Event) -> str:
    reason = event.fold.reason
    if event.type is EventType.SECURITY_VIOLATION and event.message:
        return f"{event.message[:LONGEST_WORDS].rstrip('. ').replace('{}', '')} on {{}}"
    return _SENTENCES.get(reason, f"{reason.replace('{}', '')} on {{}}")


def _counted(events: Sequence[Event]) -> str:
    """Say how many events are listed, and how often they were seen where that is more."""
    seen = sum(event.count for event in events)
    listed = f"{len(events)} event{'s' * (len(events) != 1)}"
    return listed if seen == len(events) else f"{listed}, seen {seen} times"
