"""Checks of the version of the API that an object is written in, for the release of Kubernetes that it is meant for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.api_versions import OLD_KINDS, OLD_VERSIONS, OldVersion, Release
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, Hit, NamesCheck
from akmatori_server.kubernetes.workloads import Reference

# An API server shows every object in the version it is asked for; kubectl notes what was applied.
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_VERSION = re.compile(r'\s*\{\s*"apiVersion"\s*:\s*"([a-z0-9./-]{1,100})"')


def _old(
    test: Callable[[OldVersion, Release], bool], *, unless_known: Severity | None = None
) -> Callable[[Reference, Mapping[str, str], Context], Iterator[Hit]]:
    def find(reference: Reference, annotations: Mapping[str, str], context: Context) -> Iterator[Hit]:
        severity = None if context.release_is_known else unless_known
        applied = _VERSION.match(annotations.get(_APPLIED, ""))
        written = {reference.api_version: ""}
        if applied is not None:
            written.setdefault(applied[1], " was applied")
        for version, how in written.items():
            old = OLD_VERSIONS.get((version, reference.kind))
            if old is not None and test(old, context.release):
                evidence = _evidence(version + how, old)
                yield Hit(("apiVersion",), evidence=evidence, discriminator=version, severity=severity)

    return find


def _evidence(version: str, old: OldVersion) -> str:
    instead = f"use {old.replacement}" if old.replacement else "nothing took its place"
    return f"{version}: not served from {old.removed[0]}.{old.removed[1]} on, {instead}"


CHECKS: tuple[Check, ...] = (
    NamesCheck(
        "removed-api",
        Severity.HIGH,
        Category.POD_SECURITY,
        "Version of an API that is gone",
        "The release of Kubernetes that this is for does not serve the version any more: it cannot be applied.",
        "Write it in the version that took its place.",
        controls(),
        OLD_KINDS,
        # Of the release that is only supposed nobody knows whether it is applied there.
        _old(lambda old, release: old.removed <= release, unless_known=Severity.LOW),
        in_system=False,
    ),
    NamesCheck(
        "deprecated-api",
        Severity.LOW,
        Category.POD_SECURITY,
        "Version of an API that will be gone",
        "A later release of Kubernetes does not serve the version; the one that takes its place is there already.",
        "Write it in the version that takes its place, before the update.",
        controls(),
        OLD_KINDS,
        _old(lambda old, release: old.since <= release < old.removed),
        in_system=False,
    ),
)
"""In the order in which they are listed."""
