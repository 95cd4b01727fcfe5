"""The metadata with every table of the server on it: importing a tables module registers its tables."""

from __future__ import annotations

from akmatori_server import idempotency
from akmatori_server.agent import tables as agent
from akmatori_server.alert_sources import tables as alert_sources
from akmatori_server.alerts import tables as alerts
from akmatori_server.audit import tables as audit
from akmatori_server.auth import tables as auth
from akmatori_server.context_files import tables as context_files
from akmatori_server.correlation import tables as correlation
from akmatori_server.database.schema import metadata
from akmatori_server.deliveries import tables as deliveries
from akmatori_server.engine import tables as engine
from akmatori_server.events import tables as events
from akmatori_server.http_connectors import tables as http_connectors
from akmatori_server.incidents import tables as incidents
from akmatori_server.kits.ssh import tables as ssh
from akmatori_server.kubernetes.costs import tables as kubernetes_costs
from akmatori_server.kubernetes.drift import tables as kubernetes_drift
from akmatori_server.kubernetes.incidents import tables as kubernetes_incidents
from akmatori_server.kubernetes.reports import tables as kubernetes_reports
from akmatori_server.kubernetes.status import tables as kubernetes_status
from akmatori_server.mcp_servers import tables as mcp_servers
from akmatori_server.notifications import tables as notifications
from akmatori_server.proposals import tables as proposals
from akmatori_server.retention import tables as retention
from akmatori_server.runbooks import tables as runbooks
from akmatori_server.settings import tables as settings
from akmatori_server.silences import tables as silences
from akmatori_server.skills import tables as skills
from akmatori_server.toolbox import tables as toolbox
from akmatori_server.tools import tables as tools

MODULES = (
    agent,
    alert_sources,
    alerts,
    audit,
    auth,
    context_files,
    correlation,
    deliveries,
    engine,
    events,
    http_connectors,
    idempotency,
    incidents,
    kubernetes_costs,
    kubernetes_drift,
    kubernetes_reports,
    kubernetes_incidents,
    kubernetes_status,
    mcp_servers,
    notifications,
    retention,
    proposals,
    runbooks,
    settings,
    silences,
    skills,
    ssh,
    toolbox,
    tools,
)

__all__ = ["MODULES", "metadata"]
