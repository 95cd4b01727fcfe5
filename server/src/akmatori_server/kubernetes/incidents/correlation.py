"""From symptoms to incidents: folding, opening, joining, rising and resolving. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from akmatori_sdk._generated.aotanami.models import IncidentChangeKind, IncidentStatus, Severity
from akmatori_server.kubernetes.incidents.causes import root_cause
from akmatori_server.kubernetes.incidents.model import (
    LIVE,
    Case,
    Change,
    Event,
    Fold,
    Key,
    Memory,
    Observation,
    Rules,
    Symptom,
)
from akmatori_server.kubernetes.incidents.titles import title_of
from akmatori_server.kubernetes.scans.model import SEVERITIES, rank, reaches

# Windows that an event is remembered for when nothing came of it.
REMEMBERED_WINDOWS = 10
OTHER, OTHER_STATES = "Other", "OtherStates"


@attrs.frozen(kw_only=True)
class State:
    """What is known of one cluster: its incidents that are not over, and what came before any."""

    cases: Mapping[Key, Case] = attrs.field(factory=dict[Key, Case])
    memory: Memory = attrs.field(factory=dict[Key, Mapping[Fold, Event]])
    marks: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """How often each thing had happened when it was read last."""


def correlate(state: State, observation: Observation, rules: Rules) -> tuple[State, tuple[Case, ...]]:
    """Take in what a reading showed.

    Returns:
        What is known then, and the incidents that are over since.
    """
    now = observation.at
    marks = dict(state.marks)
    arrived = _arrived(observation.symptoms, marks, now)
    cases: dict[Key, Case] = {}
    memory: dict[Key, Mapping[Fold, Event]] = {}
    resolved: list[Case] = []
    for key in sorted({*state.cases, *state.memory, *arrived}):
        case = state.cases.get(key)
        known = case.events if case is not None else state.memory.get(key, {})
        events = _folded(_missed(key, known, observation), arrived.get(key, ()), now, rules)
        if case is None:
            events = {fold: event for fold, event in events.items() if not _is_forgotten(event, now, rules)}
            if not _opens(events.values(), now, rules):
                if events:
                    memory[key] = events
                continue
            case = _opened(key, events, now)
        case = _grown(expired(case, now), events, now, rules)
        if all(_is_over(key, event, observation, rules) for event in case.events.values()):
            resolved.append(_resolved(case, now))
        else:
            cases[key] = case
    return State(cases=cases, memory=memory, marks=marks), tuple(resolved)


def expired(case: Case, now: datetime) -> Case:
    """Return the incident, open again if it was acknowledged until a moment that has come."""
    taken = case.acknowledgement
    if taken is None or taken.expires_at is None or taken.expires_at > now:
        return case
    return _reopened(case, now, f"The acknowledgement of {taken.by} has expired.")


def severity_of(events: Iterable[Event], rules: Rules) -> Severity:
    """Return the worst severity, one step up when several types of events meet."""
    found = list(events)
    worst = min(rank(event.severity) for event in found)
    if len({event.fold.type for event in found}) >= rules.types_to_raise:
        worst = max(worst - 1, 0)
    return SEVERITIES[worst]


def _arrived(
    symptoms: Iterable[Symptom], marks: dict[str, int], now: datetime
) -> dict[Key, list[tuple[Symptom, int]]]:
    """Return what is new with how often it is, by key and in the order of time; set the marks."""
    single: dict[str, Symptom] = {}
    for symptom in symptoms:
        known = single.get(symptom.identity)
        if known is None or (symptom.number, symptom.at) > (known.number, known.at):
            single[symptom.identity] = symptom
    found: defaultdict[Key, list[tuple[Symptom, int]]] = defaultdict(list)
    for symptom in sorted(single.values(), key=lambda one: (one.at, one.identity)):
        new = 1
        if not symptom.stands:
            new = symptom.number - marks.get(symptom.identity, 0)
            marks[symptom.identity] = max(symptom.number, marks.get(symptom.identity, 0))
        if new > 0:
            # A cluster whose clock is ahead has no events of the future.
            at = min(symptom.at, now)
            found[symptom.key].append((attrs.evolve(symptom, at=at), new))
    return found


def _missed(key: Key, events: Mapping[Fold, Event], observation: Observation) -> dict[Fold, Event]:
    return {
        fold: attrs.evolve(event, missed=event.missed + 1)
        if event.stands and observation.shows(event.origin, key.namespace)
        else event
        for fold, event in events.items()
    }


def _folded(
    known: dict[Fold, Event], arrived: Iterable[tuple[Symptom, int]], now: datetime, rules: Rules
) -> dict[Fold, Event]:
    events = dict(known)
    standing: defaultdict[Fold, int] = defaultdict(int)
    for symptom, new in arrived:
        fold = symptom.fold
        if fold not in events and len(events) >= rules.most_events:
            fold = Fold(fold.origin, fold.type, OTHER_STATES if symptom.stands else OTHER)
        event = events.get(fold)
        standing[fold] += symptom.stands
        events[fold] = _first(fold, symptom, new, now) if event is None else _again(event, symptom, new, now)
        if events[fold].stands:
            # Of a state that many pods share, it counts how many were in it at once.
            events[fold] = attrs.evolve(events[fold], count=max(events[fold].count, standing[fold]))
    return events


def _first(fold: Fold, symptom: Symptom, new: int, now: datetime) -> Event:
    previous = None if symptom.previous_at is None or new < 2 else min(symptom.previous_at, symptom.at)
    return Event(
        fold=fold,
        severity=symptom.severity,
        stands=symptom.stands,
        resource_kind=symptom.resource_kind,
        resource_name=symptom.resource_name,
        message=symptom.message,
        source=symptom.source,
        facts=symptom.facts,
        count=new,
        first_at=_began(symptom, new, previous),
        last_at=symptom.at,
        previous_at=previous,
        seen_at=now,
    )


def _began(symptom: Symptom, new: int, previous: datetime | None) -> datetime:
    """Return when the first of what is new happened: what was counted before belongs to what was there then."""
    if symptom.first_at is not None and new == symptom.number:
        return min(symptom.first_at, symptom.at)
    return previous or symptom.at


def _again(event: Event, symptom: Symptom, new: int, now: datetime) -> Event:
    moments = [event.last_at, event.previous_at, None if symptom.stands else symptom.at]
    if new > 1:
        moments.append(symptom.previous_at)
    newest = sorted(moment for moment in moments if moment is not None)[-2:]
    event = attrs.evolve(
        event,
        severity=min(event.severity, symptom.severity, key=rank),
        count=event.count if event.stands else event.count + new,
        first_at=min(event.first_at, _began(symptom, new, None)),
        last_at=max(event.last_at, symptom.at),
        previous_at=newest[0] if len(newest) > 1 and not event.stands else event.previous_at,
        seen_at=now,
        missed=0,
    )
    if symptom.at < event.last_at:
        return event
    return attrs.evolve(
        event,
        resource_kind=symptom.resource_kind,
        resource_name=symptom.resource_name,
        message=symptom.message,
        source=symptom.source,
        facts=symptom.facts,
    )


def _opens(events: Iterable[Event], now: datetime, rules: Rules) -> bool:
    weights = [
        (event.severity, _weight(event, now, rules))
        for event in events
        if reaches(event.severity, rules.least_severity)
    ]
    if any(severity is Severity.CRITICAL and weight for severity, weight in weights):
        return True
    return sum(weight for _, weight in weights) >= rules.events_to_open


def _weight(event: Event, now: datetime, rules: Rules) -> int:
    """Return for how many events it counts right now."""
    window = rules.window_of(event.type)
    if event.stands:
        if event.missed:
            return 0
        # What does not go away by itself is as much as what happens again.
        stays = event.origin in LIVE and now - event.first_at > window
        return event.count + stays
    return sum(moment is not None and now - moment <= window for moment in (event.last_at, event.previous_at))


def _is_gone(event: Event, rules: Rules) -> bool:
    return event.missed >= rules.until_gone(event.origin)


def _is_forgotten(event: Event, now: datetime, rules: Rules) -> bool:
    kept = REMEMBERED_WINDOWS * rules.window_of(event.type)
    if event.stands:
        return _is_gone(event, rules) and now - event.seen_at > kept
    return now - event.last_at > kept


def _is_over(key: Key, event: Event, observation: Observation, rules: Rules) -> bool:
    if event.origin in LIVE:
        # What could not be read may still be there.
        if not observation.shows(event.origin, key.namespace):
            return False
        since = event.seen_at if event.stands else event.last_at
        if observation.at - since < rules.stable:
            return False
    return not event.stands or _is_gone(event, rules)


def _opened(key: Key, events: Mapping[Fold, Event], now: datetime) -> Case:
    return Case(
        key=key,
        severity=Severity.INFO,
        created_at=now,
        updated_at=now,
        events=events,
        news=(Change(at=now, kind=IncidentChangeKind.OPENED),),
    )


def _grown(case: Case, events: Mapping[Fold, Event], now: datetime, rules: Rules) -> Case:
    """Return the incident with these events: its severity only rises, and rising undoes an acknowledgement."""
    severity = min(case.severity, severity_of(events.values(), rules), key=rank)
    before = case
    case = attrs.evolve(
        case,
        events=events,
        severity=severity,
        title=title_of(case.key, list(events.values())),
        root_cause=root_cause(case.key, list(events.values())) or case.root_cause,
        event_count=sum(event.count for event in events.values()),
    )
    if severity is not before.severity and before.number:
        why = f"The severity rose from {before.severity.value} to {severity.value}."
        if case.status is IncidentStatus.ACKNOWLEDGED:
            case = _reopened(case, now, why)
        else:
            case = _told(case, now, IncidentChangeKind.SEVERITY_ROSE, why)
    if shown(case) != shown(before):
        case = attrs.evolve(case, updated_at=now)
    return case


def shown(case: Case) -> tuple[object, ...]:
    """Return what an answer tells of an incident: all but when its events were seen last."""
    events = {
        fold: attrs.evolve(event, seen_at=event.first_at, missed=0) for fold, event in case.events.items()
    }
    return (case.status, case.severity, case.title, case.root_cause, case.news, events)


def _reopened(case: Case, now: datetime, why: str) -> Case:
    case = attrs.evolve(case, status=IncidentStatus.OPEN, acknowledgement=None, updated_at=now)
    return _told(case, now, IncidentChangeKind.REOPENED, why)


def _resolved(case: Case, now: datetime) -> Case:
    case = attrs.evolve(case, status=IncidentStatus.RESOLVED, resolved_at=now, updated_at=now)
    return _told(case, now, IncidentChangeKind.RESOLVED, "Nothing of it was there any more.")


def _told(case: Case, now: datetime, kind: IncidentChangeKind, note: str) -> Case:
    return attrs.evolve(case, news=(*case.news, Change(at=now, kind=kind, note=note)))
