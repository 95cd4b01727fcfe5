"""The commands `akmatori-server keys …`: making, listing and revoking API keys."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

import click
import sqlalchemy as sa

from akmatori_server import command_options
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.auth.keys import ApiKey
from akmatori_server.config import Options, load_settings
from akmatori_server.http.call import Scope
from akmatori_server.installation import Installation, open_installation, require_installation
from akmatori_server.logs import configure_logs
from akmatori_server.process import sentences


@click.group()
def keys() -> None:
    """Manage API keys."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.WRITE.value,
    show_default=True,
    help="What the key may do; each includes the ones before it.",
)
@command_options.data_dir
@command_options.database_url
def create_key(name: str, scope: str, data_dir: Path | None, database_url: str | None) -> None:
    """Make an API key and print it. It is shown this once."""
    with sentences(), _installation(data_dir, database_url, make=True) as site:

        def record(connection: sa.Connection, key: ApiKey) -> None:
            _trail(site).record(
                connection, None, Action.API_KEY_CREATED, f"api_key:{key.id}", None, _recorded(key)
            )

        created = site.auth.create_key(name, Scope(scope), record=record)
        click.echo(f"For the server with the data directory {site.settings.data_dir}.", err=True)
        click.echo("Keep the key safe; it cannot be shown again.", err=True)
        click.echo(created.text)


@keys.command("list")
@command_options.data_dir
@command_options.database_url
def list_keys(data_dir: Path | None, database_url: str | None) -> None:
    """List the API keys in use."""
    with sentences(), _installation(data_dir, database_url, make=False) as site:
        for key in site.auth.keys.all():
            used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}Z"
            click.echo(f"{key.name}\t{key.scope}\t{key.hint}\tcreated {key.created_at:%Y-%m-%d}\tused {used}")


@keys.command("revoke")
@click.argument("name")
@command_options.data_dir
@command_options.database_url
def revoke_key(name: str, data_dir: Path | None, database_url: str | None) -> None:
    """Revoke an API key. A running server refuses it after 5 seconds at most."""
    with sentences(), _installation(data_dir, database_url, make=False) as site:

        def record(connection: sa.Connection, key: ApiKey) -> None:
            _trail(site).record(
                connection, None, Action.API_KEY_REVOKED, f"api_key:{key.id}", _recorded(key), None
            )

        site.auth.revoke_key_named(name, record=record)
        click.echo(f"The key {name} is revoked.")


def _trail(site: Installation) -> AuditTrail:
    return AuditTrail(site.database, now=site.now)


def _recorded(key: ApiKey) -> dict[str, object]:
    return {"id": key.id, "name": key.name, "scope": key.scope.value, "hint": key.hint}


@contextlib.contextmanager
def _installation(data_dir: Path | None, database_url: str | None, *, make: bool) -> Generator[Installation]:
    # A database that is made here belongs to the server's user alone, as one made by `serve` does.
    os.umask(0o077)
    settings = load_settings(options=Options(data_dir=data_dir, database_url=database_url))
    configure_logs("error")
    if not make:
        require_installation(settings)
    site = open_installation(settings)
    try:
        yield site
    finally:
        site.close()
