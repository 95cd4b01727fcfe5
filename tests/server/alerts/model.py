"""What should become of alerts: a model small enough to be read as the rule itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

WINDOW = timedelta(minutes=30)


@attrs.define(eq=False)
class ModelIncident:
    """One problem."""

    firing: set[str] = attrs.field(factory=set[str])
    alerts: int = 0
    resolved_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether a further alert belongs to it."""
        return bool(self.firing) or (self.resolved_at is not None and now - self.resolved_at <= WINDOW)


@attrs.define(eq=False)
class ModelAlert:
    """One alert, by its newest episode."""

    began: datetime
    incident: ModelIncident
    is_firing: bool = True
    resolved_at: datetime | None = None


@attrs.define
class Model:
    """One source's world; alerts of a group share their incident, the others have one each."""

    groups: dict[str, str]
    alerts: dict[str, ModelAlert] = attrs.field(factory=dict[str, ModelAlert])
    incidents: list[ModelIncident] = attrs.field(factory=list[ModelIncident])
    open_by_key: dict[str, ModelIncident] = attrs.field(factory=dict[str, ModelIncident])

    def fire(self, name: str, began: datetime, now: datetime) -> None:
        """A firing alert was delivered."""
        alert = self.alerts.get(name)
        if alert is not None and alert.is_firing:
            return
        if alert is None or alert.resolved_at is None:
            self._open(name, began, now)
            return
        is_late = began <= alert.resolved_at
        if (now if is_late else began) - alert.resolved_at > WINDOW:
            self._open(name, began, now)
            return
        alert.is_firing = True
        alert.began = alert.began if is_late else began
        alert.incident.firing.add(name)
        alert.incident.resolved_at = None

    def resolve(self, name: str, began: datetime, ended: datetime) -> None:
        """A resolved alert was delivered."""
        alert = self.alerts.get(name)
        if alert is None or not alert.is_firing or (began < alert.began and ended < alert.began):
            return
        alert.is_firing = False
        alert.resolved_at = ended
        incident = alert.incident
        incident.firing.discard(name)
        if not incident.firing:
            mine = [one.resolved_at for one in self.alerts.values() if one.incident is incident]
            incident.resolved_at = max(end for end in mine if end is not None)

    def _open(self, name: str, began: datetime, now: datetime) -> None:
        key = self.groups.get(name) or name
        incident = self.open_by_key.get(key)
        if incident is None or not incident.is_open(now):
            incident = self.open_by_key[key] = ModelIncident()
            self.incidents.append(incident)
        self.alerts[name] = ModelAlert(began, incident)
        incident.firing.add(name)
        incident.alerts += 1
        incident.resolved_at = None
