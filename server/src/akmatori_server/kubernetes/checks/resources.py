"""Checks of the scanner resource-limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Hit, WorkloadCheck, at
from akmatori_server.kubernetes.quantities import parse_quantity
from akmatori_server.kubernetes.workloads import Workload

# Nothing but zeros before the unit.
_ZERO = re.compile(r"[+-]?0*\.?0*(?:[eE][+-]?[0-9]+|[a-zA-Z]*)")
_UNITS = {"cpu": "CPU", "memory": "memory", "ephemeral-storage": "ephemeral storage"}


def _missing(part: str, resource: str) -> Callable[[Workload, Context], Iterator[Hit]]:
    def find(workload: Workload, context: Context) -> Iterator[Hit]:
        of_pod = workload.pod_limits if part == "limits" else workload.pod_limits | workload.pod_requests
        filled = context.defaults.get(workload.reference.namespace, frozenset())
        if _is_set(of_pod, resource) or f"{part}.{resource}" in filled:
            return
        for container in workload.containers:
            amounts = container.limits if part == "limits" else container.requests
            # A zero that is written is not filled in by anybody, but neither does it reserve or bound anything.
            if container.runs_on and not _is_set(amounts, resource):
                yield at(container, "resources", part, resource, evidence=amounts.get(resource, ""))

    return find


def _above(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        for resource, text in container.requests.items():
            limit = container.limits.get(resource, "")
            request, most = parse_quantity(text), parse_quantity(limit)
            if request is not None and most is not None and request > most:
                evidence = f"{resource}: requests {text}, limits {limit}"[:500]
                yield at(
                    container, "resources", "requests", resource, evidence=evidence, discriminator=resource
                )


def _is_set(amounts: dict[str, str], resource: str) -> bool:
    return not _ZERO.fullmatch(amounts.get(resource, ""))


def _check(id: str, part: str, resource: str, severity: Severity, harm: str) -> WorkloadCheck:  # noqa: A002 - the word for it
    what = f"{_UNITS[resource]} {part.removesuffix('s')}"
    return WorkloadCheck(
        id,
        severity,
        Category.RESOURCE_LIMITS,
        f"No {what}",
        f"The container has no {what}, nor does its pod or a LimitRange of its namespace give it one. {harm}",
        f"Set resources.{part}.{resource}.",
        controls(nist=("SC-6",)),
        _missing(part, resource),
        needs_nearby=frozenset({"LimitRange"}),
    )


_BLIND = "The scheduler places it without knowing what it needs."

CHECKS = (
    _check("no-cpu-request", "requests", "cpu", Severity.MEDIUM, _BLIND),
    _check("no-memory-request", "requests", "memory", Severity.MEDIUM, _BLIND),
    # Whether CPU should be limited at all is disputed: a limit throttles even where CPU is idle.
    _check("no-cpu-limit", "limits", "cpu", Severity.LOW, "It may use all CPU that is free on its node."),
    _check("no-memory-limit", "limits", "memory", Severity.HIGH, "It may use up the memory of its node."),
    _check(
        "no-ephemeral-storage-limit",
        "limits",
        "ephemeral-storage",
        Severity.LOW,
        "Its logs and files may fill the disk of its node, whose pods are then evicted.",
    ),
    WorkloadCheck(
        "request-above-limit",
        Severity.LOW,
        Category.RESOURCE_LIMITS,
        "Request above the limit",
        "The container asks for more than it may use: the API server refuses its pods.",
        "Make the request as large as the limit at most.",
        controls(),
        _above,
    ),
)
"""In the order in which they are listed."""
