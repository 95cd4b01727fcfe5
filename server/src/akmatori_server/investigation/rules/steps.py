"""Reading a runbook's Markdown: its sections, the steps in them, and the commands of each step."""

from __future__ import annotations

import re

import attrs

MOST_STEPS = 40
LONGEST_STEP = 600
LONGEST_COMMAND = 2000

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"^(\s*)(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(.*)$")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


@attrs.frozen
class Step:
    """One thing to do, with the commands given for it."""

    section: str
    text: str
    commands: tuple[str, ...] = ()

    @property
    def answered_by(self) -> tuple[str, ...]:
        """The commands whose outcome is all that it asks for: its blocks of code, or what its text has as code."""
        return self.commands or tuple(code.strip() for _, code in _CODE.findall(self.text))


@attrs.define
class _Reader:
    section: str = ""
    steps: list[Step] = attrs.field(factory=list[Step])
    paragraph: list[str] = attrs.field(factory=list[str])
    in_item: bool = False

    def heading(self, text: str) -> None:
        self.end_paragraph()
        self.section = text

    def item(self, text: str) -> None:
        self.end_paragraph()
        self.paragraph = [text]
        self.in_item = True

    def text(self, line: str) -> None:
        self.paragraph.append(line.strip())

    def end_paragraph(self) -> None:
        # Prose between lists explains; only items, and what introduces a command, are steps.
        if self.paragraph and self.in_item:
            self._add(" ".join(self.paragraph), ())
        self.paragraph = []
        self.in_item = False

    def command(self, text: str, *, indented: bool) -> None:
        if not text.strip():
            return
        said = " ".join(self.paragraph)
        self.paragraph, self.in_item = [], False
        if said:
            self._add(said, (text,))
        elif self.steps and indented and self.steps[-1].section == self.section:
            last = self.steps[-1]
            self.steps[-1] = attrs.evolve(last, commands=(*last.commands, text[:LONGEST_COMMAND]))
        else:
            self._add("Run:", (text,))

    def _add(self, text: str, commands: tuple[str, ...]) -> None:
        if len(self.steps) < MOST_STEPS:
            cut = tuple(command[:LONGEST_COMMAND] for command in commands)
            self.steps.append(Step(self.section, text[:LONGEST_STEP], cut))


def extract_steps(markdown: str) -> list[Step]:
    """Return a runbook's steps in order: list items, and blocks of code with the words before them."""
    reader = _Reader()
    lines = iter(markdown.splitlines())
    for line in lines:
        fence = _FENCE.match(line)
        if fence:
            block: list[str] = []
            for inside in lines:
                if inside.strip().startswith(fence[1]):
                    break
                block.append(inside)
            reader.command(_dedented(block), indented=line[:1].isspace())
            continue
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if heading:
            reader.heading(heading[2])
        elif item:
            reader.item(item[2])
        elif line.strip():
            reader.text(line)
        else:
            _blank(reader)
    reader.end_paragraph()
    return reader.steps


def _blank(reader: _Reader) -> None:
    # A blank line ends prose, but an item may go on with a block of code after it.
    if not reader.in_item:
        reader.paragraph = (
            reader.paragraph[-1:] if reader.paragraph and reader.paragraph[-1].endswith(":") else []
        )


def _dedented(block: list[str]) -> str:
    indents = [len(line) - len(line.lstrip()) for line in block if line.strip()]
    margin = min(indents, default=0)
    return "\n".join(line[margin:] for line in block)
