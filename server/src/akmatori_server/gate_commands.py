"""The commands `akmatori-server gate …`: asking the command gate about a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from akmatori_server.command_gate import Verdict

# Of the process when a line is refused.
REFUSED = 1


@click.group()
def gate() -> None:
    """Ask which command lines only read, and so run over SSH without anybody's approval."""


@gate.command("explain")
@click.argument("line", required=False)
@click.option(
    "-f",
    "--file",
    type=click.File(encoding="utf-8"),
    help="Judge every line of this file in place of LINE; - is the standard input. Empty lines are left out.",
)
def explain(line: str | None, file: TextIO | None) -> None:
    """Print whether LINE may run, argument by argument, or why not. LINE may be -, for lines on the standard input.

    The exit code is 0 when all is allowed and 1 when a line is refused. Nothing is run.
    """
    from akmatori_server.command_gate import judge

    if (line is None) == (file is None):
        raise click.UsageError("Give one line, or a file of lines with --file.")
    if file is not None:
        refused = not _each_allowed(file)
    elif line == "-":
        with click.open_file("-", encoding="utf-8") as given:
            refused = not _each_allowed(given)
    else:
        verdict = judge(line or "")
        _print_whole(verdict)
        refused = not verdict.allowed
    if refused:
        raise click.exceptions.Exit(REFUSED)


def _each_allowed(lines: Iterable[str]) -> bool:
    from akmatori_server.command_gate import judge

    everything = True
    try:
        for raw in lines:
            line = raw.rstrip("\r\n")
            if not line.strip():
                continue
            verdict = judge(line)
            everything = everything and verdict.allowed
            click.echo(f"allowed\t{line}" if verdict.allowed else f"refused\t{line}\t{verdict.sentence}")
    except UnicodeDecodeError:
        raise click.ClickException("The lines are not UTF-8.") from None
    return everything


def _print_whole(verdict: Verdict) -> None:
    from akmatori_server.command_gate.rendering import render

    if not verdict.allowed:
        click.echo(f"Refused: {verdict.sentence}")
        return
    click.echo("Allowed: it only reads. These programs would run:")
    for command in verdict.pipeline:
        joint = f"{command.joint} " if command.joint else ""
        click.echo(f"  {joint}{list(command.argv)}{''.join(f' {one}' for one in command.redirections)}")
    click.echo(f"As the host's shell gets it: {render(verdict.pipeline)}")
