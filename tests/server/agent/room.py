"""An installation with a scripted model, a scripted tool and an incident, to investigate it for real."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server.agent.budget import Budget
from akmatori_server.agent.circuit import Circuit
from akmatori_server.agent.investigator import AgentInvestigator, AgentSite, nobody_hears
from akmatori_server.agent.library import Library
from akmatori_server.agent.tables import agent_messages, llm_usage
from akmatori_server.context_files.ports import NoPrompts
from akmatori_server.context_files.service import ContextFileService
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.files import SafeDirectory
from akmatori_server.incidents.log import read_log
from akmatori_server.incidents.tables import incident_log, incidents
from akmatori_server.investigation.choice import ChosenInvestigator
from akmatori_server.investigation.rules.investigator import RuleInvestigator
from akmatori_server.investigation.runner import Runner
from akmatori_server.settings.llm import LlmChanges, LlmProvider
from akmatori_server.settings.proxy import ProxyService
from akmatori_server.settings.service import SettingsService
from akmatori_server.skills.service import SkillService
from akmatori_server.skills.views import SkillViews
from akmatori_server.skills.workspace import SkillWorkspace
from akmatori_server.tools.assignable import ShownTools
from tests.server.investigation.cases import NOW
from tests.server.investigation.test_journal import new_incident
from tests.server.toolbox.scripted import Room, make_room
from tests.support.llm import ScriptedModel

KEY = "sk-scripted-0123456789"


@attrs.define
class AgentRoom:
    """Everything an investigation by a model is made of."""

    room: Room
    settings: SettingsService
    skills: SkillService
    context_files: ContextFileService
    budget: Budget = attrs.field(factory=Budget)
    # The clock of the circuit breaker.
    now: datetime = NOW
    # Hears of what is spent.
    spent: Callable[[sa.Connection], None] = nobody_hears

    @property
    def database(self) -> Database:
        """Where everything is stored."""
        return self.room.database

    def configure(self, served: ScriptedModel, provider: str = "custom", **changes: Any) -> None:
        """Make the scripted model the active one, as the settings' handlers do."""
        with self.settings.writing() as write:
            config = write.llm().of(LlmProvider(provider))
            members: dict[str, Any] = {
                "api_key": KEY,
                "model": "scripted-1",
                "base_url": served.base_url(provider),
                **changes,
            }
            write.activate_llm(config.changed(LlmChanges(**members)).activated())

    def runner(self) -> Runner:
        """Return what the engine calls."""
        library = Library(self.database, skills=self.skills, context_files=self.context_files)
        site = AgentSite(
            database=self.database,
            toolbox=self.room.toolbox,
            library=library,
            route=self.settings.route(ProxyService.LLM),
            now=lambda: NOW,
            budget=self.budget,
            spent=self.spent,
        )
        chosen = ChosenInvestigator(
            config=self.settings.llm_active,
            agent=lambda config: AgentInvestigator(site, config),
            rules=RuleInvestigator(self.database, now=lambda: NOW),
            circuit=Circuit(self.database, now=lambda: self.now),
        )
        return Runner(self.database, chosen, now=lambda: NOW)

    def investigate(self, incident_id: int | None = None, run: int = 1) -> Any:
        """Investigate to the end, and return the incident's row."""
        number = self.room.incident_id if incident_id is None else incident_id
        asyncio.run(self.runner().run(number, run))
        return self.row(number)

    def row(self, incident_id: int | None = None) -> Any:
        """Return the incident's row."""
        number = self.room.incident_id if incident_id is None else incident_id
        return self.one(sa.select(incidents).where(incidents.c.id == number))

    def one(self, query: sa.Select[Any]) -> Any:
        """Return the one row a query finds."""
        with self.database.read() as connection:
            return connection.execute(query).one()

    def another_incident(self, name: str, **columns: Any) -> int:
        """Store one more incident, and return its id."""
        return new_incident(self.database, uuid=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), **columns)

    def log(self, incident_id: int | None = None) -> str:
        """Return the incident's log."""
        number = self.room.incident_id if incident_id is None else incident_id
        with self.database.read() as connection:
            return read_log(connection, number)

    def lines(self) -> list[tuple[str, str]]:
        """Return the log's rows: key and text, in order."""
        with self.database.read() as connection:
            rows = connection.execute(
                sa.select(incident_log.c.key, incident_log.c.text).order_by(incident_log.c.id)
            )
            return [(row.key, row.text) for row in rows]

    def usage(self) -> Any:
        """Return what the run cost."""
        return self.one(sa.select(llm_usage))

    def messages(self) -> list[str]:
        """Return the stored messages."""
        with self.database.read() as connection:
            return list(
                connection.execute(
                    sa.select(agent_messages.c.message).order_by(agent_messages.c.number)
                ).scalars()
            )


def make_agent_room(
    database: Database,
    data: Path,
    *,
    context: Mapping[str, Any] | None = None,
) -> AgentRoom:
    """Put it together as the server does."""
    room = make_room(database)
    secrets = SecretBox([Fernet.generate_key().decode()])
    settings = SettingsService(database, secrets, now=lambda: NOW)
    settings.seed()
    workspace = SkillWorkspace(database, SafeDirectory(data / "skills"))
    skills = SkillService(
        workspace, SkillViews(workspace, ShownTools(room.tools)), audit=room.audit, now=lambda: NOW
    )
    files = ContextFileService(
        database, SafeDirectory(data / "context"), audit=room.audit, prompts=NoPrompts(), now=lambda: NOW
    )
    if context is not None:
        with database.write() as connection:
            connection.execute(
                sa.update(incidents).where(incidents.c.id == room.incident_id).values(context=dict(context))
            )
    return AgentRoom(room=room, settings=settings, skills=skills, context_files=files)
