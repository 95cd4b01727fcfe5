"""A runbook as a Markdown file: its name, its text, and reading it back."""

from __future__ import annotations

import re
import unicodedata

from akmatori_server.errors import BadRequest
from akmatori_server.runbooks.models import RunbookText
from akmatori_server.runbooks.service import written_text

LONGEST_SLUG = 100
_OTHERS = re.compile(r"[^a-z0-9]+")
_OWN = re.compile(r"([1-9][0-9]{0,15})-[a-z0-9-]+\.md")


class UnreadableRunbookError(Exception):
    """A file that is no runbook; the sentence says why."""


def file_name(runbook_id: int, title: str) -> str:
    """Return the name of a runbook's file."""
    # Letters with marks become plain ones, so that a title in French still reads in its file's name.
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = _OTHERS.sub("-", plain).strip("-")[:LONGEST_SLUG].strip("-")
    return f"{runbook_id}-{slug or 'runbook'}.md"


def has_own_form(name: str) -> bool:
    """Whether a name could be one of ours."""
    return _OWN.fullmatch(name) is not None


def heading(title: str) -> str:
    """Return a title on one line."""
    return " ".join(title.split())


def write_markdown(text: RunbookText) -> bytes:
    """Return the file of a runbook."""
    return f"# {heading(text.title)}\n\n{text.content}".encode()


def read_markdown(raw: bytes, *, known: RunbookText) -> RunbookText:
    """Read a file back; a title whose heading is unchanged stays as it is known.

    Raises:
        UnreadableRunbookError: it has no heading or no content, or is not text.
    """
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise UnreadableRunbookError("It is not UTF-8.") from None
    if "\x00" in text:
        raise UnreadableRunbookError("It holds a NUL character.")
    first, _, rest = text.lstrip("\r\n").partition("\n")
    if not first.startswith("# "):
        raise UnreadableRunbookError("It does not begin with a heading such as '# Disk is full'.")
    title = heading(first[2:])
    # One empty line after the heading belongs to the form, all others to the content.
    content = rest.removeprefix("\r").removeprefix("\n")
    if rest.startswith("\r\n"):
        content = rest.removeprefix("\r\n")
    try:
        return written_text(known.title if title == heading(known.title) else title, content)
    except BadRequest as error:
        raise UnreadableRunbookError(error.message) from None
