"""The log of an incident as one text, put together from its rows each time it is read.

Rows are only ever added, so the text only ever grows at its end: a reader may ask again and show what is new.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import attrs
import sqlalchemy as sa

from akmatori_server.incidents.tables import incident_log

EXECUTION_MARKER = "--- Execution Log ---"
FINAL_MARKER = "--- Final Response ---"


class LineKind(enum.StrEnum):
    """What a row of the log is, which decides how it is shown."""

    # Where another run of the investigation begins.
    RUN = "run"
    HEADER = "header"
    NOTE = "note"
    # What a model thought, and what it said.
    REASONING = "reasoning"
    TEXT = "text"
    # A call of a tool as it begins, and what came of it.
    TOOL = "tool"
    RESULT = "result"
    # A provider is asked again.
    RETRY = "retry"
    FINDING = "finding"
    FINAL = "final"


@attrs.frozen
class LogLine:
    """One row. Its key says what it is about, so that a step repeated after a crash finds it written."""

    key: str
    kind: LineKind
    text: str


FINAL_KEY = "final"


def key_of_run(run: int, key: str) -> str:
    """Return the key of a line of one run: the steps of the next one have the same keys, and lines of their own."""
    return key if run == 1 else f"run{run}:{key}"


def beginning_of_run(run: int) -> LogLine:
    """Return the line that begins another run."""
    return LogLine(f"run:{run}", LineKind.RUN, f"--- Run {run} ---")


_MARKS = {
    LineKind.REASONING: "🤔 ",
    LineKind.TOOL: "🛠️ ",
    LineKind.RETRY: "🔄 ",
    LineKind.FINDING: "🔎 ",
}


def read_log(connection: sa.Connection, incident_id: int) -> str:
    """Return the whole log of an incident, "" before its investigation began."""
    query = (
        sa.select(incident_log.c.kind, incident_log.c.text)
        .where(incident_log.c.incident_id == incident_id)
        .order_by(incident_log.c.id)
    )
    return assemble((str(row.kind), str(row.text)) for row in connection.execute(query))


def assemble(rows: Iterable[tuple[str, str]]) -> str:
    """Join rows of (kind, text) in their order: header, execution log, final response; and so for each run."""
    parts: list[str] = []
    in_execution = False
    for kind, text in rows:
        if kind == LineKind.RUN:
            parts.append(f"\n\n{text}\n\n")
            in_execution = False
            continue
        if kind == LineKind.HEADER:
            parts.append(text)
            continue
        if kind == LineKind.FINAL:
            parts.append(f"\n\n{FINAL_MARKER}\n\n{text}")
            continue
        if not in_execution:
            parts.append(f"\n\n{EXECUTION_MARKER}\n")
            in_execution = True
        # A kind written by a newer version is shown as it is.
        parts.append(f"\n{_MARKS.get(LineKind(kind), '') if kind in _KINDS else ''}{text}")
    return "".join(parts).lstrip("\n")


_KINDS = frozenset(LineKind)
