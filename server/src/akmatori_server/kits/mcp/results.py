"""What a tool of an MCP server gave: texts and values; images and the like are only mentioned."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import orjson

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.models import Output

if TYPE_CHECKING:
    from mcp.types import CallToolResult, ContentBlock

LONGEST_TEXT = 5 * 1024 * 1024


def output_of(result: CallToolResult) -> Output:
    """Return a result as the output of a call."""
    texts = [_text(block) for block in result.content]
    text = "\n".join(part for part in texts if part)
    is_cut = len(text) > LONGEST_TEXT
    text = text[:LONGEST_TEXT]
    structured = cast("JSON", result.structured_content)
    value: JSON = text
    # Servers that answer with a value repeat it as a text, for clients that know no values.
    if structured is not None and not result.is_error:
        value = structured if _is_the_same(structured, text) else {"structured": structured, "text": text}
    if result.is_error and not text:
        value = "The server says that it failed, and nothing more."
    return Output(value=value, is_truncated=is_cut, is_failure=result.is_error)


def _is_the_same(structured: JSON, text: str) -> bool:
    if not text:
        return True
    plain = (
        structured.get("result") if isinstance(structured, dict) and set(structured) == {"result"} else None
    )
    if plain is not None and (plain == text or str(plain) == text):
        return True
    try:
        said: JSON = orjson.loads(text)
    except ValueError:
        # Several texts, one for each member of a list.
        return isinstance(plain, list) and text == "\n".join(
            part if isinstance(part, str) else orjson.dumps(part).decode() for part in plain
        )
    return said in (structured, plain)


def _text(block: ContentBlock) -> str:
    if block.type == "text":
        return block.text
    if block.type == "image" or block.type == "audio":  # noqa: PLR1714  type checkers read it like this only
        return f"[{block.type}, {block.mime_type}, {len(block.data) * 3 // 4:,} bytes, not shown]"
    if block.type == "resource_link":
        return f"[link to {block.name}: {block.uri}]"
    resource = block.resource
    text = getattr(resource, "text", None)
    if isinstance(text, str):
        return f"{resource.uri}:\n{text}"
    return f"[{resource.uri}, {resource.mime_type or 'of no named type'}, not shown]"
