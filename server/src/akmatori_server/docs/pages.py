"""The documentation page and what it loads: Swagger UI from its package, served by us."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import attrs
import swagger_ui_bundle
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from akmatori_server.errors import NotFound
from akmatori_server.http.gates import read_only, send_bytes

DOCS = "/api/docs"
BELOW = "/api/docs/"

# Nothing but our own files: no inline script, no other host, no frame around the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Akmatori API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>Without JavaScript: the description is <a href="openapi.yaml">openapi.yaml</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/swagger-ui-standalone-preset.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

# Addresses are relative to the page at /api/docs, so that a proxy may put everything below a prefix.
START = """window.ui = SwaggerUIBundle({
  urls: [
    {url: "openapi.yaml", name: "Akmatori"},
    {url: "v1/openapi.json", name: "Aotanami"}
  ],
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout"
});
"""

_VENDORED = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui-standalone-preset.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}


@attrs.frozen
class _Asset:
    body: bytes
    content_type: str
    tag: str


class DocsAssets:
    """Serves what the page loads, below `/api/docs/`."""

    def __init__(self) -> None:
        self._assets: dict[str, _Asset] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        read_only(scope)
        name: str = scope["path"].removeprefix(BELOW)
        asset = self._assets.get(name)
        if asset is None:
            asset = self._assets[name] = await run_in_threadpool(_load, name)
        headers = [
            (b"etag", asset.tag.encode()),
            (b"cache-control", b"public, max-age=3600"),
        ]
        if any(
            key == b"if-none-match" and asset.tag in value.decode("latin-1")
            for key, value in scope["headers"]
        ):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await send_bytes(scope, send, asset.body, [*headers, (b"content-type", asset.content_type.encode())])


async def to_the_docs(scope: Scope, _receive: Receive, send: Send) -> None:
    """Lead whoever opens the server's address in a browser to the documentation."""
    read_only(scope)
    # Relative, as the page's own addresses are.
    await send_bytes(scope, send, b"", [(b"location", DOCS.removeprefix("/").encode())], 307)


async def to_the_description(scope: Scope, _receive: Receive, send: Send) -> None:
    """Lead to the description of Aotanami's API, where it is served alone."""
    read_only(scope)
    await send_bytes(scope, send, b"", [(b"location", b"api/v1/openapi.json")], 307)


def tag_of(body: bytes) -> str:
    """Return an entity tag of the content."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _load(name: str) -> _Asset:
    if name == "start.js":
        body, content_type = START.encode(), "text/javascript; charset=utf-8"
    elif name in _VENDORED:
        body, content_type = _vendored(name), _VENDORED[name]
    else:
        raise NotFound("No such path.")
    return _Asset(body, content_type, tag_of(body))


def _vendored(name: str) -> bytes:
    for folder in files(swagger_ui_bundle).joinpath("vendor").iterdir():
        if folder.name.startswith("swagger-ui-"):
            return folder.joinpath(name).read_bytes()
    raise LookupError("The package swagger-ui-bundle-v2 has no Swagger UI in it.")
