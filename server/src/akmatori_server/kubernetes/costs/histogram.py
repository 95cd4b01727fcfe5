"""How often what was used, in buckets that each are five percent wider than the one before.

Any number of samples takes the same room, histograms add up over hours and pods, and a percentile is never
more than five percent off. It is the form that the VerticalPodAutoscaler keeps usage in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import attrs

_RATIO = 1.05
_LOG = math.log(_RATIO)
# Everything below counts as nothing: a tenth of a thousandth of a core, and a tenth of a thousandth of a byte.
_SMALLEST = 1e-4


@attrs.frozen
class Histogram:
    """Samples by bucket, with their sum and the largest of them."""

    buckets: Mapping[int, int] = attrs.field(factory=dict[int, int])
    total: float = 0.0
    largest: float = 0.0

    @classmethod
    def of(cls, samples: Iterable[float]) -> Histogram:
        """Count samples; none of them is negative."""
        buckets: dict[int, int] = {}
        total = largest = 0.0
        for sample in samples:
            bucket = _bucket(sample)
            buckets[bucket] = buckets.get(bucket, 0) + 1
            total += sample
            largest = max(largest, sample)
        return cls(buckets, total, largest)

    def __add__(self, other: Histogram) -> Histogram:
        buckets = dict(self.buckets)
        for bucket, number in other.buckets.items():
            buckets[bucket] = buckets.get(bucket, 0) + number
        return Histogram(buckets, self.total + other.total, max(self.largest, other.largest))

    @property
    def count(self) -> int:
        """How many samples it holds."""
        return sum(self.buckets.values())

    @property
    def mean(self) -> float:
        """The mean of the samples; 0 of none."""
        return self.total / self.count if self.buckets else 0.0

    def percentile(self, percent: float) -> float:
        """Return what so many percent of the samples do not exceed; 0 of none."""
        wanted = math.ceil(self.count * percent / 100)
        seen = 0
        for bucket, number in sorted(self.buckets.items()):
            seen += number
            if seen >= wanted:
                # The upper end: a recommendation must not be below what was used.
                return min(_upper(bucket), self.largest)
        return self.largest

    def as_stored(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "buckets": {str(bucket): number for bucket, number in self.buckets.items()},
            "total": self.total,
            "largest": self.largest,
        }

    @classmethod
    def from_stored(cls, stored: Mapping[str, object]) -> Histogram:
        """Read what `as_stored` returned."""
        buckets = stored["buckets"]
        if not isinstance(buckets, dict):
            return cls()
        counted: dict[int, int] = {int(bucket): int(number) for bucket, number in buckets.items()}  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # stored by us
        return cls(counted, float(str(stored["total"])), float(str(stored["largest"])))


def _bucket(sample: float) -> int:
    return 0 if sample <= _SMALLEST else max(1, math.ceil(math.log(sample / _SMALLEST) / _LOG - 1e-9))


def _upper(bucket: int) -> float:
    return _SMALLEST * _RATIO**bucket if bucket else 0.0
