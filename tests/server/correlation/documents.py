"""Documents and alerts that the tests of correlation share."""

from __future__ import annotations

from collections.abc import Mapping

from akmatori_server.alerts.fields import fields_of
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Severity
from akmatori_server.correlation.rules import Placement, RuleBook

BY_CLUSTER = {"name": "clusters", "by": ["labels.cluster"]}
ONE_CASE = {
    "name": "two hosts, one cluster",
    "alerts": [
        {"id": "a", "alert_name": "DiskFull", "host": "db-1", "labels": {"cluster": "blue"}},
        {"id": "b", "alert_name": "ReplicaDown", "host": "db-2", "labels": {"cluster": "blue"}, "at": "5m"},
    ],
    "incidents": [["a", "b"]],
}
GOOD = {"version": 1, "rules": [BY_CLUSTER], "cases": [ONE_CASE]}
FAILING = {**GOOD, "cases": [{**ONE_CASE, "incidents": [["a"], ["b"]], "rules": {"a": "single"}}]}


def alert(
    name: str = "Disk",
    *,
    labels: Mapping[str, str] | None = None,
    group_key: str = "",
    fingerprint: str = "f",
    host: str = "",
) -> NormalisedAlert:
    """A firing alert."""
    return NormalisedAlert(
        alert_name=name,
        severity=Severity.HIGH,
        status=AlertStatus.FIRING,
        target_labels=labels or {},
        target_host=host,
        group_key=group_key,
        source_fingerprint=fingerprint,
    )


def place(book: RuleBook, one: NormalisedAlert, *, source: str = "prom") -> Placement:
    """Place an alert of a source."""
    return book.place(fields_of(one, source=source, source_type="alertmanager"))
