"""From the model's last words to a report: fixed headings and known blocks, read leniently. Pure.

What does not parse is kept as it is: a report in another form is better than none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

import attrs

from akmatori_server.investigation.report import Confidence, Report, Section

KNOWN, EVIDENCE, NEXT, NOT_CHECKED = "What is known", "Evidence", "Next steps", "Not checked"
# Longer lines are neither; the patterns would take their time over them.
LONGEST_HEADING, LONGEST_MEMBER = 200, 2000
_SUMMARY, _CONFIDENCE = "summary", "confidence"
# What the model is asked for, in its order.
_ASKED = {
    _SUMMARY: "Summary",
    KNOWN: KNOWN,
    EVIDENCE: EVIDENCE,
    _CONFIDENCE: "Confidence",
    NEXT: NEXT,
    NOT_CHECKED: NOT_CHECKED,
}
# Words of headings that mean ours; models vary them.
_HEADINGS: tuple[tuple[str, str], ...] = (
    (r"summary|tl;?dr|conclusion|executive summary", _SUMMARY),
    (r"what is known|what we know|findings?|known facts|(likely |probable )?(root )?causes?|analysis", KNOWN),
    (r"evidence", EVIDENCE),
    (r"confidence( level)?", _CONFIDENCE),
    (r"next steps?|recommendations?|recommended (next )?(steps?|actions?)|actions?", NEXT),
    (r"(what was )?not checked|limitations|unknowns|open questions|what could not be checked", NOT_CHECKED),
)
_HEADING = re.compile(r"^ {0,3}(?:#{1,6}\s+(?P<marked>.+?)\s*#*|\*\*(?P<bold>[^*]{3,60})\*\*:?)\s*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_BLOCK = re.compile(r"\[(FINAL_RESULT|ESCALATE|PROGRESS)\](.*?)(?:\[/\1\]|\Z)", re.DOTALL)
_MEMBER = re.compile(r"^\s*[-*]?\s*\**([A-Za-z][A-Za-z _]{2,30})\**\s*:\s*(.*)$")
_LEVEL = re.compile(r"\b(high|medium|moderate|low)\b", re.IGNORECASE)
_CITED = re.compile(r"\bm(\d{1,4})\.(\d{1,4})\b")


@attrs.frozen
class _Part:
    title: str
    kind: str
    text: str


def read_answer(text: str, made: Iterable[str]) -> Report:
    """Read the model's last words.

    Args:
        text: what it wrote.
        made: the keys of the calls that were made, to see which of those it names.
    """
    blocks = _BLOCK.findall(text)
    plain = _BLOCK.sub("", text).strip()
    lead, parts = _parts(plain)
    kinds = {part.kind for part in parts}
    sections = [section for kind, body in blocks if (section := _block(kind, body)) is not None]
    # One that is only in blocks, or nothing at all, has another form, and nothing is missing in it.
    doubts = [*_false_citations(text, made), *(_missing(kinds) if plain and not blocks else [])]
    doubtful = [Section("Doubtful", "\n\n".join(doubts))] if doubts else []
    if _SUMMARY not in kinds and len(kinds & {KNOWN, EVIDENCE, NEXT}) < 2:
        headline = plain or (sections[0].text if sections else "The model wrote an empty report.")
        shown = sections if plain else sections[1:]
        return Report(headline=headline, sections=(*shown, *doubtful))
    summary = [part.text for part in parts if part.kind == _SUMMARY and part.text]
    headline = "\n\n".join([*([lead] if lead else []), *summary]) or "The model wrote no summary."
    confidence, because = _confidence(part.text for part in parts if part.kind == _CONFIDENCE)
    shown = [
        Section(part.title, part.text)
        for part in parts
        if part.kind != _SUMMARY and (part.kind != _CONFIDENCE or confidence is None)
    ]
    return Report(
        headline=headline,
        sections=(*shown, *sections, *doubtful),
        confidence=confidence,
        because=because,
    )


def with_run(text: str, made: Collection[str], key: Callable[[str], str]) -> str:
    """Name the calls of a report as the log does, which has those of all runs of an investigation."""

    def named(match: re.Match[str]) -> str:
        return key(match[0]) if match[0] in made else match[0]

    return _CITED.sub(named, text)


def _parts(text: str) -> tuple[str, list[_Part]]:
    """Split at the headings we know; all others stay within their part."""
    lead: list[str] = []
    parts: list[tuple[str, str, list[str]]] = []
    fence = ""
    for line in text.splitlines():
        marked = _FENCE.match(line)
        if marked and not fence:
            fence = marked[1]
        elif marked and marked[1] == fence:
            fence = ""
        found = None if fence else _heading(line)
        if found is not None:
            parts.append((*found, []))
        else:
            (parts[-1][2] if parts else lead).append(line)
    split = [_Part(title, kind, "\n".join(lines).strip()) for title, kind, lines in parts]
    return "\n".join(lead).strip(), split


def _heading(line: str) -> tuple[str, str] | None:
    """Return the title and kind of a heading, None for every other line."""
    match = _HEADING.match(line) if len(line) <= LONGEST_HEADING else None
    if match is None:
        return None
    written = (match["marked"] or match["bold"]).strip().strip("*").rstrip(":").strip()
    plain = re.sub(r"^[\d.\W_]+", "", written).lower()
    for pattern, kind in _HEADINGS:
        if re.fullmatch(pattern, plain):
            title = (
                kind if kind in {KNOWN, EVIDENCE, NEXT, NOT_CHECKED} and plain == kind.lower() else written
            )
            return title, kind
    return None


def _confidence(texts: Iterable[str]) -> tuple[Confidence | None, str]:
    for text in texts:
        found = _LEVEL.search(text[:200])
        if found:
            word = found[1].lower()
            level = Confidence.MEDIUM if word == "moderate" else Confidence(word)
            because = (text[: found.start()] + text[found.end() :]).strip(" \n*_.,:;-\N{EN DASH}\N{EM DASH}")
            return level, because[:1].upper() + because[1:] + ("." if because[-1:].isalnum() else "")
    return None, ""


def _block(kind: str, body: str) -> Section | None:
    """Write one of the product's blocks as a section."""
    members = _members(body)
    if kind == "PROGRESS" or not (members or body.strip()):
        # Of a run that is over, nobody needs to know how far it was.
        return None
    title = "Escalation" if kind == "ESCALATE" else "Result"
    if not members:
        return Section(title, body.strip())
    lines: list[str] = []
    for name, values in members:
        shown = name.replace("_", " ").capitalize()
        if len(values) == 1:
            lines.append(f"- **{shown}:** {values[0]}")
        elif values:
            lines += [f"- **{shown}:**", *(f"  - {value}" for value in values)]
    return Section(title, "\n".join(lines))


def _members(body: str) -> list[tuple[str, list[str]]]:
    members: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        match = _MEMBER.match(line) if len(line) <= LONGEST_MEMBER else None
        if match and not line.startswith((" ", "\t")) and not line.lstrip().startswith(("-", "*")):
            members.append((match[1].strip().lower().replace(" ", "_"), [match[2]] if match[2] else []))
        elif line.strip() and members:
            members[-1][1].append(re.sub(r"^\s*(?:[-*]|\d+[.)])\s+", "", line).strip())
    return members


def _missing(kinds: Collection[str]) -> list[str]:
    missing = [title for kind, title in _ASKED.items() if kind not in kinds]
    if not missing:
        return []
    return [
        f"⚠️ The model was asked for these parts, and its answer does not have them: {', '.join(missing)}."
    ]


def _false_citations(text: str, made: Iterable[str]) -> Sequence[str]:
    known = set(made)
    named = {f"m{int(message)}.{int(part)}" for message, part in _CITED.findall(text)}
    unknown = sorted(named - known, key=lambda key: tuple(map(int, key[1:].split("."))))
    if not unknown:
        return ()
    which = ", ".join(unknown[:10])
    return (
        f"⚠️ The report names calls that were never made: {which}. Do not rely on what it says about them.",
    )
