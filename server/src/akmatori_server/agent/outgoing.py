"""What of a conversation is sent: all of it while it is short, then less and less of old outputs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelRequestPart, ToolReturnPart

# About a hundred thousand tokens, which every model that can investigate takes.
MOST_CHARACTERS = 360_000
# What stays of an old output that has to give way.
KEPT = 1200
CUT = "\n… (the rest of this output was left out to save room; call again if you need it)"


def fitting(messages: Sequence[ModelMessage], most_characters: int) -> list[ModelMessage]:
    """Shorten the oldest outputs until everything fits; the newest message stays whole. What is stored stays too."""
    excess = sum(map(characters, messages)) - most_characters
    shown = list(messages)
    for number, message in enumerate(messages[:-1]):
        if excess <= 0:
            break
        if isinstance(message, ModelRequest):
            parts = [_shortened(part) if excess > 0 else part for part in message.parts]
            shown[number] = ModelRequest(
                parts=parts, instructions=message.instructions, timestamp=message.timestamp
            )
            excess -= characters(message) - characters(shown[number])
    return shown


def characters(message: ModelMessage) -> int:
    """How much text a message has, roughly."""
    total = len(message.instructions or "") if isinstance(message, ModelRequest) else 0
    for part in message.parts:
        total += len(str(getattr(part, "content", None) or "")) + len(str(getattr(part, "args", None) or ""))
    return total


def tokens(messages: Sequence[ModelMessage]) -> int:
    """How many tokens messages have, roughly: four characters each."""
    return sum(map(characters, messages)) // 4


def _shortened(part: ModelRequestPart) -> ModelRequestPart:
    if not isinstance(part, ToolReturnPart) or not isinstance(part.content, str):
        return part
    if len(part.content) <= KEPT + len(CUT):
        return part
    return ToolReturnPart(
        tool_name=part.tool_name,
        content=part.content[:KEPT] + CUT,
        tool_call_id=part.tool_call_id,
        timestamp=part.timestamp,
        outcome=part.outcome,
    )
