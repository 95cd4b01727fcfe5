"""The result of a scan for people, in a terminal."""

from __future__ import annotations

import itertools

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from akmatori_sdk._generated.aotanami.models import ComplianceResult, Finding, Severity
from akmatori_server.kubernetes.pod_security import Level
from akmatori_server.kubernetes.scans.model import SEVERITIES, ScanResult

# A table is put together as a whole; nobody reads further.
MOST_ROWS = 2000
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
        table = Table(show_edge=False, pad_edge=False)
        for heading in ("Severity", "Check", "Object", "What", "Where"):
            table.add_column(heading, overflow="fold")
        for finding in shown:
            table.add_row(*_row(finding))
        console.print(table)
        console.print()
    if result.summary.total_findings > len(shown):
        hidden = result.summary.total_findings - len(shown)
        console.print(f"{hidden} more findings are not shown; -o json has them all.")
    console.print(_sums(result))
    for check, reason in sorted(result.skipped.items()):
        console.print(f"The check {check} was not made. {reason}", style="yellow")
    for compliance in result.compliance:
        console.print(_compliance(compliance))
    if result.partial:
        console.print("This result is partial: something was not read or not checked.", style="bold yellow")


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
    summary = result.summary
    counts = (summary.critical, summary.high, summary.medium, summary.low, summary.info)
    parts = [
        f"[{_STYLES[severity]}]{count or 0} {severity.value}[/]"
        for severity, count in zip(SEVERITIES, counts, strict=True)
    ]
    suppressed = len(result.findings) - summary.total_findings
    text = f"{summary.total_findings} findings: {', '.join(parts)}; {suppressed} excepted."
    text += f"\n{result.objects} objects read, {result.workloads} of them workloads"
    text += f" ({result.owned} passed over: what makes them was checked)" if result.owned else ""
    text += f"; {len(result.problems)} problems."
    if result.levels:
        levels = [f"{result.levels.get(level, 0)} {level.label}" for level in reversed(Level)]
        text += f"\nPod Security Standards: {', '.join(levels)}."
    return text


def _compliance(result: ComplianceResult) -> str:
    version = f" {result.framework_version}" if result.framework_version else ""
    return (
        f"{result.framework.value}{version}: {result.passed_controls} controls passed, "
        f"{result.failed_controls} failed, {result.exception_controls} excepted, "
        f"{result.not_checked_controls} not checked."
    )


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
