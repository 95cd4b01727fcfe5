"""What makes a silence, and what may be changed about one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.errors import BadRequest, Conflict
from akmatori_server.matching import parse_matcher
from akmatori_server.silences.models import Silence, SilenceState
from akmatori_server.silences.rules import (
    FURTHEST_BEGINNING,
    LONGEST,
    MatcherMembers,
    WrittenSilence,
    changed_silence,
    new_silence,
)

NOW = datetime(2026, 5, 15, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD = WrittenSilence(matchers=["alertname=DiskFull"], comment="planned", duration=HOUR)
STORED = Silence(
    id=1,
    uuid="5b2f8f0e-3c1d-4e8a-9d53-2f1c5e7d9a30",
    matchers=(parse_matcher("alertname=DiskFull"),),
    starts_at=NOW - HOUR,
    ends_at=NOW + HOUR,
    comment="planned",
    created_by="admin",
    created_at=NOW - HOUR,
    updated_at=NOW - HOUR,
)
PENDING = attrs.evolve(STORED, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)


def complaints(written: WrittenSilence, stored: Silence | None = None) -> dict[str, str]:
    """Return the sentences about what is wrong, by member."""
    decide = new_silence if stored is None else partial(changed_silence, stored)
    with pytest.raises(BadRequest) as caught:
        decide(written, now=NOW)
    assert caught.value.message.startswith(f"{next(iter(caught.value.details))}: ")
    return dict(caught.value.details)


def test_begins_now_unless_said() -> None:
    text = new_silence(GOOD, now=NOW)
    assert (text.starts_at, text.ends_at) == (NOW, NOW + HOUR)


def test_a_beginning_in_the_past_is_now() -> None:
    """What was delivered before was not silenced, and the record must not say so."""
    written = attrs.evolve(GOOD, starts_at=NOW - HOUR, ends_at=NOW + HOUR, duration=None)
    assert new_silence(written, now=NOW).starts_at == NOW


def test_a_maintenance_window_begins_later() -> None:
    text = new_silence(attrs.evolve(GOOD, starts_at=NOW + 5 * HOUR), now=NOW)
    assert (text.starts_at, text.ends_at) == (NOW + 5 * HOUR, NOW + 6 * HOUR)


def test_matchers_are_written_in_either_form() -> None:
    written: list[str | MatcherMembers] = [
        'alertname="DiskFull"',
        MatcherMembers("alertname", "=", "DiskFull"),
        MatcherMembers("job", "=~", "db-.*"),
    ]
    text = new_silence(attrs.evolve(GOOD, matchers=written), now=NOW)
    assert [str(matcher) for matcher in text.matchers] == ['alertname="DiskFull"', 'job=~"db-.*"']


@pytest.mark.parametrize(
    ("change", "member", "sentence"),
    [
        ({"matchers": []}, "matchers", "every alert"),
        ({"matchers": ["a!=b"]}, "matchers", "every alert"),
        ({"matchers": ["a=~.*", "b="]}, "matchers", "every alert"),
        ({"matchers": ["a=b", "a"]}, "matchers[1]", "is not a matcher"),
        ({"matchers": ["a=b", MatcherMembers("a", "=~", "(")]}, "matchers[1]", "RE2"),
        ({"matchers": [MatcherMembers("a", "<", "b")]}, "matchers[0]", "operator"),
        ({"comment": " \n"}, "comment", "blank"),
        ({"comment": None}, "comment", "blank"),
        ({"duration": None}, "ends_at", "when the silence ends"),
        ({"ends_at": NOW + HOUR}, "duration_seconds", "not both"),
        ({"duration": None, "ends_at": NOW}, "ends_at", "after the beginning"),
        (
            {"duration": None, "starts_at": NOW + HOUR, "ends_at": NOW + HOUR},
            "ends_at",
            "after the beginning",
        ),
        ({"duration": LONGEST + timedelta(microseconds=1)}, "duration_seconds", "366 days"),
        ({"starts_at": NOW + FURTHEST_BEGINNING + HOUR}, "starts_at", "ten years"),
    ],
)
def test_a_rule_that_is_broken_is_told(change: dict[str, Any], member: str, sentence: str) -> None:
    found = complaints(attrs.evolve(GOOD, **change))
    assert list(found) == [member]
    assert sentence in found[member]


def test_every_wrong_member_gets_its_sentence() -> None:
    written = WrittenSilence(matchers=["a", "b=c", "d"], comment="", duration=timedelta(0))
    assert list(complaints(written)) == ["matchers[0]", "matchers[2]", "duration_seconds", "comment"]


def test_a_year_is_not_too_long() -> None:
    assert new_silence(attrs.evolve(GOOD, duration=LONGEST), now=NOW).ends_at == NOW + LONGEST


@pytest.mark.parametrize("hours", [-14, 14])
def test_the_ends_of_the_calendar_are_cut_or_refused(hours: int) -> None:
    """They have no UTC; nothing may fail on them."""
    zone = timezone(timedelta(hours=hours))
    first, last = datetime(1, 1, 1, tzinfo=zone), datetime(9999, 12, 31, 23, 59, tzinfo=zone)

    assert new_silence(attrs.evolve(GOOD, starts_at=first), now=NOW).starts_at == NOW
    assert "starts_at" in complaints(attrs.evolve(GOOD, starts_at=last))
    assert "ends_at" in complaints(attrs.evolve(GOOD, ends_at=first, duration=None))
    assert "ends_at" in complaints(attrs.evolve(GOOD, ends_at=last, duration=None))


_moments = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]),
)
_written = st.builds(
    WrittenSilence,
    matchers=st.just(["a=b"]),
    comment=st.just("x"),
    starts_at=st.none() | _moments,
    ends_at=st.none() | _moments,
    duration=st.none() | st.timedeltas(min_value=timedelta(seconds=1), max_value=LONGEST),
)


@given(_written)
def test_whatever_is_accepted_keeps_the_rules(written: WrittenSilence) -> None:
    try:
        text = new_silence(written, now=NOW)
    except BadRequest as refused:
        assert refused.details  # noqa: PT017  there is no other way to allow both
        return
    assert NOW <= text.starts_at < text.ends_at <= text.starts_at + LONGEST
    assert text.starts_at - NOW <= FURTHEST_BEGINNING
    assert (text.starts_at.tzinfo, text.ends_at.tzinfo) == (UTC, UTC)


@given(_written, st.sampled_from([STORED, PENDING]))
def test_a_change_keeps_the_rules_too(written: WrittenSilence, stored: Silence) -> None:
    try:
        text = changed_silence(stored, written, now=NOW)
    except BadRequest as refused:
        assert refused.details  # noqa: PT017  there is no other way to allow both
        return
    assert text.starts_at < text.ends_at <= text.starts_at + LONGEST
    assert text.ends_at > NOW
    assert text.starts_at == stored.starts_at or stored is PENDING


def test_nothing_written_changes_nothing() -> None:
    text = changed_silence(STORED, WrittenSilence(), now=NOW)
    assert (text.matchers, text.starts_at, text.ends_at, text.comment) == (
        STORED.matchers,
        STORED.starts_at,
        STORED.ends_at,
        STORED.comment,
    )


def test_what_was_read_can_be_sent_back() -> None:
    written = WrittenSilence(
        matchers=[str(matcher) for matcher in STORED.matchers],
        comment=STORED.comment,
        starts_at=STORED.starts_at,
        ends_at=STORED.ends_at,
    )
    assert changed_silence(STORED, written, now=NOW).ends_at == STORED.ends_at


def test_another_hour_is_counted_from_now_or_from_the_beginning_ahead() -> None:
    written = WrittenSilence(duration=HOUR)
    assert changed_silence(STORED, written, now=NOW).ends_at == NOW + HOUR
    assert changed_silence(PENDING, written, now=NOW).ends_at == NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("stored", "written", "member", "sentence"),
    [
        (STORED, WrittenSilence(starts_at=NOW - 2 * HOUR), "starts_at", "has begun"),
        (STORED, WrittenSilence(starts_at=NOW + HOUR / 2), "starts_at", "has begun"),
        (STORED, WrittenSilence(ends_at=NOW), "ends_at", "delete the silence"),
        (STORED, WrittenSilence(ends_at=NOW - 2 * HOUR), "ends_at", "after the beginning"),
        (STORED, WrittenSilence(duration=LONGEST), "duration_seconds", "366 days"),
        (STORED, WrittenSilence(matchers=["a!=b"]), "matchers", "every alert"),
        (STORED, WrittenSilence(comment=" "), "comment", "blank"),
        # Moved behind its own end.
        (PENDING, WrittenSilence(starts_at=NOW + 3 * HOUR), "ends_at", "after the beginning"),
    ],
)
def test_a_change_that_breaks_a_rule_is_told(
    stored: Silence, written: WrittenSilence, member: str, sentence: str
) -> None:
    found = complaints(written, stored)
    assert list(found) == [member]
    assert sentence in found[member]


def test_a_silence_that_is_over_stays_as_it_is() -> None:
    with pytest.raises(Conflict, match="is over"):
        changed_silence(STORED, WrittenSilence(duration=HOUR), now=STORED.ends_at)


def test_the_beginning_belongs_to_it_and_the_end_does_not() -> None:
    tick = timedelta(microseconds=1)
    assert PENDING.state_at(PENDING.starts_at - tick) is SilenceState.PENDING
    assert PENDING.state_at(PENDING.starts_at) is SilenceState.ACTIVE
    assert PENDING.state_at(PENDING.ends_at - tick) is SilenceState.ACTIVE
    assert PENDING.state_at(PENDING.ends_at) is SilenceState.EXPIRED
