"""The command line `akmatori-server`. Every command is imported when it is asked for: some need much."""

from __future__ import annotations

import click

from akmatori_server.lazy_commands import LazyCommand, LazyGroup


class _Commands(LazyGroup):
    lazy = {
        "demo": LazyCommand(
            "akmatori_server.serve_commands",
            "demo",
            "Start a server on its own, deliver an alert, and show the investigation.",
        ),
        "gate": LazyCommand(
            "akmatori_server.gate_commands",
            "gate",
            "Ask which command lines only read, and so run over SSH without anybody's approval.",
        ),
        "keys": LazyCommand("akmatori_server.key_commands", "keys", "Manage API keys."),
        "rules": LazyCommand(
            "akmatori_server.rules_commands",
            "rules",
            "Test and show correlation rules: which alerts become one incident.",
        ),
        "runbooks": LazyCommand(
            "akmatori_server.runbook_commands",
            "runbooks",
            "Check runbooks: the probes in their front matter.",
        ),
        "secrets": LazyCommand(
            "akmatori_server.secrets_commands",
            "secrets",
            "Manage the key that encrypts stored secrets.",
        ),
        "serve": LazyCommand("akmatori_server.serve_commands", "serve", "Run the server."),
        "worker": LazyCommand(
            "akmatori_server.serve_commands",
            "worker",
            "Run investigations and scheduled jobs, and serve nothing. Needs PostgreSQL.",
        ),
    }


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="akmatori-server")
def main() -> None:
    """Akmatori: alert webhooks in, an investigation with your runbooks, a report out.

    Settings are read from the environment (ADMIN_PASSWORD, DATABASE_URL, HTTP_PORT, …, each also with the
    prefix AKMATORI_); options win.
    """
