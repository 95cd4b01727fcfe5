"""Tokens of language models, counted in the windows of the calendar (UTC)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_server.agent.circuit import CircuitStanding
from akmatori_server.agent.tables import llm_usage
from akmatori_server.database import Database
from akmatori_server.notifications.announcer import Announcer
from akmatori_server.notifications.channels import Channel
from akmatori_server.notifications.models import LeastSeverity, NewNotification, NotificationKind

MOST_MODELS = 100
LONGEST_MODEL = 200
_PROVIDERS: Mapping[str, models.LlmProvider] = {provider.value: provider for provider in models.LlmProvider}


@attrs.frozen(kw_only=True)
class UsageOptions:
    """How many tokens may be used, 0 for any number; and from which share of them on an alert is shown."""

    hourly: int = 0
    daily: int = 0
    monthly: int = 0
    alert_percent: int = 80


@attrs.frozen
class ModelInUse:
    """The language model that investigations use."""

    provider: str
    model: str
    circuit: CircuitStanding


@attrs.frozen(kw_only=True)
class _Alert:
    """That a window is nearly used up."""

    window: models.UsageWindow
    began: datetime
    now: datetime

    @property
    def key(self) -> str:
        """The same for each alert of one window."""
        return f"{NotificationKind.TOKEN_BUDGET}:{self.window.window.value}:{self.began.isoformat()}"

    def for_channel(self, channel: Channel) -> Iterator[NewNotification]:
        """Return what a channel is told, which it is told once: the key is the same the next time."""
        if NotificationKind.TOKEN_BUDGET not in channel.kinds:
            return
        window = self.window
        percent = window.used * 100 // window.limit
        yield NewNotification(
            kind=NotificationKind.TOKEN_BUDGET,
            channel=channel.name,
            channel_type=channel.type,
            dedup_key=f"{channel.name}:{self.key}",
            incident_id=None,
            incident_uuid=None,
            lane=f"{channel.name}:{self.key}",
            title=f"{percent} % of the {window.window.value} token budget are used",
            source="token_usage",
            severity=LeastSeverity.WARNING.value,
            created_at=self.now,
            not_before=self.now,
            metadata={
                "window": window.window.value,
                "used": window.used,
                "limit": window.limit,
                "percent": percent,
                "resetAt": f"{window.reset_at:%Y-%m-%d %H:%M} UTC",
            },
        )


class UsageService:
    """Counts what the agent has noted. What no price is known of costs an unknown sum, not nothing."""

    def __init__(
        self,
        database: Database,
        options: UsageOptions,
        *,
        now: Callable[[], datetime],
        model: Callable[[], ModelInUse | None],
        announcer: Announcer | None = None,
    ) -> None:
        self._database = database
        self._options = options
        self._now = now
        self._model = model
        self._announcer = announcer

    def usage(self) -> models.TokenUsage:
        """Count what was used up to now."""
        hour, day, month = _began(self._now())
        with self._database.read() as connection:
            in_hour, in_day = _tokens_since(connection, hour), _tokens_since(connection, day)
            spent = connection.execute(_month(month)).all()
        in_month = sum(row.prompt + row.completion for row in spent)
        options, model = self._options, self._model()
        return models.TokenUsage(
            tokens_used_this_hour=in_hour,
            tokens_used_today=in_day,
            tokens_used_this_month=in_month,
            prompt_tokens=sum(row.prompt for row in spent),
            completion_tokens=sum(row.completion for row in spent),
            estimated_cost_usd=_cost(spent),
            windows=[
                self._window(models.UsagePeriod.HOURLY, in_hour, options.hourly, hour + timedelta(hours=1)),
                self._window(models.UsagePeriod.DAILY, in_day, options.daily, day + timedelta(days=1)),
                self._window(models.UsagePeriod.MONTHLY, in_month, options.monthly, _next_month(month)),
            ],
            alert_threshold_percent=options.alert_percent,
            provider=UNSET if model is None else _PROVIDERS.get(model.provider, UNSET),
            model=UNSET if model is None else model.model[:LONGEST_MODEL],
            circuit_breaker=UNSET if model is None else _circuit(model.circuit),
            by_model=[
                models.ModelUsage(
                    model=row.model[:LONGEST_MODEL], tokens=row.prompt + row.completion, calls=row.calls
                )
                for row in spent[:MOST_MODELS]
            ],
        )

    def spent(self, connection: sa.Connection) -> None:
        """Have people told of each budget that is nearly used up, once in its window.

        Called in the transaction that notes what was used.
        """
        now = self._now()
        options, (hour, day, month) = self._options, _began(now)
        for period, limit, began, reset_at in (
            (models.UsagePeriod.HOURLY, options.hourly, hour, hour + timedelta(hours=1)),
            (models.UsagePeriod.DAILY, options.daily, day, day + timedelta(days=1)),
            (models.UsagePeriod.MONTHLY, options.monthly, month, _next_month(month)),
        ):
            if not limit:
                continue
            window = self._window(period, _tokens_since(connection, began), limit, reset_at)
            if window.alert:
                self._tell(connection, _Alert(window=window, began=began, now=now))

    def _tell(self, connection: sa.Connection, alert: _Alert) -> None:
        if self._announcer is not None:
            self._announcer.tell(connection, alert.for_channel, about=alert.key)

    def _window(
        self, period: models.UsagePeriod, used: int, limit: int, reset_at: datetime
    ) -> models.UsageWindow:
        return models.UsageWindow(
            window=period,
            used=used,
            limit=limit,
            remaining=max(0, limit - used) if limit else UNSET,
            reset_at=reset_at,
            alert=used * 100 >= limit * self._options.alert_percent if limit else False,
        )


def _began(now: datetime) -> tuple[datetime, datetime, datetime]:
    """Return when this hour, this day and this month began."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    return hour, day, day.replace(day=1)


def _circuit(standing: CircuitStanding) -> models.CircuitBreaker:
    return models.CircuitBreaker(
        state=models.CircuitState(standing.state.value),
        consecutive_failures=standing.failures,
        retry_at=UNSET if standing.retry_at is None else standing.retry_at,
    )


def _tokens_since(connection: sa.Connection, moment: datetime) -> int:
    total = sa.func.coalesce(sa.func.sum(llm_usage.c.input_tokens + llm_usage.c.output_tokens), 0)
    return int(connection.execute(sa.select(total).where(llm_usage.c.at >= moment)).scalar_one())


def _month(month: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Select what each model has used, most first; `unpriced` counts runs whose price nobody knows."""
    table = llm_usage
    # PostgreSQL sums big integers as decimals, which are no JSON numbers.
    prompt, completion, calls = (
        sa.cast(sa.func.sum(column), sa.BigInteger)
        for column in (table.c.input_tokens, table.c.output_tokens, table.c.requests)
    )
    unpriced = sa.func.sum(sa.case((table.c.cost_usd.is_(None), 1), else_=0))
    return (
        sa.select(
            table.c.model,
            prompt.label("prompt"),
            completion.label("completion"),
            calls.label("calls"),
            sa.func.sum(table.c.cost_usd).label("cost"),
            unpriced.label("unpriced"),
        )
        .where(table.c.at >= month)
        .group_by(table.c.model)
        .order_by((prompt + completion).desc(), table.c.model)
    )


def _cost(spent: Sequence[Any]) -> str | Unset:
    if any(row.unpriced for row in spent):
        return UNSET
    return f"{sum(row.cost for row in spent):.2f}"


def _next_month(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)
