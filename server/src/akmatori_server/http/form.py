"""Multipart bodies: one part of a form, and reading typed members from the parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import attrs

from akmatori_server.errors import BadRequest

# 19 digits hold every 64-bit integer; longer texts are refused before Python reads them.
MOST_DIGITS = 19
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@attrs.frozen(kw_only=True)
class Part:
    """A part that is a file. `content` stands at its beginning."""

    filename: str
    content_type: str
    size: int
    content: BinaryIO


def part(parts: Mapping[str, Part | str], name: str) -> Part:
    """Return the file of a name.

    Raises:
        BadRequest: it is missing, or a text.
    """
    found = parts.get(name)
    if not isinstance(found, Part):
        raise BadRequest(f"{name}: must be sent as a file.")
    return found


def form_text(parts: Mapping[str, Part | str], name: str) -> str:
    """Return the text of a name.

    Raises:
        BadRequest: it is missing, or a file.
    """
    found = parts.get(name)
    if not isinstance(found, str):
        raise BadRequest(f"{name}: must be sent as a text.")
    return found


def form_integer(parts: Mapping[str, Part | str], name: str) -> int:
    """Return the integer of a name.

    Raises:
        BadRequest: it is missing, or not an integer.
    """
    text = form_text(parts, name)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        raise BadRequest(f"{name}: must be a whole number.")
    return int(text)


def form_boolean(parts: Mapping[str, Part | str], name: str) -> bool:
    """Return the truth value of a name.

    Raises:
        BadRequest: it is missing, or neither true nor false.
    """
    value = _TRUTH.get(form_text(parts, name).lower())
    if value is None:
        raise BadRequest(f"{name}: must be true or false.")
    return value
