"""The structured blocks that an answer may end with, written for people. Pure.

`[FINAL_RESULT] … [/FINAL_RESULT]`, and likewise `ESCALATE` and `PROGRESS`: lines of `name: value`, and lists whose
items begin with a dash.
"""

from __future__ import annotations

import re

_BLOCK = re.compile(r"\[(FINAL_RESULT|ESCALATE|PROGRESS)\]\s*\n?(.{0,20000}?)\[/\1\]", re.DOTALL)
_MEMBER = re.compile(r"([a-z][a-z_]{0,40}):\s*(.*)")
_ITEM = re.compile(r"\s*[-*•]\s+(.+)")
_GAP = re.compile(r"\n{3,10}")
_HEADINGS = {"FINAL_RESULT": "Result", "ESCALATE": "A person is needed", "PROGRESS": "So far"}


def with_blocks_written_out(answer: str) -> str:
    """Return an answer with its blocks as Markdown; without any it stays as it is."""
    if "[/" not in answer:
        return answer
    written = _BLOCK.sub(lambda block: _written(block[1], block[2]), answer).strip()
    return _GAP.sub("\n\n", written)


def _written(name: str, body: str) -> str:
    lines: list[str] = []
    for line in body.strip().splitlines():
        member, item = _MEMBER.fullmatch(line.strip()), _ITEM.fullmatch(line)
        if item is not None:
            lines.append(f"- {item[1]}")
        elif member is not None:
            label = member[1].replace("_", " ").capitalize()
            lines += ["", f"**{label}:** {member[2]}".rstrip()]
        else:
            lines.append(line)
    written = "\n".join(lines).strip()
    return f"\n### {_HEADINGS[name]}\n\n{written}\n"
