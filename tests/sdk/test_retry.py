"""The decision whether to try again, as a table and as properties."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_sdk import Delivery, RetryPolicy
from akmatori_sdk._core.retry import Budget, Failure, Spent, next_wait, parse_retry_after, stop_reason

POLICY = RetryPolicy()
FRESH = Spent(attempts=1, elapsed=0.0)


def failure(**changes: object) -> Failure:
    return attrs.evolve(Failure(delivery=Delivery.UNKNOWN, idempotent=False), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_failure", "again"),
    [
        (failure(delivery=Delivery.NOT_SENT), True),
        (failure(), False),
        (failure(idempotent=True), True),
        (failure(keyed=True), False),
        (failure(keyed=True, key_honoured=True), True),
        (failure(key_honoured=True), False),
        (failure(delivery=Delivery.ANSWERED, status=503), False),
        (failure(delivery=Delivery.ANSWERED, status=503, idempotent=True), True),
        (failure(delivery=Delivery.ANSWERED, status=503, keyed=True, key_honoured=True), True),
        (failure(delivery=Delivery.ANSWERED, status=429, idempotent=True, retry_after=30.0), True),
        (failure(delivery=Delivery.ANSWERED, status=429, idempotent=True, retry_after=31.0), False),
        (failure(delivery=Delivery.ANSWERED, status=404, idempotent=True), False),
        (failure(delivery=Delivery.ANSWERED, status=501, idempotent=True), False),
        (failure(delivery=Delivery.NOT_SENT, replayable=False), False),
    ],
)
def test_table(given_failure: Failure, again: bool) -> None:
    assert (stop_reason(given_failure, POLICY, FRESH) is None) is again


def test_the_reason_says_what_the_caller_can_change() -> None:
    assert (
        stop_reason(failure(), POLICY, FRESH) == "the write may have been applied and has no idempotency key"
    )
    keyed = stop_reason(failure(keyed=True), POLICY, FRESH)
    assert keyed is not None
    assert "not known to honour" in keyed


@pytest.mark.parametrize(
    ("spent", "reason"),
    [
        (Spent(attempts=3, elapsed=0), "no attempts left"),
        (Spent(attempts=1, elapsed=59, next_wait=1), "the deadline of 60 s would pass"),
        (Spent(attempts=1, elapsed=0, budget_ok=False), "the client's retry budget is empty"),
        (Spent(attempts=2, elapsed=58.9, next_wait=1), None),
    ],
)
def test_what_is_spent_ends_it(spent: Spent, reason: str | None) -> None:
    assert stop_reason(failure(idempotent=True), POLICY, spent) == reason


failures = st.builds(
    Failure,
    delivery=st.sampled_from(Delivery),
    idempotent=st.booleans(),
    keyed=st.booleans(),
    key_honoured=st.booleans(),
    replayable=st.booleans(),
    status=st.sampled_from([None, 400, 404, 408, 429, 500, 503]),
    retry_after=st.none() | st.floats(0, 100),
)
policies = st.builds(
    RetryPolicy, max_retries=st.integers(0, 5), deadline=st.floats(0.1, 100), max_retry_after=st.floats(0, 60)
)
spents = st.builds(
    Spent,
    attempts=st.integers(1, 8),
    elapsed=st.floats(0, 100),
    next_wait=st.floats(0, 100),
    budget_ok=st.booleans(),
)


@given(failures, policies, spents)
def test_nothing_is_written_twice_and_no_limit_is_passed(
    f: Failure, policy: RetryPolicy, spent: Spent
) -> None:
    if stop_reason(f, policy, spent) is not None:
        return
    assert f.delivery is Delivery.NOT_SENT or f.idempotent or (f.keyed and f.key_honoured)
    assert f.replayable
    assert spent.budget_ok
    assert spent.attempts <= policy.max_retries
    assert spent.elapsed + spent.next_wait < policy.deadline
    assert f.retry_after is None or f.retry_after <= policy.max_retry_after
    assert f.delivery is not Delivery.ANSWERED or f.status in policy.statuses


@given(failures, st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_are_what_the_server_asks_or_jittered_below_a_growing_bound(
    f: Failure, attempts: int, chance: float
) -> None:
    wait = next_wait(f, POLICY, attempts, lambda: chance)
    if f.retry_after is not None:
        assert wait == f.retry_after
    else:
        assert 0 <= wait <= min(8.0, 0.5 * 2 ** min(attempts - 1, 10))


def test_jitter_is_full() -> None:
    waits = [next_wait(failure(), POLICY, n, lambda: 1.0) for n in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]
    assert next_wait(failure(), POLICY, 3, lambda: 0.0) == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 28.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
        ("1.5", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    now = 1792567652.0  # Wed, 21 Oct 2026 07:27:32 GMT
    assert parse_retry_after(header, lambda: now) == seconds


@given(st.text())
def test_retry_after_never_fails(header: str) -> None:
    value = parse_retry_after(header, lambda: 0.0)
    assert value is None or value >= 0


def test_the_budget_runs_out_and_comes_back() -> None:
    budget = Budget(2.0)
    budget.take()
    budget.take()
    assert not budget.ok
    for _ in range(11):
        budget.refund()
    assert budget.ok


@pytest.mark.parametrize("wrong", [{"deadline": 0}, {"max_retries": -1}, {"deadline": float("nan")}])
def test_impossible_policies_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)  # type: ignore[arg-type]
