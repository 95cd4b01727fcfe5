"""Proxy settings: which outgoing requests go through an HTTP proxy."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

import attrs

from akmatori_server.errors import BadRequest
from akmatori_server.secrets.masking import MASK
from akmatori_server.secrets.secret import Secret
from akmatori_server.settings.general import checked_url
from akmatori_server.settings.no_proxy import is_direct
from akmatori_server.settings.stored import Stored

# Four asterisks, percent-encoded as the product shows them.
SHOWN_PASSWORD = "%2A%2A%2A%2A"  # noqa: S105  a mask
_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")


class ProxyService(enum.StrEnum):
    """What can be told to use the proxy."""

    LLM = "llm"
    SLACK = "slack"
    ZABBIX = "zabbix"
    VICTORIA_METRICS = "victoria_metrics"
    CATCHPOINT = "catchpoint"
    GRAFANA = "grafana"
    PAGERDUTY = "pagerduty"
    NETBOX = "netbox"
    KUBERNETES = "kubernetes"
    JIRA = "jira"
    HTTP_CONNECTORS = "http_connectors"
    MCP_SERVERS = "mcp_servers"
    NOTIFICATIONS = "notifications"


USUAL_SERVICES = frozenset({ProxyService.LLM, ProxyService.SLACK})


@attrs.frozen(kw_only=True)
class ProxySettings(Stored):
    """The HTTP proxy for outgoing requests. `address` is its URL without the password."""

    address: str
    password: Secret
    no_proxy: str
    services: frozenset[ProxyService]

    @property
    def shown_url(self) -> str:
        """The URL with the password masked."""
        return _with_password(self.address, SHOWN_PASSWORD) if self.password.is_set else self.address

    @property
    def url(self) -> str:
        """The URL with its password, "" when there is no proxy. Not to be logged.

        Raises:
            SecretUnreadableError: the password was encrypted with a key this server does not have.
        """
        return _with_password(self.address, self.password.reveal()) if self.password.is_set else self.address

    def proxy_for(self, url: str, service: str) -> str | None:
        """Return the proxy that a request of a service to `url` goes through, None for none.

        Args:
            url: where the request goes.
            service: a `ProxyService`; any other never uses the proxy.

        Raises:
            ValueError: the URL has no host, or a port that is none.
            SecretUnreadableError: the password was encrypted with a key this server does not have.
        """
        if not self.address or service not in self.services or is_direct(url, self.no_proxy):
            return None
        return self.url

    def replaced(self, *, url: str, no_proxy: str, services: Iterable[ProxyService]) -> ProxySettings:
        """Return the settings with everything replaced; a masked password in the URL keeps the stored one.

        Raises:
            BadRequest: the URL cannot be used, or has a mask where no password is stored.
        """
        address, password = _split(url)
        if unquote(password) == MASK:
            if not self.password.is_set:
                raise BadRequest("proxy_url: the password is a mask, but none is stored; send it in clear.")
            secret = self.password
        else:
            secret = self.password.written(password, member="proxy_url")
        return attrs.evolve(
            self, address=address, password=secret, no_proxy=no_proxy, services=frozenset(services)
        )


def _split(url: str) -> tuple[str, str]:
    """Return the URL without its password, and the password as it is written in a URL, "" for none."""
    checked_url(url, member="proxy_url")
    if not url:
        return "", ""
    unusable = BadRequest("proxy_url: must look like http://host:port or http://user:password@host:port.")
    if _UNUSABLE.search(url):
        raise unusable
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        # The cause would repeat a part of the URL, which may be the password.
        raise unusable from None
    if not has_host:
        raise unusable
    credentials, at, place = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    netloc = f"{user}{at}{place}" if user else place
    return parts._replace(netloc=netloc).geturl(), password


def _with_password(address: str, password: str) -> str:
    parts = urlsplit(address)
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{password}@{place}").geturl()
