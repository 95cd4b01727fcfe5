"""Making one planned call: within the limits of its tool, and with a sentence for whatever goes wrong."""

from __future__ import annotations

import asyncio

import structlog

from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.models import Invocation, Outcome, Output, ToolFailedError
from akmatori_server.toolbox.session import Session

_log = structlog.stdlib.get_logger("akmatori_server.toolbox")


async def attempt(
    limits: CallLimits, kit: Kit, call: Invocation, session: Session, *, seconds: float, about: str
) -> tuple[Outcome, Output]:
    """Make a call that was planned, and return how it ended and what it gave.

    Args:
        limits: how often the tool is used, whoever uses it.
        kit: the kit of the tool.
        call: what is asked.
        session: what is open.
        seconds: how long it may take, once it is its turn.
        about: what it belongs to, for the server's log.
    """
    name = f"{call.tool.tool.logical_name}.{call.function.name}"
    try:
        async with limits.slot(call.tool.tool.id), asyncio.timeout(seconds):
            output = await kit.run(call, session)
    except ToolFailedError as error:
        return Outcome.FAILED, Output(value=str(error), setup=error.setup)
    except TimeoutError:
        return Outcome.FAILED, Output(value=f"{name} did not answer within {seconds:g} seconds.")
    except Exception as error:  # noqa: BLE001  a tool must not end what uses it, whatever is wrong with it
        _log.exception("tool_call_failed", tool=name, about=about)
        sentence = f"{name} failed unexpectedly ({type(error).__name__}); the server's log has the details."
        return Outcome.FAILED, Output(value=sentence)
    return Outcome.FAILED if output.is_failure else Outcome.DONE, output
