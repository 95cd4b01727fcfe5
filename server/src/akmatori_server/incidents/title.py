"""The title an incident has from its first moment, made from the words that opened it."""

from __future__ import annotations

import re

from akmatori_server.incidents.storable import storable_text

# Counted in characters: cutting bytes would tear a letter apart and make the row unstorable.
LONGEST_TITLE = 80
# A cut prefers a blank, but not one so early that most of the title would go.
EARLIEST_CUT = 40
ELLIPSIS = "..."

_MENTION = re.compile(r"<[@!][^<>\s]+>")
_CHANNEL = re.compile(r"<#[^<>|\s]+\|([^<>]*)>")
_LINK = re.compile(r"<((?:https?|mailto|tel):[^<>|]+)(?:\|([^<>]*))?>")
_EMOJI = re.compile(r"(?<!\S):[a-z0-9_+'-]+:(?!\S)")
# Slack's *bold*, _italic_, ~struck~ and `code`; inside a word the characters are the word's own
# (node_load_1m).
_EMPHASIS = re.compile(r"(?<!\w)([*_~`])(?=\S)([^\n]*?\S)\1(?!\w)")
_PREFIX = re.compile(r"\A\s*(?:alert|incident):", re.IGNORECASE)


def title_of(text: str, *, source: str) -> str:
    """Return the first line of `text`, without Slack markup and one leading "Alert:" or "Incident:"."""
    plain = _first_line(_PREFIX.sub("", _without_markup(storable_text(text)), count=1))
    return _shortened(plain) if plain else f"Incident from {source}"


def _without_markup(text: str) -> str:
    text = _MENTION.sub("", text)
    text = _CHANNEL.sub(r"#\1", text)
    text = _LINK.sub(lambda link: link[2] or link[1], text)
    text = _EMOJI.sub("", text)
    return _EMPHASIS.sub(r"\2", text)


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return " ".join(lines[0].split()) if lines else ""


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TITLE:
        return text
    cut = text[: LONGEST_TITLE - len(ELLIPSIS)]
    blank = cut.rfind(" ")
    if blank > EARLIEST_CUT:
        cut = cut[:blank]
    return cut.rstrip() + ELLIPSIS
