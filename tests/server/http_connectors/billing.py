"""A connector and the API behind it, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from akmatori_server.http_connectors.models import NewHttpConnector

TOKEN = "billing-token-0815"
TOOLS: dict[str, Any] = {
    "tools": [
        {
            "name": "get_invoice",
            "http_method": "GET",
            "path": "/invoices/{{id}}",
            "params": [
                {"name": "id", "type": "string", "required": True, "in": "path"},
                {"name": "lines", "type": "integer", "in": "query", "default": 50},
                {"name": "paid", "type": "boolean", "in": "query"},
                {"name": "X-Team", "in": "header"},
            ],
        },
        {"name": "moved", "http_method": "GET", "path": "/moved"},
        {"name": "huge", "http_method": "GET", "path": "/huge"},
        {"name": "slow", "http_method": "GET", "path": "/slow"},
        {"name": "strange", "http_method": "GET", "path": "/strange"},
        {"name": "pay", "http_method": "POST", "path": "/pay", "params": [{"name": "sum", "in": "body"}]},
        {"name": "peek", "http_method": "GET", "path": "/peek", "read_only": False},
    ]
}
BILLING = NewHttpConnector(
    tool_type_name="billing",
    description="Invoices.",
    base_url_field="billing_url",
    auth_config={"method": "bearer_token", "token_field": "billing_token"},
    tools=TOOLS,
)


class Api(ThreadingHTTPServer):
    """The API. It remembers what was asked, and repeats the credential it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.requests: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.server_port}/api"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer."""
        server = self.server
        assert isinstance(server, Api)
        server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path == "/api/moved":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/api/huge":
            self._send(b"x" * (3 * 1024 * 1024), "text/plain")
        elif self.path == "/api/slow":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(100):
                try:
                    self.wfile.write(b".")
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)
        elif self.path == "/api/strange":
            self.wfile.write(b"this is not HTTP\r\n\r\n")
            self.close_connection = True
        elif "404" in self.path:
            self._send(b"{}", "application/json", 404)
        else:
            self._send(f'{{"sent": "{self.headers["Authorization"]}"}}'.encode(), "application/json")

    def _send(self, body: bytes, content_type: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Be quiet."""


@contextmanager
def running_api() -> Generator[Api]:
    """Run the API."""
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            api.shutdown()
            thread.join()
