"""Refusing a request: for everything that is wrong with it at once, and for a text that it must have."""

from __future__ import annotations

from collections.abc import Mapping

from akmatori_server.errors import BadRequest

MOST_DETAILS = 100


def refuse(complaints: Mapping[str, str]) -> None:
    """Refuse if there is a complaint; they are sentences by the place they are about.

    Raises:
        BadRequest: with the first one in its sentence and all of them in its details.
    """
    if not complaints:
        return
    place, sentence = next(iter(complaints.items()))
    others = len(complaints) - 1
    more = f" So {'is' if others == 1 else 'are'} {others} more; see details." if others else ""
    details = dict(list(complaints.items())[:MOST_DETAILS])
    raise BadRequest(f"{place}: {sentence}{more}", details=details)


def required_text(member: str, written: str, *, longest: int) -> str:
    """Return what was written without surrounding blanks.

    Raises:
        BadRequest: it is blank, or too long.
    """
    text = written.strip()
    if not text:
        raise BadRequest(f"{member}: must not be blank.")
    if len(text) > longest:
        raise BadRequest(f"{member}: {longest} characters at most.")
    return text
