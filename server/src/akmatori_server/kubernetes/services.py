"""Aotanami's services, built once and in one place; nothing here knows HTTP."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from akmatori_server.audit.trail import AuditTrail
from akmatori_server.config import ConfigurationError, Settings
from akmatori_server.engine import Engine
from akmatori_server.installation import Installation
from akmatori_server.kubernetes.costs.model import Prices
from akmatori_server.kubernetes.costs.rightsizing import Strategy
from akmatori_server.kubernetes.costs.service import CostOptions, CostService
from akmatori_server.kubernetes.drift.service import DriftOptions, DriftService
from akmatori_server.kubernetes.drift.source import DesiredState
from akmatori_server.kubernetes.incidents.service import IncidentService
from akmatori_server.kubernetes.incidents.standing import with_open_incidents
from akmatori_server.kubernetes.reports.service import ReportOptions, ScanService
from akmatori_server.kubernetes.site import KubernetesSite, configured_targets
from akmatori_server.kubernetes.status.clusters import ClusterService
from akmatori_server.kubernetes.status.scanned import by_scans
from akmatori_server.kubernetes.targets import Mode, Target
from akmatori_server.kubernetes.token_usage.service import ModelInUse, UsageOptions, UsageService


@attrs.frozen(kw_only=True)
class KubernetesServices:
    """What Aotanami's handlers are made of."""

    site: KubernetesSite
    costs: CostService
    drift: DriftService
    scans: ScanService
    incidents: IncidentService
    clusters: ClusterService
    usage: UsageService

    def declare(self, engine: Engine) -> None:
        """Tell the engine what is done by the clock, and what by tasks."""
        self.costs.declare(engine)
        self.drift.declare(engine)
        self.scans.declare(engine)
        self.incidents.declare(engine)
        self.clusters.declare(engine)


def build_kubernetes(
    installation: Installation, engine: Engine, *, model: Callable[[], ModelInUse | None]
) -> KubernetesServices:
    """Build the services of one installation; `model` tells the language model in use.

    Raises:
        ConfigurationError: what is to be looked at cannot be used.
    """
    settings = installation.settings
    site = KubernetesSite(
        database=installation.database,
        engine=engine,
        now=installation.now,
        targets=configured_targets(settings),
    )
    return KubernetesServices(
        site=site,
        costs=CostService(site, _cost_options(settings)),
        drift=DriftService(site.database, _drift_options(settings, site), now=site.now),
        scans=ScanService(
            site,
            ReportOptions(schedule=settings.scan_schedule, exceptions_file=settings.scan_exceptions),
            AuditTrail(site.database, now=site.now),
        ),
        incidents=IncidentService(site),
        clusters=ClusterService(
            site, standings=with_open_incidents(by_scans([target.name for target in site.targets]))
        ),
        usage=UsageService(site.database, _usage_options(settings), now=site.now, model=model),
    )


def _cost_options(settings: Settings) -> CostOptions:
    prices = Prices()
    if settings.prices is not None:
        cpu, memory, storage = settings.prices
        prices = Prices(
            cpu_core_hour=cpu, memory_gib_hour=memory, storage_gib_hour=storage, source="configured"
        )
    return CostOptions(
        prices=prices,
        strategy=Strategy(settings.resize_strategy),
        monthly_budget=settings.cost_budget,
        prometheus_url=settings.prometheus_url,
    )


def _usage_options(settings: Settings) -> UsageOptions:
    hourly, daily, monthly = settings.token_budget
    return UsageOptions(
        hourly=hourly, daily=daily, monthly=monthly, alert_percent=settings.token_alert_percent
    )


def _drift_options(settings: Settings, site: KubernetesSite) -> DriftOptions:
    return DriftOptions(
        desired=None if settings.drift_source is None else DesiredState(settings.drift_source),
        target=_drift_target(settings, site),
        ignore=settings.drift_ignore,
    )


def _drift_target(settings: Settings, site: KubernetesSite) -> Target | None:
    if settings.drift_target is not None:
        target = site.target(settings.drift_target)
        if target is None:
            known = ", ".join(one.name for one in site.targets) or "none"
            raise ConfigurationError(
                f"AKMATORI_DRIFT_TARGET: there is no cluster or folder {settings.drift_target}; there are {known}."
            )
        return target
    # A cluster, where there is one; a folder may stand for it, such as an export of one.
    return next(iter(sorted(site.targets, key=lambda target: target.mode is not Mode.LIVE)), None)
