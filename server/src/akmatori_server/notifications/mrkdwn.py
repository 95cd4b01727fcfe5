"""Markdown as Slack writes it. Pure.

Slack's own form knows bold, italics, strike-through, code, quotes and links, and nothing else; what it reads as
a command (`<!channel>`) is escaped, so no text from an alert can ring at everybody.
"""

from __future__ import annotations

import re

# Nothing beyond it can be part of a message; and no pattern is run over more than that.
LONGEST_READ = 16_000
FENCE = "```"
_TABLE_RULE = re.compile(r"\s*\|?[\s:|-]+\|?\s*")
_BAR = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"(?<!\\)(?:`|\*\*)")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>|~&])")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.+?)\s*#*")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*")
# Bounded everywhere: a hostile line must not be looked at again for each of its characters.
_INLINE = re.compile(
    r"(?P<ticks>`{1,2})(?P<code>[^`]{1,2000})(?P=ticks)"
    r"|\\(?P<plain>[\\`*_{}\[\]()#+\-.!<>|~&])"
    r"|!?\[(?P<label>[^\]\[]{0,300})\]\((?P<url>[^\s()<>]{1,2000})(?:\s{1,4}\"[^\"]{0,300}\")?\)"
    r"|<(?P<auto>https?://[^<>|\s]{1,2000})>"
    r"|\*\*(?P<bold>[^\s*](?:[^*]|\*(?!\*)){0,2000}?)\*\*"
    r"|(?<!\w)__(?P<strong>[^\s_](?:[^_]|_(?!_)){0,2000}?)__(?!\w)"
    r"|~~(?P<strike>[^~]{1,2000})~~"
    r"|(?<![\w*])\*(?P<italic>[^\s*](?:[^*]{0,1000}[^\s*])?)\*(?![\w*])"
)


def to_mrkdwn(markdown: str) -> str:
    """Return the same text in Slack's form."""
    lines: list[str] = []
    table: list[str] = []
    is_code = False
    for line in markdown[:LONGEST_READ].splitlines():
        if line.lstrip().startswith(FENCE):
            lines += _as_code(table)
            # Slack knows no languages.
            lines.append(FENCE)
            is_code = not is_code
        elif is_code:
            lines.append(escape(line).replace(FENCE, "'''"))
        elif line.lstrip().startswith("|"):
            table.append(line.strip())
        else:
            lines += [*_as_code(table), _line(line)]
    lines += _as_code(table)
    if is_code:
        lines.append(FENCE)
    return "\n".join(lines).strip()


def escape(text: str) -> str:
    """Return a text in which Slack finds no markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most_bytes: int) -> tuple[str, bool]:
    """Return the text cut at a sensible place, and whether that was needed: a paragraph, a line, a word.

    A piece of code that is cut is closed again; a link or an escaped character is never cut in two.
    """
    if len(text.encode()) <= most_bytes:
        return text, False
    # Room for what closes a piece of code.
    room = max(most_bytes - len(FENCE) - 1, 0)
    head = text.encode()[:room].decode(errors="ignore")
    for mark in ("\n\n", "\n", " "):
        place = head.rfind(mark)
        if place > len(head) * 2 // 3:
            head = head[:place]
            break
    for opening, closing in (("<", ">"), ("&", ";")):
        begun = head.rfind(opening)
        if begun > head.rfind(closing):
            head = head[:begun]
    head = head.rstrip()
    if head.count(FENCE) % 2:
        head += "\n" + FENCE
    return head, True


def _as_code(table: list[str]) -> list[str]:
    """Return a table in letters of one width, the only way in which Slack shows columns; and empty it."""
    if not table:
        return []
    rows = [[_cell(cell) for cell in _BAR.split(_inside(row))] for row in table if not _is_rule(row)]
    table.clear()
    widths = [max(len(cell) for cell in column) for column in _columns(rows)]
    shown = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    )
    return [FENCE, *(escape(line).replace(FENCE, "'''") for line in shown), FENCE]


def _inside(row: str) -> str:
    row = row.removeprefix("|")
    return row[:-1] if row.endswith("|") and not row.endswith("\\|") else row


def _cell(markdown: str) -> str:
    """Return a cell as it reads without its marks: in code, Slack shows them as they are."""
    return _ESCAPED.sub(r"\1", _MARKS.sub("", markdown)).strip()


def _columns(rows: list[list[str]]) -> list[list[str]]:
    most = max((len(row) for row in rows), default=0)
    return [[row[number] if number < len(row) else "" for row in rows] for number in range(most)]


def _is_rule(row: str) -> bool:
    return "-" in row and _TABLE_RULE.fullmatch(row) is not None


def _line(line: str) -> str:
    heading = _HEADING.fullmatch(line)
    if heading is not None:
        return f"*{_inline(heading[1]).replace('*', '')}*"
    if _RULE.fullmatch(line):
        return "———"
    bullet = _BULLET.fullmatch(line)
    if bullet is not None:
        return f"{bullet[1]}• {_inline(bullet[2])}"
    if line.startswith(">"):
        return f"> {_inline(line.lstrip('> '))}"
    return _inline(line)


def _inline(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for found in _INLINE.finditer(text):
        pieces += [escape(text[end : found.start()]), _marked(found)]
        end = found.end()
    return "".join([*pieces, escape(text[end:])])


def _marked(found: re.Match[str]) -> str:
    part = found.groupdict()
    if part["code"] is not None:
        return f"`{escape(part['code'])}`"
    if part["plain"] is not None:
        return escape(part["plain"])
    if part["auto"] is not None:
        return f"<{escape(part['auto'])}>"
    if part["url"] is not None:
        return _link(part["url"], part["label"] or "")
    for name, mark in (("bold", "*"), ("strong", "*"), ("strike", "~"), ("italic", "_")):
        if part[name] is not None:
            return f"{mark}{_inline(part[name])}{mark}"
    return escape(found[0])


def _link(url: str, label: str) -> str:
    if not url.lower().startswith(("http://", "https://", "mailto:")):
        return escape(label or url)
    # A bar would end the address.
    address = escape(url).replace("|", "%7C")
    shown = escape(label).replace("|", "¦")
    return f"<{address}|{shown}>" if shown.strip() else f"<{address}>"
