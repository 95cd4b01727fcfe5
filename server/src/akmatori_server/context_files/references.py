"""References to context files in a text: `[[name]]`, and `[label](assets/name)` as older prompts have them.

Both are found in one pass each: a text of a megabyte of brackets takes no longer than any other.
"""

from __future__ import annotations

import re

_ASSETS = "](assets/"
_NAME = re.compile(r"[^)\s]*")


def references_in(text: str) -> list[str]:
    """Return the names referred to, each once, in the order they are met, the double brackets first."""
    return list(dict.fromkeys([*_double_brackets(text), *_asset_links(text)]))


def _double_brackets(text: str) -> list[str]:
    """Find `[[`, then anything but `]`, then `]]`."""
    names: list[str] = []
    at = text.find("[[")
    while at >= 0:
        end = text.find("]", at + 2)
        if end < 0:
            break
        name = text[at + 2 : end].strip()
        if name and text.startswith("]]", end):
            names.append(name)
            end += 1
        # Whatever began before this bracket would have ended at it too.
        at = text.find("[[", end + 1)
    return names


def _asset_links(text: str) -> list[str]:
    """Find `[`, then anything but `]`, then `](assets/`, then anything but `)` and blanks, then `)`."""
    names: list[str] = []
    last = 0
    at = text.find(_ASSETS)
    while at >= 0:
        begin, closed = text.rfind("[", last, at), text.rfind("]", last, at)
        following = last = at + 1
        if begin > closed:
            match = _NAME.match(text, at + len(_ASSETS))
            # The pattern also matches nothing, so there always is a match.
            end = following if match is None else match.end()
            following = end
            if match is not None and match.group() and text.startswith(")", end):
                names.append(match.group())
                following = last = end + 1
        # What began before `following` would have ended there too.
        at = text.find(_ASSETS, following)
    return names
