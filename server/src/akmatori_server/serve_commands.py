"""The commands that run: `serve`, `worker` and `demo`."""

from __future__ import annotations

import contextlib
import signal
import socket
from pathlib import Path
from queue import SimpleQueue

import click

from akmatori_server import command_options
from akmatori_server.config import ConfigurationError, Options, Settings
from akmatori_server.installation import open_installation
from akmatori_server.process import address_of, listening_socket, run, sentences, settings_of_process
from akmatori_server.process_lock import ProcessLock


@click.command()
@click.option("--host", help="Address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0: any free. [default: 8080]")
@command_options.data_dir
@command_options.database_url
@click.option(
    "--work/--no-work",
    default=None,
    help="Whether to investigate, too, or to leave that to `worker` processes. [default: --work]",
)
def serve(
    host: str | None, port: int | None, data_dir: Path | None, database_url: str | None, work: bool | None
) -> None:
    """Run the server."""
    options = Options(host=host, port=port, data_dir=data_dir, database_url=database_url, work=work)
    with sentences():
        settings = settings_of_process(options)
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
            # The frameworks take a second to import: what cannot work is said before.
            from akmatori_server.app import create_app

            app = create_app(settings, installation=site)
            listening = stack.enter_context(listening_socket(settings))
            _say_where(settings, listening, needs_setup=needs_setup)
            run(app, site, listening)


@click.command()
@command_options.data_dir
@command_options.database_url
def worker(data_dir: Path | None, database_url: str | None) -> None:
    """Run investigations and scheduled jobs, and serve nothing. Needs PostgreSQL.

    Any number of workers and servers may share a database. The work of one that dies is done by the others.
    """
    with sentences():
        settings = settings_of_process(Options(data_dir=data_dir, database_url=database_url, work=True))
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


@click.command()
def demo() -> None:
    """Start a server on its own, deliver an alert, and show the investigation."""
    from rich.console import Console

    from akmatori_server.demo.command import run

    run(Console())


def _say_where(settings: Settings, listening: socket.socket, *, needs_setup: bool) -> None:
    base = address_of(settings, listening)
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
