"""Whether an answer of Prometheus is about the alert itself: its series held against the alert's labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from akmatori_server.alerts.fields import LABELS
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.rules.evidence import Check, Verdict
from akmatori_server.probes import Severity

# They say what an alert is called and weighs, not what it is about; a rule adds them, and no series has them.
NOT_IDENTIFYING = frozenset(("__name__", "alertname", "alertstate", "alertgroup", "severity"))
MOST_NAMED = 3

_Series = Mapping[str, str]


@attrs.frozen(kw_only=True)
class Comparison:
    """How many series are the alert's own, and how many are others'."""

    own: int
    others: int
    # Series that share no label with the alert: whose they are is not known.
    unclear: int
    # What tells the alert from others: `queue=push`.
    named: str


def own_series_check(
    document: JSON, known: Mapping[str, str], subject: str, *, is_only_source: bool
) -> Check:
    """Say whether series are still there for the very alert that is looked into.

    Args:
        document: the answer to an instant query.
        known: what the alert says.
        subject: what holds, as the beginning of a sentence: "The alert's own expression".
        is_only_source: whether nobody else is asked; otherwise the series may simply be another one's.
    """
    series = _series(document)
    if series is None:
        return Check(verdict=Verdict.UNKNOWN, says="the answer is no list of series")
    found = compared(series, _labels(known))
    verdict, says = _told(found, subject, is_only_source=is_only_source)
    return Check(
        verdict=verdict,
        value=f"{found.own} series",
        threshold="the alert's own series",
        says=says,
        severity=Severity.INFO,
    )


def _told(found: Comparison, subject: str, *, is_only_source: bool) -> tuple[Verdict, str]:
    where = f" for {found.named}" if found.named else ""
    others = f"{found.others} other series"
    if found.own:
        return Verdict.NOTED, f"{subject} still holds{where}{f', and for {others}' if found.others else ''}"
    if found.unclear:
        says = f"{subject} holds for {found.unclear} series, none of which has a label of the alert"
        return Verdict.UNKNOWN, says
    if found.others:
        does = "does" if found.others == 1 else "do"
        return Verdict.NOTED, f"{subject} no longer holds{where} ({others} {does})"
    return (Verdict.NOTED, f"{subject} no longer holds") if is_only_source else (Verdict.FINE, "")


def compared(series: Sequence[_Series], labels: Mapping[str, str]) -> Comparison:
    """Count the series whose labels agree with all labels that the alert shares with them, one at least."""
    own: list[_Series] = []
    others: list[_Series] = []
    unclear = 0
    for one in series:
        telling = {name: value for name, value in one.items() if name not in NOT_IDENTIFYING}
        shared = [name for name in telling if name in labels]
        if not telling or (shared and all(telling[name] == labels[name] for name in shared)):
            # Without any label there is one series only: the alert's.
            own.append(telling)
        elif shared:
            others.append(telling)
        else:
            unclear += 1
    return Comparison(own=len(own), others=len(others), unclear=unclear, named=_named(own, others, labels))


def _named(own: Sequence[_Series], others: Sequence[_Series], labels: Mapping[str, str]) -> str:
    there = [name for name in labels if any(name in one for one in (*own, *others))]
    different = [name for name in there if any(one.get(name, labels[name]) != labels[name] for one in others)]
    return ", ".join(f"{name}={labels[name]}" for name in (different or there)[:MOST_NAMED])


def _labels(known: Mapping[str, str]) -> dict[str, str]:
    names = ((name.removeprefix(LABELS), value) for name, value in known.items() if name.startswith(LABELS))
    return {name: value for name, value in names if name not in NOT_IDENTIFYING}


def _series(document: JSON) -> list[_Series] | None:
    result = document.get("result") if isinstance(document, dict) else None
    if not isinstance(result, list):
        return None
    metrics = [one.get("metric") if isinstance(one, dict) else None for one in result]
    return [
        {str(name): str(value) for name, value in metric.items()} if isinstance(metric, dict) else {}
        for metric in metrics
    ]
