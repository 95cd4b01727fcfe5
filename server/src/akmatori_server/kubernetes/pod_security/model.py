"""Levels, versions, controls and verdicts."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import attrs

from akmatori_server.kubernetes.manifests.nodes import Path
from akmatori_server.kubernetes.workloads import Workload

PodSecurityVersion: TypeAlias = tuple[int, int]
"""The two numbers of a version of Kubernetes."""

POD_SECURITY_LATEST: PodSecurityVersion = (1, 37)
"""The newest version whose rules are known here."""
_VERSION = re.compile(r"v(\d{1,2})\.(\d{1,4})")


class Level(enum.IntEnum):
    """How much a pod is held back; every level asks for what the one below asks."""

    PRIVILEGED = 0
    BASELINE = 1
    RESTRICTED = 2

    @property
    def label(self) -> str:
        """Its name in labels of namespaces."""
        return self.name.lower()


@attrs.frozen
class Violation:
    """A place where a pod does not meet a control."""

    control: str
    level: Level
    path: Path
    """From the pod's spec."""
    detail: str
    container: str = ""


@attrs.frozen
class Control:
    """A control, with its rules: from the version on, up to the next."""

    id: str
    """As the admission plugin of Kubernetes calls it."""
    level: Level
    title: str
    rules: tuple[tuple[PodSecurityVersion, Callable[[Workload], Iterator[Violation]]], ...]
    replaces: str = ""
    """The control of the lower level that this one covers as well."""

    def rule(self, version: PodSecurityVersion) -> Callable[[Workload], Iterator[Violation]] | None:
        """Return the rule of a version; None for a version that does not have the control yet."""
        found = [rule for since, rule in self.rules if since <= version]
        return found[-1] if found else None


@attrs.frozen
class Verdict:
    """The strictest level that a pod meets, and what keeps it from the others."""

    level: Level
    violations: tuple[Violation, ...]
    version: PodSecurityVersion


def parse_version(text: str) -> PodSecurityVersion | None:
    """Return the version that a label names; None for what is none. `latest` is the newest known here."""
    if text in ("", "latest"):
        return POD_SECURITY_LATEST
    found = _VERSION.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None
