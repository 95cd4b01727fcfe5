"""The throttle of logins, on a clock of our own."""

from __future__ import annotations

import pytest

from akmatori_server.auth.throttle import ALTOGETHER, PER_REMOTE, WINDOW_SECONDS, LoginThrottle
from akmatori_server.errors import TooManyRequests


class Clock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


def fail(throttle: LoginThrottle, remote: str, times: int) -> None:
    """Fail to log in."""
    for _ in range(times):
        throttle.begin(remote)


def test_one_address_waits_until_its_oldest_failure_is_a_minute_old(clock: Clock) -> None:
    """The wait is told truthfully."""
    throttle = LoginThrottle(clock=clock)
    throttle.begin("a")
    clock.now += 20
    fail(throttle, "a", PER_REMOTE - 1)

    with pytest.raises(TooManyRequests) as caught:
        throttle.begin("a")

    assert caught.value.retry_after == WINDOW_SECONDS - 20
    clock.now += caught.value.retry_after
    throttle.begin("a")


def test_other_addresses_do_not_wait(clock: Clock) -> None:
    """A guesser locks out nobody else."""
    throttle = LoginThrottle(clock=clock)
    fail(throttle, "a", PER_REMOTE)

    throttle.begin("b")


def test_a_success_takes_the_failures_back(clock: Clock) -> None:
    """Somebody who mistyped is not punished."""
    throttle = LoginThrottle(clock=clock)
    for _ in range(ALTOGETHER):
        fail(throttle, "a", PER_REMOTE - 1)
        throttle.begin("a")
        throttle.succeed("a")

    fail(throttle, "a", PER_REMOTE)


def test_many_addresses_together_are_limited(clock: Clock) -> None:
    """Guessing from everywhere is slowed down, too."""
    throttle = LoginThrottle(clock=clock)
    for number in range(ALTOGETHER):
        throttle.begin(f"a{number}")

    with pytest.raises(TooManyRequests):
        throttle.begin("b")
    clock.now += WINDOW_SECONDS
    throttle.begin("b")
