"""The loop of an investigation: ask the model, make the calls it asks for, ask again, until it reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import attrs
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from akmatori_server.agent.asking import Asking
from akmatori_server.agent.budget import Budget, Verdict, decide
from akmatori_server.agent.functions import Functions, Returned
from akmatori_server.agent.naming import safe_name
from akmatori_server.agent.outgoing import tokens
from akmatori_server.agent.prompt import fenced
from akmatori_server.agent.transcript import CLOSING, Transcript
from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.incidents.storable import storable_object, storable_text
from akmatori_server.toolbox.models import Outcome

T = TypeVar("T")

# Members of what is stored beside an output, for the report; the model does not see them.
CALL_KEY, CALL_SOURCE, CALL_OUTCOME = "key", "source", "outcome"
CALLS_AT_ONCE = 8


@attrs.frozen(kw_only=True)
class Ending:
    """How a run came to its end. `text` is the model's report, "" when it never wrote one."""

    text: str = ""
    # The limit at which it was stopped, "" when it came to its end by itself.
    limit: str = ""


class Loop:
    """One run, from wherever its transcript stands."""

    def __init__(
        self,
        transcript: Transcript,
        asking: Asking,
        functions: Functions,
        *,
        budget: Budget,
        nonce: str,
        redact: Callable[[str], str],
    ) -> None:
        self._transcript = transcript
        self._asking = asking
        self._functions = functions
        self._budget = budget
        self._nonce = nonce
        self._redact = redact

    async def run(self) -> Ending:
        """Go on until the model reports or a limit is reached.

        Raises:
            ProviderFailedError: the provider does not answer, or not usefully.
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        left = self._budget.milliseconds - self._transcript.elapsed_ms
        timeout = asyncio.timeout(max(left, 0) / 1000)
        try:
            async with timeout:
                return await self._run()
        except TimeoutError:
            if not timeout.expired():
                raise
            return Ending(limit=f"{self._budget.minutes} minutes")

    async def _run(self) -> Ending:
        transcript = self._transcript
        while True:
            ending = ending_of(transcript)
            if ending is not None:
                return ending
            last = transcript.messages[-1]
            if isinstance(last, ModelResponse):
                await self._answer(_calls(last))
                continue
            decision = decide(
                self._budget,
                transcript.spent,
                elapsed_ms=transcript.elapsed_ms,
                next_tokens=tokens(transcript.messages),
            )
            if decision.verdict is Verdict.STOP:
                return Ending(limit=decision.limit)
            if decision.verdict is Verdict.LAST and transcript.closing is None:
                transcript.save(_closing(decision.limit))
            await self._ask()

    async def _ask(self) -> None:
        number = len(self._transcript.messages)
        response, spent = await self._asking.ask(with_tools=self._transcript.closing is None)
        message = _storable(response, self._taken_ids(), number)
        spent = attrs.evolve(spent, tool_calls=spent.tool_calls + len(_calls(message)))
        self._transcript.save(message, *self._lines(message, number), spent=spent)

    def _lines(self, message: ModelResponse, number: int) -> list[LogLine]:
        # The report stands in the log's last part anyway.
        is_report = not _calls(message) or self._transcript.closing is not None
        lines: list[LogLine] = []
        for place, part in enumerate(message.parts):
            key = f"m{number}.{place}"
            if isinstance(part, ThinkingPart) and part.content.strip():
                lines.append(LogLine(key, LineKind.REASONING, self._redact(part.content.strip())))
            elif isinstance(part, TextPart) and part.content.strip() and not is_report:
                lines.append(LogLine(key, LineKind.TEXT, self._redact(part.content.strip())))
        return lines

    async def _answer(self, calls: Sequence[tuple[int, ToolCallPart]]) -> None:
        """Make the calls of the last message, and store what they gave as one message."""
        number = len(self._transcript.messages) - 1
        keys = [f"m{number}.{place}" for place, _ in calls]
        # Those of this message are counted already.
        free = self._budget.tool_calls - self._transcript.spent.tool_calls + len(calls)
        places = asyncio.Semaphore(CALLS_AT_ONCE)

        async def made(index: int, key: str, part: ToolCallPart) -> Returned:
            if index >= free:
                sentence = f"Not made: the limit of {self._budget.tool_calls} tool calls is reached."
                return self._functions.refuse(key, part.tool_name, sentence)
            async with places:
                return await self._functions.call(key, part.tool_name, part.args)

        works = [
            made(index, key, part) for index, (key, (_, part)) in enumerate(zip(keys, calls, strict=True))
        ]
        returned = await _together(works)
        parts = [
            self._part(key, part, one) for key, (_, part), one in zip(keys, calls, returned, strict=True)
        ]
        self._transcript.save(ModelRequest(parts=parts))

    def _part(self, key: str, call: ToolCallPart, returned: Returned) -> ToolReturnPart:
        head = f"[{key}] {returned.source}: {returned.outcome.value}"
        is_done = returned.outcome in {Outcome.DONE, Outcome.PROPOSED}
        return ToolReturnPart(
            tool_name=call.tool_name,
            content=f"{head}\n{fenced(storable_text(returned.text), returned.source, self._nonce)}",
            tool_call_id=call.tool_call_id,
            metadata={
                CALL_KEY: key,
                CALL_SOURCE: returned.source,
                CALL_OUTCOME: returned.outcome.value,
            },
            outcome="success" if is_done else "failed",
        )

    def _taken_ids(self) -> set[str]:
        return {
            part.tool_call_id
            for message in self._transcript.messages
            for part in message.parts
            if isinstance(part, ToolCallPart)
        }


def ending_of(transcript: Transcript) -> Ending | None:
    """Return how a run ended if its last message is the report: there is nothing to be asked any more."""
    last = transcript.messages[-1] if transcript.messages else None
    if not isinstance(last, ModelResponse) or (_calls(last) and not transcript.has_last_word):
        return None
    return Ending(text=(last.text or "").strip(), limit=transcript.closing or "")


async def _together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do several things at once; the first that fails, or says that it is over, ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    # What ended the others comes first: they were only cancelled.
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
    return [task.result() for task in tasks]


def _calls(message: ModelResponse) -> list[tuple[int, ToolCallPart]]:
    return [(place, part) for place, part in enumerate(message.parts) if isinstance(part, ToolCallPart)]


def _closing(limit: str) -> ModelRequest:
    text = (
        f"Stop here: the limit of {limit} is nearly reached. Call nothing more. Write the report now, from what you"
        " have found so far, and say under “Not checked” what is missing."
    )
    return ModelRequest(parts=[UserPromptPart(content=text)], metadata={CLOSING: limit})


def _storable(response: ModelResponse, taken: set[str], number: int) -> ModelResponse:
    """Return a message that can be stored and sent back to any provider.

    Some local servers give the same id to calls of different messages, or call what no function can be called.
    """
    parts: list[ModelResponsePart] = []
    for place, part in enumerate(response.parts):
        if isinstance(part, ToolCallPart):
            identifier = storable_text(part.tool_call_id)
            if identifier in taken:
                identifier = f"{identifier[:40]}-m{number}-{place}"
            taken.add(identifier)
            parts.append(_storable_call(part, identifier))
            continue
        if isinstance(part, (TextPart, ThinkingPart)):
            part.content = storable_text(part.content)
        parts.append(part)
    response.parts = parts
    return response


def _storable_call(part: ToolCallPart, identifier: str) -> ToolCallPart:
    args = part.args
    return ToolCallPart(
        tool_name=safe_name(part.tool_name),
        args=storable_text(args) if isinstance(args, str) else storable_object(part.args_as_dict()),
        tool_call_id=identifier,
        id=part.id,
        provider_name=part.provider_name,
        provider_details=part.provider_details,
    )
