"""An alert as names and texts: what matchers, identity fields and correlation rules look at."""

from __future__ import annotations

from collections.abc import Mapping

from akmatori_server.alerts.models import NormalisedAlert

LABELS = "labels."
MEMBERS = (
    "alert_name",
    "severity",
    "summary",
    "description",
    "target_host",
    "target_service",
    "metric_name",
    "metric_value",
    "runbook_url",
    "group_key",
)
"""Members of a normalised alert by their own names; `source`, `source_type` and `fingerprint` stand beside them."""


def fields_of(alert: NormalisedAlert, *, source: str, source_type: str) -> Mapping[str, str]:
    """Return the alert's members, and its labels as `labels.<name>`.

    Args:
        alert: the alert.
        source: name of its source.
        source_type: name of the source's type, such as `alertmanager`.
    """
    fields = {f"{LABELS}{name}": value for name, value in alert.target_labels.items()}
    fields.update((name, str(getattr(alert, name))) for name in MEMBERS)
    fields["fingerprint"] = alert.source_fingerprint
    fields["source"] = source
    fields["source_type"] = source_type
    return fields
