"""Pieces that all messages are made of, in Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from akmatori_server.investigation.report import inline

LONGEST_FACT = 300


@attrs.frozen
class Message:
    """A title in plain text, and a body in Markdown."""

    title: str
    body: str
    is_bad_news: bool = False
    # Bad enough to wake somebody up: services that know of it are told so.
    is_critical: bool = False


def fact(label: str, value: str) -> str:
    """Return a fact with its label, "" when it is not known."""
    return f"**{label}:** {inline(value, LONGEST_FACT)}" if value.strip() else ""


def link_to(address: str, label: str = "Open the incident") -> str:
    """Return a link, "" when nobody knows where it leads."""
    return f"[{label}]({address})" if address else ""


def joined(parts: Iterable[str]) -> str:
    """Return the paragraphs that there are."""
    return "\n\n".join(part for part in parts if part)
