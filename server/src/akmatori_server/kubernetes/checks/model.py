"""What a check is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import attrs

from akmatori_sdk._generated.aotanami.models import Category, Framework, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.manifests.nodes import Path
from akmatori_server.kubernetes.workloads import Container, Workload

Controls: TypeAlias = Mapping[Framework, tuple[str, ...]]
"""The controls of frameworks that a check is evidence for; those of CIS by their subject."""


@attrs.frozen
class Hit:
    """One place where a check found something."""

    path: Path = ()
    """From the pod's spec; for checks of whole objects, from the object."""
    container: str = ""
    evidence: str = ""
    """What was read there; never a secret."""
    discriminator: str = ""
    """Tells hits of one check in one container apart, whatever their order: a name, never a position."""


@attrs.frozen
class Check:
    """What every check has: who it is, how bad it is, and what to do."""

    id: str
    severity: Severity
    category: Category
    title: str
    description: str
    remediation: str
    controls: Controls
    needs: frozenset[str] = attrs.field(default=frozenset[str](), kw_only=True)
    """The kinds of other objects that it judges by: without them it would find what is not wrong."""


@attrs.frozen
class WorkloadCheck(Check):
    """A check of pod templates."""

    find: Callable[[Workload, Context], Iterator[Hit]]


@attrs.frozen
class ObjectCheck(Check):
    """A check of objects of other kinds."""

    kinds: frozenset[str]
    find: Callable[[ManifestObject, Context], Iterator[Hit]]


def at(container: Container, *steps: str | int, evidence: str = "", discriminator: str = "") -> Hit:
    """Return the hit at a place in a container."""
    return Hit((*container.at, *steps), container.name, evidence, discriminator)
