"""An HTTP server on loopback that writes down what it is asked, and answers what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs


@attrs.frozen
class Asked:
    """One request. Names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    # Which connection it came on.
    client: tuple[str, int]

    @property
    def path(self) -> str:
        """The path as it was sent."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """The members of the query in their order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The members of the body, as a form."""
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body as a value; None without one."""
        return json.loads(self.body) if self.body else None


@attrs.frozen
class Reply:
    """What is answered: a value becomes JSON, a text plain text; an iterable of bytes is sent as it comes."""

    body: Any = attrs.field(factory=dict[str, Any])
    status: int = 200
    headers: dict[str, str] = attrs.field(factory=dict[str, str])


class Origin(ThreadingHTTPServer):
    """The server."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, reply: Callable[[Asked], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Of a head and a body that are sent one after the other, the second would wait.
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        origin = self.server
        assert isinstance(origin, Origin)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, body, self.client_address)
        origin.asked.append(asked)
        reply = origin.reply(asked)
        with suppress(OSError):
            self._send(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  the library's names

    def _send(self, reply: Reply) -> None:
        is_stream = not isinstance(reply.body, (str, bytes, dict, list, int, float, type(None)))
        content = b"" if is_stream else _content(reply.body)
        self.send_response(reply.status)
        kind = "text/plain" if isinstance(reply.body, (str, bytes)) else "application/json"
        headers = {"Content-Type": kind, **({} if is_stream else {"Content-Length": str(len(content))})}
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        if is_stream:
            self.send_header("Connection", "close")
        self.end_headers()
        chunks: Iterable[bytes] = reply.body if is_stream else [content]
        for chunk in chunks:
            self.wfile.write(chunk)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Be quiet."""


def _content(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@contextmanager
def running_origin(reply: Callable[[Asked], Reply] = lambda _asked: Reply()) -> Generator[Origin]:
    """Run the server."""
    with Origin(reply) as origin:
        thread = threading.Thread(target=origin.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield origin
        finally:
            origin.shutdown()
            thread.join()
