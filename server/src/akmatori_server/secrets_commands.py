"""The commands `akmatori-server secrets …`: which key opens what is stored, and changing the key."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from pathlib import Path

import attrs
import click
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server import command_options
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.config import ConfigurationError, Options, Settings, load_settings, prepare_data_dir
from akmatori_server.crypto import SecretBox, key_from_file
from akmatori_server.database import Database
from akmatori_server.database.migrate import NewerDatabaseError, migrate
from akmatori_server.installation import require_installation, utc_now
from akmatori_server.process_lock import AlreadyRunningError, ProcessLock
from akmatori_server.secrets_rotation import (
    Record,
    forget,
    keys_from_file,
    rotate,
    rotate_file,
    unreadable_places,
)


@attrs.frozen
class _Store:
    """The database with its keys, without what a server does when it starts."""

    settings: Settings
    database: Database
    keys: tuple[str, ...] = attrs.field(repr=False)

    @property
    def box(self) -> SecretBox:
        """What encrypts.

        Raises:
            ConfigurationError: a key cannot be used.
        """
        try:
            return SecretBox(self.keys)
        except ValueError as error:
            raise ConfigurationError(f"AKMATORI_SECRET_KEY: {error}") from None

    def recorder(self, action: Action) -> Record:
        """Return what notes the action in the audit trail."""
        trail = AuditTrail(self.database, now=utc_now)

        def record(connection: sa.Connection, what: Mapping[str, object]) -> None:
            trail.record(connection, None, action, "secrets", None, what)

        return record


@click.group()
def secrets() -> None:
    """Manage the key that encrypts stored secrets."""


@secrets.command("new-key")
def new_key() -> None:
    """Print a new key for AKMATORI_SECRET_KEY."""
    click.echo(Fernet.generate_key().decode())


@secrets.command("check")
@command_options.data_dir
@command_options.database_url
def check(data_dir: Path | None, database_url: str | None) -> None:
    """Say which stored secrets cannot be read."""
    with _opened(data_dir, database_url, make=False) as store:
        unreadable = unreadable_places(store.database, store.box)
    for place in unreadable:
        click.echo(place)
    if unreadable:
        raise click.ClickException(f"{_many(len(unreadable))} cannot be read.")
    click.echo("Every stored secret can be read.", err=True)


@secrets.command("rotate")
@command_options.data_dir
@command_options.database_url
def rotate_command(data_dir: Path | None, database_url: str | None) -> None:
    """Encrypt every stored secret with the newest key.

    With AKMATORI_SECRET_KEY: put the new key in front of the old one ("new,old"), restart every server, run this,
    then take the old key away. Without it the key is in the data directory: stop the server and run this; a new
    key takes the old one's place.
    """
    with _opened(data_dir, database_url) as store:
        if store.settings.secret_keys is not None:
            count = rotate(store.database, store.box, record=store.recorder(Action.SECRETS_ROTATED))
            click.echo(f"{_many(count)} encrypted with the newest key.")
            if len(store.keys) > 1:
                click.echo("The other keys in AKMATORI_SECRET_KEY open nothing any more; take them away.")
            else:
                click.echo("There is one key only; put a new one in front of it to change keys.", err=True)
            return
        with contextlib.ExitStack() as stack:
            if store.settings.is_sqlite:
                # A running server would go on with the old key.
                stack.enter_context(ProcessLock(store.settings.data_dir))
            count = rotate_file(
                store.database, store.settings.data_dir, record=store.recorder(Action.SECRETS_ROTATED)
            )
        click.echo(f"{_many(count)} encrypted with a new key.")


@secrets.command("forget")
@click.option("--yes", is_flag=True, help="Do not ask.")
@command_options.data_dir
@command_options.database_url
def forget_command(yes: bool, data_dir: Path | None, database_url: str | None) -> None:
    """Remove the stored secrets that cannot be read, when their key is lost."""
    with _opened(data_dir, database_url, make=False) as store:
        unreadable = unreadable_places(store.database, store.box)
        for place in unreadable:
            click.echo(place)
        if not unreadable:
            click.echo("Every stored secret can be read.", err=True)
            return
        if not yes:
            click.confirm(f"Remove {_many(len(unreadable))} for good?", abort=True)
        forgotten = forget(store.database, store.box, record=store.recorder(Action.SECRETS_FORGOTTEN))
        click.echo(f"{_many(len(forgotten))} removed; enter them again.")


@contextlib.contextmanager
def _opened(data_dir: Path | None, database_url: str | None, *, make: bool = True) -> Generator[_Store]:
    try:
        settings = load_settings(options=Options(data_dir=data_dir, database_url=database_url))
        if not make:
            require_installation(settings)
        prepare_data_dir(settings)
        if settings.secret_keys is None:
            # Made, where there is none yet.
            key_from_file(settings.data_dir)
        keys = settings.secret_keys or keys_from_file(settings.data_dir)
        database = Database.open(settings.database_url)
        try:
            migrate(database)
            yield _Store(settings, database, keys)
        finally:
            database.close()
    except (ConfigurationError, AlreadyRunningError, NewerDatabaseError) as error:
        raise click.ClickException(str(error)) from None


def _many(count: int) -> str:
    return "1 secret" if count == 1 else f"{count} secrets"
