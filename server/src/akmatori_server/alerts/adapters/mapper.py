"""Laying an operator's field mappings over what a vendor's own rules make of an alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TypeVar

import attrs

from akmatori_server.alert_sources.mappings import ALERTS, LABELS, MEMBERS
from akmatori_server.alerts.adapters.fields import MISSING, find, text_of
from akmatori_server.alerts.adapters.labels import labels_of
from akmatori_server.alerts.adapters.moments import NotAMomentError, read_moment
from akmatori_server.alerts.fingerprint import fingerprint
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Reading, Severity
from akmatori_server.alerts.severity import severity_of
from akmatori_server.incidents.storable import storable_object, storable_text

RESOLVED_WORDS = frozenset({"resolved", "ok", "recovery", "inactive"})
T = TypeVar("T")

# A delivery of thousands of alerts must not bring as many sentences.
MOST_WARNINGS = 20


def is_resolved_word(word: str) -> bool:
    """Whether the word is one that Alertmanager's alerts end with."""
    return word.strip().lower() in RESOLVED_WORDS


@attrs.frozen(kw_only=True)
class Vendor:
    """How a vendor's words are read, and what makes two of its alerts the same."""

    # What an alert without a name is called.
    nameless: str
    severity: Callable[[str], Severity] = severity_of
    is_resolved: Callable[[str], bool] = is_resolved_word
    # Members that identify an alert for which the vendor names nothing better.
    identity: tuple[str, ...] = ("alert_name", "target_host", "target_service", "metric_name")
    # Whether all labels together do, before those members.
    identified_by_labels: bool = False


@attrs.frozen(kw_only=True)
class Draft:
    """What a vendor's own rules make of one alert."""

    # Members by their names in mappings, as far as they are texts.
    texts: Mapping[str, str]
    severity: Severity
    is_resolved: bool
    labels: Mapping[str, str] = attrs.field(factory=dict[str, str])
    started_at: datetime | None = None
    ended_at: datetime | None = None
    told_at: datetime | None = None
    # Text that identifies the alert where it has no fingerprint, better than the members of `Vendor.identity`.
    identity: str = ""
    # For mapped times that name none.
    zone: tzinfo = UTC


class Mapper:
    """Makes the alerts of one delivery, and notes which mappings were of no use for any of them."""

    def __init__(self, vendor: Vendor, own: Mapping[str, str]) -> None:
        self._vendor = vendor
        self._own = own
        self._unused = {name for name in own if name != ALERTS}
        self._unreadable: Counter[str] = Counter()

    def moment(self, value: object, name: str, *, zone: tzinfo = UTC) -> datetime | None:
        """Read a moment; one that cannot be read is left out and named in a warning."""
        try:
            return read_moment(value, zone=zone)
        except NotAMomentError:
            self.unreadable(name)
            return None

    def unreadable(self, name: str) -> None:
        """Note a time, or the name of a time zone, that cannot be read."""
        self._unreadable[name] += 1

    def alert(
        self, draft: Draft, raw: Mapping[str, object], *scopes: Mapping[str, object]
    ) -> NormalisedAlert:
        """Finish one alert.

        Args:
            draft: what the vendor's rules found.
            raw: the alert as it was sent, to be kept.
            scopes: where the operator's paths are looked for, in this order; `raw` when there is none.
        """
        return _Overlay(self, draft, scopes or (raw,)).finish(raw)

    def finds(self, name: str, *scopes: Mapping[str, object]) -> bool:
        """Whether a mapping of the operator's finds a text for the member."""
        path = self._own.get(name)
        return path is not None and _first(path, scopes, _filled_text) is not None

    def reading(self, alerts: Sequence[NormalisedAlert], *warnings: str) -> Reading:
        """Return the delivery's alerts with everything there is to warn of."""
        found = [*warnings]
        if alerts:
            found += [
                f"field_mappings.{name}: nothing that can be read is at {self._own[name]} in any alert of this "
                "delivery."
                for name in self._own
                if name in self._unused
            ]
        found += [
            f"{name}: left out of {count} alerts, because it is not a time that can be read."
            for name, count in self._unreadable.items()
        ]
        return Reading(alerts=tuple(alerts), warnings=tuple(map(storable_text, found[:MOST_WARNINGS])))

    @property
    def vendor(self) -> Vendor:
        """Whose alerts they are."""
        return self._vendor

    def own(self, name: str) -> str | None:
        """Return the operator's path of a member."""
        return self._own.get(name)

    def used(self, name: str) -> None:
        """Note that the mapping of a member found something."""
        self._unused.discard(name)


@attrs.frozen
class _Overlay:
    """One alert on its way from draft to normalised."""

    mapper: Mapper
    draft: Draft
    scopes: Sequence[Mapping[str, object]]

    def finish(self, raw: Mapping[str, object]) -> NormalisedAlert:
        vendor, draft = self.mapper.vendor, self.draft
        own_severity, own_status = self._own_text("severity"), self._own_text("status")
        resolved = vendor.is_resolved(own_status) if own_status else draft.is_resolved
        # Read for a firing alert too: a mapping is of use, or a time of the vendor's none, whatever the status.
        ended_at = self._moment("ended_at", draft.ended_at)
        texts = {name: self._text(name) for name in _TEXTS}
        labels = self._labels()
        # A vendor's id may number events; one that the operator chose is the alert's.
        given = texts["source_fingerprint"] or self._own_text("source_alert_id")
        identity = draft.identity or "\n".join(texts[name] for name in vendor.identity)
        source_fingerprint = fingerprint(
            given, labels if vendor.identified_by_labels else {}, identity=identity
        )
        return NormalisedAlert(
            **{
                **texts,
                "alert_name": texts["alert_name"] or vendor.nameless,
                "source_alert_id": texts["source_alert_id"] or source_fingerprint,
                "source_fingerprint": source_fingerprint,
            },
            severity=vendor.severity(own_severity) if own_severity else draft.severity,
            status=AlertStatus.RESOLVED if resolved else AlertStatus.FIRING,
            target_labels=labels,
            started_at=self._moment("started_at", draft.started_at),
            ended_at=ended_at if resolved else None,
            told_at=draft.told_at,
            raw_payload=storable_object(dict(raw)),
        )

    def _text(self, name: str) -> str:
        return self._own_text(name) or self.draft.texts.get(name, "")

    def _own_text(self, name: str) -> str:
        return self._own(name, _filled_text) or ""

    def _labels(self) -> Mapping[str, str]:
        return {**self.draft.labels, **(self._own(LABELS, _filled_labels) or {})}

    def _moment(self, name: str, usual: datetime | None) -> datetime | None:
        found = self._own(name, _filled_scalar)
        if found is None:
            return usual
        moment = self.mapper.moment(found, f"field_mappings.{name}", zone=self.draft.zone)
        return usual if moment is None else moment

    def _own(self, name: str, read: Callable[[object], T | None]) -> T | None:
        path = self.mapper.own(name)
        found = None if path is None else _first(path, self.scopes, read)
        if found is not None:
            self.mapper.used(name)
        return found


# The others are no texts: words with a meaning, moments and labels.
_TEXTS = tuple(
    name for name in MEMBERS if name not in {"severity", "status", "started_at", "ended_at", LABELS}
)


def _first(path: str, scopes: Sequence[Mapping[str, object]], read: Callable[[object], T | None]) -> T | None:
    """Return what is at the path in the first scope where it can be read."""
    for scope in scopes:
        found = find(scope, path)
        if found is not MISSING and (value := read(found)) is not None:
            return value
    return None


def _filled_text(value: object) -> str | None:
    text = text_of(value)
    return text if text and text.strip() else None


def _filled_labels(value: object) -> dict[str, str] | None:
    return labels_of(value) or None


def _filled_scalar(value: object) -> object | None:
    # Not as text: a number of seconds is a moment, and true is none.
    return None if _filled_text(value) is None else value
