"""Kept deliveries as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs


class Outcome(enum.StrEnum):
    """What became of a delivery; one that was taken without a word is not kept."""

    REJECTED = "rejected"
    # Taken, but something about it wants attention.
    WARNED = "warned"


@attrs.frozen(kw_only=True)
class NewDelivery:
    """A delivery to keep. `size` is what was sent; `body` may be less of it."""

    outcome: Outcome
    status: int
    reason: str
    message: str
    remote: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    size: int


@attrs.frozen(kw_only=True)
class Delivery:
    """A delivery as it is kept, without its body."""

    id: int
    received_at: datetime
    remote: str
    outcome: Outcome
    status: int
    reason: str
    message: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    size: int
    # Bytes of the body that are kept.
    kept: int
    replayed_at: datetime | None
    replay_result: str | None

    @property
    def is_whole(self) -> bool:
        """Whether all of the body is kept, so that it can be taken in again."""
        return self.kept == self.size


@attrs.frozen(kw_only=True)
class Filter:
    """Which of a source's deliveries are wanted; None means both kinds."""

    outcome: Outcome | None = None
    replayed: bool | None = None


EVERYTHING = Filter()
