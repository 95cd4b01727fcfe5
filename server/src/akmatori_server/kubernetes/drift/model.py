"""Differences as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from akmatori_sdk._generated.aotanami.models import DriftOperation, DriftType, Severity
from akmatori_server.kubernetes.manifests import ManifestObject, Node

Place: TypeAlias = tuple[str, ...]
"""A field: names of members, and of list items `[name=web]`, or `[2]` where items have no key."""


class Scope(enum.StrEnum):
    """Whether a kind lives in namespaces."""

    NAMESPACED = "namespaced"
    CLUSTER = "cluster"


@attrs.frozen(order=True)
class Identity:
    """What makes two objects the same thing; the version is no part of it."""

    group: str
    kind: str
    namespace: str
    name: str


@attrs.frozen(kw_only=True)
class Change:
    """One field that is not as it should be. A value is None where there is none."""

    place: Place
    operation: DriftOperation
    desired: Node | None
    live: Node | None


@attrs.frozen(kw_only=True)
class Drift:
    """One difference of one object, ready to be shown: values are JSON text, secrets masked."""

    identity: Identity
    api_version: str
    type: DriftType
    severity: Severity
    message: str
    field: str = ""
    operation: DriftOperation | None = None
    desired_value: str | None = None
    live_value: str | None = None
    manager: str = ""
    source_file: str = ""
    source_line: int | None = None
    is_redacted: bool = False


@attrs.frozen(kw_only=True)
class Comparison:
    """What came of comparing a desired state with a live one."""

    drifts: tuple[Drift, ...]
    # Namespace to how many objects the desired state has there, and how many live ones it does not have.
    managed: Mapping[str, int]
    unmanaged: Mapping[str, int]
    skipped: Mapping[str, frozenset[str]] = attrs.field(factory=dict[str, frozenset[str]])
    """Namespace to the kinds of desired objects that could not be compared."""


@attrs.frozen(kw_only=True)
class Pair:
    """An object as it should be and as it is."""

    desired: ManifestObject
    live: ManifestObject
