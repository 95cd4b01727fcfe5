"""Connections for HTTP requests: to addresses that were checked, or to a proxy."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import httpcore

from akmatori_server.outgoing.guard import LookUp, resolve_all_checked
from akmatori_server.outgoing.policy import Policy
from akmatori_server.settings.route import Proxy

MOST_CONNECTIONS = 20
# Shorter than what most servers keep theirs open.
IDLE_SECONDS = 15.0


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections by name, to an address that was checked in the same moment."""

    def __init__(self, policy: Policy, resolver: LookUp | None = None) -> None:
        self._policy = policy
        self._resolver = resolver
        # The library defines the class only where its own library is there, which type checkers follow.
        self._network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            AddressRefusedError: the host cannot be resolved, or one of its addresses is not allowed.
        """
        *others, last = await resolve_all_checked(host, port, self._policy, resolver=self._resolver)
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  the library's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no request goes to a socket of this machine."""
        del timeout, socket_options
        raise httpcore.ConnectError(f"{path} is not an address of the network.")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)


def checked_pool(
    policy: Policy, tls: ssl.SSLContext, resolver: LookUp | None
) -> httpcore.AsyncConnectionPool:
    """Return connections that go directly to where they are meant to go."""
    return httpcore.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=MOST_CONNECTIONS,
        keepalive_expiry=IDLE_SECONDS,
        network_backend=CheckedBackend(policy, resolver),
    )


def proxied_pool(proxy: Proxy, tls: ssl.SSLContext) -> httpcore.AsyncHTTPProxy:
    """Return connections through a proxy. Its own address is the administrator's choice, and is not checked."""
    parts = urlsplit(proxy.url)
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    return httpcore.AsyncHTTPProxy(
        httpcore.URL(
            scheme=parts.scheme.encode(),
            host=(parts.hostname or "").encode("idna"),
            port=parts.port,
            target=b"/",
        ),
        proxy_auth=(login[0].encode(), login[1].encode()) if any(login) else None,
        ssl_context=tls,
        max_connections=MOST_CONNECTIONS,
        keepalive_expiry=IDLE_SECONDS,
    )
