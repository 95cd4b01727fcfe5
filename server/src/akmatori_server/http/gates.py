"""Small layers in front of the API: setup mode, and the few paths that belong to no specification."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from akmatori_server.errors import Forbidden, MethodNotAllowed, Unavailable

ROOT = "/"
SETUP = "/auth/setup"
# What must answer before a password exists: the wizard, the probes, the documentation, and the operator's
# console, which leads a person to the wizard.
_BEFORE_SETUP = (
    SETUP,
    "/health",
    "/readyz",
    "/metrics",
    "/api/docs",
    "/api/openapi.yaml",
    "/api/v1/openapi.json",
    "/console",
)

Side = Callable[[Scope, Receive, Send], Awaitable[None]]


class SetupGate:
    """Answers 503 `setup_required` to everything but the setup itself, until somebody has set a password."""

    def __init__(self, app: ASGIApp, *, is_required: Callable[[], bool]) -> None:
        self._app = app
        self._is_required = is_required
        # Setup never becomes necessary again, so this is asked until the first no.
        self._is_over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] == "http" and scope["path"] == SETUP and scope["method"] == "POST":
            await self._refuse_second_setup()
        elif scope["type"] == "http" and not self._is_over and not _is_exempt(scope["path"]):
            self._is_over = not await run_in_threadpool(self._is_required)
            if not self._is_over:
                raise Unavailable(
                    "Finish the setup first: set a password at POST /auth/setup, or start the server with "
                    "ADMIN_PASSWORD.",
                    code="setup_required",
                    retry_after=10,
                )
        await self._app(scope, receive, send)

    async def _refuse_second_setup(self) -> None:
        """Once the setup is over, it is refused whatever the body holds."""
        self._is_over = self._is_over or not await run_in_threadpool(self._is_required)
        if self._is_over:
            raise Forbidden("The setup is done; log in instead.", code="setup_already_completed")


class SidePaths:
    """Serves paths that are in no specification (assets, metrics, the console) beside the API.

    A key that ends with a slash serves everything below it, but "/" itself only the root.
    """

    def __init__(self, app: ASGIApp, *, sides: Mapping[str, Side]) -> None:
        self._app = app
        self._exact = {path: side for path, side in sides.items() if not _is_folder(path)}
        self._below = [(path, side) for path, side in sides.items() if _is_folder(path)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request here, or pass it on."""
        if scope["type"] == "http":
            side = self._find(scope["path"])
            if side is not None:
                await side(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _find(self, path: str) -> Side | None:
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        return next((side for prefix, side in self._below if path.startswith(prefix)), None)


def read_only(scope: Scope) -> None:
    """Refuse methods other than GET and HEAD.

    Raises:
        MethodNotAllowed: any other method.
    """
    if scope["method"] not in {"GET", "HEAD"}:
        raise MethodNotAllowed("GET, HEAD")


async def send_bytes(
    scope: Scope, send: Send, body: bytes, headers: list[tuple[bytes, bytes]], status: int = 200
) -> None:
    """Send a complete answer; HEAD gets its headers only."""
    full = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": full})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _is_folder(path: str) -> bool:
    return path.endswith("/") and path != ROOT


def _is_exempt(path: str) -> bool:
    return path == ROOT or any(
        path == known or path.startswith((f"{known}/", f"{known}-")) for known in _BEFORE_SETUP
    )
