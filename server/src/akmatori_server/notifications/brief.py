"""A report in a few lines, for places where a message is a line on a telephone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_PARAGRAPH = 1000
LONGEST_LINE = 400
_FENCE = re.compile(r" {0,3}(```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.{1,200})")
_ITEM = re.compile(r"\s{0,3}(?:\d{1,3}[.)]|[-*•])\s+(\S.*)")
_NEXT = re.compile(r"next steps?|what to do next|recommend(?:ed|ations?)\b.*|actions?", re.IGNORECASE)
_CONFIDENCE = re.compile(r"confidence\b.*", re.IGNORECASE)
# What begins with these says how the report came about; what was found is in the paragraph after it.
_REMARKS = ("⚠️", "⏹️")


def brief(report: str) -> str:
    """Return the headline of a report, its confidence, and the first of its next steps, as far as it has them."""
    sections = list(_sections(report))
    shown = [_headline(sections)]
    for pattern, label in ((_CONFIDENCE, "Confidence"), (_NEXT, "Next")):
        text = next((text for title, text in sections if pattern.fullmatch(title)), "")
        line = _first_item(text) if label == "Next" else _cut(next(_paragraphs(text), ""), LONGEST_LINE)
        shown.append(f"**{label}:** {line}" if line else "")
    return "\n\n".join(part for part in shown if part)


def _headline(sections: list[tuple[str, str]]) -> str:
    shown: list[str] = []
    for paragraph in (one for _, text in sections for one in _paragraphs(text)):
        shown.append(_cut(paragraph, LONGEST_PARAGRAPH))
        if not paragraph.startswith(_REMARKS):
            break
    return "\n\n".join(shown)


def _sections(report: str) -> Iterator[tuple[str, str]]:
    """Split at the headings; what stands before the first one has the title ""."""
    title, lines, fence = "", list[str](), ""
    for line in report.splitlines():
        marked = _FENCE.match(line)
        if marked and not fence:
            fence = marked[1]
        elif marked and marked[1] == fence:
            fence = ""
        heading = None if fence else _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        yield title, "\n".join(lines)
        title, lines = heading[1].strip().strip("#*:").strip(), []
    yield title, "\n".join(lines)


def _paragraphs(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split("\n\n") if part.strip())


def _first_item(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    found = next((match[1] for line in lines if (match := _ITEM.fullmatch(line))), "")
    return _cut(found or (lines[0].strip() if lines else ""), LONGEST_LINE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
