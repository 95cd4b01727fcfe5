"""An answer in a line or two, as people read it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.models import CallResult

LINE_END = " ⏎ "
# What hosts say about themselves, beside what a command wrote.
_TOLD = ("os", "kernel", "uptime", "error")


def excerpt_of(result: CallResult, longest: int) -> str:
    """Return the beginning of an answer; of commands on hosts, what they wrote."""
    rows = _rows(result.value)
    lines = list(_of_hosts(rows)) if rows else result.text.splitlines()
    plain = [" ".join(line.split()) for line in lines if line.strip()]
    shown = LINE_END.join(plain) if rows else " ".join(plain)
    if len(shown) <= longest:
        return shown
    cut = shown[: longest - 1]
    # A line of a table that is cut in the middle would be read as a value of its own.
    whole = cut.rpartition(LINE_END)[0] if rows else ""
    return f"{whole or cut} …"


def _rows(value: JSON) -> list[Mapping[str, JSON]]:
    results = value.get("results") if isinstance(value, dict) else None
    if not isinstance(results, list):
        return []
    return [cast("Mapping[str, JSON]", row) for row in results if isinstance(row, dict) and "server" in row]


def _of_hosts(rows: list[Mapping[str, JSON]]) -> Iterator[str]:
    for row in rows:
        written = [str(row.get(name) or "") for name in ("stdout", "stderr", "error")]
        if "stdout" not in row:
            written = [", ".join(f"{name} {row[name]}" for name in _TOLD if row.get(name))]
        lines = [line for text in written for line in text.splitlines() if line.strip()]
        server = str(row.get("server", ""))
        if len(rows) > 1 or not lines:
            lines = [f"{server}: {lines[0] if lines else 'nothing was written'}", *lines[1:]]
        yield from lines
