"""A real HTTP server in a thread that does what a test's script says: answer, stall, reset, talk nonsense."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import attrs
import orjson

CAPABLE = {"Akmatori-Capabilities": "idempotency-key, cursor"}


@attrs.frozen
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


@attrs.frozen(kw_only=True)
class Reply:
    """What to do with one request."""

    status: int = 200
    json: Any = None
    body: bytes | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0
    # "unread": the connection is reset before an answer; "half": in the middle of the body; "drip": slowly.
    fault: str | None = None


Step: TypeAlias = "Reply | Callable[[Seen], Reply]"


class Scripted(ThreadingHTTPServer):
    """Steps are taken in turn; the last one of a route stays."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[Seen] = []
        self._routes: dict[tuple[str, str], list[Step]] = {}
        self._guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def on(self, method: str, path: str, *steps: Step) -> None:
        self._routes[method, path] = list(steps)

    def calls(self, method: str | None = None, path: str | None = None) -> list[Seen]:
        return [s for s in self.seen if method in (None, s.method) and path in (None, s.path)]

    def take(self, seen: Seen) -> Reply:
        with self._guard:
            self.seen.append(seen)
            steps = self._routes.get((seen.method, seen.path))
            if not steps:
                return Reply(status=404, json={"error": f"no route {seen.method} {seen.path}"})
            step = steps.pop(0) if len(steps) > 1 else steps[0]
        return step(seen) if callable(step) else step

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        seen = Seen(
            self.command,
            parts.path,
            parse_qs(parts.query),
            {k.lower(): v for k, v in self.headers.items()},
            self._read_body(),
        )
        reply = self.server.take(seen)
        if reply.delay:
            time.sleep(reply.delay)
        if reply.fault == "unread":
            self._reset()
            return
        body = (
            reply.body if reply.body is not None else b"" if reply.status == 204 else orjson.dumps(reply.json)
        )
        self.send_response(reply.status)
        headers = {
            "Content-Type": "application/json",
            "X-Request-ID": seen.headers.get("x-request-id", "none"),
        }
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.fault == "half":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self._reset()
        elif reply.fault == "drip":
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.02)
        else:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - the names http.server looks for

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces: list[bytes] = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _reset(self) -> None:
        # Lingering for zero seconds makes the kernel send RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.wfile = io.BytesIO()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
