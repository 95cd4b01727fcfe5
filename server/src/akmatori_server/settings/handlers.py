"""Answers the operations of the tag `settings`, those about language models in `llm_handlers`."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.etag import require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.optional import given
from akmatori_server.settings.general import GeneralSettings
from akmatori_server.settings.llm_handlers import LlmHandlers
from akmatori_server.settings.proxy import ProxyService, ProxySettings
from akmatori_server.settings.retention import RetentionSettings
from akmatori_server.settings.service import SettingsService
from akmatori_server.settings.shown import etag, general_model, proxy_model, retention_model, slack_model
from akmatori_server.settings.slack import SlackSettings

SlackChanged = Callable[[sa.Connection], None]
"""Hears that the Slack settings are others now, in the transaction that changes them."""


def _unheard(_connection: sa.Connection) -> None:
    """Nobody uses Slack."""


class SettingsHandlers(LlmHandlers):
    """The settings over HTTP."""

    def __init__(
        self, settings: SettingsService, trail: AuditTrail, *, slack_changed: SlackChanged = _unheard
    ) -> None:
        super().__init__(settings, trail)
        self._slack_changed = slack_changed

    def get_general_settings(self, _call: Call, /) -> Answer[models.GeneralSettings]:
        """Read the general settings."""
        return _general(self._settings.general())

    def update_general_settings(
        self, call: Call, /, *, if_match: str | Unset, body: models.UpdateGeneralSettingsRequest
    ) -> Answer[models.GeneralSettings]:
        """Change members of the general settings."""
        with self._settings.writing() as write:
            before = write.general()
            require_match(if_match, etag(before))
            after = write.put_general(before.changed(base_url=given(body.base_url)))
            self._trail.record(
                write.connection,
                call,
                Action.GENERAL_UPDATED,
                "settings:general",
                codec.encode_general_settings(general_model(before)),
                codec.encode_general_settings(general_model(after)),
            )
        return _general(after)

    def get_slack_settings(self, _call: Call, /) -> Answer[models.SlackSettings]:
        """Read the Slack settings."""
        return _slack(self._settings.slack())

    def update_slack_settings(
        self, call: Call, /, *, if_match: str | Unset, body: models.UpdateSlackSettingsRequest
    ) -> Answer[models.SlackSettings]:
        """Change members of the Slack settings."""
        with self._settings.writing() as write:
            before = write.slack()
            require_match(if_match, etag(before))
            after = write.put_slack(
                before.changed(
                    bot_token=given(body.bot_token),
                    signing_secret=given(body.signing_secret),
                    app_token=given(body.app_token),
                    alerts_channel=given(body.alerts_channel),
                    enabled=given(body.enabled),
                )
            )
            self._trail.record(
                write.connection,
                call,
                Action.SLACK_UPDATED,
                "settings:slack",
                codec.encode_slack_settings(slack_model(before)),
                codec.encode_slack_settings(slack_model(after)),
            )
            self._slack_changed(write.connection)
        return _slack(after)

    def get_proxy_settings(self, _call: Call, /) -> Answer[models.ProxySettings]:
        """Read the proxy settings."""
        return _proxy(self._settings.proxy())

    def update_proxy_settings(
        self, call: Call, /, *, if_match: str | Unset, body: models.UpdateProxySettingsRequest
    ) -> Answer[models.ProxySettings]:
        """Replace the proxy settings."""
        with self._settings.writing() as write:
            before = write.proxy()
            require_match(if_match, etag(before))
            after = write.put_proxy(
                before.replaced(
                    url=given(body.proxy_url) or "",
                    no_proxy=given(body.no_proxy) or "",
                    services=_enabled(given(body.services)),
                )
            )
            self._trail.record(
                write.connection,
                call,
                Action.PROXY_UPDATED,
                "settings:proxy",
                codec.encode_proxy_settings(proxy_model(before)),
                codec.encode_proxy_settings(proxy_model(after)),
            )
        return _proxy(after)

    def get_retention_settings(self, _call: Call, /) -> Answer[models.RetentionSettings]:
        """Read the retention settings."""
        return _retention(self._settings.retention())

    def update_retention_settings(
        self, call: Call, /, *, if_match: str | Unset, body: models.UpdateRetentionSettingsRequest
    ) -> Answer[models.RetentionSettings]:
        """Change members of the retention settings."""
        with self._settings.writing() as write:
            before = write.retention()
            require_match(if_match, etag(before))
            after = write.put_retention(
                before.changed(
                    enabled=given(body.enabled),
                    retention_days=given(body.retention_days),
                    cleanup_interval_hours=given(body.cleanup_interval_hours),
                )
            )
            self._trail.record(
                write.connection,
                call,
                Action.RETENTION_UPDATED,
                "settings:retention",
                codec.encode_retention_settings(retention_model(before)),
                codec.encode_retention_settings(retention_model(after)),
            )
        return _retention(after)


def _enabled(services: models.ProxyServicesUpdate | None) -> list[ProxyService]:
    """Return the services that are to use the proxy; `llm` wins over its old name."""
    if services is None:
        return []
    updates: dict[ProxyService, models.ProxyServiceUpdate | Unset | None] = {
        ProxyService.LLM: given(services.llm) or services.openai,
        ProxyService.SLACK: services.slack,
        ProxyService.ZABBIX: services.zabbix,
        ProxyService.VICTORIA_METRICS: services.victoria_metrics,
        ProxyService.CATCHPOINT: services.catchpoint,
        ProxyService.GRAFANA: services.grafana,
        ProxyService.PAGERDUTY: services.pagerduty,
        ProxyService.NETBOX: services.netbox,
        ProxyService.KUBERNETES: services.kubernetes,
        ProxyService.JIRA: services.jira,
        ProxyService.HTTP_CONNECTORS: services.http_connectors,
        ProxyService.MCP_SERVERS: services.mcp_servers,
        ProxyService.NOTIFICATIONS: services.notifications,
    }
    return [service for service, update in updates.items() if update and update.enabled]


def _general(settings: GeneralSettings) -> Answer[models.GeneralSettings]:
    return Answer(general_model(settings), headers={"ETag": etag(settings)})


def _slack(settings: SlackSettings) -> Answer[models.SlackSettings]:
    return Answer(slack_model(settings), headers={"ETag": etag(settings)})


def _proxy(settings: ProxySettings) -> Answer[models.ProxySettings]:
    return Answer(proxy_model(settings), headers={"ETag": etag(settings)})


def _retention(settings: RetentionSettings) -> Answer[models.RetentionSettings]:
    return Answer(retention_model(settings), headers={"ETag": etag(settings)})
