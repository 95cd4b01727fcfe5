"""Group commit: deliveries that arrive while a transaction is being written share the next one.

One thread writes. A commit costs about the same for one delivery as for fifty, so the busier it gets the
cheaper each one is, and what waits is bounded: beyond that the sender is told to come again.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import attrs
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from akmatori_server.alerts.settlement import Receipt, Submission
from akmatori_server.errors import Unavailable

_log = structlog.stdlib.get_logger("akmatori_server.alerts")

# Losing a race against another server takes one more attempt, since the winner's rows are there then; more
# means something else is wrong.
ATTEMPTS = 5
RETRY_AFTER_SECONDS = 5
# What PostgreSQL calls a deadlock, and a transaction that cannot be put in an order with another one.
_RACES = frozenset({"40P01", "40001"})

Settle = Callable[[Sequence[Submission]], list[Receipt]]
"""Stores deliveries in one transaction, and returns their receipts once it is committed."""


@attrs.frozen(kw_only=True)
class Limits:
    """How much may wait before no more is taken, and how much goes into one transaction."""

    waiting_deliveries: int = 2000
    # An alert with its payload takes about five kilobytes.
    waiting_alerts: int = 20_000
    batch_deliveries: int = 200
    batch_alerts: int = 2000


@attrs.frozen(eq=False)
class _Waiting:
    submission: Submission
    future: Future[Receipt] | asyncio.Future[Receipt]
    # Whose future it is, when it is one of an event loop.
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def weight(self) -> int:
        return max(1, len(self.submission.alerts))


class Intake:
    """Takes deliveries from any thread, and writes them in batches from one."""

    def __init__(self, settle: Settle, *, limits: Limits | None = None) -> None:
        self._settle = settle
        self._limits = limits or Limits()
        self._waiting: deque[_Waiting] = deque()
        self._alerts = 0
        self._changed = threading.Condition()
        self._writer: threading.Thread | None = None
        self._is_closed = False

    def submit(self, submission: Submission) -> Future[Receipt]:
        """Queue a delivery; the future has its receipt when it is committed.

        Raises:
            Unavailable: too much is waiting, or the server is stopping.
        """
        future: Future[Receipt] = Future()
        self._put(_Waiting(submission, future))
        return future

    def submit_here(self, submission: Submission) -> asyncio.Future[Receipt]:
        """Do the same for the running event loop; all that a batch has to say to it is said at once.

        Raises:
            Unavailable: too much is waiting, or the server is stopping.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        self._put(_Waiting(submission, future, loop))
        return future

    def _put(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._is_closed:
                raise Unavailable("The server is stopping; send the alerts again.", retry_after=5)
            self._refuse_if_full()
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._write, name="alert-intake", daemon=True)
                self._writer.start()
            self._waiting.append(waiting)
            self._alerts += waiting.weight
            self._changed.notify()

    def check_room(self) -> None:
        """Refuse before a body is read in vain: reading costs as much as storing.

        Raises:
            Unavailable: too much is waiting.
        """
        with self._changed:
            self._refuse_if_full()

    def _refuse_if_full(self) -> None:
        limits = self._limits
        if len(self._waiting) >= limits.waiting_deliveries or self._alerts >= limits.waiting_alerts:
            raise Unavailable(
                "More alerts are waiting to be stored than can be; send them again.",
                code="overloaded",
                retry_after=RETRY_AFTER_SECONDS,
            )

    def close(self) -> None:
        """Write what waits, then stop. Nothing is taken any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
            writer = self._writer
        if writer is not None:
            writer.join()

    def _write(self) -> None:
        while batch := self._next():
            self._commit(batch)

    def _next(self) -> list[_Waiting]:
        """Wait for deliveries and return as many as go into one transaction; none when it is over."""
        with self._changed:
            while not self._waiting:
                if self._is_closed:
                    return []
                self._changed.wait()
            batch: list[_Waiting] = []
            weight = 0
            while self._waiting and len(batch) < self._limits.batch_deliveries:
                weight += self._waiting[0].weight
                if batch and weight > self._limits.batch_alerts:
                    break
                batch.append(self._waiting.popleft())
            self._alerts -= sum(waiting.weight for waiting in batch)
        return batch

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            receipts = self._with_races([waiting.submission for waiting in batch])
        except BaseException as error:  # noqa: BLE001  every waiting caller must be answered, whatever happened
            if len(batch) > 1 and isinstance(error, Exception) and not _is_trouble(error):
                # One of them cannot be stored: the others must not fall with it.
                for waiting in batch:
                    self._commit([waiting])
                return
            failure = _failure(error)
            _tell([(waiting, failure) for waiting in batch])
        else:
            _tell(list(zip(batch, receipts, strict=True)))

    def _with_races(self, submissions: Sequence[Submission]) -> list[Receipt]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._settle(submissions)
            except DBAPIError as error:
                if not _is_lost_race(error):
                    raise
                _log.info("alert_race_lost", deliveries=len(submissions), attempt=attempt)
        raise _not_stored()


def _tell(outcomes: Sequence[tuple[_Waiting, Receipt | BaseException]]) -> None:
    """Answer those who wait. Waking an event loop is dear, so each is woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Receipt | BaseException]]] = {}
    for waiting, outcome in outcomes:
        if waiting.loop is None:
            _settle_future(waiting, outcome)
        else:
            by_loop.setdefault(waiting.loop, []).append((waiting, outcome))
    for loop, told in by_loop.items():
        # A loop that is closed has nobody waiting.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_futures, told)


def _settle_futures(outcomes: Sequence[tuple[_Waiting, Receipt | BaseException]]) -> None:
    for waiting, outcome in outcomes:
        _settle_future(waiting, outcome)


def _settle_future(waiting: _Waiting, outcome: Receipt | BaseException) -> None:
    # A caller that went away hears nothing; its delivery is stored all the same.
    if waiting.future.cancelled():
        return
    if isinstance(outcome, BaseException):
        waiting.future.set_exception(outcome)
    else:
        waiting.future.set_result(outcome)


def _is_lost_race(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in _RACES


def _is_trouble(error: Exception) -> bool:
    """Whether the database or the disk is in trouble, and not one delivery."""
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout, OSError))


def _failure(error: BaseException) -> BaseException:
    if isinstance(error, Exception) and _is_trouble(error):
        _log.error("alerts_not_stored", exc_info=error)
        return _not_stored()
    return error


def _not_stored() -> Unavailable:
    return Unavailable("The alerts could not be stored; send them again.", retry_after=RETRY_AFTER_SECONDS)
