"""The report of an investigation, and how it reads as Markdown. Pure: values in, text out."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

import attrs

LONGEST_CELL = 300


class Confidence(enum.StrEnum):
    """How sure the investigator is that the report fits the case."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@attrs.frozen
class Section:
    """One part of a report: a heading and Markdown."""

    title: str
    text: str


@attrs.frozen(kw_only=True)
class Report:
    """What an investigation found out."""

    headline: str
    sections: tuple[Section, ...]
    confidence: Confidence | None = None
    # Why the confidence is what it is, as one sentence.
    because: str = ""
    tokens_used: int = 0
    # How many of these tokens were added to the incident while they were used.
    tokens_booked: int = 0
    # What the model cost in US dollars; None where its price is not known.
    cost_usd: float | None = None


def render(report: Report, *, elapsed_ms: int) -> str:
    """Write the report as Markdown, with the footer that says what it cost."""
    parts = [report.headline]
    parts += [f"## {section.title}\n\n{section.text}" for section in report.sections if section.text]
    if report.confidence is not None:
        parts.append(f"## Confidence\n\n{report.confidence.capitalize()}. {report.because}".rstrip())
    parts.append(footer(elapsed_ms=elapsed_ms, tokens_used=report.tokens_used, cost_usd=report.cost_usd))
    return "\n\n".join(part for part in parts if part)


def footer(*, elapsed_ms: int, tokens_used: int = 0, cost_usd: float | None = None) -> str:
    """Return the last lines of a response: time, and when a model was asked, tokens and a known cost."""
    text = f"---\n⏱️ Time: {duration(elapsed_ms / 1000)}"
    if tokens_used:
        text += f" | 🎯 Tokens: {tokens_used:,}"
        text += f" | 💵 Cost: ${cost_usd:.4f}" if cost_usd is not None else ""
    return text


def duration(seconds: float) -> str:
    """Write a length of time in its two largest units: 0.2s, 45s, 2m 5s, 3h 12m, 4d 1h."""
    if seconds < 1:
        return f"{max(seconds, 0.0):.1f}s"
    total = int(seconds)
    units = [("d", total // 86400), ("h", total // 3600 % 24), ("m", total // 60 % 60), ("s", total % 60)]
    first = next(index for index, (_, amount) in enumerate(units) if amount)
    shown = [f"{amount}{unit}" for unit, amount in units[first : first + 2] if amount]
    return " ".join(shown)


def inline(text: str, longest: int = LONGEST_CELL) -> str:
    """Make text from outside safe within a line: one line, bounded, and no Markdown or HTML of its own."""
    flat = " ".join(text.split())
    if len(flat) > longest:
        flat = flat[: longest - 1].rstrip() + "…"
    return re.sub(r"([\\`*_\[\]<>#~])", r"\\\1", flat)


def code(text: str, longest: int = LONGEST_CELL) -> str:
    """Show text from outside as code within a line."""
    flat = " ".join(text.split())
    if len(flat) > longest:
        flat = flat[: longest - 1].rstrip() + "…"
    # A fence one longer than any run of backticks inside cannot be closed by the text.
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    padding = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{padding}{flat}{padding}{ticks}"


def code_block(text: str) -> str:
    """Show text from outside as a block of code."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}\n{text.rstrip()}\n{fence}"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Write a table of cells that are Markdown already."""
    # A bar ends the cell, even inside code.
    cells = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    lines = [head, tuple("---" for _ in head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
