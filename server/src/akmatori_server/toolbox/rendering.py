"""What a call gave, as text for a model, a person and the log."""

from __future__ import annotations

import orjson

from akmatori_server.incidents.storable import JSON, storable_json, storable_text
from akmatori_server.redaction import Redactor
from akmatori_server.toolbox.models import Output

# Of an output, for whoever asked; about eight thousand tokens.
LONGEST_TEXT = 32 * 1024
# Of an output, for the incident's log.
LONGEST_LOGGED = 4000
# Of a value that is kept beside its text.
LARGEST_VALUE = 256 * 1024


def rendered(output: Output, redact: Redactor) -> tuple[str, JSON, bool]:
    """Return an output as text, as a value (None for texts and for large ones), and whether something is missing."""
    if isinstance(output.value, str):
        text, value = redact(output.value), None
    else:
        value = redact.value(storable_json(output.value))
        written = orjson.dumps(value, option=orjson.OPT_INDENT_2)
        text = written.decode()
        if len(written) > LARGEST_VALUE:
            value = None
    text = storable_text(text)
    is_cut = len(text) > LONGEST_TEXT
    if is_cut:
        text = shortened(text, LONGEST_TEXT)
    return text, value, is_cut or output.is_truncated


def shortened(text: str, longest: int) -> str:
    """Return the beginning and the end of a text, and in between how much is missing."""
    if len(text) <= longest:
        return text
    head = longest * 3 // 4
    tail = longest - head
    missing = len(text) - head - tail
    return f"{text[:head]}\n… {missing:,} characters are left out here; ask for less …\n{text[-tail:]}"


def shown_arguments(arguments: JSON) -> str:
    """Return arguments as they stand in the log."""
    return orjson.dumps(arguments).decode()


def call_lines(head: str, name: str, call_id: str, arguments: str) -> list[str]:
    """Return how a call begins in the log: `Running: prometheus.series [m1.0]`, and its arguments where it has any.

    The id is the one that reports cite, so that a reader finds the call.
    """
    lines = [f"{head}: {name} [{call_id}]"]
    if arguments:
        lines.append(f"Args: {shortened(arguments, LONGEST_LOGGED)}")
    return lines
