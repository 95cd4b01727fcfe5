"""Doing what was approved: once, outside of any investigation and any model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import attrs
import structlog
from sqlalchemy.exc import SQLAlchemyError

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.engine.port import Schedule, TaskHandler
from akmatori_server.errors import NotFound
from akmatori_server.proposals.models import Ending, ProposalState
from akmatori_server.proposals.service import TASK, Begun, ProposalService
from akmatori_server.redaction import Redactor
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.models import (
    Access,
    Invocation,
    OutcomeUnknownError,
    Output,
    Plan,
    ToolFailedError,
)
from akmatori_server.toolbox.ports import KitOf
from akmatori_server.toolbox.rendering import rendered
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool
from akmatori_server.tools.service import ToolService

EXPIRY = "proposal-expiry"
EVERY_MINUTE = "* * * * *"
DISCOVERY_SECONDS = 15.0
LONGEST_SECONDS = 30 * 60.0
# The database is away just when there is something to store that nobody can find out again.
STORE_AGAIN_SECONDS = (0.2, 1.0, 5.0, 15.0, 30.0)

CHANGED = (
    "Not done: the tool, or what its settings point at, is another than when this was proposed. Have it"
    " proposed again."
)

_log = structlog.stdlib.get_logger("akmatori_server.proposals")


class Clockwork(Schedule, Protocol):
    """The part of the engine that does tasks and runs jobs at their times."""

    def task(self, name: str, handler: TaskHandler) -> None:
        """Have `handler` do the tasks of this name."""
        ...


@attrs.frozen
class _Ready:
    kit: Kit
    call: Invocation
    plan: Plan


class ProposalExecution:
    """The engine's handler of approved actions, and the clock that ends the others."""

    def __init__(
        self,
        proposals: ProposalService,
        tools: ToolService,
        kit_of: KitOf,
        *,
        redactor: Callable[[], Redactor],
        limits: CallLimits | None = None,
    ) -> None:
        self._proposals = proposals
        self._tools = tools
        self._kit_of = kit_of
        self._redactor = redactor
        self._limits = limits or CallLimits()

    def declare(self, engine: Clockwork) -> None:
        """Tell the engine what is to be done, and when."""
        engine.task(TASK, self.run)
        engine.schedule(EXPIRY, EVERY_MINUTE, self._proposals.settle_overdue)

    async def run(self, uuid: str) -> None:
        """Do the action of an approved proposal, unless it was ever begun before."""
        try:
            tool_id = (await asyncio.to_thread(self._proposals.get, uuid)).tool_id
        except NotFound:
            return
        # What waits for its tool has not begun: should the process die now, it can still be done.
        async with self._limits.slot(tool_id):
            begun = await asyncio.to_thread(self._proposals.begin, uuid)
            if begun is None:
                return
            ending = await self._done(begun)
        _log.info("proposal_ended", proposal=uuid, state=ending.state.value)
        await self._stored(uuid, ending)

    async def _done(self, begun: Begun) -> Ending:
        redact = await asyncio.to_thread(self._redactor)
        try:
            async with Session() as session:
                try:
                    ready = await self._planned_again(begun, session)
                except ToolFailedError as error:
                    return Ending(state=ProposalState.FAILED, text=redact(str(error)))
                return await self._made(ready, session, redact)
        except Exception as error:  # noqa: BLE001  whatever it was, it may have come after the action
            _log.exception("proposal_failed", proposal=begun.proposal.uuid)
            sentence = (
                f"It failed unexpectedly ({type(error).__name__}; the server's log has the details), and the outcome"
                " is not known; look before you repeat it."
            )
            return Ending(state=ProposalState.UNKNOWN, text=sentence)

    async def _planned_again(self, begun: Begun, session: Session) -> _Ready:
        """Look at everything once more, as it is now.

        Raises:
            ToolFailedError: it is no longer what was approved.
        """
        proposal = begun.proposal
        tool = await asyncio.to_thread(self._tool, begun)
        try:
            action = self._proposals.action(begun)
        except SecretUnreadableError as error:
            raise ToolFailedError(f"Not done: {error}") from error
        if action is None:
            raise ToolFailedError("Not done: the arguments can no longer be read. Have it proposed again.")
        kit = self._kit_of(tool.tool.type)
        if kit is None:
            raise ToolFailedError(f"Not done: this server cannot use tools of the type {proposal.tool_type}.")
        try:
            async with asyncio.timeout(DISCOVERY_SECONDS):
                functions = await kit.functions(tool, session)
        except (TimeoutError, ToolFailedError) as error:
            raise ToolFailedError(
                f"Not done: the tool does not say what it offers. {error}".rstrip()
            ) from error
        function = next((one for one in functions if one.name == proposal.function), None)
        if function is None:
            raise ToolFailedError(f"Not done: {proposal.tool_name} no longer has {proposal.function}.")
        call = Invocation(tool=tool, function=function, arguments=action.arguments)
        try:
            plan = kit.plan(call)
        except ToolFailedError as error:
            raise ToolFailedError(f"Not done: {error}") from error
        if plan.access is not Access.WRITE or action.digest(call, plan) != proposal.digest:
            raise ToolFailedError(CHANGED)
        return _Ready(kit, call, plan)

    def _tool(self, begun: Begun) -> OpenTool:
        name = begun.proposal.tool_name
        try:
            tool = self._tools.opened(begun.proposal.tool_id)
        except NotFound as error:
            raise ToolFailedError(f"Not done: the tool {name} is gone.") from error
        except SecretUnreadableError as error:
            raise ToolFailedError(f"Not done: {error}") from error
        if not (tool.tool.enabled and tool.tool.type.enabled):
            raise ToolFailedError(f"Not done: the tool {name} is disabled.")
        return tool

    async def _made(self, ready: _Ready, session: Session, redact: Redactor) -> Ending:
        seconds = min(ready.plan.timeout_seconds, LONGEST_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                output = await ready.kit.run(ready.call, session)
        except OutcomeUnknownError as error:
            sentence = f"{error} Whether it was done is not known; look before you repeat it."
            return Ending(state=ProposalState.UNKNOWN, text=redact(sentence))
        except ToolFailedError as error:
            return Ending(state=ProposalState.FAILED, text=redact(str(error)))
        except TimeoutError:
            sentence = (
                f"It did not end within {seconds:g} seconds, and the outcome is not known; look before you"
                " repeat it."
            )
            return Ending(state=ProposalState.UNKNOWN, text=sentence)
        return _ending(output, redact)

    async def _stored(self, uuid: str, ending: Ending) -> None:
        for wait in STORE_AGAIN_SECONDS:
            try:
                return await asyncio.to_thread(self._proposals.end, uuid, ending)
            except SQLAlchemyError:
                _log.exception("proposal_not_stored", proposal=uuid, state=ending.state.value)
                await asyncio.sleep(wait)
        return await asyncio.to_thread(self._proposals.end, uuid, ending)


def _ending(output: Output, redact: Redactor) -> Ending:
    text, _, _ = rendered(output, redact)
    return Ending(state=ProposalState.FAILED if output.is_failure else ProposalState.DONE, text=text)
