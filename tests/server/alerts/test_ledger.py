"""Which deliveries belong to one alert: the decisions, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from akmatori_server.alerts.ledger import AlertRow, Circumstances, Ledger, settle
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Severity

SOURCE = 5
F = (SOURCE, "f")
T0 = datetime(2026, 4, 20, 7, 0, tzinfo=UTC)


def minutes(number: float) -> datetime:
    """A moment so many minutes after the beginning."""
    return T0 + timedelta(minutes=number)


def alert(
    status: str = "firing",
    starts: float | None = 0,
    ends: float | None = None,
    told: float | None = None,
) -> NormalisedAlert:
    """One alert of a delivery, its moments in minutes."""
    return NormalisedAlert(
        alert_name="a",
        severity=Severity.WARNING,
        status=AlertStatus(status),
        source_fingerprint="f",
        started_at=None if starts is None else minutes(starts),
        ended_at=None if ends is None else minutes(ends),
        told_at=None if told is None else minutes(told),
    )


def row(
    status: str = "firing", *, starts: float | None = 0, seen: float = 1, resolved: float | None = None
) -> AlertRow:
    """A row that is known."""
    return AlertRow(
        id=7,
        source_id=SOURCE,
        incident_id=3,
        fingerprint="f",
        status=AlertStatus(status),
        started_at=None if starts is None else minutes(starts),
        resolved_at=None if resolved is None else minutes(resolved),
        first_seen_at=minutes(seen),
        last_seen_at=minutes(seen),
        deliveries=1,
    )


def circumstances(*, window: float = 30, silence: int | None = None) -> Circumstances:
    """What holds for every alert of a test: a window in minutes, and a silence or none."""
    return Circumstances(
        window=lambda _source, _alert: timedelta(minutes=window), silence=lambda _source, _alert: silence
    )


def take(known: AlertRow | None, *arriving: NormalisedAlert, now: float = 70, **holding: Any) -> Ledger:
    """Apply alerts of one delivery to what is known."""
    newest = {} if known is None else {F: known}
    return settle(newest, [(SOURCE, one) for one in arriving], minutes(now), circumstances(**holding))


def outcome(ledger: Ledger) -> str:
    """Name what happened to a single alert."""
    if ledger.ignored:
        return "ignored"
    if ledger.opened:
        return "closed and opened" if ledger.changed else "opened"
    [changed] = ledger.changed.values()
    again = " again" if ledger.reopened else ""
    return f"{changed.status}{again} x{changed.deliveries}"


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
            row("resolved", resolved=65), alert(starts=0), "firing x2", id="a late repeat after the end"
        ),
        pytest.param(
            row("resolved", resolved=9),
            alert(starts=0),
            "opened",
            id="one that its source told of again much later",
        ),
        pytest.param(
            row("resolved", resolved=50), alert(starts=60), "firing again x2", id="again within the window"
        ),
        pytest.param(
            row("resolved", resolved=40), alert(starts=70), "firing again x2", id="again at the window's end"
        ),
        pytest.param(row("resolved", resolved=30), alert(starts=61), "opened", id="again after the window"),
        pytest.param(
            row("resolved", resolved=50), alert(starts=None), "firing again x2", id="again, without a start"
        ),
        pytest.param(
            row("resolved", resolved=9), alert(starts=None), "opened", id="much later, without a start"
        ),
        pytest.param(
            row("resolved", resolved=30),
            alert(starts=35),
            "firing again x2",
            id="again soon, though we hear of it late",
        ),
        pytest.param(
            row(resolved=9), alert(starts=10), "firing again x2", id="a new one after a late repeat"
        ),
        pytest.param(
            row(resolved=9), alert(starts=60), "closed and opened", id="a much later one after a late repeat"
        ),
        pytest.param(row(resolved=9), alert(starts=0), "firing x2", id="a second late repeat"),
        pytest.param(
            row("resolved", resolved=60), alert(told=59), "ignored", id="told before the end that came first"
        ),
        pytest.param(
            row("resolved", resolved=60), alert(starts=0, told=61), "firing x2", id="told after the end"
        ),
    ],
)
def test_one_alert_arrives(known: AlertRow | None, arriving: NormalisedAlert, expected: str) -> None:
    """What is known and what arrives decide together."""
    assert outcome(take(known, arriving)) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(None, "opened", id="a new one is stored without an incident"),
        pytest.param(row(), "firing x2", id="one that has its incident keeps it"),
        pytest.param(
            row("resolved", resolved=65), "opened", id="one that fires again is kept from its incident"
        ),
    ],
)
def test_under_a_silence(known: AlertRow | None, expected: str) -> None:
    """It wakes nobody; what is known already goes on."""
    arriving = alert(starts=66 if known is not None and not known.is_firing else 0)
    ledger = take(known, arriving, silence=8)

    assert outcome(ledger) == expected
    assert not ledger.homeless
    assert [one.silence_id for one in ledger.opened] == ([8] if expected == "opened" else [])


def test_after_the_silence_a_repeat_needs_an_incident() -> None:
    """The alert that was silenced goes on, and its source tells of it again."""
    held = row()
    held.incident_id, held.silence_id = None, 8
    ledger = take(held, alert())

    assert list(ledger.homeless.values()) == [held]
    assert held.silence_id is None


def test_a_silenced_alert_comes_back_as_the_same() -> None:
    """Within the window it is one row, which the silence still holds."""
    held = row("resolved", resolved=60)
    held.incident_id, held.silence_id = None, 8
    ledger = take(held, alert(starts=65), silence=9)

    assert outcome(ledger) == "firing again x2"
    assert (held.silence_id, ledger.homeless) == (9, {})


def test_the_end_is_what_the_source_says_but_never_later_than_now() -> None:
    """An end in the future would swallow the next alert."""
    for ends, expected in ((9, 9), (99, 70), (None, 70)):
        known = row()
        take(known, alert("resolved", ends=ends))
        assert known.resolved_at == minutes(expected)


def test_one_delivery_may_tell_of_one_alert_several_times() -> None:
    """It is read in its order: fired, repeated, ended, and fired again."""
    ledger = take(None, alert(), alert(), alert("resolved", ends=5), alert(starts=6), now=10)

    assert [(one.status, one.deliveries, one.episodes) for one in ledger.opened] == [("firing", 3, 2)]
    assert ledger.changed == {}
    assert len(ledger.homeless) == 1


def test_a_replica_that_saw_the_same_refire_later_tells_nothing_new() -> None:
    """Two Alertmanagers disagree by seconds about when an alert began again: that is one episode, not two."""
    ledger = take(None, alert(), alert("resolved", ends=5), alert(starts=7), alert(starts=7.4), now=10)

    assert [(one.status, one.deliveries, one.episodes) for one in ledger.opened] == [("firing", 3, 2)]


def test_a_refire_of_a_row_that_came_back_late_is_written() -> None:
    """Its beginning and its count of episodes changed, though it was firing before."""
    known = row(resolved=9)
    known.was_firing = True
    ledger = take(known, alert(starts=10))

    assert ledger.changed == {7: known}
    assert (known.is_repeat, known.episodes, known.started_at) == (False, 2, minutes(10))
