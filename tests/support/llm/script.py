"""What a scripted model answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs


@attrs.frozen
class Ask:
    """A call that the model asks for; `arguments` as a text is sent as it is, JSON or not."""

    name: str
    arguments: Mapping[str, Any] | str = attrs.field(factory=dict[str, Any])
    id: str = ""

    @property
    def text(self) -> str:
        """The arguments as they are sent."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@attrs.frozen
class Say:
    """One answer: text, thoughts, calls, and what it is said to cost."""

    text: str = ""
    calls: tuple[Ask, ...] = ()
    thinking: str = ""
    input_tokens: int = 100
    output_tokens: int = 10
    cached_tokens: int = 0


@attrs.frozen
class Fail:
    """An HTTP error."""

    status: int
    message: str = "It does not work."
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    code: str | None = None


@attrs.frozen
class Hang:
    """Nothing, for a while; then the connection is closed."""

    seconds: float


@attrs.frozen
class Break:
    """The beginning of an answer, then the connection is closed."""

    text: str = "I was going to"


Answer: TypeAlias = Say | Fail | Hang | Break


@attrs.frozen
class Received:
    """One request, as it came."""

    api: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The whole body as text with nothing escaped, to look for words in."""
        return json.dumps(self.body, ensure_ascii=False)

    @property
    def _messages(self) -> list[Mapping[str, Any]]:
        key = {"responses": "input", "google": "contents"}.get(self.api, "messages")
        return list(self.body[key])

    @property
    def turn(self) -> int:
        """How many messages of the model the conversation holds: the same however often it is asked again."""
        if self.api == "responses":
            # One message may be several items; those of the model stand together.
            kinds = [_is_models(item) for item in self._messages]
            return sum(1 for before, kind in zip([False, *kinds], kinds, strict=False) if kind and not before)
        return sum(1 for message in self._messages if message.get("role") in {"assistant", "model"})

    @property
    def functions(self) -> list[str]:
        """The names of the functions offered."""
        tools = self.body.get("tools") or []
        if self.api == "google":
            return [one["name"] for tool in tools for one in tool.get("functionDeclarations", [])]
        return [(tool.get("function") or tool)["name"] for tool in tools]

    @property
    def results(self) -> list[str]:
        """The outputs of the calls that were made last."""
        last: list[str] = []
        for message in reversed(self._messages):
            found = _outputs(message)
            if last and not found:
                break
            last = found + last
        return last


Script: TypeAlias = Callable[[Received], Answer]


def by_turn(answers: Sequence[Answer]) -> Script:
    """Answer by how far the conversation is; what is asked again is answered again."""

    def answer(request: Received) -> Answer:
        return answers[min(request.turn, len(answers) - 1)]

    return answer


def _is_models(item: Mapping[str, Any]) -> bool:
    return item.get("role") == "assistant" or item.get("type") in {"function_call", "reasoning"}


def _outputs(message: Mapping[str, Any]) -> list[str]:
    if message.get("role") == "tool":
        return [str(message["content"])]
    if message.get("type") == "function_call_output":
        return [str(message["output"])]
    parts = message.get("parts") or message.get("content") or []
    if isinstance(parts, str):
        return []
    return [
        json.dumps(part.get("functionResponse") or part.get("content"), ensure_ascii=False)
        for part in parts
        if "functionResponse" in part or part.get("type") == "tool_result"
    ]
