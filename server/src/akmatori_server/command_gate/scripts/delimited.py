"""Where a regular expression between two delimiters ends."""

from __future__ import annotations


def end_of_expression(text: str, start: int, delimiter: str) -> int | None:
    """Return the place of the closing delimiter; None where there is none, or where programs differ about it.

    Some end the expression at the first delimiter without a backslash, others not within [brackets]. A text that
    they read differently could hide a command from whoever reads it the other way.
    """
    plain = _plain_end(text, start, delimiter)
    return plain if plain is not None and plain == _end_beside_brackets(text, start, delimiter) else None


def _plain_end(text: str, start: int, delimiter: str) -> int | None:
    at = start
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == delimiter:
            return at
        at += 1
    return None


def _end_beside_brackets(text: str, start: int, delimiter: str) -> int | None:
    at = start
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "[":
            closing = _end_of_bracket(text, at)
            if closing is None:
                return None
            at = closing + 1
        elif text[at] == delimiter:
            return at
        else:
            at += 1
    return None


def _end_of_bracket(text: str, opening: int) -> int | None:
    at = opening + 1
    if text[at : at + 1] == "^":
        at += 1
    if text[at : at + 1] == "]":
        # The first one is a member.
        at += 1
    while at < len(text):
        if text.startswith(("[:", "[.", "[="), at):
            closing = text.find(f"{text[at + 1]}]", at + 2)
            if closing < 0:
                return None
            at = closing + 2
            continue
        if text[at] == "]":
            return at
        at += 1
    return None
