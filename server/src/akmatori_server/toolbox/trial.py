"""Trying a tool: one harmless call of its kit, made as an investigation makes it, and what happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import attrs
import structlog

from akmatori_server.audit import Action, AuditTrail
from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.errors import BadRequest
from akmatori_server.http.call import Call
from akmatori_server.incidents.storable import JSON
from akmatori_server.redaction import Redactor
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.attempt import attempt
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.members import member
from akmatori_server.toolbox.models import Access, Invocation, Outcome, Output, ToolFailedError, TrialCall
from akmatori_server.toolbox.ports import KitOf
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool
from akmatori_server.tools.service import ToolService

# A person waits for it.
LONGEST_SECONDS = 20.0
LONGEST_MESSAGE = 2000
LONGEST_VERSION = 100

_log = structlog.stdlib.get_logger("akmatori_server.toolbox")


@attrs.frozen(kw_only=True)
class TrialResult:
    """What happened. `function` is "" where none was called, `version` where it is not known."""

    is_success: bool
    message: str
    function: str = ""
    version: str = ""
    duration_ms: int = 0


class ToolTrial:
    """Makes the calls. Nothing of what is answered is shown, only what it says about the tool."""

    def __init__(
        self,
        database: Database,
        tools: ToolService,
        kit_of: KitOf,
        audit: AuditTrail,
        *,
        redactor: Callable[[], Redactor],
        limits: CallLimits,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._database = database
        self._tools = tools
        self._kit_of = kit_of
        self._audit = audit
        self._redactor = redactor
        self._limits = limits
        self._longest_seconds = longest_seconds

    async def run(self, caller: Call, tool_id: int) -> TrialResult:
        """Try a tool, also one that is not enabled yet.

        Raises:
            NotFound: there is no such tool.
            BadRequest: one of its secrets cannot be read.
        """
        # The database is waited for in threads, not in the event loop.
        tool, redact = await asyncio.to_thread(self._opened, tool_id)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._longest_seconds):
                result = await self._tried(tool)
        except TimeoutError:
            result = _failed(
                f"There was no answer within {self._longest_seconds:g} seconds: check the address in the settings,"
                " and whether a firewall is on the way."
            )
        shown = attrs.evolve(
            result,
            message=redact(result.message)[:LONGEST_MESSAGE],
            version=redact(result.version)[:LONGEST_VERSION],
            duration_ms=int((time.monotonic() - started) * 1000),
        )
        await asyncio.to_thread(self._record, caller, tool_id, shown)
        return shown

    def _opened(self, tool_id: int) -> tuple[OpenTool, Redactor]:
        try:
            return self._tools.opened(tool_id), self._redactor()
        except SecretUnreadableError as error:
            raise BadRequest(str(error)) from None

    async def _tried(self, tool: OpenTool) -> TrialResult:
        kit = self._kit_of(tool.tool.type)
        if kit is None:
            return _failed(f"This server cannot use tools of the type {tool.tool.type.name}.")
        try:
            async with Session() as session:
                functions = await kit.functions(tool, session)
                chosen = kit.trial(tool)
                if chosen is None:
                    return _offering(functions, await kit.left_out(tool, session))
                return await self._called(kit, tool, chosen, functions, session)
        except ToolFailedError as error:
            return _failed(error.setup)
        except Exception as error:  # noqa: BLE001  whatever is wrong with a tool must become a sentence
            _log.exception("tool_trial_failed", tool=tool.tool.logical_name)
            return _failed(
                f"It failed unexpectedly ({type(error).__name__}); the server's log has the details."
            )

    async def _called(
        self,
        kit: Kit,
        tool: OpenTool,
        chosen: TrialCall,
        functions: Sequence[ToolFunction],
        session: Session,
    ) -> TrialResult:
        function = next((one for one in functions if one.name == chosen.function), None)
        if function is None:
            return _failed(f"The tool has no function {chosen.function} to try.")
        call = Invocation(
            tool=tool, function=function, arguments=checked_arguments(function, chosen.arguments)
        )
        plan = kit.plan(call)
        if plan.access is not Access.READ:
            return _failed(f"{function.name} may change something, so it is not called for a test.")
        outcome, output = await attempt(
            self._limits, kit, call, session, seconds=plan.timeout_seconds, about=f"trial of {tool.tool.id}"
        )
        return attrs.evolve(_judged(kit, chosen, outcome, output), function=function.name)

    def _record(self, caller: Call, tool_id: int, result: TrialResult) -> None:
        after = {
            "ok": result.is_success,
            "message": result.message,
            "function": result.function,
            "duration_ms": result.duration_ms,
        }
        with self._database.write() as connection:
            self._audit.record(connection, caller, Action.TOOL_TESTED, f"tool:{tool_id}", None, after)


def _judged(kit: Kit, chosen: TrialCall, outcome: Outcome, output: Output) -> TrialResult:
    if outcome is not Outcome.DONE and not output.is_failure:
        return _failed(output.setup or str(output.value))
    trouble = kit.trouble(output)
    if trouble:
        return _failed(trouble)
    version = _version(output.value, chosen.version) if chosen.version else ""
    message = f"{chosen.proves} It is version {version}." if version else chosen.proves
    return TrialResult(is_success=True, message=message, version=version)


def _offering(functions: Sequence[ToolFunction], left_out: Sequence[str]) -> TrialResult:
    count = len(functions)
    message = f"It was reached, and offers {count} function{'' if count == 1 else 's'}."
    return TrialResult(is_success=True, message=" ".join([message, *left_out]))


def _failed(sentence: str) -> TrialResult:
    return TrialResult(is_success=False, message=sentence)


def _version(value: JSON, path: str) -> str:
    found = member(value, path)
    return found[:LONGEST_VERSION] if isinstance(found, str) else ""
