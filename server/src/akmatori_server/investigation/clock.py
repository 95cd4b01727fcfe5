"""The present moment, passed to whoever needs it."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)
