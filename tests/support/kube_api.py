"""A small Kubernetes API server: it answers with what was recorded, over HTTP, and fails as it is told."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import yaml

TOKEN = "a-token-of-the-tests"
NOT_LISTS = ("/version", "/readyz", "/livez")


@attrs.frozen
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str


@attrs.define
class KubeApi:
    """What the server holds, and how it fails; change it while it runs."""

    port: int = 0
    version: str = "v1.32.4"
    objects: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    """By the path of the list; a path that is not there is answered with an empty list."""
    page: int | None = None
    """Objects in a page at most, whatever is asked for."""
    forbidden: set[str] = attrs.field(factory=set)
    only_in: set[str] | None = None
    """The namespaces whose objects may be read; None for everything. Lists of all namespaces are forbidden then."""
    absent: set[str] = attrs.field(factory=set)
    gone: list[str] = attrs.field(factory=list)
    """Paths whose next request for a further page is answered with 410, once for each time they are here."""
    broken: dict[str, bytes] = attrs.field(factory=dict)
    """Paths that are answered with these bytes."""
    slow: dict[str, float] = attrs.field(factory=dict)
    """Seconds before a path is answered."""
    drip: set[str] = attrs.field(factory=set)
    """Paths that are answered a byte at a time, for ever."""
    busy: dict[str, int] = attrs.field(factory=dict)
    """How often a path is answered with 429 before it is answered."""
    users: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    """What a TokenReview says of a token: `user`, and for whom it is, `audiences`."""
    may: Callable[[dict[str, Any]], bool] = lambda _spec: False
    """Decides about the `spec` of a SubjectAccessReview."""
    jwks: dict[str, Any] = attrs.field(factory=lambda: {"keys": []})
    posted: list[tuple[str, dict[str, Any]]] = attrs.field(factory=list)
    """Paths and bodies that were posted."""
    asked: list[Asked] = attrs.field(factory=list)
    stopping: threading.Event = attrs.field(factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def put(self, *found: dict[str, Any]) -> None:
        """Hold objects, each in the list of its kind; items of a list leave out what they are, as a server does."""
        for item in found:
            path = list_path(item["apiVersion"], item["kind"])
            kept = {name: value for name, value in item.items() if name not in ("apiVersion", "kind")}
            self.objects.setdefault(path, []).append(kept)

    def kubeconfig(self, folder: Path, **context: str) -> Path:
        """Write a kubeconfig file for it, with one context."""
        name = context.get("name", "test")
        path = folder / "kubeconfig.yaml"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": name,
                    "clusters": [{"name": "c", "cluster": {"server": self.url}}],
                    "users": [{"name": "u", "user": {"token": TOKEN}}],
                    "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}],
                }
            )
        )
        return path


def list_path(api_version: str, kind: str) -> str:
    """Return the path of the list of a kind."""
    plural = kind.lower() + ("es" if kind.endswith("s") else "s")
    plural = plural[:-2] + "ies" if plural.endswith("ys") and kind.endswith("Policy") else plural
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    return f"{root}/{plural}"


def _within(path: str) -> tuple[str, str]:
    """Return the path of the list of all namespaces, and the namespace that a path narrows it to."""
    found = re.fullmatch(r"(/api/v1|/apis/[^/]+/[^/]+)/namespaces/([^/]+)/([a-z]+)", path)
    return (f"{found[1]}/{found[3]}", found[2]) if found else (path, "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Heads and bodies are two writes; together with the client's delayed answers that would take 40 ms each time.
    disable_nagle_algorithm = True
    api: KubeApi

    def do_GET(self) -> None:
        api, parts = self.api, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path
        api.asked.append(Asked("GET", path, query, self.headers.get("Authorization", "")))
        if path in api.slow:
            api.stopping.wait(api.slow[path])
        if path in api.drip:
            self._drip()
        elif not self._refused(path):
            self._answer(path, query)

    def do_POST(self) -> None:
        api, path = self.api, urlsplit(self.path).path
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        api.asked.append(Asked("POST", path, {}, self.headers.get("Authorization", "")))
        api.posted.append((path, body))
        if path in api.slow:
            api.stopping.wait(api.slow[path])
        if self._refused(path):
            return
        if path in api.broken:
            self._send(201, api.broken[path])
        elif path.endswith("/tokenreviews"):
            self._send(201, json.dumps({**body, "status": self._review(body["spec"])}).encode())
        elif path.endswith("/subjectaccessreviews"):
            self._send(201, json.dumps({**body, "status": {"allowed": api.may(body["spec"])}}).encode())
        else:
            self._status(404, "the server could not find the requested resource")

    def _review(self, spec: dict[str, Any]) -> dict[str, Any]:
        known = self.api.users.get(spec["token"])
        if known is None:
            return {"authenticated": False, "user": {}, "error": "invalid bearer token"}
        audiences = known.get("audiences", [])
        if "audiences" not in spec:
            return {"authenticated": True, "user": known["user"], "audiences": audiences}
        common = [name for name in spec["audiences"] if name in audiences]
        # A server that knows nothing of audiences says nothing of them.
        if not common and audiences:
            return {"authenticated": False, "user": {}, "error": "the audiences do not match"}
        return {"authenticated": True, "user": known["user"], **({"audiences": common} if common else {})}

    def _refused(self, path: str) -> bool:
        api = self.api
        if self.headers.get("Authorization", "").lower() != f"bearer {TOKEN}":
            self._status(401, "Unauthorized")
        elif path in api.forbidden or self._is_elsewhere(path):
            self._status(403, f"{path.rpartition('/')[2]} is forbidden: User cannot list resource")
        elif path in api.absent:
            self._status(404, "the server could not find the requested resource")
        elif api.busy.get(path, 0) > 0:
            api.busy[path] -= 1
            self._status(429, "too many requests", {"Retry-After": "0"})
        else:
            return False
        return True

    def _is_elsewhere(self, path: str) -> bool:
        allowed = self.api.only_in
        if allowed is None or not path.startswith(("/api/", "/apis/")):
            return False
        namespace = _within(path)[1] or path.removeprefix("/api/v1/namespaces/")
        return namespace not in allowed

    def _answer(self, path: str, query: dict[str, str]) -> None:
        api = self.api
        if path in api.broken:
            self._send(200, api.broken[path])
        elif path == "/version":
            self._send(200, json.dumps({"gitVersion": api.version}).encode())
        elif path == "/openid/v1/jwks":
            self._send(200, json.dumps(api.jwks).encode())
        elif path in NOT_LISTS:
            self._send(200, b"ok")
        elif path.startswith("/api/v1/namespaces/") and path.count("/") == 4:
            self._namespace(path.rpartition("/")[2])
        else:
            self._list(path, query)

    def _namespace(self, name: str) -> None:
        for found in self.api.objects.get("/api/v1/namespaces", []):
            if found["metadata"]["name"] == name:
                return self._send(200, json.dumps(found).encode())
        return self._status(404, f'namespaces "{name}" not found')

    def _list(self, path: str, query: dict[str, str]) -> None:
        api = self.api
        if "continue" in query and path in api.gone:
            api.gone.remove(path)
            return self._status(410, "The provided continue parameter is too old")
        whole, namespace = _within(path)
        found = api.objects.get(path, [])
        if namespace and path not in api.objects:
            found = [
                one for one in api.objects.get(whole, []) if one["metadata"].get("namespace") == namespace
            ]
        begin = int(query.get("continue", "0"))
        size = int(query.get("limit", "500"))
        end = begin + (size if api.page is None else min(size, api.page))
        metadata: dict[str, Any] = {"resourceVersion": "1", "continue": str(end) if end < len(found) else ""}
        if end < len(found) and "fieldSelector" not in query:
            metadata["remainingItemCount"] = len(found) - end
        return self._send(
            200, json.dumps({"kind": "List", "metadata": metadata, "items": found[begin:end]}).encode()
        )

    def _status(self, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
        self._send(code, json.dumps(body).encode(), headers)

    def _send(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        end = time.monotonic() + 10
        try:
            while time.monotonic() < end and not self.api.stopping.wait(0.02):
                self.wfile.write(b" ")
                self.wfile.flush()
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Say nothing."""


@contextmanager
def kube_api(found: Iterable[dict[str, Any]] = ()) -> Generator[KubeApi]:
    """Run the server in a thread of its own."""
    api = KubeApi()
    api.put(*found)
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    api.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.05), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
