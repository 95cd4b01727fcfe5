"""The settings as the API shows them, secrets masked, and their entity tags."""

from __future__ import annotations

from akmatori_sdk._generated.akmatori import models
from akmatori_server.etag import etag_of
from akmatori_server.settings.general import GeneralSettings
from akmatori_server.settings.llm import LlmConfig, LlmSettings
from akmatori_server.settings.proxy import ProxyService, ProxySettings
from akmatori_server.settings.retention import RetentionSettings
from akmatori_server.settings.slack import SlackSettings
from akmatori_server.settings.stored import FIRST_VERSION, Stored


def etag(settings: Stored) -> str:
    """Return the entity tag of a settings object."""
    return etag_of(type(settings).__name__, settings.id, settings.version)


def created_llm_etag(config_id: int) -> str:
    """Return the entity tag that a configuration had when it was new."""
    return etag_of(LlmConfig.__name__, config_id, FIRST_VERSION)


def llm_etag(settings: LlmSettings) -> str:
    """Return the entity tag of all configurations together."""
    return etag_of(*(etag(config) for config in settings.configs))


def general_model(settings: GeneralSettings) -> models.GeneralSettings:
    """Return the general settings as the API shows them."""
    return models.GeneralSettings(
        id=settings.id,
        base_url=settings.base_url,
        created_at=settings.created_at,
        updated_at=settings.updated_at,
    )


def slack_model(settings: SlackSettings) -> models.SlackSettings:
    """Return the Slack settings as the API shows them."""
    return models.SlackSettings(
        id=settings.id,
        bot_token=settings.bot_token.shown,
        signing_secret=settings.signing_secret.shown,
        app_token=settings.app_token.shown,
        alerts_channel=settings.alerts_channel,
        enabled=settings.enabled,
        is_configured=settings.is_configured,
        created_at=settings.created_at,
        updated_at=settings.updated_at,
    )


def proxy_model(settings: ProxySettings) -> models.ProxySettings:
    """Return the proxy settings as the API shows them."""

    def state(service: ProxyService) -> models.ProxyServiceState:
        return models.ProxyServiceState(enabled=service in settings.services, supported=True)

    return models.ProxySettings(
        proxy_url=settings.shown_url,
        no_proxy=settings.no_proxy,
        services=models.ProxyServices(
            llm=state(ProxyService.LLM),
            openai=state(ProxyService.LLM),
            slack=state(ProxyService.SLACK),
            zabbix=state(ProxyService.ZABBIX),
            victoria_metrics=state(ProxyService.VICTORIA_METRICS),
            catchpoint=state(ProxyService.CATCHPOINT),
            grafana=state(ProxyService.GRAFANA),
            pagerduty=state(ProxyService.PAGERDUTY),
            netbox=state(ProxyService.NETBOX),
            kubernetes=state(ProxyService.KUBERNETES),
            jira=state(ProxyService.JIRA),
            http_connectors=state(ProxyService.HTTP_CONNECTORS),
            mcp_servers=state(ProxyService.MCP_SERVERS),
            notifications=state(ProxyService.NOTIFICATIONS),
            ssh=models.ProxyServiceState(enabled=False, supported=False),
        ),
    )


def retention_model(settings: RetentionSettings) -> models.RetentionSettings:
    """Return the retention settings as the API shows them."""
    return models.RetentionSettings(
        id=settings.id,
        enabled=settings.enabled,
        retention_days=settings.retention_days,
        cleanup_interval_hours=settings.cleanup_interval_hours,
        created_at=settings.created_at,
        updated_at=settings.updated_at,
    )


def llm_config_model(config: LlmConfig) -> models.LlmConfig:
    """Return a configuration of a language model as the API shows it."""
    return models.LlmConfig(
        id=config.id,
        name=config.name,
        provider=models.LlmProvider(config.provider.value),
        api_key=config.api_key.shown,
        model=config.model,
        thinking_level=models.LlmThinkingLevel(config.thinking_level.value),
        base_url=config.base_url,
        is_configured=config.api_key.is_set,
        enabled=config.enabled,
        active=config.active,
        created_at=config.created_at,
        updated_at=config.updated_at,
    )


def llm_model(settings: LlmSettings) -> models.LlmSettings:
    """Return all configurations as the API shows them: the list, and the chosen one laid flat beside it."""
    configs = [llm_config_model(config) for config in settings.configs]
    chosen = settings.chosen
    if chosen is None:
        return models.LlmSettings(configs=configs, active_id=0)
    flat = llm_config_model(chosen)
    return models.LlmSettings(
        configs=configs,
        active_id=flat.id,
        active_provider=flat.provider,
        providers={
            provider.value: _provider_model(config) for provider, config in settings.providers.items()
        },
        id=flat.id,
        provider=flat.provider,
        api_key=flat.api_key,
        model=flat.model,
        thinking_level=flat.thinking_level,
        base_url=flat.base_url,
        is_configured=flat.is_configured,
        created_at=flat.created_at,
        updated_at=flat.updated_at,
    )


def _provider_model(config: LlmConfig) -> models.LlmProviderSettings:
    return models.LlmProviderSettings(
        api_key=config.api_key.shown,
        model=config.model,
        thinking_level=models.LlmThinkingLevel(config.thinking_level.value),
        base_url=config.base_url,
        is_configured=config.api_key.is_set,
    )
