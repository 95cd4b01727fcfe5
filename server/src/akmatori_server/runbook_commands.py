"""The commands `akmatori-server runbooks …`: checking what runbooks declare, before a server has them."""

from __future__ import annotations

from pathlib import Path

import click

LARGEST_FILE = 4 * 1024 * 1024


@click.group()
def runbooks() -> None:
    """Check runbooks: the probes in their front matter."""


@runbooks.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check the front matter of runbooks, or of skills' SKILL.md.

    Ends with 0 when all of it can be used, and with 1 when something cannot; each complaint is a line.
    """
    has_failed = False
    for file in files:
        faults, told = _checked(file)
        for fault in faults:
            click.echo(f"{file}: {fault}", err=True)
        if not faults:
            click.echo(f"{file}: {told}")
        has_failed = has_failed or bool(faults)
    if has_failed:
        raise click.exceptions.Exit(1)


def _checked(file: Path) -> tuple[list[str], str]:
    """Return all that is wrong with a file, or what it declares."""
    # The libraries that read probes take a moment to import, and most commands never use them.
    from akmatori_server.investigation.rules.counting import counted
    from akmatori_server.investigation.rules.steps import extract_steps
    from akmatori_server.runbooks.declared import faults_of
    from akmatori_server.runbooks.front_matter import probes_with_faults, split, without_heading
    from akmatori_server.tools.builtin import builtin_types

    try:
        content = without_heading(_read(file))
    except (OSError, ValueError) as error:
        return [f"cannot be read: {getattr(error, 'strerror', None) or error}."], ""
    probes, complaints = probes_with_faults(content)
    faults = [*complaints, *faults_of(probes, {one.name: one.functions for one in builtin_types()})]
    steps = len(extract_steps(split(content).body))
    for probe in () if file.name == "SKILL.md" else probes:
        beyond = [str(number) for number in probe.answers if number > steps]
        if beyond:
            there = f"there is no step {', '.join(beyond)}; the runbook has {steps}."
            faults.append(f"probe {probe.name}: answers: {there}")
    if not probes:
        return faults, "no probes."
    return faults, f"{counted(len(probes), 'probe')}: {', '.join(probe.name for probe in probes)}."


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        raw = opened.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise ValueError(f"it has more than {LARGEST_FILE} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
