"""The result of a scan for people, in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from akmatori_sdk._generated.aotanami.models import Finding, Severity
from akmatori_server.kubernetes.scans.model import SEVERITIES, ScanResult

_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def print_table(result: ScanResult, console: Console) -> None:
    """Print the findings, worst first, and the numbers; problems are for the other stream."""
    shown = [finding for finding in result.findings if not finding.suppressed]
    if shown:
        table = Table(show_edge=False, pad_edge=False)
        for heading in ("Severity", "Check", "Object", "What", "Where"):
            table.add_column(heading, overflow="fold")
        for finding in shown:
            table.add_row(*_row(finding))
        console.print(table)
        console.print()
    console.print(_sums(result))


def _row(finding: Finding) -> tuple[str, ...]:
    style = _STYLES.get(finding.severity, "")
    resource = finding.resource
    name = f"{resource.kind} " + (f"{resource.namespace}/" if resource.namespace else "") + resource.name
    if finding.container:
        name += f" [{finding.container}]"
    what = finding.title + (f" ({finding.evidence})" if finding.evidence else "")
    where = f"{finding.source.file}:{finding.source.line or 1}" if finding.source else ""
    severity = f"[{style}]{finding.severity.value}[/]"
    # What is written in manifests is shown as it is, and never read as markup or as terminal control.
    return (severity, str(finding.check_id), *(escape(_printable(text)) for text in (name, what, where)))


def _sums(result: ScanResult) -> str:
    counts = {
        severity: sum(f.severity is severity and not f.suppressed for f in result.findings)
        for severity in SEVERITIES
    }
    parts = [f"[{_STYLES[severity]}]{count} {severity.value}[/]" for severity, count in counts.items()]
    suppressed = sum(bool(finding.suppressed) for finding in result.findings)
    text = f"{result.summary.total_findings} findings: {', '.join(parts)}; {suppressed} excepted."
    text += f"\n{result.objects} objects read, {result.workloads} of them workloads"
    text += f" ({result.owned} passed over: what makes them was checked)" if result.owned else ""
    return text + f"; {len(result.problems)} problems."


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
