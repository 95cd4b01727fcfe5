"""Tokens of language models, counted in the windows of the calendar (UTC)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_server.agent.circuit import CircuitStanding
from akmatori_server.agent.tables import llm_usage
from akmatori_server.database import Database

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


class UsageService:
    """Counts what the agent has noted. What no price is known of costs an unknown sum, not nothing."""

    def __init__(
        self,
        database: Database,
        options: UsageOptions,
        *,
        now: Callable[[], datetime],
        model: Callable[[], ModelInUse | None],
    ) -> None:
        self._database = database
        self._options = options
        self._now = now
        self._model = model

    def usage(self) -> models.TokenUsage:
        """Count what was used up to now."""
        now = self._now().astimezone(UTC)
        hour = now.replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        month = day.replace(day=1)
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
