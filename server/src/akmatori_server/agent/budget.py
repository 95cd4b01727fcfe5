"""What an investigation by a model may cost, and when it has to come to its end. Pure."""

from __future__ import annotations

import enum

import attrs

# From this share of the time on, what is known is written down instead of asking further.
LAST_FROM = 0.9
# What a request costs at least, in tokens: its instructions and functions.
LEAST_REQUEST = 1000


@attrs.frozen(kw_only=True)
class Budget:
    """The limits of one run of one investigation."""

    minutes: int = 30
    requests: int = 40
    tokens: int = 400_000
    tool_calls: int = 80

    @property
    def milliseconds(self) -> int:
        """The time there is."""
        return self.minutes * 60_000


@attrs.frozen(kw_only=True)
class Spent:
    """What a run has cost so far, whatever was interrupted and repeated included."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    # Of the input, what the provider had at hand already.
    cached_tokens: int = 0
    tool_calls: int = 0
    # In US dollars; None as soon as the price of one request is not known.
    cost_usd: float | None = 0.0

    @property
    def tokens(self) -> int:
        """All tokens; the input counts anew with each request."""
        return self.input_tokens + self.output_tokens

    def plus(
        self, *, input_tokens: int, output_tokens: int, cached_tokens: int, cost_usd: float | None
    ) -> Spent:
        """Return it with one request more."""
        is_known = self.cost_usd is not None and cost_usd is not None
        return attrs.evolve(
            self,
            requests=self.requests + 1,
            input_tokens=self.input_tokens + input_tokens,
            output_tokens=self.output_tokens + output_tokens,
            cached_tokens=self.cached_tokens + cached_tokens,
            cost_usd=(self.cost_usd or 0.0) + (cost_usd or 0.0) if is_known else None,
        )


class Verdict(enum.Enum):
    """How an investigation goes on."""

    GO = "go"
    # One request more, without tools, to write down what is known.
    LAST = "last"
    STOP = "stop"


@attrs.frozen
class Decision:
    """How to go on; `limit` says in words which limit is near or reached."""

    verdict: Verdict
    limit: str = ""


GO = Decision(Verdict.GO)


def decide(budget: Budget, spent: Spent, *, elapsed_ms: int, next_tokens: int) -> Decision:
    """Say how to go on before a request that will cost about `next_tokens`."""
    time, requests = f"{budget.minutes} minutes", f"{budget.requests} requests to the model"
    tokens, calls = f"{budget.tokens:,} tokens", f"{budget.tool_calls} tool calls"
    left = budget.tokens - spent.tokens
    request = max(next_tokens, LEAST_REQUEST)
    for is_over, limit in (
        (elapsed_ms >= budget.milliseconds, time),
        (spent.requests >= budget.requests, requests),
        (left < request, tokens),
    ):
        if is_over:
            return Decision(Verdict.STOP, limit)
    for is_near, limit in (
        (elapsed_ms >= LAST_FROM * budget.milliseconds, time),
        (spent.requests == budget.requests - 1, requests),
        # One more round would leave nothing for the report.
        (left < 2 * request, tokens),
        (spent.tool_calls >= budget.tool_calls, calls),
    ):
        if is_near:
            return Decision(Verdict.LAST, limit)
    return GO
