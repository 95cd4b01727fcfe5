"""A group of commands, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import attrs
import click


@attrs.frozen
class LazyCommand:
    """Where a command is, and its line in the list of commands, for which nothing is imported."""

    module: str
    attribute: str
    line: str

    def load(self) -> click.Command:
        """Import the command."""
        return cast("click.Command", getattr(import_module(self.module), self.attribute))


class LazyGroup(click.Group):
    """A group whose `--help` and `--version` wait for no library that one of its commands needs."""

    lazy: Mapping[str, LazyCommand] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        del ctx
        return sorted(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of a name."""
        del ctx
        found = self.lazy.get(cmd_name)
        return None if found is None else found.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.lazy[name].line) for name in self.list_commands(ctx)])
