"""Running an ASGI application under uvicorn in a thread, on a free port of the loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from akmatori_server.http.serving import Server

START_SECONDS = 60.0


@contextmanager
def serve(app: ASGIApp, *, on_stop: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Yield the base URL of the running application; stop it at the end, lifespan included."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", ws="none", timeout_graceful_shutdown=5
    )
    server = Server(config, on_stop=on_stop)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            listening.close()
            raise RuntimeError("The server did not start.")
        time.sleep(0.01)
    port: int = listening.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=START_SECONDS)
        listening.close()
