"""What works in the background of a process: the engine and the schedules, started and stopped in one place."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import structlog

from akmatori_server.agent.circuit import Circuit
from akmatori_server.agent.investigator import AgentInvestigator, AgentSite
from akmatori_server.agent.library import Library
from akmatori_server.database.turns import in_turn
from akmatori_server.engine import DBOSEngine, Engine
from akmatori_server.incidents.groups import places_of_group
from akmatori_server.installation import Installation
from akmatori_server.investigation.choice import ChosenInvestigator
from akmatori_server.investigation.ports import Investigator
from akmatori_server.investigation.rules import RuleInvestigator, SkillFiles
from akmatori_server.investigation.runner import Runner
from akmatori_server.services import Services, build_services
from akmatori_server.settings.proxy import ProxyService

# The name of the lock among PostgreSQL's advisory locks, which all programs of a database share.
START_LOCK = 0x616B6D61_73747274

_log = structlog.stdlib.get_logger("akmatori_server.lifecycle")


class Lifecycle:
    """Starts what works in the background of a process, and stops it. Use `of` to get one."""

    def __init__(self, site: Installation, engine: Engine, services: Services) -> None:
        self.services = services
        self._site = site
        self._engine = engine
        self._is_running = False

    @classmethod
    def of(cls, site: Installation, engine: Engine | None = None) -> Lifecycle:
        """Build the services of an installation; `engine` is another than the durable one, for tests."""
        work = engine or DBOSEngine(site.database, heartbeat_ttl_seconds=site.settings.worker_ttl)
        services = build_services(site, work)
        # Processes that start together would write the same rows.
        with in_turn(site.database, START_LOCK):
            services.prepare()
        return cls(site, work, services)

    def start(self) -> None:
        """Begin to work; in a process that only serves requests, make ready to queue work for others."""
        self.services.correlation_rules.watch()
        if self._site.settings.work:
            self._work()
        else:
            self._engine.prepare()
        self._is_running = True
        database = "sqlite" if self._site.database.is_sqlite else "postgresql"
        _log.info("server_started", database=database, works=self._site.settings.work)

    def stop(self) -> None:
        """Stop in good order, and close the database. What was interrupted, another process takes up."""
        self._is_running = False
        self.services.ingest.close()
        self._engine.stop()
        self.services.notifications.courier.close()
        self._site.close()
        _log.info("server_stopped")

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncGenerator[None]:
        """Work while an application serves requests."""
        # Both wait for the database and for threads, which the event loop must not.
        try:
            await asyncio.to_thread(self.start)
            yield
        finally:
            await asyncio.to_thread(self.stop)

    def check(self) -> str | None:
        """Say what is wrong with the engine, if anything."""
        return None if self._is_running else "The engine that runs investigations is not running."

    def investigator(self) -> Investigator:
        """Return who investigates: a model where one is configured, the rules everywhere else."""
        site, services = self._site, self.services
        agents = AgentSite(
            database=site.database,
            toolbox=services.toolbox,
            library=Library(site.database, skills=services.skills, context_files=services.context_files),
            route=services.settings.route(ProxyService.LLM),
            now=site.now,
            budget=site.settings.budget,
            spent=services.kubernetes.usage.spent,
        )
        return ChosenInvestigator(
            config=services.settings.llm_active,
            agent=lambda config: AgentInvestigator(agents, config),
            rules=RuleInvestigator(
                site.database,
                now=site.now,
                tools=services.toolbox,
                skills=SkillFiles(services.skills.workspace),
                first_look=site.settings.first_look,
            ),
            circuit=Circuit(site.database, now=site.now),
        )

    def _work(self) -> None:
        site, services = self._site, self.services
        runner = Runner(site.database, self.investigator(), now=site.now, events=services.events)
        services.declare_schedules(self._engine)
        places = site.settings.concurrency
        per_source = places_of_group(places, site.settings.concurrency_per_source)
        self._engine.run(runner.run, places, per_group=per_source)
        # What fell due while nobody was at work need not wait for the next hour.
        services.retention.run_if_due()
