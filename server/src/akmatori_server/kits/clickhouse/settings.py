"""The settings of a ClickHouse tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from akmatori_server.kits.required import policy_of, require
from akmatori_server.outgoing.policy import Policy

PLAIN_PORT, TLS_PORT = 8123, 8443


@attrs.frozen(kw_only=True)
class Settings:
    """Where a server is, and how it is reached."""

    host: str
    port: int
    is_encrypted: bool
    ca_pem: str
    database: str
    user: str
    password: str = attrs.field(repr=False)
    timeout_seconds: int
    policy: Policy

    @property
    def place(self) -> str:
        """The database in words."""
        return f"{self.database} on {self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address of the HTTP interface."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_encrypted else 'http'}://{host}:{self.port}/"


def parsed_settings(settings: Mapping[str, Any], policy: Policy) -> Settings:
    """Read the settings; `policy` is that of the whole installation.

    Raises:
        ToolFailedError: one is missing, or cannot be used.
    """
    require(settings, "ch_host", "ch_database", "ch_username", "ch_password")
    is_encrypted = settings.get("ch_ssl_enabled") is True
    return Settings(
        host=str(settings["ch_host"]),
        port=int(settings.get("ch_port") or (TLS_PORT if is_encrypted else PLAIN_PORT)),
        is_encrypted=is_encrypted,
        ca_pem=str(settings.get("ch_ca_cert") or ""),
        database=str(settings["ch_database"]),
        user=str(settings["ch_username"]),
        password=str(settings["ch_password"]),
        timeout_seconds=int(settings.get("ch_timeout") or 30),
        policy=policy_of(settings, policy),
    )
