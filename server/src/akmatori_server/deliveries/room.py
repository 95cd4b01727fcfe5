"""How much of a source's deliveries is kept, decided without any effect.

Each kind has its own share of the room: a stranger who sends nonsense to the webhook, or a mapping that warns
about every delivery, cannot push out the deliveries that an operator wants to take in after all.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from types import MappingProxyType

import attrs

from akmatori_server.deliveries.models import Outcome

MEBIBYTE = 1024 * 1024
LONGEST_BODY = 256 * 1024
# Answers given before the sender has proved anything: a wrong secret, and a body too large to look at.
UNPROVEN_STATUSES = frozenset({401, 413})


class Kind(enum.Enum):
    """What a kept delivery is, for its share of the room."""

    REFUSED = "refused"
    UNPROVEN = "unproven"
    WARNED = "warned"


@attrs.frozen(kw_only=True)
class Share:
    """What one kind may take of one source's room."""

    rows: int
    size: int
    per_minute: int


SHARES = MappingProxyType({
    Kind.REFUSED: Share(rows=250, size=10 * MEBIBYTE, per_minute=30),
    Kind.UNPROVEN: Share(rows=125, size=5 * MEBIBYTE, per_minute=15),
    Kind.WARNED: Share(rows=125, size=5 * MEBIBYTE, per_minute=15),
})  # fmt: skip
MOST_ROWS = sum(share.rows for share in SHARES.values())


@attrs.frozen
class Held:
    """As much of a kept delivery as its room depends on."""

    id: int
    kind: Kind
    kept: int


def kind_of(outcome: Outcome, status: int) -> Kind:
    """Return what a delivery with this answer is."""
    if outcome is Outcome.WARNED:
        return Kind.WARNED
    return Kind.UNPROVEN if status in UNPROVEN_STATUSES else Kind.REFUSED


def surplus(newest_first: Iterable[Held]) -> list[int]:
    """Return the ids of those that have no room any more: of each kind the oldest."""
    rows: Counter[Kind] = Counter()
    sizes: Counter[Kind] = Counter()
    full: set[Kind] = set()
    gone: list[int] = []
    for held in newest_first:
        share = SHARES[held.kind]
        rows[held.kind] += 1
        sizes[held.kind] += held.kept
        if rows[held.kind] > share.rows or sizes[held.kind] > share.size:
            # Nothing older stays either, even if it would still fit: what is kept has no gaps.
            full.add(held.kind)
        if held.kind in full:
            gone.append(held.id)
    return gone
