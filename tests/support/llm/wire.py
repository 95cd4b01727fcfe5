"""One answer as the providers stream it: server-sent events, in several pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.llm.script import Ask, Say

Event = tuple[str, Any]
"""The name of an event ("" for none), and its data."""


def pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces, as models do."""
    size = max(len(text) // 3, 1)
    for begin in range(0, len(text), size):
        yield text[begin : begin + size]


def encoded(events: Iterator[Event]) -> Iterator[bytes]:
    """Write events as they go over the wire."""
    for name, data in events:
        head = f"event: {name}\n" if name else ""
        body = data if isinstance(data, str) else json.dumps(data)
        yield f"{head}data: {body}\n\n".encode()


def call_id(say: Say, number: int, ask: Ask, turn: int) -> str:
    """Return the id of a call."""
    return ask.id or f"call_{turn}_{number}"


def chat(say: Say, model: str, turn: int) -> Iterator[Event]:
    """OpenAI's chat completions, which the compatible servers speak."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> Event:
        return "", {
            "id": f"chatcmpl-{turn}",
            "object": "chat.completion.chunk",
            "created": 1_780_000_000,
            "model": model,
            # OpenRouter says who served it.
            "provider": "Scripted",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(say.thinking):
        yield chunk({"reasoning_content": piece})
    for piece in pieces(say.text):
        yield chunk({"content": piece})
    for number, ask in enumerate(say.calls):
        function = {"name": ask.name, "arguments": ""}
        start = {
            "index": number,
            "id": call_id(say, number, ask, turn),
            "type": "function",
            "function": function,
        }
        yield chunk({"tool_calls": [start]})
        for piece in pieces(ask.text):
            yield chunk({"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
    yield chunk({}, "tool_calls" if say.calls else "stop")
    usage = {
        "prompt_tokens": say.input_tokens,
        "completion_tokens": say.output_tokens,
        "total_tokens": say.input_tokens + say.output_tokens,
        "prompt_tokens_details": {"cached_tokens": say.cached_tokens},
    }
    yield "", {**chunk({})[1], "choices": [], "usage": usage}
    yield "", "[DONE]"


def responses(say: Say, model: str, turn: int) -> Iterator[Event]:
    """OpenAI's responses."""
    output: list[dict[str, Any]] = []
    sequence = iter(range(1_000_000))

    def event(kind: str, **members: Any) -> Event:
        return kind, {"type": kind, "sequence_number": next(sequence), **members}

    def response(status: str, **members: Any) -> dict[str, Any]:
        return {
            "id": f"resp_{turn}",
            "object": "response",
            "created_at": 1_780_000_000,
            "status": status,
            "model": model,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            **members,
        }

    yield event("response.created", response=response("in_progress"))
    if say.thinking:
        place: dict[str, Any] = {"output_index": len(output), "item_id": f"rs_{turn}"}
        item = {"id": f"rs_{turn}", "type": "reasoning", "summary": [], "status": "in_progress"}
        yield event("response.output_item.added", output_index=place["output_index"], item=item)
        part = {"type": "summary_text", "text": ""}
        yield event("response.reasoning_summary_part.added", **place, summary_index=0, part=part)
        for piece in pieces(say.thinking):
            yield event("response.reasoning_summary_text.delta", **place, summary_index=0, delta=piece)
        summary = [{"type": "summary_text", "text": say.thinking}]
        item = {**item, "summary": summary, "status": "completed", "encrypted_content": f"sealed-{turn}"}
        output.append(item)
        yield event("response.output_item.done", output_index=place["output_index"], item=item)
    if say.text:
        place = {"output_index": len(output), "item_id": f"msg_{turn}"}
        item = {"id": f"msg_{turn}", "type": "message", "role": "assistant", "content": []}
        yield event(
            "response.output_item.added",
            output_index=place["output_index"],
            item={**item, "status": "in_progress"},
        )
        empty = {"type": "output_text", "text": "", "annotations": []}
        yield event("response.content_part.added", **place, content_index=0, part=empty)
        for piece in pieces(say.text):
            yield event("response.output_text.delta", **place, content_index=0, delta=piece, logprobs=[])
        full = {**empty, "text": say.text}
        yield event("response.output_text.done", **place, content_index=0, text=say.text, logprobs=[])
        yield event("response.content_part.done", **place, content_index=0, part=full)
        item = {**item, "content": [full], "status": "completed"}
        output.append(item)
        yield event("response.output_item.done", output_index=place["output_index"], item=item)
    for number, ask in enumerate(say.calls):
        place = {"output_index": len(output), "item_id": f"fc_{turn}_{number}"}
        item = {
            "id": f"fc_{turn}_{number}",
            "type": "function_call",
            "call_id": call_id(say, number, ask, turn),
            "name": ask.name,
            "arguments": "",
            "status": "in_progress",
        }
        yield event("response.output_item.added", output_index=place["output_index"], item=item)
        for piece in pieces(ask.text):
            yield event("response.function_call_arguments.delta", **place, delta=piece)
        yield event("response.function_call_arguments.done", **place, arguments=ask.text, name=ask.name)
        item = {**item, "arguments": ask.text, "status": "completed"}
        output.append(item)
        yield event("response.output_item.done", output_index=place["output_index"], item=item)
    usage = {
        "input_tokens": say.input_tokens,
        "input_tokens_details": {"cached_tokens": say.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": say.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": say.input_tokens + say.output_tokens,
    }
    yield event("response.completed", response=response("completed", usage=usage))


def anthropic(say: Say, model: str, turn: int) -> Iterator[Event]:
    """Anthropic's messages."""

    def event(kind: str, **members: Any) -> Event:
        return kind, {"type": kind, **members}

    usage = {
        "input_tokens": say.input_tokens - say.cached_tokens,
        "cache_read_input_tokens": say.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": 1,
    }
    message = {
        "id": f"msg_{turn}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield event("message_start", message=message)
    blocks: list[tuple[dict[str, Any], str, str, str]] = []
    if say.thinking:
        blocks.append(
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                "thinking_delta",
                "thinking",
                say.thinking,
            )
        )
    if say.text:
        blocks.append(({"type": "text", "text": ""}, "text_delta", "text", say.text))
    for number, ask in enumerate(say.calls):
        start = {"type": "tool_use", "id": call_id(say, number, ask, turn), "name": ask.name, "input": {}}
        blocks.append((start, "input_json_delta", "partial_json", ask.text))
    for index, (start, kind, member, text) in enumerate(blocks):
        yield event("content_block_start", index=index, content_block=start)
        for piece in pieces(text):
            yield event("content_block_delta", index=index, delta={"type": kind, member: piece})
        if kind == "thinking_delta":
            signed = {"type": "signature_delta", "signature": f"signed-{turn}"}
            yield event("content_block_delta", index=index, delta=signed)
        yield event("content_block_stop", index=index)
    stop = {"stop_reason": "tool_use" if say.calls else "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=stop, usage={"output_tokens": say.output_tokens})
    yield event("message_stop")


def google(say: Say, model: str, turn: int) -> Iterator[Event]:
    """Google's generateContent. Arguments are objects here; a text that is none cannot be sent."""

    def chunk(parts: list[dict[str, Any]], **members: Any) -> Event:
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}, **members}
        usage = {
            "promptTokenCount": say.input_tokens,
            "candidatesTokenCount": say.output_tokens,
            "cachedContentTokenCount": say.cached_tokens,
            "totalTokenCount": say.input_tokens + say.output_tokens,
        }
        return "", {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": model,
            "responseId": f"resp-{turn}",
        }

    if say.thinking:
        yield chunk([{"text": say.thinking, "thought": True}])
    for piece in pieces(say.text):
        yield chunk([{"text": piece}])
    for number, ask in enumerate(say.calls):
        call = {"name": ask.name, "args": json.loads(ask.text), "id": call_id(say, number, ask, turn)}
        yield chunk([{"functionCall": call, "thoughtSignature": "c2lnbmVk"}])
    yield chunk([{"text": ""}], finishReason="STOP")


STREAMS = {"chat": chat, "responses": responses, "anthropic": anthropic, "google": google}


def error_body(api: str, status: int, message: str, code: str | None) -> dict[str, Any]:
    """Return an error as a provider writes it."""
    if api == "anthropic":
        kinds = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}
    if api == "google":
        names = {
            400: "INVALID_ARGUMENT",
            401: "UNAUTHENTICATED",
            404: "NOT_FOUND",
            429: "RESOURCE_EXHAUSTED",
            503: "UNAVAILABLE",
        }
        return {"error": {"code": status, "message": message, "status": names.get(status, "INTERNAL")}}
    return {"error": {"message": message, "type": "error", "param": None, "code": code}}
