"""A page of 50 incidents: our SDK against raw httpx + orjson and against an openapi-python-client client."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson

from akmatori_sdk import Akmatori
from bench.measure import interleaved, show
from bench.page import ROWS

SPECIFICATION = Path(__file__).parents[1] / "server/src/akmatori_server/_generated/akmatori/openapi.json"
SERVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from bench.page import page
BODY = page()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)
    def log_message(self, *args): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def canned_server() -> Iterator[str]:
    """Serve one constant page from another process, so that only the client's CPU is counted here."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def generated_client(directory: str, base_url: str) -> Callable[[], object]:
    """Generate a client with openapi-python-client from the same specification and return its list call."""
    subprocess.run(
        [
            "openapi-python-client",
            "generate",
            "--path",
            str(SPECIFICATION),
            "--output-path",
            f"{directory}/client",
            "--meta",
            "none",
            "--overwrite",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sys.path.insert(0, directory)
    client = importlib.import_module("client").AuthenticatedClient(base_url=base_url, token="t")
    list_incidents = importlib.import_module("client.api.incidents.list_incidents")
    return lambda: list_incidents.sync(client=client, page=1, per_page=ROWS).data


def main() -> None:
    """Print the table."""
    with canned_server() as base_url, tempfile.TemporaryDirectory() as directory:
        raw = httpx.Client(headers={"Authorization": "Bearer t"})
        ours = Akmatori(base_url=base_url, token="t")

        def with_httpx() -> int:
            reply = raw.get(f"{base_url}/api/incidents?page=1&per_page={ROWS}")
            return len(orjson.loads(reply.content)["data"])

        def with_ours() -> int:
            return sum(1 for _ in ours.incidents.list(page_size=ROWS))

        assert with_httpx() == with_ours() == ROWS
        contestants: dict[str, Callable[[], object]] = {
            "raw httpx + orjson": with_httpx,
            "akmatori_sdk": with_ours,
            "openapi-python-client": generated_client(directory, base_url),
        }
        result = interleaved(contestants, calls=40, rounds=11)
        show("A page of 50 incidents through the SDK", result, "raw httpx + orjson", "openapi-python-client")
