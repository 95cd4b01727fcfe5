"""SQL of the settings: rows to values and back, on the caller's connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.crypto import SecretBox
from akmatori_server.secrets.secret import Secret
from akmatori_server.settings.general import GeneralSettings
from akmatori_server.settings.llm import FIRST_CONFIGS, LlmConfig, LlmProvider, LlmSettings, ThinkingLevel
from akmatori_server.settings.proxy import USUAL_SERVICES, ProxyService, ProxySettings
from akmatori_server.settings.retention import RetentionSettings
from akmatori_server.settings.slack import SlackSettings
from akmatori_server.settings.stored import Stored
from akmatori_server.settings.tables import (
    ONLY_ROW,
    general_settings,
    llm_configs,
    proxy_settings,
    retention_settings,
    slack_settings,
)

# What each table holds before anybody has changed anything.
_FIRST_ROWS: tuple[tuple[sa.Table, Mapping[str, Any]], ...] = (
    (general_settings, {"base_url": ""}),
    (slack_settings, {"alerts_channel": "", "enabled": False}),
    (
        proxy_settings,
        {"url": "", "no_proxy": "", "services": sorted(service.value for service in USUAL_SERVICES)},
    ),
    (retention_settings, {"enabled": True, "retention_days": 90, "cleanup_interval_hours": 6}),
)


def seed(connection: sa.Connection, *, now: datetime) -> None:
    """Fill the tables that are empty; what is there stays. Two servers may do it at once."""
    for table, values in _FIRST_ROWS:
        _insert_missing(connection, table, {"id": ONLY_ROW, **values}, now=now)
    if connection.execute(sa.select(llm_configs.c.id).limit(1)).first() is not None:
        return
    for number, new in enumerate(FIRST_CONFIGS):
        values = {
            "name": new.name,
            "provider": new.provider.value,
            "model": new.model,
            "thinking_level": new.thinking_level.value,
            "base_url": "",
            "enabled": False,
            "active": number == 0,
        }
        _insert_missing(connection, llm_configs, values, now=now)


def general(connection: sa.Connection, *, lock: bool = False) -> GeneralSettings:
    """Read the general settings."""
    return GeneralSettings(**_only_row(connection, general_settings, lock=lock))


def slack(connection: sa.Connection, box: SecretBox, *, lock: bool = False) -> SlackSettings:
    """Read the Slack settings."""
    row = _only_row(connection, slack_settings, lock=lock)

    def secret(name: str) -> Secret:
        return Secret(row[name], f"slack_settings:{ONLY_ROW}:{name}", box)

    return SlackSettings(
        **_stamp(row),
        bot_token=secret("bot_token"),
        signing_secret=secret("signing_secret"),
        app_token=secret("app_token"),
        alerts_channel=row["alerts_channel"],
        enabled=row["enabled"],
    )


def proxy(connection: sa.Connection, box: SecretBox, *, lock: bool = False) -> ProxySettings:
    """Read the proxy settings."""
    row = _only_row(connection, proxy_settings, lock=lock)
    known = {service.value for service in ProxyService}
    return ProxySettings(
        **_stamp(row),
        address=row["url"],
        password=Secret(row["password"], f"proxy_settings:{ONLY_ROW}:password", box),
        no_proxy=row["no_proxy"],
        # A newer server may have written names that this one does not know.
        services=frozenset(ProxyService(name) for name in row["services"] if name in known),
    )


def retention(connection: sa.Connection, *, lock: bool = False) -> RetentionSettings:
    """Read the retention settings."""
    return RetentionSettings(**_only_row(connection, retention_settings, lock=lock))


def llm(connection: sa.Connection, box: SecretBox, *, lock: bool = False) -> LlmSettings:
    """Read all configurations of language models."""
    query = sa.select(llm_configs).order_by(llm_configs.c.id)
    rows = connection.execute(query.with_for_update() if lock else query).mappings()
    configs = [_llm_config(_plain(row), box) for row in rows]
    return LlmSettings(tuple(sorted(configs, key=lambda config: (config.provider, config.name))))


def put_general(connection: sa.Connection, settings: GeneralSettings) -> None:
    """Store the general settings."""
    _update(connection, general_settings, settings, {"base_url": settings.base_url})


def put_slack(connection: sa.Connection, settings: SlackSettings) -> None:
    """Store the Slack settings."""
    values = {
        "bot_token": settings.bot_token.token,
        "signing_secret": settings.signing_secret.token,
        "app_token": settings.app_token.token,
        "alerts_channel": settings.alerts_channel,
        "enabled": settings.enabled,
    }
    _update(connection, slack_settings, settings, values)


def put_proxy(connection: sa.Connection, settings: ProxySettings) -> None:
    """Store the proxy settings."""
    values = {
        "url": settings.address,
        "password": settings.password.token,
        "no_proxy": settings.no_proxy,
        "services": sorted(service.value for service in settings.services),
    }
    _update(connection, proxy_settings, settings, values)


def put_retention(connection: sa.Connection, settings: RetentionSettings) -> None:
    """Store the retention settings."""
    values = {
        "enabled": settings.enabled,
        "retention_days": settings.retention_days,
        "cleanup_interval_hours": settings.cleanup_interval_hours,
    }
    _update(connection, retention_settings, settings, values)


def add_llm(connection: sa.Connection, values: Mapping[str, Any], *, now: datetime) -> int:
    """Store a new configuration without a key, and return its id."""
    insert = sa.insert(llm_configs).values(**values, created_at=now, updated_at=now)
    return int(connection.execute(insert.returning(llm_configs.c.id)).scalar_one())


def put_llm(connection: sa.Connection, config: LlmConfig) -> None:
    """Store a configuration."""
    values = {
        "name": config.name,
        "api_key": config.api_key.token,
        "model": config.model,
        "thinking_level": config.thinking_level.value,
        "base_url": config.base_url,
        "enabled": config.enabled,
        "active": config.active,
    }
    _update(connection, llm_configs, config, values)


def delete_llm(connection: sa.Connection, config_id: int) -> None:
    """Delete a configuration."""
    connection.execute(sa.delete(llm_configs).where(llm_configs.c.id == config_id))


def _only_row(connection: sa.Connection, table: sa.Table, *, lock: bool) -> dict[str, Any]:
    query = sa.select(table).where(table.c.id == ONLY_ROW)
    return _plain(connection.execute(query.with_for_update() if lock else query).mappings().one())


def _insert_missing(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], *, now: datetime
) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table).values(**values, created_at=now, updated_at=now)
    connection.execute(insert.on_conflict_do_nothing())


def _update(connection: sa.Connection, table: sa.Table, settings: Stored, values: Mapping[str, Any]) -> None:
    stamp = {"version": settings.version, "updated_at": settings.updated_at}
    connection.execute(sa.update(table).where(table.c.id == settings.id).values(**values, **stamp))


def _llm_config(row: dict[str, Any], box: SecretBox) -> LlmConfig:
    row["provider"] = LlmProvider(row["provider"])
    row["thinking_level"] = ThinkingLevel(row["thinking_level"])
    row["api_key"] = Secret(row["api_key"], f"llm_configs:{row['id']}:api_key", box)
    return LlmConfig(**row)


def _stamp(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "version", "created_at", "updated_at")}


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
