"""Group commit: what is answered when, and what happens when too much comes at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime

import pytest

from akmatori_server.alert_sources.models import AlertSource, AlertSourceType
from akmatori_server.alerts.intake import Intake, Limits
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Severity
from akmatori_server.alerts.settlement import Receipt, Submission
from akmatori_server.errors import Unavailable

NOW = datetime(2026, 5, 15, 10, 0, tzinfo=UTC)
TYPE = AlertSourceType(
    id=1,
    name="alertmanager",
    display_name="",
    description="",
    default_field_mappings={},
    webhook_secret_header="",
    created_at=NOW,
    updated_at=NOW,
)
SOURCE = AlertSource(
    id=1,
    uuid="u",
    type=TYPE,
    name="prom",
    description="",
    sealed_secret=None,
    field_mappings=None,
    settings=None,
    enabled=True,
    created_at=NOW,
    updated_at=NOW,
)


def submission(*names: str) -> Submission:
    """A delivery of alerts with these names."""
    return Submission(
        source=SOURCE,
        alerts=[
            NormalisedAlert(
                alert_name=name,
                severity=Severity.HIGH,
                status=AlertStatus.FIRING,
                source_fingerprint=name,
            )
            for name in names
        ],
    )


class Database:
    """Stores batches, once it may; refuses alerts called `poison`."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.is_asked = threading.Event()
        self.batches: list[int] = []
        self.stored: list[str] = []

    def settle(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Store one batch."""
        self.is_asked.set()
        assert self.may.wait(10)
        names = [alert.alert_name for one in submissions for alert in one.alerts]
        if "poison" in names:
            raise ValueError("this cannot be stored")
        self.batches.append(len(submissions))
        self.stored += names
        return [Receipt(alerts=len(one.alerts), incidents=[]) for one in submissions]


def test_what_comes_during_a_transaction_shares_the_next_one() -> None:
    """And every delivery gets the receipt of its own alerts."""
    database = Database()
    intake = Intake(database.settle)
    waiting = [intake.submit(submission(*"abc"[: n % 3 + 1])) for n in range(30)]
    database.may.set()

    assert [one.result(10).alerts for one in waiting] == [n % 3 + 1 for n in range(30)]
    assert len(database.batches) <= 2
    assert sum(database.batches) == 30
    intake.close()


def test_one_that_cannot_be_stored_falls_alone() -> None:
    """Its neighbours of the same transaction are stored all the same."""
    database = Database()
    intake = Intake(database.settle)
    waiting = [intake.submit(submission(name)) for name in ("a", "poison", "b")]
    database.may.set()

    outcomes = [_outcome(one) for one in waiting]
    assert outcomes == ["1 stored", "this cannot be stored", "1 stored"]
    assert sorted(database.stored) == ["a", "b"]
    intake.close()


@pytest.mark.parametrize("limits", [Limits(waiting_deliveries=3), Limits(waiting_alerts=3)])
def test_what_waits_is_bounded(limits: Limits) -> None:
    """Beyond it the sender comes again, told so before its body is read; afterwards there is room again."""
    database = Database()
    intake = Intake(database.settle, limits=limits)
    intake.submit(submission("in the writer's hands"))
    # Until the writer has it, it waits like the others.
    assert database.is_asked.wait(10)
    waiting, refused = _until_refused(intake)
    with pytest.raises(Unavailable):
        intake.check_room()
    database.may.set()

    assert refused.code == "overloaded"
    assert "Retry-After" in refused.headers
    assert len(waiting) == 3
    assert [one.result(10).alerts for one in waiting] == [1] * len(waiting)
    intake.check_room()
    intake.close()


def test_a_closed_intake_stores_what_waits_and_takes_no_more() -> None:
    """The server stops: nothing that was taken is lost."""
    database = Database()
    database.may.set()
    intake = Intake(database.settle)
    waiting = [intake.submit(submission(str(number))) for number in range(5)]
    intake.close()

    assert all(one.result(0).alerts == 1 for one in waiting)
    with pytest.raises(Unavailable):
        intake.submit(submission("late"))


def _until_refused(intake: Intake) -> tuple[list[Future[Receipt]], Unavailable]:
    waiting: list[Future[Receipt]] = []
    while True:
        try:
            waiting.append(intake.submit(submission(str(len(waiting)))))
        except Unavailable as refused:
            return waiting, refused


def _outcome(waiting: Future[Receipt]) -> str:
    try:
        return f"{waiting.result(10).alerts} stored"
    except ValueError as error:
        return str(error)
