"""Aotanami's services, built once and in one place; nothing here knows HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs

from akmatori_server.audit.trail import AuditTrail
from akmatori_server.config import ConfigurationError
from akmatori_server.engine import Engine
from akmatori_server.installation import Installation
from akmatori_server.kubernetes.checks.catalogue import UnknownCheckError, named_checks
from akmatori_server.kubernetes.configuration import KubernetesSettings
from akmatori_server.kubernetes.costs.model import Prices
from akmatori_server.kubernetes.costs.rightsizing import Strategy
from akmatori_server.kubernetes.costs.service import CostOptions, CostService
from akmatori_server.kubernetes.drift.ignored import complaint_about
from akmatori_server.kubernetes.drift.service import DriftOptions, DriftService
from akmatori_server.kubernetes.drift.source import DesiredState
from akmatori_server.kubernetes.incidents.announcement import IncidentAnnouncer
from akmatori_server.kubernetes.incidents.service import IncidentService
from akmatori_server.kubernetes.incidents.standing import with_open_incidents
from akmatori_server.kubernetes.reports.service import ReportOptions, ScanService
from akmatori_server.kubernetes.scans.exceptions import ExceptionsError, read_exceptions
from akmatori_server.kubernetes.scans.model import CheckOptions
from akmatori_server.kubernetes.site import KubernetesSite, configured_targets
from akmatori_server.kubernetes.status.clusters import ClusterService
from akmatori_server.kubernetes.status.scanned import by_scans
from akmatori_server.kubernetes.targets import Mode, Target
from akmatori_server.kubernetes.token_usage.service import ModelInUse, UsageOptions, UsageService
from akmatori_server.notifications.announcer import Announcer


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
    installation: Installation,
    engine: Engine,
    *,
    model: Callable[[], ModelInUse | None],
    announcer: Announcer,
) -> KubernetesServices:
    """Build the services of one installation.

    Args:
        installation: the settings, the database and the clock.
        engine: does what is done by the clock, and what by tasks.
        model: tells the language model in use.
        announcer: stores what people are to be told.

    Raises:
        ConfigurationError: what is to be looked at cannot be used.
    """
    settings = installation.settings.kubernetes
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
            ReportOptions(
                schedule=settings.scan_schedule,
                exceptions_file=_exceptions(settings.scan_exceptions),
                checks=check_options(settings),
            ),
            AuditTrail(site.database, now=site.now),
        ),
        incidents=IncidentService(site, tell=IncidentAnnouncer(announcer).tell),
        clusters=ClusterService(
            site, standings=with_open_incidents(by_scans([target.name for target in site.targets]))
        ),
        usage=UsageService(
            site.database, _usage_options(settings), now=site.now, model=model, announcer=announcer
        ),
    )


def check_options(settings: KubernetesSettings) -> CheckOptions:
    """Return what the settings say of the checks of all scans.

    Raises:
        ConfigurationError: they name a check that does not exist.
    """
    try:
        skipped = named_checks(settings.scan_skip)
    except UnknownCheckError as error:
        raise ConfigurationError(f"AKMATORI_SCAN_SKIP: {error}") from None
    return CheckOptions(
        skipped=skipped, registries=settings.scan_registries, release=settings.scan_kubernetes_version
    )


def _cost_options(settings: KubernetesSettings) -> CostOptions:
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


def _usage_options(settings: KubernetesSettings) -> UsageOptions:
    hourly, daily, monthly = settings.token_budget
    return UsageOptions(
        hourly=hourly, daily=daily, monthly=monthly, alert_percent=settings.token_alert_percent
    )


def _drift_options(settings: KubernetesSettings, site: KubernetesSite) -> DriftOptions:
    return DriftOptions(
        desired=None if settings.drift_source is None else DesiredState(settings.drift_source),
        target=_drift_target(settings, site),
        ignore=_ignored(settings.drift_ignore),
    )


def _exceptions(path: Path | None) -> Path | None:
    """Return the file of exceptions. Every scan reads it again, and one that means nothing is told at the start."""
    if path is not None:
        try:
            read_exceptions(path)
        except ExceptionsError as error:
            raise ConfigurationError(f"AKMATORI_SCAN_EXCEPTIONS: {error}") from None
    return path


def _ignored(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        if complaint := complaint_about(pattern):
            raise ConfigurationError(f"AKMATORI_DRIFT_IGNORE: {pattern[:200]} {complaint}")
    return patterns


def _drift_target(settings: KubernetesSettings, site: KubernetesSite) -> Target | None:
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
