"""Better sizes: from what was used, never below what a container needed, never on less than a day."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_sdk._generated.aotanami.models import RecommendationType
from akmatori_server.kubernetes.costs.histogram import Histogram
from akmatori_server.kubernetes.costs.model import MIB, ContainerDemand, Demand, Prices, Resource, Size, Usage
from akmatori_server.kubernetes.costs.quantity_text import cpu_text, memory_text
from akmatori_server.kubernetes.costs.rightsizing import Advice, Strategy, advise
from akmatori_server.kubernetes.quantities import parse_quantity
from akmatori_server.kubernetes.workloads import Reference

WEEK = 7 * 86_400.0
SIZE = Size(cpu_request=1.0, memory_request=1024 * MIB, memory_limit=1024 * MIB)


def usage(cpu: list[float], memory_mib: list[float], *, days: float = 7) -> Usage:
    """A week, or some days, of samples without a gap."""
    return Usage(
        cpu=Histogram.of(cpu),
        memory=Histogram.of([one * MIB for one in memory_mib]),
        observed_seconds=days * 86_400,
        expected_samples=len(cpu),
    )


def advised(
    used: Usage | None,
    *,
    size: Size = SIZE,
    was_killed: bool = False,
    strategy: Strategy = Strategy.MODERATE,
    **demand: object,
) -> Advice | None:
    """Advise on one container of three pods."""
    container = ContainerDemand(name="web", size=size, was_killed=was_killed)
    whole = Demand(
        target="local",
        reference=Reference("Deployment", "shop", "web"),
        pods=3,
        containers=(container,),
        **demand,  # type: ignore[arg-type]
    )
    return advise(whole, container, used, prices=Prices(), strategy=strategy)


def test_what_uses_a_third_is_made_smaller() -> None:
    """Percentile plus room for the CPU, the highest plus room for memory; savings of all pods in money."""
    found = advised(usage([0.3] * 99 + [0.5], [400] * 99 + [500]))
    assert found is not None
    assert found.type is RecommendationType.DOWNSIZE
    assert found.cpu_request == pytest.approx(0.3 * 1.2, rel=0.06)
    assert found.memory_request == pytest.approx(500 * MIB * 1.15, rel=0.01)
    assert found.memory_limit == found.memory_request
    expected = Prices().monthly(1.0, 1024 * MIB) - Prices().monthly(
        found.cpu_request or 0, found.memory_request or 0
    )
    assert found.savings == pytest.approx(3 * expected, rel=0.01)
    assert found.confidence == 100.0


def test_strategies_leave_more_or_less_room() -> None:
    """The careful one asks for most."""
    used = usage([0.1] * 50 + [0.2] * 45 + [0.4] * 5, [300] * 100)
    sizes = [one.cpu_request or 0 for strategy in Strategy if (one := advised(used, strategy=strategy))]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


@pytest.mark.parametrize(
    ("cpu", "memory", "killed", "kind"),
    [
        ([1.5] * 100, [500] * 100, False, RecommendationType.UPSIZE),
        ([0.5] * 100, [1000] * 100, False, RecommendationType.UPSIZE),
        ([0.5] * 100, [600] * 100, True, RecommendationType.UPSIZE),
        ([0.01] * 100, [20] * 100, False, RecommendationType.IDLE),
        ([0.2] * 100, [880] * 100, False, RecommendationType.DOWNSIZE),
        ([0.8] * 100, [880] * 100, False, None),
    ],
)
def test_each_kind(
    cpu: list[float], memory: list[float], killed: bool, kind: RecommendationType | None
) -> None:
    """More where it is short, less where it wastes, nothing where it fits."""
    found = advised(usage(cpu, memory), was_killed=killed)
    assert (found.type if found else None) is kind


def test_one_that_was_killed_for_its_memory_never_gets_less() -> None:
    """What it used is what it was allowed to."""
    found = advised(usage([0.1] * 100, [200] * 100), was_killed=True)
    assert found is not None
    assert (found.memory_request or 0) >= 1024 * MIB * 1.25


def test_what_an_autoscaler_drives_is_left_alone() -> None:
    """A HorizontalPodAutoscaler by CPU: the memory may change, the CPU not; one that sizes pods: nothing."""
    used = usage([0.1] * 100, [200] * 100)
    by_cpu = advised(used, scaled_by=frozenset({Resource.CPU}))
    assert by_cpu is not None
    assert (by_cpu.cpu_request, by_cpu.memory_request is None) == (None, False)
    assert advised(used, scaled_by=frozenset(Resource)) is None
    assert advised(used, is_sized=True) is None


@pytest.mark.parametrize("used", [None, usage([0.1] * 100, [200] * 100, days=0.9)])
def test_less_than_a_day_says_only_what_is_missing(used: Usage | None) -> None:
    """No number rests on a guess."""
    assert advised(used) is None
    found = advised(used, size=Size(cpu_request=1.0))
    assert found is not None
    assert found.type is RecommendationType.MISSING_LIMITS
    assert (found.cpu_request, found.memory_request, found.savings) == (None, None, None)
    assert "memory request and a memory limit" in found.message


def test_confidence_is_that_of_the_data() -> None:
    """Half a week, half of its samples."""
    half = attrs.evolve(usage([0.1] * 100, [200] * 100, days=3.5), expected_samples=200)
    found = advised(half)
    assert found is not None
    assert found.confidence == 25.0


def test_a_limit_is_never_below_the_request() -> None:
    """A CPU limit that the new request would reach grows with it."""
    found = advised(usage([1.9] * 100, [900] * 100), size=attrs.evolve(SIZE, cpu_limit=2.0))
    assert found is not None
    assert (found.cpu_limit or 0) > (found.cpu_request or 0)


# On a machine that is busy, drawing examples alone takes longer than it likes.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=200), st.floats(1, 100))
def test_a_percentile_is_never_below_the_true_one_nor_far_above(samples: list[float], percent: float) -> None:
    """Five percent wide buckets, and what a sum of histograms says is what one of all would."""
    import math

    ordered = sorted(samples)
    true = ordered[math.ceil(len(ordered) * percent / 100) - 1]
    found = Histogram.of(samples).percentile(percent)
    assert true * 0.9999 - 1e-4 <= found <= true * 1.0501 + 1e-4
    half = len(samples) // 2
    joined = Histogram.of(samples[:half]) + Histogram.of(samples[half:])
    assert joined.percentile(percent) == found
    assert Histogram.from_stored(joined.as_stored()).percentile(percent) == found


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0.001, 500), st.floats(1, 1e13))
def test_quantities_are_written_so_that_they_mean_no_less(cores: float, size: float) -> None:
    """Rounded up, never by a quarter."""
    written, memory = parse_quantity(cpu_text(cores)), parse_quantity(memory_text(size))
    assert written is not None
    assert memory is not None
    assert cores <= float(written) + 1e-8
    assert float(written) <= cores * 1.25 + 0.001
    assert size <= float(memory) + 2
    assert float(memory) <= size * 1.26 + MIB
