"""The ASGI application: every layer around the operations, in the order they must have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from akmatori_server.http.edge import Edge, Observer
from akmatori_server.http.framework import Lifespan, build_api
from akmatori_server.http.gates import SetupGate, Side, SidePaths
from akmatori_server.http.security import Authenticator
from akmatori_server.http.system import System

NO_SIDES: Mapping[str, Side] = {}


def build_application(
    systems: Sequence[System],
    *,
    authenticator: Authenticator,
    setup_required: Callable[[], bool],
    observe: Observer,
    sides: Mapping[str, Side] = NO_SIDES,
    cors_origins: Sequence[str] = (),
    lifespan: Lifespan | None = None,
    check_responses: bool = False,
    spool_directory: Path | None = None,
) -> ASGIApp:
    """Build the application that serves all systems.

    Args:
        systems: One per specification, with its handlers.
        authenticator: Decides whom a credential belongs to.
        setup_required: Whether the installation still waits for its first password.
        observe: Told about every answered request.
        sides: Paths that are in no specification.
        cors_origins: Origins whose pages may call the API; none by default.
        lifespan: What starts and stops with the server.
        check_responses: Check every answer against the specification (tests and staging).
        spool_directory: Where uploads lie while they are read; the system's temporary directory by default.

    Raises:
        IncompleteSystem: an operation has neither handler nor a place in the pending list, or both.
    """
    app = build_api(
        list(systems),
        authenticator=authenticator,
        lifespan=lifespan,
        check_responses=check_responses,
        spool_directory=spool_directory,
    )
    app = SidePaths(app, sides=sides)
    app = SetupGate(app, is_required=setup_required)
    if cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
                "Last-Event-ID",
                "X-API-Key",
                "X-Request-ID",
            ],
            expose_headers=["ETag", "Retry-After", "X-Request-ID", "Akmatori-Capabilities"],
            max_age=600,
        )
    renderers = [(f"{system.base_path}/", system.render_error) for system in systems]
    # What belongs to no system is answered as the first one would.
    return Edge(app, renderers=[("", systems[0].render_error), *renderers], observe=observe)
