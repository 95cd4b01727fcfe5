"""Where a request goes, read from its URL once and strictly: nothing is left for a second reader to interpret."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urljoin, urlsplit

import attrs

from akmatori_server.outgoing.errors import AddressRefusedError

LONGEST_URL = 16384
USUAL_PORTS = {"http": 80, "https": 443}

# Underscores are not allowed in host names, but are common inside networks.
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# What resolvers read as an address in other forms: 0x7f.1, 017700000001, 2130706433.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
# Every character that a path or a query may have as it is; others are percent-encoded.
_SAFE = "/?:@!$&'()*+,;=-._~%[]"
_MOST_PORT = 65535
# Names of the services that hand out a machine's credentials; a proxy would look them up for us.
_METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "instance-data",
        "instance-data.ec2.internal",
    }
)


@attrs.frozen
class Target:
    """An HTTP or HTTPS resource. `path` has the query, and is percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials are meant for."""
        return (self.scheme, self.host, self.port)

    @property
    def place(self) -> str:
        """Host and port as a URL and the Host header have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self.place}{self.path}"

    def joined(self, location: str) -> Target:
        """Return where a redirect leads.

        Raises:
            AddressRefusedError: it is not a URL that may be called.
        """
        _require_plain(location)
        try:
            return parsed_target(urljoin(self.url, location))
        except ValueError:
            raise AddressRefusedError("The redirect's URL cannot be read.") from None


def parsed_target(url: str) -> Target:
    """Read a URL.

    Raises:
        AddressRefusedError: it is not one that may be called; nothing of a user name or password is repeated.
    """
    _require_plain(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefusedError("The URL cannot be read.") from None
    if parts.scheme not in USUAL_PORTS:
        raise AddressRefusedError("Only http and https URLs are called.")
    # Readers differ about where the host ends: at the last @, or at the first of /, ? and #.
    if "@" in parts.netloc or ("@" in parts.fragment and not parts.path):
        raise AddressRefusedError("A URL with a user name or password in it is not called.")
    if "[" in parts.netloc and ":" not in host:
        raise AddressRefusedError("Brackets stand around IPv6 addresses only.")
    if port is None:
        # "host:" has none, and is read in more than one way.
        if parts.netloc.endswith(":"):
            raise AddressRefusedError("The URL has no port after its colon.")
        port = USUAL_PORTS[parts.scheme]
    path = quote(parts.path or "/", safe=_SAFE.replace("?", ""))
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return Target(parts.scheme, checked_host(host), checked_port(port), path + query)


def checked_host(host: str) -> str:
    """Return a host as it is looked up: a name or an address in its usual form.

    Raises:
        AddressRefusedError: it is neither, or the name of a metadata service.
    """
    lowered = host.lower()
    if is_address(lowered):
        return lowered
    name = lowered.removesuffix(".")
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefusedError("The host is neither a name in plain letters nor an address.")
    if _NUMBER.fullmatch(labels[-1]):
        raise AddressRefusedError(f"{name[:64]} is not an address in its usual form.")
    if name in _METADATA_NAMES:
        raise AddressRefusedError(f"{name} is a metadata service, which is never called.")
    return lowered


def checked_port(port: int) -> int:
    """Return a port.

    Raises:
        AddressRefusedError: there is no such port.
    """
    if not 0 < port <= _MOST_PORT:
        raise AddressRefusedError("The port must be from 1 to 65535.")
    return port


def is_address(host: str) -> bool:
    """Whether a host is an address, without a zone."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _require_plain(url: str) -> None:
    # Parsers drop or convert some of these without a word.
    if len(url) > LONGEST_URL:
        raise AddressRefusedError(f"The URL is longer than {LONGEST_URL} characters.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefusedError("The URL has blanks, control characters or backslashes in it.")
