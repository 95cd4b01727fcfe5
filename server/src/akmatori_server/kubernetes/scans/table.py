"""The result of a scan for people, in a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import attrs
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from akmatori_sdk._generated.aotanami.models import ComplianceResult, Finding, Severity
from akmatori_server.kubernetes.pod_security import Level
from akmatori_server.kubernetes.scans.model import SEVERITIES, ScanResult

# A table is put together as a whole; nobody reads further.
MOST_ROWS = 2000
# Columns of a terminal that has room for a column of everything.
_WIDE = 140
# Between three columns.
_BORDERS = 6
_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def print_table(result: ScanResult, console: Console) -> None:
    """Print the findings, worst first, and the numbers; problems are for the other stream."""
    counting = (finding for finding in result.findings if not finding.suppressed)
    shown = list(itertools.islice(counting, MOST_ROWS))
    if shown:
        rows = [_row(finding) for finding in shown]
        console.print(_stacked(rows, console.width) if console.width < _WIDE else _wide(rows))
        console.print()
    if result.summary.total_findings > len(shown):
        hidden = result.summary.total_findings - len(shown)
        verb = "is" if hidden == 1 else "are"
        console.print(f"{_number(hidden, 'more finding')} {verb} not shown; -o json has them all.")
    console.print(_sums(result))
    for check, reason in sorted(result.skipped.items()):
        console.print(f"The check {check} was not made. {reason}", style="yellow")
    for compliance in result.compliance:
        console.print(_compliance(compliance))
    if result.partial:
        console.print("This result is partial: something was not read or not checked.", style="bold yellow")


@attrs.frozen
class _Row:
    """A finding as text that may be printed; the severity alone holds markup."""

    severity: str
    check: str
    name: str
    what: str
    where: str


def _wide(rows: Sequence[_Row]) -> Table:
    """Return a table with a column for everything; there is no place in files for what was read from a cluster."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("Severity", no_wrap=True)
    table.add_column("Check", no_wrap=True)
    table.add_column("Object", overflow="fold")
    table.add_column("What", overflow="fold")
    placed = any(row.where for row in rows)
    if placed:
        table.add_column("Where", overflow="fold", min_width=min(_longest(row.where for row in rows), 80))
    for row in rows:
        cells = (row.severity, row.check, escape(row.name), escape(row.what), escape(row.where))
        table.add_row(*cells[: 5 if placed else 4])
    return table


def _stacked(rows: Sequence[_Row], width: int) -> Table:
    """Return a table for narrow terminals: what is wrong below the check, and where below the object."""
    check = _longest(row.check for row in rows)
    left = max(width - check - len("Severity") - _BORDERS, 1)
    table = Table(show_edge=False, pad_edge=False, show_lines=True)
    table.add_column("Severity", no_wrap=True)
    # The name of a check is what people search for and write into exceptions: it is never broken.
    table.add_column("Check", overflow="fold", min_width=check)
    placed = any(row.where for row in rows)
    longest = _longest(row.where if placed else row.name for row in rows)
    table.add_column(
        "Object and where" if placed else "Object", overflow="fold", min_width=min(longest, left)
    )
    for row in rows:
        name = f"{row.name}\n{row.where}" if row.where else row.name
        table.add_row(row.severity, escape(f"{row.check}\n{row.what}"), escape(name))
    return table


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts))


def _row(finding: Finding) -> _Row:
    style = _STYLES.get(finding.severity, "")
    resource = finding.resource
    name = f"{resource.kind} " + (f"{resource.namespace}/" if resource.namespace else "") + resource.name
    if finding.container:
        name += f" [{finding.container}]"
    what = finding.title + (f" ({finding.evidence})" if finding.evidence else "")
    where = f"{finding.source.file}:{finding.source.line or 1}" if finding.source else ""
    severity = f"[{style}]{finding.severity.value}[/]"
    # What is written in manifests is shown as it is, and never as terminal control.
    return _Row(severity, str(finding.check_id), *map(_printable, (name, what, where)))


def _sums(result: ScanResult) -> str:
    summary = result.summary
    counts = (summary.critical, summary.high, summary.medium, summary.low, summary.info)
    parts = [
        f"[{_STYLES[severity]}]{count or 0} {severity.value}[/]"
        for severity, count in zip(SEVERITIES, counts, strict=True)
    ]
    suppressed = len(result.findings) - summary.total_findings
    text = f"{_number(summary.total_findings, 'finding')}: {', '.join(parts)}; {suppressed} excepted."
    if left_out := sum(result.left_out.values()):
        text += f" {left_out} less severe left out."
    workloads = "a workload" if result.workloads == 1 else "workloads"
    text += f"\n{_number(result.objects, 'object')} read, {result.workloads} of them {workloads}"
    text += f" ({result.owned} passed over: what makes them was checked)" if result.owned else ""
    text += f"; {_number(len(result.problems), 'problem')}."
    if result.levels:
        levels = [f"{result.levels.get(level, 0)} {level.label}" for level in reversed(Level)]
        text += f"\nPod Security Standards: {', '.join(levels)}."
    return text


def _compliance(result: ComplianceResult) -> str:
    version = f" {result.framework_version}" if result.framework_version else ""
    return (
        f"{result.framework.value}{version}: {_number(result.passed_controls or 0, 'control')} passed, "
        f"{result.failed_controls} failed, {result.exception_controls} excepted, "
        f"{result.not_checked_controls} not checked."
    )


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
