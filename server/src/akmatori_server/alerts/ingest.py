"""Taking a delivery in: who sends it, what it says, and then into the database; only then is it answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime

import attrs
import structlog

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alert_sources.types import SLACK_CHANNEL
from akmatori_server.alerts.authenticity import Replays, check_origin
from akmatori_server.alerts.intake import Intake, Limits
from akmatori_server.alerts.models import NormalisedAlert
from akmatori_server.alerts.ports import Deliveries, Events, Incidents, Limiter, Rules, Silences, Sources
from akmatori_server.alerts.reading import read_delivery
from akmatori_server.alerts.settlement import Receipt, Submission, settle
from akmatori_server.errors import ApiError, BadRequest, Forbidden, Unavailable

_log = structlog.stdlib.get_logger("akmatori_server.alerts")

# A longer body is read beside the event loop, so that it keeps nobody waiting.
SHORT_BODY = 64 * 1024
LONG_BODIES_AT_ONCE = 4
LONGEST_WAIT_SECONDS = 60.0
RATE_LIMITED = "rate_limited"


@attrs.frozen(kw_only=True)
class Delivery:
    """One request to a webhook, header names in lower case."""

    source_uuid: str
    body: bytes
    headers: Mapping[str, str]
    remote: str = ""


@attrs.frozen(kw_only=True)
class Gate:
    """What stands between a sender and the database."""

    limiter: Limiter
    deliveries: Deliveries
    replays: Replays = attrs.field(factory=Replays)


class Ingest:
    """Takes deliveries in. What it answered for is stored."""

    def __init__(
        self,
        sources: Sources,
        incidents: Incidents,
        *,
        rules: Rules,
        silences: Silences,
        events: Events,
        gate: Gate,
        now: Callable[[], datetime],
        limits: Limits | None = None,
    ) -> None:
        self._sources = sources
        self._incidents = incidents
        self._rules = rules
        self._silences = silences
        self._events = events
        self._gate = gate
        self._now = now
        self._intake = Intake(self._settle, limits=limits)
        # Read, a body of ten megabytes takes many times that.
        self._long_bodies = asyncio.Semaphore(LONG_BODIES_AT_ONCE)

    async def receive(self, delivery: Delivery) -> Receipt:
        """Check, read and store one delivery.

        The sender proves to know the secret before it learns anything about the source but that it exists.

        Raises:
            NotFound: no source has this uuid.
            Unauthorized: the sender did not prove to be the source.
            Forbidden: the source is disabled.
            TooManyRequests, Unavailable: the source sends more than it may; or the alerts could not be stored.
            BadRequest: the body is not what the source's type sends.
        """
        if len(delivery.body) <= SHORT_BODY and self._sources.is_at_hand(delivery.source_uuid):
            source, secret = self._sources.for_delivery(delivery.source_uuid)
        else:
            source, secret = await self._look_up(delivery.source_uuid)
        try:
            receipt = await self._take_in(source, secret, delivery)
        except ApiError as error:
            await asyncio.to_thread(self._refused, source, delivery, error)
            raise
        if receipt.warnings:
            await asyncio.to_thread(self._warned, source, delivery, receipt.warnings)
        return receipt

    async def _look_up(self, source_uuid: str) -> tuple[AlertSource, str]:
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                return await asyncio.to_thread(self._sources.for_delivery, source_uuid)
        except TimeoutError as error:
            raise Unavailable("The database does not answer in time; send the alerts again.") from error

    async def _take_in(self, source: AlertSource, secret: str, delivery: Delivery) -> Receipt:
        now = self._now()
        signed = check_origin(
            source, secret, delivery.headers, delivery.body, now=now, replays=self._gate.replays
        )
        try:
            self._let_through(source)
            submission = await self._read(source, delivery)
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                return await self._intake.submit_here(submission)
        except BaseException as error:
            # The sender may sign the same within the same second when it tries again: that is no replay.
            self._gate.replays.forget(signed)
            if isinstance(error, TimeoutError):
                raise Unavailable("The alerts could not be stored in time; send them again.") from error
            raise

    def _let_through(self, source: AlertSource) -> None:
        if not source.enabled:
            raise Forbidden("This alert source is disabled.")
        self._gate.limiter.take(source)

    async def _read(self, source: AlertSource, delivery: Delivery) -> Submission:
        if len(delivery.body) <= SHORT_BODY:
            return _read(source, delivery.headers, delivery.body)
        async with self._long_bodies:
            self._intake.check_room()
            return await asyncio.to_thread(_read, source, delivery.headers, delivery.body)

    def submit(self, source: AlertSource, alerts: Sequence[NormalisedAlert]) -> Future[Receipt]:
        """Queue alerts that were read already; the future has the receipt when they are stored.

        Raises:
            Unavailable: too much is waiting.
        """
        return self._intake.submit(Submission(source=source, alerts=alerts))

    def replay(self, source_uuid: str, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Take a delivery in that was refused once: on an operator's word, so nothing about its sender is checked.

        A disabled source is no hindrance either: what it was sent while it was may be wanted all the same.

        Raises:
            NotFound: no source has this uuid.
            BadRequest: the body still is not what the source's type sends.
            Unavailable: the alerts could not be stored.
        """
        source, _ = self._sources.for_delivery(source_uuid)
        waiting = self._intake.submit(_read(source, headers, body))
        try:
            return waiting.result(LONGEST_WAIT_SECONDS)
        except TimeoutError as error:
            raise Unavailable("The alerts could not be stored in time; send them again.") from error

    def too_large(self, delivery: Delivery, *, size: int, error: ApiError) -> None:
        """Keep what is known of a delivery whose body was refused unread."""
        source, _ = self._sources.for_delivery(delivery.source_uuid)
        self._gate.deliveries.refused(
            source, remote=delivery.remote, headers=delivery.headers, body=b"", size=size, error=error
        )

    def close(self) -> None:
        """Store what waits, and take nothing more."""
        self._intake.close()

    def _settle(self, submissions: Sequence[Submission]) -> list[Receipt]:
        with self._incidents.opening() as opening:
            receipts = settle(
                opening, submissions, rules=self._rules, silences=self._silences, events=self._events
            )
        self._events.wake()
        return receipts

    def _refused(self, source: AlertSource, delivery: Delivery, error: ApiError) -> None:
        _log.warning("delivery_refused", source=source.uuid, status=error.status, reason=error.code)
        if error.status == 503 and error.code != RATE_LIMITED:
            # The server is in trouble, not the delivery: writing more would not help, and the sender comes again.
            return
        self._gate.deliveries.refused(
            source,
            remote=delivery.remote,
            headers=delivery.headers,
            body=delivery.body,
            size=len(delivery.body),
            error=error,
        )

    def _warned(self, source: AlertSource, delivery: Delivery, warnings: Sequence[str]) -> None:
        self._gate.deliveries.warned(
            source,
            remote=delivery.remote,
            headers=delivery.headers,
            body=delivery.body,
            warnings=warnings,
        )


def _read(source: AlertSource, headers: Mapping[str, str], body: bytes) -> Submission:
    if source.type.name == SLACK_CHANNEL:
        raise BadRequest("Slack channels send no webhooks; their messages are read from Slack.")
    reading = read_delivery(source, headers, body)
    return Submission(source=source, alerts=reading.alerts, warnings=reading.warnings)
