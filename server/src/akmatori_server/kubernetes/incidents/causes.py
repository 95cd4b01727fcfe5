"""The most likely cause of an incident, by rules on its events; none where no rule can tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from akmatori_sdk._generated.aotanami.models import EventType
from akmatori_server.kubernetes.incidents.model import Event, Key

LONGEST = 4000
# A crash so soon after a rollout began is more likely of its making than not.
AFTER_ROLLOUT = timedelta(minutes=30)
IMAGE_REASONS = frozenset({"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ImageInspectError"})
CRASH_REASONS = frozenset({"CrashLoopBackOff", "Error", "StartError", "ContainerCannotRun", "BackOff"})
NEAR = 0.9

_REFUSED = re.compile(
    r"unauthorized|authentication required|\b40[13]\b|denied|no basic auth|forbidden", re.IGNORECASE
)
_ABSENT = re.compile(r"not found|manifest unknown|does not exist|name unknown", re.IGNORECASE)
_AWAY = re.compile(r"no such host|timeout|connection refused|i/o|unreachable", re.IGNORECASE)


def root_cause(key: Key, events: Sequence[Event]) -> str:
    """Return what most likely caused these events in a sentence or two; empty when no rule can tell."""
    newest = sorted(events, key=lambda event: (event.last_at, event.fold), reverse=True)
    return next((found for rule in RULES if (found := rule(key, newest))), "")[:LONGEST]


def _out_of_memory(_key: Key, events: Sequence[Event]) -> str:
    killed = _first(events, "OOMKilled")
    if killed is None:
        return ""
    name, limit = killed.fold.container, killed.facts.get("memoryLimit", "")
    if not limit:
        return (
            f"The container {name} was killed for want of memory. It has no memory limit, so its node ran out: "
            "other pods ask for less than they use, or this one does."
        )
    text = f"The container {name} needs more memory than its limit of {limit} allows."
    share = killed.facts.get("memoryPeakShare", "")
    if share and float(share) >= NEAR:
        text += f" It was seen to use {float(share):.0%} of it."
    return f"{text} Raise the limit, or find out what it keeps."


def _image(_key: Key, events: Sequence[Event]) -> str:
    about = [event for event in events if event.fold.reason in IMAGE_REASONS]
    if not about:
        return ""
    said = " ".join(event.message for event in events)
    image = next((event.facts["image"] for event in about if event.facts.get("image")), "")
    named = f"image {image}" if image else "image"
    if _REFUSED.search(said):
        return f"The registry does not give the {named} to these credentials: look at imagePullSecrets."
    if _ABSENT.search(said):
        return f"The registry does not have the {named}: look at its name and tag."
    if _AWAY.search(said):
        return f"The registry of the {named} cannot be reached from the node."
    return f"The {named} cannot be pulled."


def _configuration(_key: Key, events: Sequence[Event]) -> str:
    broken = _first(events, "CreateContainerConfigError") or _first(events, "FailedMount")
    if broken is None or not _ABSENT.search(broken.message):
        return ""
    return f"The pod refers to something that does not exist: {broken.message.rstrip('.')}."


def _rollout(key: Key, events: Sequence[Event]) -> str:
    for event in events:
        began = _moment(event.facts.get("rolloutAt", ""))
        if event.fold.reason not in CRASH_REASONS or began is None:
            continue
        if timedelta() <= event.first_at - began <= AFTER_ROLLOUT:
            revision = event.facts.get("revision", "")
            which = f" of revision {revision}" if revision else ""
            return (
                f"It began {_minutes(event.first_at - began)} after the rollout{which} of {key.kind} {key.name}: "
                f"what that changed is the first suspect; `kubectl rollout undo` goes back."
            )
    return ""


def _probe(_key: Key, events: Sequence[Event]) -> str:
    probe = _first(events, "Unhealthy")
    if probe is None or "liveness" not in probe.message.lower():
        return ""
    return f"The liveness probe fails, and the container is restarted for it: {probe.message.rstrip('.')}."


def _place(_key: Key, events: Sequence[Event]) -> str:
    found = _first(events, "FailedScheduling")
    return "" if found is None else f"No node can take the pod: {found.message.rstrip('.')}."


def _node(key: Key, events: Sequence[Event]) -> str:
    found = next((one for one in events if one.type is EventType.NODE_CONDITION and one.stands), None)
    if found is None or key.kind != "Node":
        return ""
    return f"The node {key.name} says {found.fold.reason}: {found.message.rstrip('.')}."


def _drifted(_key: Key, events: Sequence[Event]) -> str:
    drift = next((event for event in events if event.type is EventType.DRIFT), None)
    finding = next((event for event in events if event.type is EventType.SECURITY_VIOLATION), None)
    if drift is None or finding is None:
        return ""
    return (
        f"The live object is not what it should be ({drift.message.rstrip('.')}), and it breaks "
        f"{finding.fold.reason}: a change by hand is likely to have caused both."
    )


RULES: tuple[Callable[[Key, Sequence[Event]], str], ...] = (
    _out_of_memory,
    _image,
    _configuration,
    _rollout,
    _probe,
    _place,
    _node,
    _drifted,
)
"""The more certain a rule is, the earlier it is asked."""


def _first(events: Sequence[Event], reason: str) -> Event | None:
    return next((event for event in events if event.fold.reason == reason), None)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _minutes(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    return "within a minute" if minutes < 1 else f"{minutes} minute{'s' * (minutes != 1)}"
