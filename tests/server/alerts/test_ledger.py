"""Which deliveries belong to one alert: the decisions, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from akmatori_server.alerts.ledger import AlertRow, Ledger, settle
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Severity

T0 = datetime(2026, 4, 20, 7, 0, tzinfo=UTC)


def minutes(number: float) -> datetime:
    """A moment so many minutes after the beginning."""
    return T0 + timedelta(minutes=number)


def alert(status: str = "firing", starts: float | None = 0, ends: float | None = None) -> NormalisedAlert:
    """One alert of a delivery, its moments in minutes."""
    return NormalisedAlert(
        alert_name="a",
        severity=Severity.WARNING,
        status=AlertStatus(status),
        source_fingerprint="f",
        started_at=None if starts is None else minutes(starts),
        ended_at=None if ends is None else minutes(ends),
    )


def row(
    status: str = "firing", *, starts: float | None = 0, seen: float = 1, resolved: float | None = None
) -> AlertRow:
    """A row that is known."""
    return AlertRow(
        id=7,
        incident_id=3,
        fingerprint="f",
        status=AlertStatus(status),
        started_at=None if starts is None else minutes(starts),
        resolved_at=None if resolved is None else minutes(resolved),
        first_seen_at=minutes(seen),
        last_seen_at=minutes(seen),
        deliveries=1,
    )


def outcome(ledger: Ledger) -> str:
    """Name what happened to a single alert."""
    if ledger.ignored:
        return "ignored"
    if ledger.opened:
        return "closed and opened" if ledger.changed else "opened"
    [changed] = ledger.changed.values()
    return f"{changed.status} x{changed.deliveries}"


@pytest.mark.parametrize(
    ("known", "arriving", "expected"),
    [
        pytest.param(None, alert(), "opened", id="unknown firing"),
        pytest.param(None, alert("resolved"), "ignored", id="unknown resolved"),
        pytest.param(row(), alert(), "firing x2", id="repeat"),
        pytest.param(row(), alert(starts=None), "firing x2", id="repeat without a start"),
        pytest.param(row(starts=None), alert(starts=500), "firing x2", id="repeat of one without a start"),
        pytest.param(row(), alert(starts=-5), "firing x2", id="an earlier start, as merged replicas have it"),
        pytest.param(row(), alert(starts=30), "firing x2", id="a later start while we heard of it lately"),
        pytest.param(
            row(),
            alert(starts=62),
            "closed and opened",
            id="began long after we last heard: its end was lost",
        ),
        pytest.param(row(), alert("resolved", ends=9), "resolved x1", id="resolved"),
        pytest.param(row(), alert("resolved"), "resolved x1", id="resolved without an end"),
        pytest.param(
            row(starts=20),
            alert("resolved", starts=0, ends=9),
            "ignored",
            id="the late end of an earlier one",
        ),
        pytest.param(row("resolved", resolved=9), alert("resolved", ends=9), "ignored", id="resolved twice"),
        pytest.param(
            row("resolved", resolved=9), alert(starts=0), "firing x2", id="a late repeat after the end"
        ),
        pytest.param(row("resolved", resolved=9), alert(starts=10), "opened", id="a new one after the end"),
        pytest.param(
            row("resolved", resolved=9), alert(starts=None), "opened", id="after the end, without a start"
        ),
        pytest.param(
            row(resolved=9), alert(starts=10), "closed and opened", id="a new one after a late repeat"
        ),
        pytest.param(row(resolved=9), alert(starts=0), "firing x2", id="a second late repeat"),
    ],
)
def test_one_alert_arrives(known: AlertRow | None, arriving: NormalisedAlert, expected: str) -> None:
    """What is known and what arrives decide together."""
    newest = {} if known is None else {"f": known}

    assert outcome(settle(newest, [arriving], minutes(70))) == expected


def test_the_end_is_what_the_source_says_but_never_later_than_now() -> None:
    """An end in the future would swallow the next alert."""
    for ends, expected in ((9, 9), (99, 70), (None, 70)):
        known = row()
        settle({"f": known}, [alert("resolved", ends=ends)], minutes(70))
        assert known.resolved_at == minutes(expected)


def test_one_delivery_may_tell_of_one_alert_several_times() -> None:
    """It is read in its order: fired, repeated, ended, and another one began."""
    delivery = [alert(), alert(), alert("resolved", ends=5), alert(starts=6)]
    ledger = settle({}, delivery, minutes(10))

    assert [(one.status, one.deliveries) for one in ledger.opened] == [("resolved", 2), ("firing", 1)]
    assert ledger.changed == {}
