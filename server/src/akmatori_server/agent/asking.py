"""Asking the model for one message: streamed, and again when the provider fails in a way that passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import attrs
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from akmatori_server.agent.budget import Spent
from akmatori_server.agent.errors import ProviderFailedError
from akmatori_server.agent.failures import (
    BrokenAnswerError,
    EmptyAnswerError,
    Failure,
    describe,
)
from akmatori_server.agent.functions import Described
from akmatori_server.agent.outgoing import MOST_CHARACTERS, characters, fitting
from akmatori_server.agent.providers import OpenModel, without_reasoning
from akmatori_server.agent.transcript import Transcript
from akmatori_server.incidents.log import LineKind, LogLine

# A conversation shorter than this is not what is too long for the model.
LEAST_CHARACTERS = 20_000


@attrs.frozen(kw_only=True)
class Patience:
    """How often and how long to wait for a provider that fails."""

    retries: int = 3
    first_seconds: float = 1.0
    longest_seconds: float = 60.0

    def wait(self, attempt: int, asked: float | None) -> float:
        """How long to wait before the retry of this number, from 1: what was asked for, else ever longer."""
        wanted = self.first_seconds * 2.0 ** (attempt - 1) if asked is None else max(asked, 0.0)
        return min(wanted, self.longest_seconds)


class Asking:
    """Asks one model. It remembers what the provider did not take, so that it is not tried again each time."""

    def __init__(
        self,
        opened: OpenModel,
        transcript: Transcript,
        functions: Sequence[Described],
        *,
        patience: Patience,
    ) -> None:
        self._opened = opened
        self._transcript = transcript
        self._patience = patience
        self._settings = opened.settings
        self._most_characters = MOST_CHARACTERS
        self._parameters = ModelRequestParameters(
            function_tools=[
                ToolDefinition(
                    name=one.name,
                    description=one.description,
                    parameters_json_schema=one.parameters,
                    # Strict schemas have no optional members; arguments are checked here anyway.
                    strict=False,
                )
                for one in functions
            ]
        )

    async def ask(self, *, with_tools: bool) -> tuple[ModelResponse, Spent]:
        """Return the model's next message, and what the run has cost with it.

        Raises:
            ProviderFailedError: the provider does not answer, or not usefully.
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        key, attempt, notes = f"m{len(self._transcript.messages)}", 0, 0
        while True:
            try:
                response = await self._answer(with_tools=with_tools)
            except Exception as error:  # noqa: BLE001  sorted by what helps against it
                failure = describe(error, self._opened.place)
            else:
                spent = self._spent(response)
                if _has_content(response):
                    return response, spent
                # It was paid for all the same.
                self._transcript.spend(spent)
                failure = describe(EmptyAnswerError(), self._opened.place)
            adapted = self._adapt(failure)
            if adapted:
                notes += 1
                self._note(f"{key}.adapted{notes}", adapted)
                continue
            attempt += 1
            if not failure.is_temporary or attempt > self._patience.retries:
                tried = f" It was asked {attempt} times." if attempt > 1 else ""
                raise ProviderFailedError(failure.sentence + tried)
            count = f"attempt {attempt}/{self._patience.retries}"
            self._note(f"{key}.retry{attempt}", f"Retrying ({count}): {failure.sentence}")
            await asyncio.sleep(self._patience.wait(attempt, failure.wait_seconds))

    async def _answer(self, *, with_tools: bool) -> ModelResponse:
        settings: ModelSettings = (
            {**self._settings} if with_tools else {**self._settings, "tool_choice": "none"}
        )
        messages = fitting(self._transcript.messages, self._most_characters)
        # Streamed although whole messages are stored: whatever is in between keeps an idle connection less long
        # than some models think.
        async with model_request_stream(
            self._opened.model,
            messages,
            model_settings=settings,
            model_request_parameters=self._parameters,
        ) as stream:
            async for _ in stream:
                pass
            response = stream.get()
        if response.state == "incomplete":
            raise BrokenAnswerError
        return response

    def _adapt(self, failure: Failure) -> str:
        """Change how is asked when that may help; return what is changed, "" for nothing."""
        if failure.is_too_long and self._has_shortened():
            return f"📦 {failure.sentence} Old outputs are shortened."
        plain = without_reasoning(self._settings)
        if failure.is_rejected and plain != self._settings:
            self._settings = plain
            return f"Retrying without settings about reasoning: {failure.sentence}"
        return ""

    def _has_shortened(self) -> bool:
        """Send less from now on; say whether that is less indeed: there may be nothing that could give way."""
        messages, most = self._transcript.messages, self._most_characters
        sent = sum(map(characters, fitting(messages, most)))
        while most > LEAST_CHARACTERS:
            most //= 2
            if sum(map(characters, fitting(messages, most))) < sent:
                self._most_characters = most
                return True
        return False

    def _spent(self, response: ModelResponse) -> Spent:
        usage = response.usage
        return self._transcript.spent.plus(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cache_read_tokens,
            cost_usd=_cost(response.cost),
        )

    def _note(self, key: str, text: str) -> None:
        self._transcript.spend(self._transcript.spent, LogLine(key, LineKind.RETRY, text))


def _has_content(response: ModelResponse) -> bool:
    return any(
        isinstance(part, ToolCallPart) or (isinstance(part, TextPart) and part.content.strip())
        for part in response.parts
    )


def _cost(price: Callable[[], object]) -> float | None:
    try:
        return float(str(getattr(price(), "total_price")))  # noqa: B009  the library's type is not imported here
    except (LookupError, ValueError, AssertionError):
        # A model whose price nobody has written down.
        return None
