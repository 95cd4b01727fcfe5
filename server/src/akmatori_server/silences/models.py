"""Silences as values."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from akmatori_server.matching import Matcher


class SilenceState(enum.StrEnum):
    """Where a silence stands at a moment."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@attrs.frozen(kw_only=True)
class SilenceText:
    """What a caller decides about a silence: which alerts it is about, from when until when, and why.

    The beginning belongs to it, the end does not.
    """

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    comment: str


@attrs.frozen(kw_only=True)
class Silence(SilenceText):
    """A stored silence."""

    id: int
    uuid: str
    created_by: str
    created_at: datetime
    updated_at: datetime

    def state_at(self, moment: datetime) -> SilenceState:
        """Say where it stands."""
        if self.ends_at <= moment:
            return SilenceState.EXPIRED
        return SilenceState.ACTIVE if self.starts_at <= moment else SilenceState.PENDING

    @property
    def was_ended_early(self) -> bool:
        """Whether it is over because somebody ended it; every other change leaves an end that lies ahead."""
        return self.updated_at >= self.ends_at


@attrs.frozen
class CountedSilence:
    """A silence, and how many firing alerts it holds."""

    silence: Silence
    silenced_count: int
