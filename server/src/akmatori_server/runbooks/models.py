"""Runbooks as values."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Runbook:
    """One stored runbook."""

    id: int
    title: str
    content: str = attrs.field(repr=False)
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class RunbookText:
    """What a caller writes: a title without surrounding blanks, and a content that is not blank."""

    title: str
    content: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class RunbookMatch:
    """A runbook that a search found.

    The score lies between 0 and 1 and means the same on both databases: 1 when every word searched for (of
    many, the five that fit best) stands in the title.
    """

    id: int
    title: str
    content: str = attrs.field(repr=False)
    score: float
    matched_terms: tuple[str, ...]
