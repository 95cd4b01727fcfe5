"""The metadata with every table of the server on it: importing a tables module registers its tables."""

from __future__ import annotations

from akmatori_server import idempotency
from akmatori_server.alert_sources import tables as alert_sources
from akmatori_server.alerts import tables as alerts
from akmatori_server.auth import tables as auth
from akmatori_server.database.schema import metadata
from akmatori_server.engine import tables as engine
from akmatori_server.incidents import tables as incidents
from akmatori_server.runbooks import tables as runbooks

MODULES = (alert_sources, alerts, auth, engine, idempotency, incidents, runbooks)

__all__ = ["MODULES", "metadata"]
