"""The rate limit of a source, and the room for its deliveries: decisions without a database."""

from __future__ import annotations

import pytest

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.deliveries.limiter import RateLimiter
from akmatori_server.deliveries.models import Outcome
from akmatori_server.deliveries.room import SHARES, Held, Kind, kind_of, surplus
from akmatori_server.errors import TooManyRequests, Unavailable
from tests.server.deliveries.depot import stored_nowhere


def source(limit: object = 60, *, kind: str = "datadog", uuid: str = "u1") -> AlertSource:
    """Return a source with a limit."""
    return stored_nowhere(kind=kind, uuid=uuid, settings={"rate_limit_per_minute": limit})


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the present second."""
        return self.now


def taken(limiter: RateLimiter, of: AlertSource, tries: int) -> int:
    """Try so often, and return how often it went."""
    done = 0
    for _ in range(tries):
        try:
            limiter.take(of)
        except (TooManyRequests, Unavailable):
            continue
        done += 1
    return done


@pytest.mark.parametrize(("limit", "burst"), [(600, 100), (60, 10), (6, 10), (1, 10)])
def test_so_many_in_a_row_and_then_so_many_in_a_minute(limit: int, burst: int) -> None:
    """A sixth of the limit, ten at least, at once; then evenly."""
    clock = Seconds()
    limiter = RateLimiter(clock=clock)

    assert taken(limiter, source(limit), 1000) == burst
    went = 0
    for _ in range(600):
        clock.now += 0.1
        went += taken(limiter, source(limit), 2)
    assert went == pytest.approx(limit, abs=1)


def test_after_a_quiet_hour_there_is_no_more_than_the_burst() -> None:
    """What was not used is not saved up."""
    clock = Seconds()
    limiter = RateLimiter(clock=clock)
    taken(limiter, source(60), 100)
    clock.now += 3600

    assert taken(limiter, source(60), 100) == 10


@pytest.mark.parametrize("kind", ["datadog", "zabbix", "pagerduty", "generic"])
def test_above_the_limit_is_429(kind: str) -> None:
    """With the seconds to wait, after which it goes."""
    clock = Seconds()
    limiter = RateLimiter(clock=clock)
    taken(limiter, source(20, kind=kind), 10)

    with pytest.raises(TooManyRequests, match=r"takes 20 deliveries a minute.*in 3 seconds") as refusal:
        limiter.take(source(20, kind=kind))
    assert refusal.value.code == "rate_limited"
    assert refusal.value.headers["Retry-After"] == "3"
    clock.now += 3
    limiter.take(source(20, kind=kind))


@pytest.mark.parametrize("kind", ["alertmanager", "grafana"])
def test_for_senders_that_repeat_only_after_a_5xx_it_is_503(kind: str) -> None:
    """The same sentence, code and header."""
    limiter = RateLimiter(clock=Seconds())
    taken(limiter, source(1, kind=kind), 10)

    with pytest.raises(Unavailable, match="takes 1 delivery a minute") as refusal:
        limiter.take(source(1, kind=kind))
    assert (refusal.value.status, refusal.value.code) == (503, "rate_limited")
    assert refusal.value.headers["Retry-After"] == "60"


@pytest.mark.parametrize("limit", [None, 0, -1, True, "60"])
def test_without_a_limit_everything_goes(limit: object) -> None:
    """What is no number counts as none."""
    assert taken(RateLimiter(clock=Seconds()), source(limit), 500) == 500


def test_a_changed_limit_counts_at_once_and_each_source_by_itself() -> None:
    """An operator who raises it does not wait."""
    limiter = RateLimiter(clock=Seconds())

    assert taken(limiter, source(60), 100) == 10
    assert taken(limiter, source(600), 100) == 100
    assert taken(limiter, source(60, uuid="u2"), 100) == 10


def test_what_a_delivery_is() -> None:
    """Refused before its sender proved anything, refused after, or taken."""
    assert kind_of(Outcome.REJECTED, 401) is Kind.UNPROVEN
    assert kind_of(Outcome.REJECTED, 413) is Kind.UNPROVEN
    assert kind_of(Outcome.REJECTED, 503) is Kind.REFUSED
    assert kind_of(Outcome.WARNED, 200) is Kind.WARNED


def test_the_room_altogether() -> None:
    """At most 500 rows, 20 MiB, and 60 a minute."""
    shares = SHARES.values()

    assert sum(share.rows for share in shares) == 500
    assert sum(share.size for share in shares) == 20 * 1024 * 1024
    assert sum(share.per_minute for share in shares) == 60


def test_the_oldest_of_each_kind_go() -> None:
    """By number and by size, and nothing older than what went stays."""
    share = SHARES[Kind.WARNED]
    many = [Held(1000 - n, Kind.WARNED, 1) for n in range(share.rows + 2)]
    proven = [Held(5, Kind.REFUSED, 1)]
    assert surplus([*many, *proven]) == [many[-2].id, many[-1].id]

    big = [Held(9, Kind.WARNED, share.size), Held(8, Kind.WARNED, 1), Held(7, Kind.WARNED, 0)]
    assert surplus([*big, *proven]) == [8, 7]
    assert surplus(big[:1]) == []
