"""The server of a scripted model: a thread per connection, and every request written down."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import attrs

from tests.support.llm.script import Answer, Break, Fail, Hang, Received, Say, Script, by_turn
from tests.support.llm.wire import STREAMS, encoded, error_body

# The path of an API's base URL, by the provider that speaks it.
BASE_PATHS = {"openai": "/v1", "openrouter": "/api/v1", "custom": "/v1", "anthropic": "", "google": ""}


@attrs.define
class ScriptedModel:
    """A model that is served, while it is."""

    script: Script
    host: str = "127.0.0.1"
    port: int = 0
    requests: list[Received] = attrs.field(factory=list[Received])
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def base_url(self, provider: str) -> str:
        """Return what to configure for a provider."""
        return f"http://{self.host}:{self.port}{BASE_PATHS[provider]}"

    def answer(self, request: Received) -> Answer:
        """Write a request down, and answer it by the script."""
        with self.lock:
            self.requests.append(request)
        return self.script(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Pieces go out as they are written.
    wbufsize = 0

    def do_POST(self) -> None:
        model: ScriptedModel = cast("_Server", self.server).model
        body: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        api = _api(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(api, self.path, headers, body)
        answer = model.answer(request)
        if isinstance(answer, Fail):
            self._fail(api, answer)
        elif isinstance(answer, Hang):
            time.sleep(answer.seconds)
            self.close_connection = True
        elif isinstance(answer, Break):
            stream = list(encoded(STREAMS[api](Say(answer.text), _model(body, self.path), request.turn)))
            self._stream(stream[: max(len(stream) // 2, 1)], is_whole=False)
        else:
            events = STREAMS[api](answer, _model(body, self.path), request.turn)
            self._stream(list(encoded(events)), is_whole=True)

    def _stream(self, chunks: Sequence[bytes], *, is_whole: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if is_whole:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def _fail(self, api: str, answer: Fail) -> None:
        body = json.dumps(error_body(api, answer.status, answer.message, answer.code)).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, model: ScriptedModel) -> None:
        super().__init__((model.host, 0), _Handler)
        self.model = model

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are cancelled hang up in the middle."""


def _api(path: str) -> str:
    if path.endswith("/chat/completions"):
        return "chat"
    if path.endswith("/responses"):
        return "responses"
    if path.partition("?")[0].endswith("/v1/messages"):
        return "anthropic"
    if ":streamGenerateContent" in path:
        return "google"
    raise ValueError(f"No provider serves {path}.")


def _model(body: Any, path: str) -> str:
    return str(body["model"]) if "model" in body else path.rpartition("/")[2].partition(":")[0]


@contextmanager
def scripted(*answers: Answer, script: Script | None = None) -> Generator[ScriptedModel]:
    """Serve a model that gives these answers in the order of the conversation, or follows a script."""
    model = ScriptedModel(script or by_turn(answers))
    server = _Server(model)
    model.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
