"""The command line: run the server, manage API keys, see a demonstration."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from queue import SimpleQueue

import click
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from akmatori_server.audit import Action, AuditTrail
from akmatori_server.auth.keys import ApiKey
from akmatori_server.config import ConfigurationError, Options, Settings, load_settings, prepare_data_dir
from akmatori_server.database.migrate import NewerDatabaseError
from akmatori_server.errors import ApiError
from akmatori_server.gate_commands import gate
from akmatori_server.http.call import Scope
from akmatori_server.installation import Installation, open_installation
from akmatori_server.logs import configure_logs
from akmatori_server.process_lock import AlreadyRunningError, ProcessLock
from akmatori_server.rules_commands import rules
from akmatori_server.runbook_commands import runbooks
from akmatori_server.secrets_commands import secrets

GRACE_SECONDS = 20
# Open connections; beyond it uvicorn answers 503 by itself.
MOST_CONNECTIONS = 1000

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is kept. [default: $XDG_DATA_HOME/akmatori]",
)
_database_url = click.option(
    "--database-url", help="PostgreSQL in place of the SQLite file: postgresql://user:password@host/name."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="akmatori-server")
def main() -> None:
    """Akmatori: alert webhooks in, an investigation with your runbooks, a report out.

    Settings are read from the environment (ADMIN_PASSWORD, DATABASE_URL, HTTP_PORT, …, each also with the
    prefix AKMATORI_); options win.
    """


@main.command()
@click.option("--host", help="Address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0: any free. [default: 8080]")
@_data_dir
@_database_url
@click.option(
    "--work/--no-work",
    default=None,
    help="Whether to investigate, too, or to leave that to `worker` processes. [default: --work]",
)
def serve(
    host: str | None, port: int | None, data_dir: Path | None, database_url: str | None, work: bool | None
) -> None:
    """Run the server."""
    # The frameworks take a second to import; nobody else should wait for them.
    import uvicorn

    from akmatori_server.app import create_app
    from akmatori_server.http.serving import Server

    options = Options(host=host, port=port, data_dir=data_dir, database_url=database_url, work=work)
    with _sentences():
        settings = _settings_of_process(options)
        if settings.is_sqlite and not settings.work:
            raise ConfigurationError(
                "With SQLite the server is the only process, so it has to investigate, too: leave out --no-work"
                " (AKMATORI_WORK=0), or set AKMATORI_DATABASE_URL to a PostgreSQL database."
            )
        with contextlib.ExitStack() as stack:
            if settings.is_sqlite:
                stack.enter_context(ProcessLock(settings.data_dir))
            site = open_installation(settings)
            stack.callback(site.close)
            needs_setup = site.auth.setup_required()
            if needs_setup and not settings.is_loopback:
                raise ConfigurationError(
                    f"Refusing to listen on {settings.host} without a password: whoever comes first would own"
                    " the server. Set ADMIN_PASSWORD, or finish the setup on 127.0.0.1 first."
                )
            app = create_app(settings, installation=site)
            listening = stack.enter_context(_listen(settings))
            _say_where(settings, listening, needs_setup=needs_setup)
            config = uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
            server = Server(config, on_stop=site.stopping.begin)
            # uvicorn has stopped in good order when it passes Ctrl-C on.
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[listening])
            if not server.started:
                sys.exit(3)


@main.command()
@_data_dir
@_database_url
def worker(data_dir: Path | None, database_url: str | None) -> None:
    """Run investigations and scheduled jobs, and serve nothing. Needs PostgreSQL.

    Any number of workers and servers may share a database. The work of one that dies is done by the others.
    """
    with _sentences():
        settings = _settings_of_process(Options(data_dir=data_dir, database_url=database_url, work=True))
        if settings.is_sqlite:
            raise ConfigurationError(
                "A worker needs PostgreSQL: set AKMATORI_DATABASE_URL to postgresql://user:password@host/name."
                " With SQLite `akmatori-server serve` is the only process, and investigates by itself."
            )
        from akmatori_server.lifecycle import Lifecycle

        # A simple queue, because that is safe to use in a signal's handler.
        told: SimpleQueue[int] = SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: told.put(received))
        site = open_installation(settings)
        try:
            lifecycle = Lifecycle.of(site)
        except BaseException:
            site.close()
            raise
        try:
            lifecycle.start()
            click.echo("The worker is ready.", err=True)
            told.get()
            # Whoever asks twice does not want to wait.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            site.stopping.begin()
        finally:
            lifecycle.stop()


@main.command()
def demo() -> None:
    """Start a server on its own, deliver an alert, and show the investigation."""
    from rich.console import Console

    from akmatori_server.demo.command import run

    run(Console())


@main.group()
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
@_data_dir
@_database_url
def create_key(name: str, scope: str, data_dir: Path | None, database_url: str | None) -> None:
    """Make an API key and print it. It is shown this once."""
    with _sentences(), _installation(data_dir, database_url) as site:

        def record(connection: sa.Connection, key: ApiKey) -> None:
            _trail(site).record(
                connection, None, Action.API_KEY_CREATED, f"api_key:{key.id}", None, _recorded(key)
            )

        created = site.auth.create_key(name, Scope(scope), record=record)
        click.echo(f"For the server with the data directory {site.settings.data_dir}.", err=True)
        click.echo("Keep the key safe; it cannot be shown again.", err=True)
        click.echo(created.text)


@keys.command("list")
@_data_dir
@_database_url
def list_keys(data_dir: Path | None, database_url: str | None) -> None:
    """List the API keys in use."""
    with _sentences(), _installation(data_dir, database_url) as site:
        for key in site.auth.list_keys()[0]:
            used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}Z"
            click.echo(f"{key.name}\t{key.scope}\t{key.hint}\tcreated {key.created_at:%Y-%m-%d}\tused {used}")


@keys.command("revoke")
@click.argument("name")
@_data_dir
@_database_url
def revoke_key(name: str, data_dir: Path | None, database_url: str | None) -> None:
    """Revoke an API key. A running server refuses it after 5 seconds at most."""
    with _sentences(), _installation(data_dir, database_url) as site:

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


main.add_command(secrets)
main.add_command(rules)
main.add_command(gate)
main.add_command(runbooks)


@contextlib.contextmanager
def _sentences() -> Generator[None]:
    """End with one sentence where a person can do something about it, and without a trace."""
    try:
        yield
    except (ConfigurationError, AlreadyRunningError, NewerDatabaseError, ApiError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise click.ClickException(f"The database cannot be used: {cause}") from None


def _settings_of_process(options: Options) -> Settings:
    # What is written here is for the server's own user: the database holds everything.
    os.umask(0o077)
    settings = load_settings(options=options)
    configure_logs(settings.log_level)
    prepare_data_dir(settings)
    return settings


@contextlib.contextmanager
def _installation(data_dir: Path | None, database_url: str | None) -> Generator[Installation]:
    # A database that is made here belongs to the server's user alone, as one made by `serve` does.
    os.umask(0o077)
    settings = load_settings(options=Options(data_dir=data_dir, database_url=database_url))
    configure_logs("error")
    site = open_installation(settings)
    try:
        yield site
    finally:
        site.close()


@contextlib.contextmanager
def _listen(settings: Settings) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}."
        ) from error
    with listening:
        yield listening


def _say_where(settings: Settings, listening: socket.socket, *, needs_setup: bool) -> None:
    port: int = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{host}:{port}"
    click.echo(f"Akmatori listens on {base}, documentation at {base}/api/docs.", err=True)
    click.echo(f"Data directory: {settings.data_dir}", err=True)
    if needs_setup:
        click.echo(
            "No password is set. Finish the setup:\n"
            f"  curl -X POST {base}/auth/setup -H 'Content-Type: application/json' \\\n"
            '    -d \'{"password": "…", "confirm_password": "…"}\'\n'
            "or start the server with ADMIN_PASSWORD set.",
            err=True,
        )
