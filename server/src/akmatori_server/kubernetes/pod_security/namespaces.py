"""What a namespace asks of its pods, by its labels."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from akmatori_server.kubernetes.pod_security.model import Level, PodSecurityVersion, parse_version

PREFIX = "pod-security.kubernetes.io/"
_LEVELS = {level.label: level for level in Level}


@attrs.frozen
class Enforcement:
    """What is refused in a namespace; None for the level where no label says it."""

    level: Level | None
    version: PodSecurityVersion
    complaints: tuple[str, ...] = ()
    """Sentences on labels that mean nothing; Kubernetes takes them for `restricted`, or the newest version."""


def read_enforcement(labels: Mapping[str, str], mode: str = "enforce") -> Enforcement:
    """Return what the labels of a namespace say for `enforce`, `audit` or `warn`."""
    written = labels.get(PREFIX + mode)
    pinned = labels.get(f"{PREFIX}{mode}-version", "")
    version = parse_version(pinned)
    complaints: list[str] = []
    if version is None:
        complaints.append(f"The label {PREFIX}{mode}-version is no version such as v1.32: {pinned[:60]}.")
    level = None
    if written is not None:
        level = _LEVELS.get(written)
        if level is None:
            complaints.append(f"The label {PREFIX}{mode} is no level: {written[:60]}.")
            level = Level.RESTRICTED
    newest = parse_version("latest")
    assert newest is not None  # noqa: S101 - the newest version is always known
    return Enforcement(level, version or newest, tuple(complaints))
