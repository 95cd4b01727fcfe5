"""Every service of an installation, built once and in one place; nothing here knows HTTP."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import attrs

from akmatori_server.agent.circuit import Circuit
from akmatori_server.alert_sources.at_hand import SourcesAtHand
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.alerts.ingest import Gate, Ingest
from akmatori_server.alerts.reader import AlertReader
from akmatori_server.alerts.release import HeldAlerts
from akmatori_server.audit.trail import AuditTrail
from akmatori_server.context_files.service import ContextFileService
from akmatori_server.correlation.service import RulesService
from akmatori_server.deliveries.cleanup import OLD_DELIVERIES
from akmatori_server.deliveries.limiter import RateLimiter
from akmatori_server.deliveries.sealing import BodySeal
from akmatori_server.deliveries.service import DeliveryLog
from akmatori_server.engine import Engine
from akmatori_server.events import EventLog
from akmatori_server.events.cleanup import OLD_EVENTS
from akmatori_server.events.hub import EventHub
from akmatori_server.events.subscription import StreamLimits
from akmatori_server.files import SafeDirectory
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.incidents.control import InvestigationControl
from akmatori_server.incidents.service import IncidentService
from akmatori_server.installation import Installation
from akmatori_server.investigation.lost import LostInvestigations
from akmatori_server.kits.registry import registry
from akmatori_server.kubernetes.services import KubernetesServices, build_kubernetes
from akmatori_server.kubernetes.token_usage.service import ModelInUse
from akmatori_server.mcp_servers.service import McpServerService
from akmatori_server.notifications.parts import Notifications, build_notifications
from akmatori_server.outgoing.policy import Policy
from akmatori_server.proposals.execution import ProposalExecution
from akmatori_server.proposals.service import ProposalService
from akmatori_server.retention.cleanup import Cleanup
from akmatori_server.retention.job import RetentionJob
from akmatori_server.runbooks.mirror import RunbookMirror
from akmatori_server.runbooks.service import RunbookService
from akmatori_server.settings.service import SettingsService
from akmatori_server.silences.book import SilenceBook
from akmatori_server.silences.release import ReleaseJob
from akmatori_server.silences.service import SilenceService
from akmatori_server.skills.scripts import ScriptService
from akmatori_server.skills.service import SkillService
from akmatori_server.skills.sync import SkillSync
from akmatori_server.skills.views import SkillViews
from akmatori_server.skills.workspace import SkillWorkspace
from akmatori_server.toolbox.bench import Desk
from akmatori_server.toolbox.history import CallHistory
from akmatori_server.toolbox.toolbox import Toolbox
from akmatori_server.toolbox.trial import ToolTrial
from akmatori_server.tools.assignable import ShownTools
from akmatori_server.tools.service import ToolService
from akmatori_server.tools.ssh_keys import SshKeyService

# How long a runbook edited on disk may go unnoticed.
MIRROR_SCHEDULE = "*/5 * * * *"


@attrs.frozen(kw_only=True)
class Services:
    """What the handlers are made of."""

    audit: AuditTrail
    events: EventLog
    event_hub: EventHub
    cleanups: tuple[Cleanup, ...]
    settings: SettingsService
    incidents: IncidentService
    control: InvestigationControl
    lost_investigations: LostInvestigations
    alert_sources: AlertSourceService
    alerts: AlertReader
    ingest: Ingest
    correlation_rules: RulesService
    silences: SilenceService
    silence_release: ReleaseJob
    deliveries: DeliveryLog
    runbooks: RunbookService
    runbook_mirror: RunbookMirror
    tools: ToolService
    ssh_keys: SshKeyService
    toolbox: Toolbox
    tool_trial: ToolTrial
    call_history: CallHistory
    proposals: ProposalService
    proposal_execution: ProposalExecution
    http_connectors: HttpConnectorService
    mcp_servers: McpServerService
    skills: SkillService
    skill_scripts: ScriptService
    skill_sync: SkillSync
    context_files: ContextFileService
    notifications: Notifications
    retention: RetentionJob
    kubernetes: KubernetesServices

    def prepare(self) -> None:
        """Write what every installation has, and bring files and rows together after a crash."""
        # First of all: a file that cannot be used ends the start.
        self.correlation_rules.load()
        self.settings.seed()
        self.notifications.prepare()
        self.alert_sources.seed_types()
        self.tools.seed_types()
        self.mcp_servers.seed_types()
        self.skills.seed_system_skills()
        self.skill_sync.recover()
        self.context_files.recover()
        self.runbook_mirror.sync()

    def declare_schedules(self, engine: Engine) -> None:
        """Tell the engine what is done by the clock."""
        self.retention.declare(engine)
        for cleanup in self.cleanups:
            cleanup.declare(engine)
        self.silence_release.declare(engine)
        self.kubernetes.declare(engine)
        self.proposal_execution.declare(engine)
        self.lost_investigations.declare(engine)
        self.notifications.declare(engine)
        engine.schedule("runbook-mirror", MIRROR_SCHEDULE, self._mirror_runbooks)

    def _mirror_runbooks(self) -> None:
        self.runbook_mirror.sync()


def build_services(site: Installation, engine: Engine) -> Services:
    """Build the services of one installation."""
    database, secrets, now, data = site.database, site.secrets, site.now, site.settings.data_dir
    audit = AuditTrail(database, now=now)
    events = EventLog()
    hub = EventHub(database, events, limits=StreamLimits(streams=site.settings.event_streams))
    site.stopping.listen(hub.end)
    settings = SettingsService(database, secrets, now=now)
    notifications = build_notifications(site, engine, settings)
    events.tell(notifications.announcer.hear)
    incidents = IncidentService(database, queue=engine, data_directory=data, now=now)
    sources = AlertSourceService(database, secrets, now=now)
    rules = RulesService(database, audit, file=site.settings.rules_file, now=now)
    site.stopping.listen(rules.stop)
    silences = SilenceBook()
    deliveries = DeliveryLog(database, BodySeal(secrets, now=now), now=now)
    ingest = Ingest(
        SourcesAtHand(sources),
        incidents,
        rules=rules,
        silences=silences,
        events=events,
        gate=Gate(limiter=RateLimiter(), deliveries=deliveries),
        now=now,
    )
    held = HeldAlerts(sources, incidents, rules=rules, silences=silences, events=events)
    tools = ToolService(database, secrets, audit, now=now)
    proposals = ProposalService(
        database,
        secrets,
        audit,
        queue=engine,
        events=events,
        now=now,
        lifetime=timedelta(hours=site.settings.proposal_hours),
    )
    desk = Desk(
        database=database,
        audit=audit,
        propose=notifications.announcer.telling(proposals.propose, now=now),
        now=now,
    )
    connectors = HttpConnectorService(database, audit, now=now)
    mcp_servers = McpServerService(database, secrets, audit, now=now)
    policy = Policy(site.settings.allowed_networks)
    kit_of = registry(database, settings, connectors, mcp_servers, policy=policy)
    toolbox = Toolbox(desk, tools, kit_of, more_secrets=mcp_servers.secrets)
    workspace = SkillWorkspace(database, SafeDirectory(data / "skills"))
    skills = SkillService(workspace, SkillViews(workspace, ShownTools(tools)), audit=audit, now=now)
    return Services(
        audit=audit,
        events=events,
        event_hub=hub,
        cleanups=(Cleanup(OLD_EVENTS, database, now), Cleanup(OLD_DELIVERIES, database, now)),
        settings=settings,
        incidents=incidents,
        lost_investigations=LostInvestigations(database, engine, now=now),
        control=InvestigationControl(database, queue=engine, events=events, now=now),
        alert_sources=sources,
        alerts=AlertReader(database, rules),
        ingest=ingest,
        deliveries=deliveries,
        correlation_rules=rules,
        silences=SilenceService(database, events, now=now),
        silence_release=ReleaseJob(database, held.release, now, events=events),
        runbooks=RunbookService(database, now=now),
        runbook_mirror=RunbookMirror(database, SafeDirectory(data / "runbooks"), audit=audit, now=now),
        tools=tools,
        ssh_keys=SshKeyService(tools, audit),
        toolbox=toolbox,
        tool_trial=ToolTrial(database, tools, kit_of, audit, redactor=toolbox.redactor, limits=desk.limits),
        call_history=CallHistory(database),
        proposals=proposals,
        proposal_execution=ProposalExecution(
            proposals, tools, kit_of, redactor=toolbox.redactor, limits=desk.limits
        ),
        http_connectors=connectors,
        mcp_servers=mcp_servers,
        skills=skills,
        skill_scripts=ScriptService(workspace, audit=audit, now=now),
        skill_sync=SkillSync(workspace, audit=audit, now=now),
        context_files=ContextFileService(
            database, SafeDirectory(data / "context"), audit=audit, prompts=skills, now=now
        ),
        notifications=notifications,
        retention=RetentionJob(database, settings, audit, data_directory=data, now=now),
        kubernetes=build_kubernetes(
            site,
            engine,
            model=partial(_model_in_use, settings, Circuit(database, now=now)),
            announcer=notifications.announcer,
        ),
    )


def _model_in_use(settings: SettingsService, circuit: Circuit) -> ModelInUse | None:
    config = settings.llm_active()
    if config is None or not config.is_usable:
        return None
    return ModelInUse(config.provider.value, config.model, circuit.standing(config))
