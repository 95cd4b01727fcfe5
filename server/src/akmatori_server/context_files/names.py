"""Which names, sizes and media types context files may have."""

from __future__ import annotations

import re

from akmatori_server.errors import BadRequest

LONGEST_NAME = 255
LONGEST_MEDIA_TYPE = 100
LARGEST_FILE = 10 * 1024 * 1024
ENDINGS = (
    "md", "txt", "json", "yaml", "yml", "xml", "csv", "log", "conf", "cfg", "ini", "sh", "py", "pdf",
)  # fmt: skip
DEFAULT_MEDIA_TYPE = "text/plain"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.([A-Za-z0-9]+)")
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = re.compile(rf'{_WORD}/{_WORD}(?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|"[ !#-\[\]-~]*"))*')


def require_name(name: str) -> str:
    """Return a name that a context file may have.

    Raises:
        BadRequest: it holds other characters, has not exactly one dot, or another ending.
    """
    match = _NAME.fullmatch(name) if len(name) <= LONGEST_NAME else None
    if match is None:
        raise BadRequest(
            "filename: use letters, digits, '_' and '-', then one dot and the ending, beginning with a letter or"
            f" digit; {LONGEST_NAME} characters at most."
        )
    if match.group(1).lower() not in ENDINGS:
        raise BadRequest(f"filename: the ending must be one of {', '.join(ENDINGS)}.")
    return name


def require_media_type(text: str) -> str:
    """Return a media type that can be sent back as a header.

    Raises:
        BadRequest: it is none, or too long.
    """
    if not text:
        return DEFAULT_MEDIA_TYPE
    if len(text) > LONGEST_MEDIA_TYPE or _MEDIA_TYPE.fullmatch(text) is None:
        raise BadRequest(
            "file: the part's Content-Type must be a media type such as text/markdown;"
            f" {LONGEST_MEDIA_TYPE} characters at most."
        )
    return text


def original_name(sent: str) -> str:
    """Return the last step of the name a file was sent with, without what cannot be shown."""
    last = sent.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME]
