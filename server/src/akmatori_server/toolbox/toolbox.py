"""Which tools an investigation gets, and opening them for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import sqlalchemy as sa
import structlog

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.investigation.journal import Journal
from akmatori_server.redaction import Redactor
from akmatori_server.skills.tables import skill_tools, skills
from akmatori_server.toolbox.bench import Bench, Desk, Offer
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.toolbox.ports import KitOf
from akmatori_server.toolbox.session import Session
from akmatori_server.tools import store as tools_store
from akmatori_server.tools.models import OpenTool, Tool
from akmatori_server.tools.service import ToolService

# A server that must be asked what it offers, and does not say so in time, is left out.
DISCOVERY_SECONDS = 15.0

_log = structlog.stdlib.get_logger("akmatori_server.toolbox")


class Toolbox:
    """The tools of an installation, for those who investigate. One per process."""

    def __init__(
        self,
        desk: Desk,
        tools: ToolService,
        kit_of: KitOf,
        *,
        more_secrets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Make the toolbox; `more_secrets` are those that no tool has, such as of MCP servers."""
        self._desk = desk
        self._tools = tools
        self._kit_of = kit_of
        self._more_secrets = more_secrets

    @property
    def database(self) -> Database:
        """Where everything is stored."""
        return self._desk.database

    def assigned(self) -> list[OpenTool]:
        """Return the tools assigned to enabled skills. None is assigned: there is none; nothing is open by default."""
        assigned = (
            sa.select(skill_tools.c.tool_id)
            .join(skills, skills.c.id == skill_tools.c.skill_id)
            .where(skills.c.enabled, sa.not_(skills.c.is_system))
            .distinct()
        )
        with self.database.read() as connection:
            ids = list(connection.execute(assigned).scalars())
            found = tools_store.with_ids(connection, ids)
        return self._opened(found)

    def enabled(self) -> list[OpenTool]:
        """Return every enabled tool: for what an operator wrote down to be asked, and nothing else."""
        return self._opened(self._tools.listing.all())

    @asynccontextmanager
    async def open(self, journal: Journal, tools: Sequence[OpenTool]) -> AsyncGenerator[Bench]:
        """Open tools for an investigation; what they have open is closed with it.

        A tool that cannot say what it offers is left out, with a sentence in the bench's complaints.
        """
        async with Session() as session:
            described = await asyncio.gather(*(self._offers(tool, session) for tool in tools))
            yield Bench(
                self._desk,
                journal,
                session,
                offers=[offer for offers, _ in described for offer in offers],
                complaints=[complaint for _, complaint in described if complaint],
                redact=self.redactor(),
            )

    def redactor(self) -> Redactor:
        """Return what masks the secrets of every tool, also of those that are not in use."""
        opened = self._opened(self._tools.listing.all(), all_of_them=True)
        return Redactor([*(secret for tool in opened for secret in tool.secrets), *self._more_secrets()])

    async def _offers(self, tool: OpenTool, session: Session) -> tuple[list[Offer], str]:
        name = tool.tool.logical_name
        kit = self._kit_of(tool.tool.type)
        if kit is None:
            return [], f"{name}: this server cannot use tools of the type {tool.tool.type.name}."
        try:
            async with asyncio.timeout(DISCOVERY_SECONDS):
                functions = await kit.functions(tool, session)
                left_out = await kit.left_out(tool, session)
        except ToolFailedError as error:
            return [], f"{name}: {error}"
        except TimeoutError:
            return [], f"{name}: did not say within {DISCOVERY_SECONDS:g} seconds what it offers."
        except Exception as error:  # noqa: BLE001  one tool must not keep the others from being used
            _log.exception("tool_not_described", tool=name)
            return [], f"{name}: cannot be used ({type(error).__name__}); the server's log has the details."
        complaint = f"{name}: {' '.join(left_out)}" if left_out else ""
        return [Offer(tool=tool, kit=kit, function=function) for function in functions], complaint

    def _opened(self, tools: Iterable[Tool], *, all_of_them: bool = False) -> list[OpenTool]:
        opened: list[OpenTool] = []
        for tool in tools:
            if all_of_them or (tool.enabled and tool.type.enabled):
                try:
                    opened.append(self._tools.open(tool))
                except SecretUnreadableError:
                    # The server refuses to start like this; the key was taken away since.
                    _log.error("tool_secret_unreadable", tool=tool.logical_name)
        return opened
