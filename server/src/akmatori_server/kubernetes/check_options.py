"""What a command line says of one scan: which checks are made, and what objects are meant for."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

import attrs
import click

from akmatori_sdk._generated.aotanami.models import Category, Framework, Severity
from akmatori_server.kubernetes.api_versions import Release, release_of
from akmatori_server.kubernetes.checks.catalogue import UnknownCheckError, named_checks
from akmatori_server.kubernetes.checks.controls import LATEST_CIS, cis_version_for
from akmatori_server.kubernetes.checks.registries import RegistryError, registry_of
from akmatori_server.kubernetes.pod_security import POD_SECURITY_LATEST
from akmatori_server.kubernetes.scans.exceptions import read_exceptions
from akmatori_server.kubernetes.scans.model import SYSTEM_NAMESPACES, ScanOptions


def scan_options(
    min_severity: str,
    scanners: Sequence[str],
    frameworks: Sequence[str],
    exceptions: Path | None,
    cis: str | None,
    include_system: bool,
) -> ScanOptions:
    """Return the options of a scan of today.

    Raises:
        ExceptionsError: the file of exceptions cannot be used.
    """
    return ScanOptions(
        today=dt.datetime.now(dt.UTC).date(),
        categories=frozenset(map(Category, scanners)) if scanners else frozenset(Category),
        min_severity=Severity(min_severity),
        cis_version=cis or LATEST_CIS,
        system_namespaces=frozenset[str]() if include_system else SYSTEM_NAMESPACES,
        exceptions=() if exceptions is None else read_exceptions(exceptions),
        frameworks=tuple(dict.fromkeys(map(Framework, frameworks))),
    )


def with_checks(
    options: ScanOptions, skipped: Sequence[str], registries: Sequence[str], release: str | None
) -> ScanOptions:
    """Return the options of a scan with what was said of its checks: in options, else in the environment.

    Raises:
        click.BadParameter: a check or a registry does not exist, or the release is none.
    """
    skipped, hint = _said(skipped, "--skip-check", "AKMATORI_SCAN_SKIP")
    try:
        left_out = named_checks(skipped)
    except UnknownCheckError as error:
        raise click.BadParameter(str(error), param_hint=hint) from None
    registries, hint = _said(registries, "--registry", "AKMATORI_SCAN_REGISTRIES")
    try:
        allowed = tuple(dict.fromkeys(map(registry_of, registries)))
    except RegistryError as error:
        raise click.BadParameter(str(error), param_hint=hint) from None
    given = () if release is None else (release,)
    releases, hint = _said(given, "--kubernetes-version", "AKMATORI_SCAN_KUBERNETES_VERSION")
    version = None
    if releases and (version := release_of(releases[0])) is None:
        raise click.BadParameter("It must be a release, such as 1.33.", param_hint=hint)
    return attrs.evolve(options, skipped=left_out, registries=allowed, release=version)


def _said(given: Sequence[str], option: str, variable: str) -> tuple[Sequence[str], str]:
    """Return what an option says, else what its variable does, and where that is."""
    if given:
        return given, option
    parts = [part.strip() for part in os.environ.get(variable, "").split(",")]
    return [part for part in parts if part], variable


def for_release(options: ScanOptions, release: Release | None, *, follow_cis: bool = True) -> ScanOptions:
    """Return the options with the benchmark and the standards of a release; as they are where there is none."""
    if release is None:
        return options
    return attrs.evolve(
        options,
        cis_version=cis_version_for(release) if follow_cis else options.cis_version,
        pod_security=min(release, POD_SECURITY_LATEST),
    )
