"""The commands `akmatori-server gate …`: asking the command gate about a line."""

from __future__ import annotations

import click

# Of the process when the line is refused.
REFUSED = 1


@click.group()
def gate() -> None:
    """Ask which command lines only read, and so run over SSH without anybody's approval."""


@gate.command("explain")
@click.argument("line")
def explain(line: str) -> None:
    """Print whether LINE may run, argument by argument, or why not.

    The exit code is 0 for a line that is allowed and 1 for one that is refused. Nothing is run.
    """
    from akmatori_server.command_gate import judge
    from akmatori_server.command_gate.rendering import render

    verdict = judge(line)
    if not verdict.allowed:
        click.echo(f"Refused: {verdict.sentence}")
        raise click.exceptions.Exit(REFUSED)
    click.echo("Allowed: it only reads. These programs would run:")
    for command in verdict.pipeline:
        joint = f"{command.joint} " if command.joint else ""
        click.echo(f"  {joint}{list(command.argv)}{''.join(f' {one}' for one in command.redirections)}")
    click.echo(f"As the host's shell gets it: {render(verdict.pipeline)}")
