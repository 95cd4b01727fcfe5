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
        told, is_good = _checked(file)
        click.echo(f"{file}: {told}", err=not is_good)
        has_failed = has_failed or not is_good
    if has_failed:
        raise click.exceptions.Exit(1)


def _checked(file: Path) -> tuple[str, bool]:
    # The libraries that read probes take a moment to import, and most commands never use them.
    from akmatori_server.investigation.rules.steps import extract_steps
    from akmatori_server.runbooks.front_matter import FrontMatterError, probes_of, split, without_heading

    try:
        content = without_heading(_read(file))
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}.", False
    try:
        probes = probes_of(content)
    except FrontMatterError as error:
        return str(error), False
    parts = split(content)
    steps = len(extract_steps(parts.body))
    for probe in probes:
        beyond = [number for number in probe.answers if number > steps]
        if beyond and file.name != "SKILL.md":
            return (
                f"probe {probe.name}: answers: there is no step {beyond[0]}; the runbook has {steps}.",
                False,
            )
    if not probes:
        return "no probes.", True
    return f"{len(probes)} probes: {', '.join(probe.name for probe in probes)}.", True


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        raw = opened.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise ValueError(f"it has more than {LARGEST_FILE} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
