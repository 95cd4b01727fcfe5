"""From analysis to what the API answers. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami.models import (
    NamespaceCost,
    ObservedUsage,
    Recommendation,
    RecommendationType,
    ResourcePatch,
    ResourceQuantity,
    ResourceRef,
    ResourceTotals,
    WorkloadCost,
)
from akmatori_server.kubernetes.costs.idle import Idle
from akmatori_server.kubernetes.costs.model import MIB, Demand, Usage
from akmatori_server.kubernetes.costs.quantity_text import cpu_text, memory_text
from akmatori_server.kubernetes.costs.rightsizing import Advice
from akmatori_server.kubernetes.workloads import Reference

# Where the pod template of each kind is.
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
_USUAL_TEMPLATE = ("spec", "template")
Writer: TypeAlias = Callable[[float], str]


def resource_ref(reference: Reference) -> ResourceRef:
    """Return an object as the API names it."""
    return ResourceRef(
        kind=reference.kind,
        name=reference.name,
        namespace=reference.namespace or UNSET,
        api_version=reference.api_version or UNSET,
    )


def totals(demands: Iterable[tuple[Demand, Sequence[Usage | None]]]) -> ResourceTotals:
    """Add up what workloads ask for and use; what is used is left out where nothing was measured."""
    cpu = memory = used_cpu = used_memory = 0.0
    is_measured = False
    for demand, usages in demands:
        for container, usage in zip(demand.containers, usages, strict=True):
            cpu += container.size.cpu_request * demand.pods
            memory += container.size.memory_request * demand.pods
            if usage is not None:
                is_measured = True
                used_cpu += usage.cpu.mean * demand.pods
                used_memory += usage.memory.mean * demand.pods
    return ResourceTotals(
        cpu_request_millicores=round(cpu * 1000),
        cpu_usage_millicores=round(used_cpu * 1000) if is_measured else UNSET,
        memory_request_mi_b=round(memory / MIB),
        memory_usage_mi_b=round(used_memory / MIB) if is_measured else UNSET,
    )


def namespace_cost(
    namespace: str, cost: float, demands: Iterable[tuple[Demand, Sequence[Usage | None]]]
) -> NamespaceCost:
    """Return what a namespace costs in a month."""
    return NamespaceCost(namespace=namespace, estimated_monthly_cost=money(cost), totals=totals(demands))


def workload_cost(demand: Demand, cost: float, usages: Sequence[Usage | None]) -> WorkloadCost:
    """Return what a workload costs in a month."""
    return WorkloadCost(
        resource=resource_ref(demand.reference),
        estimated_monthly_cost=money(cost),
        replicas=demand.pods,
        totals=totals([(demand, usages)]),
    )


def recommendation(advice: Advice, now: datetime) -> Recommendation:
    """Return a better size with the patch that gives it."""
    size, usage = advice.container.size, advice.usage
    return Recommendation(
        id=_identifier(*advice.demand.key, advice.container.name, advice.type),
        type=advice.type,
        resource=resource_ref(advice.demand.reference),
        container_name=advice.container.name,
        current_cpu=_quantity(size.cpu_request, size.cpu_limit, cpu_text),
        current_memory=_quantity(size.memory_request, size.memory_limit, memory_text),
        recommended_cpu=_advised(advice.cpu_request, advice.cpu_limit, cpu_text),
        recommended_memory=_advised(advice.memory_request, advice.memory_limit, memory_text),
        estimated_savings_pct=UNSET if advice.savings_percent is None else round(advice.savings_percent, 1),
        estimated_monthly_savings=UNSET if advice.savings is None else money(advice.savings),
        confidence=advice.confidence,
        observation_period_seconds=UNSET if usage is None else round(usage.observed_seconds),
        generated_at=now,
        message=advice.message,
        usage=UNSET if usage is None else _observed(usage),
        severity=advice.severity,
        hpa=bool(advice.demand.scaled_by),
        patch=_patch(advice),
    )


def idle_recommendation(idle: Idle, savings: float, now: datetime) -> Recommendation:
    """Return that something serves nobody: there is no better size to tell, and no single container."""
    return Recommendation(
        id=_identifier(*idle.key, "", RecommendationType.IDLE),
        type=RecommendationType.IDLE,
        resource=resource_ref(idle.reference),
        container_name="",
        estimated_savings_pct=100.0 if savings else UNSET,
        estimated_monthly_savings=money(savings) if savings else UNSET,
        confidence=100.0,
        generated_at=now,
        message=idle.message,
        severity=idle.severity,
    )


def _identifier(*parts: str) -> str:
    """Return what a recommendation is known by: the same while it is about the same."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def money(amount: float) -> float:
    """Round US dollars to cents."""
    return round(amount, 2)


def _observed(usage: Usage) -> ObservedUsage:
    return ObservedUsage(
        cpu_avg=round(usage.cpu.mean * 1000, 1),
        cpu_p95=round(usage.cpu.percentile(95) * 1000, 1),
        cpu_max=round(usage.cpu.largest * 1000, 1),
        memory_avg=round(usage.memory.mean / MIB, 1),
        memory_p95=round(usage.memory.percentile(95) / MIB, 1),
        memory_max=round(usage.memory.largest / MIB, 1),
        samples=usage.cpu.count,
    )


def _quantity(request: float, limit: float, text: Writer) -> ResourceQuantity:
    return ResourceQuantity(
        request=text(request) if request else UNSET, limit=text(limit) if limit else UNSET
    )


def _advised(request: float | None, limit: float | None, text: Writer) -> ResourceQuantity | Unset:
    if request is None and limit is None:
        return UNSET
    return _quantity(request or 0.0, limit or 0.0, text)


def _patch(advice: Advice) -> ResourcePatch | Unset:
    """Return a strategic merge patch of the object that makes the pods."""
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    if advice.cpu_request is not None:
        requests["cpu"] = cpu_text(advice.cpu_request)
    if advice.memory_request is not None:
        requests["memory"] = memory_text(advice.memory_request)
    if advice.cpu_limit is not None:
        limits["cpu"] = cpu_text(advice.cpu_limit)
    if advice.memory_limit is not None:
        limits["memory"] = memory_text(advice.memory_limit)
    sizes = {name: values for name, values in (("requests", requests), ("limits", limits)) if values}
    if not sizes:
        return UNSET
    patch: dict[str, object] = {"spec": {"containers": [{"name": advice.container.name, "resources": sizes}]}}
    for step in reversed(_TEMPLATES.get(advice.demand.reference.kind, _USUAL_TEMPLATE)):
        patch = {step: patch}
    return ResourcePatch(extra=patch)
