"""Sending a call's request: to an address that was checked, within a time and a size, following nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import attrs
import httpx

from akmatori_server.http_connectors.request import ApiRequest
from akmatori_server.settings.route import Proxy
from akmatori_server.tools.addresses import AddressRefusedError, Resolve, allowed_address, resolve
from akmatori_server.tools.redaction import without_secrets

MOST_BYTES = 1024 * 1024


class SendingFailedError(Exception):
    """There is no answer; the sentence says why, and holds no secret."""


@attrs.frozen(kw_only=True)
class ApiAnswer:
    """What the API answered, secrets masked. `is_truncated`: the body goes on."""

    status: int
    content_type: str
    location: str | None
    body: str = attrs.field(repr=False)
    is_truncated: bool


async def send(
    request: ApiRequest,
    *,
    proxy: Proxy | None = None,
    most_bytes: int = MOST_BYTES,
    look_up: Resolve = resolve,
) -> ApiAnswer:
    """Send a request, and read its answer.

    The target's address is checked in any case. Without a proxy the request goes to the very address that was
    checked; a proxy is told the name, by which it decides, and looks it up itself.

    Raises:
        SendingFailedError: it may not be sent there, or nothing usable came back.
    """
    parts = urlsplit(request.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        # One limit for everything: a server that sends a byte now and then would never be too slow.
        async with asyncio.timeout(request.timeout_seconds):
            address = await asyncio.to_thread(
                allowed_address, host, port, allow_private=request.allow_private, look_up=look_up
            )
            if proxy is None:
                return await _exchange(request, address, None, most_bytes)
            request = attrs.evolve(request, secrets=(*request.secrets, *proxy.secrets))
            return await _exchange(request, host, proxy, most_bytes)
    except AddressRefusedError as error:
        raise SendingFailedError(str(error)) from None
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise SendingFailedError(_sentence(error, host, port, request, proxy)) from None


async def _exchange(request: ApiRequest, to: str, proxy: Proxy | None, most_bytes: int) -> ApiAnswer:
    parts = urlsplit(request.url)
    async with _client(request, proxy) as client:
        sent = client.build_request(
            request.method,
            httpx.URL(request.url).copy_with(host=to),
            # The name is what the server and its certificate know; the address was checked and stays.
            headers={**request.headers, "Host": parts.netloc, "Accept-Encoding": "identity"},
            json=None if request.body is None else dict(request.body),
            extensions={"sni_hostname": parts.hostname},
        )
        answer = await client.send(sent, stream=True)
        try:
            content, is_truncated = await _read(answer.aiter_raw(), most_bytes)
        finally:
            await answer.aclose()
    return ApiAnswer(
        status=answer.status_code,
        content_type=without_secrets(answer.headers.get("content-type", ""), request.secrets),
        location=_location(answer, request),
        body=without_secrets(content.decode("utf-8", "replace"), request.secrets),
        is_truncated=is_truncated,
    )


def _client(request: ApiRequest, proxy: Proxy | None) -> httpx.AsyncClient:
    # No proxy and no .netrc of the environment: they would go round the check of the address.
    return httpx.AsyncClient(
        verify=request.verify_tls,
        timeout=request.timeout_seconds,
        follow_redirects=False,
        trust_env=False,
        proxy=None if proxy is None else proxy.url,
    )


async def _read(chunks: AsyncIterator[bytes], most_bytes: int) -> tuple[bytes, bool]:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > most_bytes:
            return bytes(content[:most_bytes]), True
    return bytes(content), False


def _location(answer: httpx.Response, request: ApiRequest) -> str | None:
    location: str | None = answer.headers.get("location")
    return None if location is None else without_secrets(location, request.secrets)


def _sentence(error: Exception, host: str, port: int, request: ApiRequest, proxy: Proxy | None) -> str:
    way = "" if proxy is None else " through the proxy"
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return f"{host} port {port} did not answer{way} within {request.timeout_seconds} seconds."
    if isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
        # The text of the operating system, of TLS or of the proxy: refused, unreachable, certificate.
        return without_secrets(f"No connection to {host} port {port}{way}: {error}"[:500], request.secrets)
    return f"{host} port {port} did not answer in HTTP{way}."
