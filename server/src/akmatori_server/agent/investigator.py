"""The investigator that asks a language model. What speaks to models is imported when the first of them is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs
import sqlalchemy as sa

from akmatori_server.agent.budget import Budget
from akmatori_server.agent.errors import LibraryMissingError
from akmatori_server.agent.library import Library
from akmatori_server.database import Database
from akmatori_server.investigation.case import Case
from akmatori_server.investigation.journal import Journal
from akmatori_server.investigation.report import Report
from akmatori_server.investigation.working import work
from akmatori_server.settings.llm import LlmConfig
from akmatori_server.settings.route import Route
from akmatori_server.toolbox.toolbox import Toolbox


def nobody_hears(_connection: sa.Connection) -> None:
    """Do nothing about what was spent."""


@attrs.frozen(kw_only=True)
class AgentSite:
    """What investigations by models work with. One per process."""

    database: Database
    toolbox: Toolbox
    library: Library
    # The proxy of requests to models.
    route: Route
    now: Callable[[], datetime]
    budget: Budget = attrs.field(factory=Budget)
    # Hears that more was spent, in the transaction that notes it; it must not raise.
    spent: Callable[[sa.Connection], None] = nobody_hears


class AgentInvestigator:
    """Investigates with the model of one configuration."""

    def __init__(self, site: AgentSite, config: LlmConfig) -> None:
        self._site = site
        self._config = config

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Have the model investigate a case, from wherever an earlier process left it.

        Raises:
            ProviderFailedError: the provider does not answer, or not usefully.
            LibraryMissingError: this server was installed without what speaks to models.
        """
        try:
            from akmatori_server.agent.running import run

            return work(journal, lambda: run(self._site, self._config, case, journal))
        except ImportError as missing:
            raise LibraryMissingError from missing
