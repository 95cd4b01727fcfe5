"""What every command that runs a server does: settings, one process per data directory, a socket, an orderly end."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

import click
import structlog
from sqlalchemy.exc import SQLAlchemyError

from akmatori_server.config import ConfigurationError, Options, Settings, load_settings, prepare_data_dir
from akmatori_server.database.migrate import NewerDatabaseError
from akmatori_server.errors import ApiError
from akmatori_server.installation import Installation
from akmatori_server.logs import configure_logs
from akmatori_server.process_lock import AlreadyRunningError
from akmatori_server.variables import unknown_variables

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_log = structlog.stdlib.get_logger("akmatori_server.process")

GRACE_SECONDS = 20
# Open connections; beyond it uvicorn answers 503 by itself.
MOST_CONNECTIONS = 1000


@contextlib.contextmanager
def sentences() -> Generator[None]:
    """End with one sentence where a person can do something about it, and without a trace."""
    try:
        yield
    except (ConfigurationError, AlreadyRunningError, NewerDatabaseError, ApiError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise click.ClickException(f"The database cannot be used: {cause}") from None


def settings_of_process(options: Options) -> Settings:
    """Read the settings of a process that runs, and make ready what it writes to.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    # What is written here is for the server's own user: the database holds everything.
    os.umask(0o077)
    settings = load_settings(options=options)
    configure_logs(settings.log_level)
    for unknown in unknown_variables(os.environ):
        _log.warning("unknown_variable", variable=unknown.name, nearest=unknown.meant)
    prepare_data_dir(settings)
    return settings


@contextlib.contextmanager
def listening_socket(settings: Settings) -> Generator[socket.socket]:
    """Listen where the settings say.

    Raises:
        ConfigurationError: it is not possible there.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}."
        ) from error
    with listening:
        yield listening


def address_of(settings: Settings, listening: socket.socket) -> str:
    """Return where the server is reached."""
    port: int = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}"


def run(app: ASGIApp, site: Installation, listening: socket.socket) -> None:
    """Serve until somebody ends the process; end it with 3 when the application does not start."""
    # The frameworks take a second to import; nobody else should wait for them.
    import uvicorn

    from akmatori_server.http.serving import Server

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
