"""The settings of a PostgreSQL tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from akmatori_server.kits.required import policy_of, require
from akmatori_server.outgoing.policy import Policy


@attrs.frozen(kw_only=True)
class Settings:
    """Where a database is, and how it is reached."""

    host: str
    port: int
    database: str
    user: str
    password: str = attrs.field(repr=False)
    ssl_mode: str
    ca_pem: str
    timeout_seconds: int
    policy: Policy

    @property
    def place(self) -> str:
        """The database in words."""
        return f"{self.database} on {self.host}:{self.port}"


def parsed_settings(settings: Mapping[str, Any], policy: Policy) -> Settings:
    """Read the settings; `policy` is that of the whole installation.

    Raises:
        ToolFailedError: one is missing, or cannot be used.
    """
    require(settings, "pg_host", "pg_database", "pg_username", "pg_password")
    return Settings(
        host=str(settings["pg_host"]),
        port=int(settings.get("pg_port") or 5432),
        database=str(settings["pg_database"]),
        user=str(settings["pg_username"]),
        password=str(settings["pg_password"]),
        ssl_mode=str(settings.get("pg_ssl_mode") or "require"),
        ca_pem=str(settings.get("pg_ca_cert") or ""),
        timeout_seconds=int(settings.get("pg_timeout") or 30),
        policy=policy_of(settings, policy),
    )
