"""What incidents there must be, reckoned the slow way from everything that ever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from akmatori_sdk._generated.aotanami.models import EventType, Severity
from akmatori_server.kubernetes.incidents.model import LIVE, Fold, Key, Origin, Rules, Symptom

ORDER = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO]


@attrs.define
class Group:
    """Everything of one fold since it began."""

    severity: Severity
    stands: bool
    moments: list[datetime] = attrs.field(factory=list[datetime])
    count: int = 0
    begun: datetime | None = None
    seen: datetime | None = None
    missed: int = 0


@attrs.define
class Expected:
    """An incident as it must be."""

    key: Key
    severity: Severity
    status: str
    counts: dict[Fold, int]


@attrs.define
class Reference:
    """All that happened, by key."""

    rules: Rules
    numbers: Counter[str] = attrs.field(factory=Counter[str])
    groups: dict[Key, dict[Fold, Group]] = attrs.field(factory=dict[Key, dict[Fold, Group]])
    active: dict[Key, Expected] = attrs.field(factory=dict[Key, Expected])
    ever: list[Expected] = attrs.field(factory=list[Expected])

    def read(self, now: datetime, symptoms: Sequence[Symptom], read: frozenset[Origin]) -> None:
        """Take in one reading."""
        keys = {*self.groups, *(symptom.key for symptom in symptoms)}
        for key in sorted(keys):
            groups = self.groups.setdefault(key, {})
            self._happened(groups, [symptom for symptom in symptoms if symptom.key == key], now, read)
            if key not in self.active:
                self._forget(groups, now)
                if not self._opens(groups, now):
                    continue
                self.active[key] = Expected(key, Severity.INFO, "open", {})
                self.ever.append(self.active[key])
            self._follow(key, groups, now, read)

    def _happened(
        self, groups: dict[Fold, Group], symptoms: Iterable[Symptom], now: datetime, read: frozenset[Origin]
    ) -> None:
        standing: dict[Fold, set[str]] = {}
        for symptom in symptoms:
            if symptom.stands:
                standing.setdefault(symptom.fold, set()).add(symptom.identity)
            new = symptom.number - self.numbers[symptom.identity]
            if not symptom.stands and new <= 0:
                continue
            group = groups.setdefault(symptom.fold, Group(symptom.severity, symptom.stands))
            if symptom.stands:
                group.begun = min(group.begun or symptom.at, symptom.at)
                continue
            self.numbers[symptom.identity] = symptom.number
            group.count += new
            group.moments.append(symptom.at)
            if new > 1 and symptom.previous_at is not None:
                group.moments.append(symptom.previous_at)
        for fold, group in groups.items():
            if fold in standing:
                group.count, group.seen, group.missed = max(group.count, len(standing[fold])), now, 0
            elif group.stands and Origin(fold.origin) in read:
                group.missed += 1

    def _window(self, fold: Fold) -> timedelta:
        return self.rules.window_of(EventType(fold.type))

    def _forget(self, groups: dict[Fold, Group], now: datetime) -> None:
        for fold, group in list(groups.items()):
            last = group.seen if group.stands else max(group.moments)
            assert last is not None
            is_gone = not group.stands or group.missed >= self.rules.until_gone(Origin(fold.origin))
            if is_gone and now - last > 10 * self._window(fold):
                del groups[fold]

    def _opens(self, groups: dict[Fold, Group], now: datetime) -> bool:
        weights: Counter[Severity] = Counter()
        for fold, group in groups.items():
            if group.stands and not group.missed:
                assert group.begun is not None
                is_old = now - group.begun > self._window(fold) and Origin(fold.origin) in LIVE
                weights[group.severity] += group.count + is_old
            elif not group.stands:
                weights[group.severity] += sum(now - at <= self._window(fold) for at in group.moments)
        serious = weights[Severity.CRITICAL] + weights[Severity.HIGH] + weights[Severity.MEDIUM]
        return bool(weights[Severity.CRITICAL]) or serious >= 2

    def _follow(self, key: Key, groups: dict[Fold, Group], now: datetime, read: frozenset[Origin]) -> None:
        expected = self.active[key]
        worst = min(ORDER.index(group.severity) for group in groups.values())
        if len({fold.type for fold in groups}) >= 3:
            worst = max(0, worst - 1)
        expected.severity = ORDER[min(worst, ORDER.index(expected.severity))]
        expected.counts = {fold: group.count for fold, group in groups.items()}
        if all(self._is_over(fold, group, now, read) for fold, group in groups.items()):
            expected.status = "resolved"
            del self.active[key], self.groups[key]

    def _is_over(self, fold: Fold, group: Group, now: datetime, read: frozenset[Origin]) -> bool:
        origin = Origin(fold.origin)
        last = group.seen if group.stands else max(group.moments)
        assert last is not None
        if origin in LIVE and (origin not in read or now - last < self.rules.stable):
            return False
        return not group.stands or group.missed >= self.rules.until_gone(origin)
