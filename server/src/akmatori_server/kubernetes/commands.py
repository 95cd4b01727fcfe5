"""The command line `aotanami-server`: scanning manifests, without a server, a database or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult

# Of the process when nothing could be checked; 1 is for findings.
UNUSABLE = 2
_SEVERITIES = ("critical", "high", "medium", "low", "info")
_SCANNERS = (
    "container-security-context",
    "resource-limits",
    "image-vulnerability",
    "pod-security",
    "privilege-escalation",
    "secrets-exposure",
    "network-policy",
    "rbac-audit",
)


class _UnusableError(click.ClickException):
    exit_code = UNUSABLE


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="akmatori-server")
def main() -> None:
    """Aotanami: what is wrong in your Kubernetes manifests, and what to do about it."""


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "sarif"]),
    default="table",
    show_default=True,
    help="How the findings are written.",
)
@click.option(
    "--fail-on",
    type=click.Choice([*_SEVERITIES[:-1], "none"]),
    default="high",
    show_default=True,
    help="End with 1 when a finding is this bad, or worse.",
)
@click.option(
    "--min-severity", type=click.Choice(_SEVERITIES), default="info", help="Leave out what is less bad."
)
@click.option(
    "--scanner",
    "scanners",
    type=click.Choice(_SCANNERS),
    multiple=True,
    help="Run this one only; repeatable.",
)
@click.option(
    "--exceptions", type=click.Path(path_type=Path, dir_okay=False), help="A YAML file of accepted findings."
)
@click.option(
    "--cis",
    type=click.Choice(["1.8", "1.9", "1.10", "1.11", "1.12"]),
    default="1.12",
    show_default=True,
    help="The version of the CIS benchmark that controls are numbered by.",
)
@click.option("--include-system", is_flag=True, help="Check network and rights in the kube-… namespaces too.")
def scan(
    paths: tuple[Path, ...],
    output: Literal["table", "json", "sarif"],
    fail_on: str,
    min_severity: str,
    scanners: tuple[str, ...],
    exceptions: Path | None,
    cis: str,
    include_system: bool,
) -> None:
    """Check the manifests in PATHS: files, and folders with all .yaml, .yml and .json files below them.

    Ends with 0 when no finding is as bad as --fail-on, 1 when one is, and 2 when nothing could be checked. What cannot
    be read is told on the standard error.
    """
    # The models take a moment to import; asking for help should not.
    from akmatori_sdk._generated.aotanami.models import Severity
    from akmatori_server.kubernetes.scans.scan import failing, scan_folders

    result = scan_folders(paths, _options(min_severity, scanners, exceptions, cis, include_system))
    _write(result, output, cis)
    for problem in result.problems:
        click.echo(_one_line(f"{problem.kind.value}: {problem}"), err=True)
    if result.objects == 0:
        raise _UnusableError("No Kubernetes object could be read, so nothing was checked.")
    if fail_on != "none" and any(failing(result.findings, Severity(fail_on))):
        raise click.exceptions.Exit(1)


def _options(
    min_severity: str, scanners: tuple[str, ...], exceptions: Path | None, cis: str, include_system: bool
) -> ScanOptions:
    import datetime as dt

    from akmatori_sdk._generated.aotanami.models import Category, Severity
    from akmatori_server.kubernetes.scans.exceptions import ExceptionsError, read_exceptions
    from akmatori_server.kubernetes.scans.model import SYSTEM_NAMESPACES, ScanOptions

    try:
        accepted = () if exceptions is None else read_exceptions(exceptions)
    except ExceptionsError as error:
        raise _UnusableError(str(error)) from None
    return ScanOptions(
        today=dt.datetime.now(dt.UTC).date(),
        categories=frozenset(map(Category, scanners)) if scanners else frozenset(Category),
        min_severity=Severity(min_severity),
        cis_version=cis,
        system_namespaces=frozenset[str]() if include_system else SYSTEM_NAMESPACES,
        exceptions=accepted,
    )


def _write(result: ScanResult, output: Literal["table", "json", "sarif"], cis: str) -> None:
    if output == "table":
        from rich.console import Console

        from akmatori_server.kubernetes.scans.table import print_table

        # Lines of a pipe are not cut to the width of a terminal that is not there.
        console = Console(highlight=False)
        print_table(result, console if console.is_terminal else Console(highlight=False, width=200))
        return
    import json
    from importlib.metadata import version

    if output == "sarif":
        from akmatori_server.kubernetes.scans.sarif import to_sarif

        log: object = to_sarif(result, version=version("akmatori-server"), cis_version=cis)
    else:
        from akmatori_server.kubernetes.scans.wire import to_json

        log = to_json(result)
    click.echo(json.dumps(log, indent=2))


def _one_line(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
