"""Moments in the forms that monitoring systems use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from akmatori_server.alerts.adapters.moments import NotAMomentError, read_moment, zone_named

MOMENT = datetime(2026, 4, 20, 7, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        1776669150,
        1776669150.0,
        1776669150000,
        1776669150000000,
        1776669150000000000,
        "1776669150",
        "1776669150.0",
        "1776669150000",
        "2026-04-20T07:12:30Z",
        "2026-04-20t09:12:30+02:00",
        "2026-04-20 07:12:30",
        "2026.04.20 07:12:30 UTC",
        "2026/04/20 07:12:30 gmt",
        "2026-04-20, 09:12:30 Europe/Berlin",
        " 2026-04-20 03:12:30 -0400 ",
    ],
)
def test_one_moment_in_many_forms(value: object) -> None:
    """Numbers are told apart by their size."""
    assert read_moment(value) == MOMENT


def test_fractions_and_minutes() -> None:
    """To the microsecond; seconds may be left out."""
    assert read_moment("2026-04-20T07:12:30.123456789Z") == MOMENT + timedelta(microseconds=123456)
    assert read_moment("2026-04-20 07:12") == MOMENT - timedelta(seconds=30)


@pytest.mark.parametrize(
    "value",
    [None, "", " ", 0, -5, "0", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "1970-01-01 00:00"],
)
def test_never(value: object) -> None:
    """What programs write for a moment that was never set."""
    assert read_moment(value) is None


@pytest.mark.parametrize(
    "value",
    [
        True,
        {},
        [],
        "soon",
        "2026-04-20",
        "2026-13-20 07:12:30",
        "2026-02-30 07:12:30",
        "2026-04-20 25:12:30",
        "2026-04-20 07:12:30 Nowhere/At_All",
        "2026-04-20 07:12:30 Europe",
        "2026-04-20 07:12:30 ../../etc/passwd",
        "2026-04-20 07:12:30 +25:00",
        "9999-12-31T23:59:59-23:00",
        float("inf"),
        float("nan"),
        10**25,
        "9" * 20,
        "9" * 400,
        10**400,
    ],
)
def test_what_is_none_is_told_in_one_way(value: object) -> None:
    """Whatever was wrong with it."""
    with pytest.raises(NotAMomentError):
        read_moment(value)


def test_zones() -> None:
    """By name or offset; used for moments without one."""
    assert zone_named(" +02:00 ") == timezone(timedelta(hours=2))
    assert read_moment("2026-04-20 09:12:30", zone=zone_named("Europe/Berlin")) == MOMENT
    with pytest.raises(NotAMomentError):
        zone_named("")
