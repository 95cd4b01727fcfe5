"""Sending HTTP requests: to checked addresses, within a time and a size, on connections that are used again."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpcore

from akmatori_server.outgoing.decoding import ACCEPTED, read_body
from akmatori_server.outgoing.errors import AddressRefusedError, OutgoingError, Reason
from akmatori_server.outgoing.guard import LookUp, resolve_all_checked
from akmatori_server.outgoing.models import OutgoingAnswer, OutgoingRequest
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.outgoing.pool import checked_pool, proxied_pool
from akmatori_server.outgoing.target import Target, parsed_target
from akmatori_server.outgoing.tls import tls_context
from akmatori_server.settings.route import Proxy, Route, direct
from akmatori_server.tools.redaction import without_secrets

MOST_REDIRECTS = 5
LONGEST_CAUSE = 300

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOLLOWING = frozenset({"GET", "HEAD"})
# All that another origin gets to see: a key may be in any other header.
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})
# The connection's own; a caller who sets them would make two requests of one.
_OWN = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")

# What OpenSSL calls an answer that is no TLS at all, by its versions.
_NO_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
)


class Client:
    """Sends requests under one policy. Use it as an async context manager, in one event loop."""

    def __init__(
        self,
        *,
        policy: Policy = PUBLIC_ONLY,
        route: Route = direct,
        verify_tls: bool = True,
        ca_pem: str = "",
        resolver: LookUp | None = None,
    ) -> None:
        """Make a client.

        Args:
            policy: where requests may go.
            route: which proxy they go through; the target is checked all the same.
            verify_tls: whether certificates are checked.
            ca_pem: certificate authorities to trust beside those of the system.
            resolver: looks names up; the system's, unless a test says otherwise.

        Raises:
            ValueError: `ca_pem` has no certificate that can be read.
        """
        self._policy = policy
        self._route = route
        self._tls: ssl.SSLContext = tls_context(verify=verify_tls, ca_pem=ca_pem)
        self._resolver = resolver
        # The one without a proxy is under "".
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    async def send(self, request: OutgoingRequest) -> OutgoingAnswer:
        """Send a request, and read its answer.

        Raises:
            AddressRefusedError: it may not be sent there; no connection was opened to that place.
            OutgoingError: nothing usable came back.
        """
        target = parsed_target(request.url)
        headers = _checked_headers(request)
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._follow(request, target, headers)
        except TimeoutError:
            raise OutgoingError(
                f"{target.host} port {target.port} did not answer within {request.timeout_seconds:g} seconds.",
                Reason.TIMEOUT,
            ) from None

    async def _follow(
        self, request: OutgoingRequest, target: Target, headers: Mapping[str, str]
    ) -> OutgoingAnswer:
        follows = request.follow_redirects and request.method in _FOLLOWING
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._exchange(request, target, headers)
            location = answer.headers.get("location")
            if not follows or answer.status not in _REDIRECTS or location is None:
                return answer
            following = target.joined(location)
            if following.origin != target.origin:
                headers = {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
            target = following
        raise OutgoingError(f"{target.place} redirects more than {MOST_REDIRECTS} times.", Reason.PROTOCOL)

    async def _exchange(
        self, request: OutgoingRequest, target: Target, headers: Mapping[str, str]
    ) -> OutgoingAnswer:
        proxy = await asyncio.to_thread(self._route, target.url)
        if proxy is not None:
            # It is told the name, by which it decides, and looks it up itself: no way round the rules, though.
            await resolve_all_checked(target.host, target.port, self._policy, resolver=self._resolver)
        try:
            return await self._roundtrip(request, target, headers, proxy)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise _failure(error, request, target, proxy) from None
        except httpcore.TimeoutException:
            raise TimeoutError from None

    async def _roundtrip(
        self, request: OutgoingRequest, target: Target, headers: Mapping[str, str], proxy: Proxy | None
    ) -> OutgoingAnswer:
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=target.scheme.encode(),
                host=target.host.encode(),
                port=target.port,
                target=target.path.encode(),
            ),
            headers=[
                ("Host", target.place),
                *headers.items(),
                ("Accept-Encoding", ACCEPTED),
                *_length(request),
            ],
            content=request.body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write"), request.timeout_seconds)},
        )
        answer = await self._pool(proxy).handle_async_request(sent)
        try:
            heads = _headers(answer)
            assert not isinstance(answer.stream, bytes)  # noqa: S101  narrows the type
            encoding = heads.get("content-encoding", "")
            body, is_truncated = await read_body(answer.aiter_stream(), encoding, request.most_bytes)
        finally:
            await answer.aclose()
        return OutgoingAnswer(
            status=answer.status, headers=heads, body=body, is_truncated=is_truncated, url=target.url
        )

    def _pool(self, proxy: Proxy | None) -> httpcore.AsyncConnectionPool:
        key = "" if proxy is None else proxy.url
        pool = self._pools.get(key)
        if pool is None:
            pool = (
                checked_pool(self._policy, self._tls, self._resolver)
                if proxy is None
                else proxied_pool(proxy, self._tls)
            )
            self._pools[key] = pool
        return pool

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.aclose()


def _checked_headers(request: OutgoingRequest) -> dict[str, str]:
    if request.method not in _METHODS:
        raise AddressRefusedError("The method is none that is sent.")
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN:
            raise AddressRefusedError(f"{name[:64]!r} is not a header that may be set.")
        if not _HEADER_VALUE.fullmatch(value):
            raise AddressRefusedError(f"The header {name} has characters that no header can carry.")
    return dict(request.headers)


def _length(request: OutgoingRequest) -> list[tuple[str, str]]:
    # Servers want a length where a body is usual, even where there is none.
    if request.body is None and request.method not in {"POST", "PUT", "PATCH"}:
        return []
    return [("Content-Length", str(len(request.body or b"")))]


def _headers(answer: httpcore.Response) -> dict[str, str]:
    return {name.decode("ascii").lower(): value.decode("latin-1") for name, value in answer.headers}


def _failure(
    error: Exception, request: OutgoingRequest, target: Target, proxy: Proxy | None
) -> OutgoingError:
    way = "" if proxy is None else " through the proxy"
    secrets = request.secrets if proxy is None else (*request.secrets, *proxy.secrets)
    place = f"{target.host} port {target.port}"
    cause = without_secrets(_cause(error), secrets)[:LONGEST_CAUSE]
    if _is_plain(error):
        return OutgoingError(f"{place}{way} does not speak TLS, but plain http, as it seems.", Reason.NOT_TLS)
    if isinstance(error, (httpcore.ConnectError, httpcore.ProxyError)):
        # The text of the operating system, of TLS or of the proxy: refused, unreachable, certificate.
        reason = Reason.TLS if _is_tls(error) else Reason.CONNECTION
        return OutgoingError(f"No connection to {place}{way}: {cause}", reason)
    if isinstance(error, httpcore.NetworkError):
        return OutgoingError(f"The connection to {place}{way} broke off.", Reason.BROKEN)
    return OutgoingError(f"{place} did not answer in HTTP{way}.", Reason.PROTOCOL)


def _cause(error: BaseException) -> str:
    """Return the words of the operating system where there are some: the libraries' own say less."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.errno and not isinstance(inner, ssl.SSLError):
            return f"{os.strerror(inner.errno)}."
        inner = inner.__cause__ or inner.__context__
    return str(error)


def _is_plain(error: Exception) -> bool:
    inner = error.__cause__ or error.__context__
    return isinstance(inner, ssl.SSLError) and inner.reason in _NO_TLS


def _is_tls(error: Exception) -> bool:
    return isinstance(error.__cause__, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError)
