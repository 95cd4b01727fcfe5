"""The composition root: every service built here, from the settings, and given to those who need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version

import orjson
import sqlalchemy as sa
from starlette.types import ASGIApp

from akmatori_server._generated.akmatori import bindings as akmatori_bindings
from akmatori_server._generated.akmatori import stubs as akmatori_stubs
from akmatori_server._generated.aotanami import bindings as aotanami_bindings
from akmatori_server._generated.aotanami import stubs as aotanami_stubs
from akmatori_server.alert_sources.handlers import AlertSourceHandlers
from akmatori_server.alerts.handlers import AlertHandlers, WebhookHandlers
from akmatori_server.audit import AuditTrail
from akmatori_server.audit.handlers import AuditHandlers
from akmatori_server.auth.authenticator import CachingAuthenticator
from akmatori_server.auth.handlers import ApiKeyHandlers, AuthHandlers
from akmatori_server.config import Settings
from akmatori_server.context_files.handlers import ContextHandlers
from akmatori_server.correlation.arena import run_in_arena
from akmatori_server.correlation.handlers import CorrelationRulesHandlers
from akmatori_server.database import Database
from akmatori_server.database.migrate import is_current
from akmatori_server.deliveries.handlers import DeliveryHandlers
from akmatori_server.deliveries.replay import ReplayService
from akmatori_server.docs.handlers import AkmatoriDocs, AotanamiDocs, read_specification
from akmatori_server.docs.pages import BELOW, DocsAssets, to_the_description, to_the_docs
from akmatori_server.engine import Engine
from akmatori_server.events.handlers import EventHandlers
from akmatori_server.health.handlers import Check, HealthHandlers, MetricsPage
from akmatori_server.health.store import incidents_by_status
from akmatori_server.http.application import build_application
from akmatori_server.http.failures import render_akmatori, render_aotanami
from akmatori_server.http.pending import PENDING
from akmatori_server.http.security import Authenticator
from akmatori_server.http.system import System
from akmatori_server.http_connectors.handlers import HttpConnectorHandlers
from akmatori_server.http_connectors.trial import ConnectorTrial
from akmatori_server.incidents.handlers import IncidentHandlers
from akmatori_server.installation import Installation, open_installation
from akmatori_server.kubernetes.access.opening import open_authenticator
from akmatori_server.kubernetes.costs.handlers import CostHandlers
from akmatori_server.kubernetes.drift.handlers import DriftHandlers
from akmatori_server.kubernetes.incidents.handlers import KubernetesIncidentHandlers
from akmatori_server.kubernetes.notifications.handlers import NotificationHandlers as AotanamiNotifications
from akmatori_server.kubernetes.reports.handlers import FindingHandlers, ScanHandlers
from akmatori_server.kubernetes.services import KubernetesServices
from akmatori_server.kubernetes.status.handlers import ClusterHandlers
from akmatori_server.kubernetes.status.handlers import HealthHandlers as AotanamiHealth
from akmatori_server.kubernetes.status.readiness import ReadinessService
from akmatori_server.kubernetes.token_usage.handlers import TokenUsageHandlers
from akmatori_server.lifecycle import Lifecycle
from akmatori_server.mcp_servers.handlers import McpServerHandlers
from akmatori_server.metrics import Metrics
from akmatori_server.notifications.handlers import NotificationHandlers
from akmatori_server.outgoing.policy import Policy
from akmatori_server.proposals.handlers import ProposalHandlers
from akmatori_server.runbooks.handlers import RunbookHandlers
from akmatori_server.services import Services
from akmatori_server.settings.handlers import SettingsHandlers
from akmatori_server.settings.proxy import ProxyService
from akmatori_server.silences.handlers import SilenceHandlers
from akmatori_server.skills.handlers import SkillHandlers
from akmatori_server.toolbox.handlers import ToolCallHandlers
from akmatori_server.tools.handlers import ToolHandlers, ToolTypeHandlers
from akmatori_server.tools.opening import open_catalogue


def create_app(
    settings: Settings, *, installation: Installation | None = None, engine: Engine | None = None
) -> ASGIApp:
    """Build the ASGI application. Its lifespan starts and stops the engine, and closes the database.

    Args:
        settings: From `load_settings`.
        installation: When it is open already; else it is opened here.
        engine: Another engine than the durable one, for tests.

    Raises:
        ConfigurationError: a setting cannot be used.
        IncompleteSystem: an operation of the specifications has no handler.
    """
    site = installation or open_installation(settings)
    lifecycle = Lifecycle.of(site, engine)
    services = lifecycle.services
    checks: Mapping[str, Check] = {
        "database": partial(_check_database, site.database),
        "engine": lifecycle.check,
    }
    return _application(
        [_akmatori(site, services, checks), _aotanami(site, services.kubernetes)],
        settings,
        site,
        lifecycle,
        setup_required=site.auth.setup_required,
        sides={"/": to_the_docs, BELOW: DocsAssets()},
    )


def create_aotanami_app(
    settings: Settings, *, installation: Installation | None = None, engine: Engine | None = None
) -> ASGIApp:
    """Build an application that serves Aotanami's API alone: it needs no password before it answers.

    Args:
        settings: From `load_settings`.
        installation: When it is open already; else it is opened here.
        engine: Another engine than the durable one, for tests.

    Raises:
        ConfigurationError: a setting cannot be used.
        IncompleteSystem: an operation of the specification has no handler.
    """
    site = installation or open_installation(settings)
    lifecycle = Lifecycle.of(site, engine)
    return _application(
        [_aotanami(site, lifecycle.services.kubernetes)],
        settings,
        site,
        lifecycle,
        setup_required=lambda: False,
        sides={"/": to_the_description},
    )


def _application(
    systems: Sequence[System],
    settings: Settings,
    site: Installation,
    lifecycle: Lifecycle,
    *,
    setup_required: Callable[[], bool],
    sides: Mapping[str, ASGIApp],
) -> ASGIApp:
    metrics = Metrics(partial(_count_incidents, site.database))
    return build_application(
        systems,
        authenticator=_authenticator(site, lifecycle.services.kubernetes),
        setup_required=setup_required,
        observe=metrics.observe,
        sides={**sides, "/metrics": MetricsPage(metrics)},
        cors_origins=settings.cors_origins,
        lifespan=lifecycle.lifespan,
        check_responses=settings.check_responses,
        spool_directory=settings.data_dir,
    )


def _authenticator(site: Installation, kubernetes: KubernetesServices) -> Authenticator:
    return open_authenticator(
        CachingAuthenticator(site.auth), site.settings.kubernetes.access, kubernetes.site
    )


def _akmatori(site: Installation, services: Services, checks: Mapping[str, Check]) -> System:
    sources, incidents, trail = services.alert_sources, services.incidents, services.audit
    handlers = akmatori_stubs.Handlers(
        notifications=NotificationHandlers(services.notifications.service, trail, site.database),
        proposals=ProposalHandlers(services.proposals),
        tool_calls=ToolCallHandlers(services.call_history),
        auth=AuthHandlers(site.auth, trail, username=site.settings.admin_username),
        api_keys=ApiKeyHandlers(site.auth, trail),
        audit=AuditHandlers(trail),
        incidents=IncidentHandlers(incidents, services.control, trail, services.events),
        alert_sources=AlertSourceHandlers(sources, trail),
        alerts=AlertHandlers(services.alerts),
        correlation_rules=CorrelationRulesHandlers(services.correlation_rules, run_in_arena),
        silences=SilenceHandlers(services.silences, trail),
        events=EventHandlers(services.event_hub),
        deliveries=DeliveryHandlers(
            services.deliveries,
            ReplayService(site.database, services.deliveries, services.ingest.replay, trail, now=site.now),
        ),
        webhooks=WebhookHandlers(services.ingest),
        runbooks=RunbookHandlers(services.runbooks, trail, written=services.runbook_mirror.follow),
        skills=SkillHandlers(services.skills, services.skill_scripts, services.skill_sync),
        tool_types=ToolTypeHandlers(services.tools),
        tools=ToolHandlers(services.tools, services.ssh_keys, services.tool_trial),
        context=ContextHandlers(services.context_files),
        http_connectors=HttpConnectorHandlers(
            services.http_connectors,
            ConnectorTrial(
                services.http_connectors,
                services.tools,
                route=services.settings.route(ProxyService.HTTP_CONNECTORS),
                policy=Policy(site.settings.allowed_networks),
            ),
        ),
        mcp_servers=McpServerHandlers(
            services.mcp_servers, route=services.settings.route(ProxyService.MCP_SERVERS)
        ),
        settings=SettingsHandlers(
            services.settings, trail, slack_changed=services.notifications.slack_changed
        ),
        health=HealthHandlers(version=version("akmatori-server"), checks=checks),
        docs=AkmatoriDocs(read_specification("akmatori", "openapi.yaml")),
    )
    document = orjson.loads(read_specification("akmatori", "openapi.json"))
    bindings = akmatori_bindings.OPERATIONS
    if site.settings.open_catalogue:
        document, bindings = open_catalogue(document, bindings)
    return System(
        name="akmatori",
        document=document,
        bindings=bindings,
        handlers=handlers,
        pending=PENDING["akmatori"],
        render_error=render_akmatori,
    )


def _aotanami(site: Installation, kubernetes: KubernetesServices) -> System:
    specification = read_specification("aotanami", "openapi.json")
    readiness = ReadinessService(
        kubernetes.site,
        check_database=partial(_check_database, site.database),
        has_prometheus=site.settings.kubernetes.prometheus_url is not None,
    )
    handlers = aotanami_stubs.Handlers(
        docs=AotanamiDocs(specification),
        health=AotanamiHealth(
            kubernetes.clusters,
            readiness,
            version=version("akmatori-server"),
            mode=kubernetes.site.mode,
        ),
        incidents=KubernetesIncidentHandlers(kubernetes.incidents, AuditTrail(site.database, now=site.now)),
        scans=ScanHandlers(kubernetes.scans),
        findings=FindingHandlers(kubernetes.scans),
        costs=CostHandlers(kubernetes.costs),
        drift=DriftHandlers(kubernetes.drift),
        token_usage=TokenUsageHandlers(kubernetes.usage),
        notifications=AotanamiNotifications(site.database),
        clusters=ClusterHandlers(kubernetes.clusters),
    )
    return System(
        name="aotanami",
        document=orjson.loads(specification),
        bindings=aotanami_bindings.OPERATIONS,
        handlers=handlers,
        pending=PENDING["aotanami"],
        render_error=render_aotanami,
    )


def _check_database(database: Database) -> str | None:
    with database.read() as connection:
        connection.execute(sa.select(1))
    return None if is_current(database) else "The tables are not of this server's version."


def _count_incidents(database: Database) -> Mapping[str, int]:
    with database.read() as connection:
        return incidents_by_status(connection)
