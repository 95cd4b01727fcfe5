"""What a check is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import attrs

from akmatori_sdk._generated.aotanami.models import Category, Framework, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.links import Sightings
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.manifests.nodes import Path
from akmatori_server.kubernetes.workloads import Container, Reference, Workload

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
    severity: Severity | None = None
    """Where it is less bad than its check says."""
    remediation: str = ""
    """Where what its check says does not fit."""


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
    needs_nearby: frozenset[str] = attrs.field(default=frozenset[str](), kw_only=True)
    """The same for those of which the objects in the namespace of what is judged are enough."""
    in_system: bool = attrs.field(default=True, kw_only=True)
    """Whether what belongs to Kubernetes itself is looked at, where its scanner looks at that at all."""
    manifests_only: bool = attrs.field(default=False, kw_only=True)
    """Whether it says something about files alone: what is in a live cluster is right to be there."""


@attrs.frozen
class WorkloadCheck(Check):
    """A check of pod templates."""

    find: Callable[[Workload, Context], Iterator[Hit]]


@attrs.frozen
class KindsCheck(Check):
    """What checks of objects of some kinds have."""

    kinds: frozenset[str]


@attrs.frozen
class ObjectCheck(KindsCheck):
    """A check of objects of other kinds."""

    find: Callable[[ManifestObject, Context], Iterator[Hit]]


@attrs.frozen
class NamesCheck(KindsCheck):
    """A check of what objects say of themselves, workloads among them: their version and annotations."""

    find: Callable[[Reference, Mapping[str, str], Context], Iterator[Hit]]


@attrs.frozen
class Question:
    """A place that is wrong or right: it depends on what is met."""

    hit: Hit
    answer: Callable[[Sightings], Hit | None]
    """Return the hit where the place is wrong. Called once everything was seen."""
    is_settled: Callable[[Sightings], bool] = lambda _: False
    """Whether the place is right already, whatever is seen after."""


@attrs.frozen
class EndCheck(KindsCheck):
    """A check of objects that is decided when everything was seen: it is about what is not there."""

    ask: Callable[[ManifestObject, Context], Iterator[Question]]


def at(container: Container, *steps: str | int, evidence: str = "", discriminator: str = "") -> Hit:
    """Return the hit at a place in a container."""
    return Hit((*container.at, *steps), container.name, evidence, discriminator)
