"""The rules for addresses, for libraries that bring httpx2. Import it only where such a library is used."""

from __future__ import annotations

import httpx2

from akmatori_server.outgoing.guard import LookUp, resolve_checked
from akmatori_server.outgoing.policy import Policy
from akmatori_server.outgoing.target import parsed_target
from akmatori_server.outgoing.tls import tls_context
from akmatori_server.settings.route import Proxy


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Sends every request to an address that was checked, a redirect's too; a proxy is told the name.

    Neither the environment's proxies nor .netrc are read.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        proxy: Proxy | None = None,
        verify_tls: bool = True,
        resolver: LookUp | None = None,
    ) -> None:
        self._policy = policy
        self._proxy = proxy
        self._tls = tls_context(verify=verify_tls)
        self._resolver = resolver
        # One for each name: connections are kept by address, and names that share one differ in TLS.
        self._inner: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            AddressRefusedError: it may not go there.
        """
        target = parsed_target(str(request.url))
        address = await resolve_checked(target.host, target.port, self._policy, resolver=self._resolver)
        if self._proxy is None:
            request.url = request.url.copy_with(host=address)
            request.extensions = {**request.extensions, "sni_hostname": target.host}
        return await self._transport(target.host).handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        transports = list(self._inner.values())
        self._inner.clear()
        for transport in transports:
            await transport.aclose()

    def _transport(self, host: str) -> httpx2.AsyncHTTPTransport:
        transport = self._inner.get(host)
        if transport is None:
            proxy = None if self._proxy is None else httpx2.Proxy(self._proxy.url)
            transport = httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False, proxy=proxy)
            self._inner[host] = transport
        return transport
