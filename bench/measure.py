"""Interleaved rounds and medians: what keeps a ratio honest on a machine that other programs share."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping

import attrs
from rich.console import Console
from rich.table import Table


@attrs.frozen
class Result:
    """CPU seconds a call, one entry per round, for each contestant."""

    rounds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """Median CPU microseconds of one call."""
        return statistics.median(self.rounds[name]) * 1e6

    def ratio(self, name: str, base: str) -> float:
        """Median of the per-round ratios: a slow round slows both sides."""
        pairs = zip(self.rounds[name], self.rounds[base], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def interleaved(
    contestants: Mapping[str, Callable[[], object]],
    *,
    calls: int,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> Result:
    """Time `calls` calls of each contestant per round, in a new random order every round, after one warm-up."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for contestant in contestants.values():
        contestant()
    for _ in range(rounds):
        for name in random.sample(list(contestants), len(contestants)):
            contestant = contestants[name]
            begin = clock()
            for _ in range(calls):
                contestant()
            taken[name].append((clock() - begin) / calls)
    return Result(taken)


def show(title: str, result: Result, *bases: str) -> None:
    """Print a table: median CPU of a call, and its ratio to each base."""
    table = Table(title=title, title_justify="left")
    table.add_column("contestant")
    table.add_column("CPU µs a call", justify="right")
    for base in bases:
        table.add_column(f"÷ {base}", justify="right")
    for name in result.rounds:
        table.add_row(
            name, f"{result.median(name):.0f}", *(f"{result.ratio(name, base):.2f}" for base in bases)
        )
    Console().print(table)
