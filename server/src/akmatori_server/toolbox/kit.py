"""What a kind of tool can do: the port between the toolbox and those who talk to other systems."""

from __future__ import annotations

import abc
from collections.abc import Sequence

from akmatori_server.toolbox.models import Invocation, Output, Plan, TrialCall
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool


class Kit(abc.ABC):
    """The functions of one kind of tool. It knows nothing of incidents, models, journals and limits."""

    async def functions(self, tool: OpenTool, session: Session) -> Sequence[ToolFunction]:
        """Return the functions of a tool.

        Raises:
            ToolFailedError: they cannot be known, since what the tool reaches does not answer.
        """
        del session
        return tool.tool.type.functions

    async def left_out(self, tool: OpenTool, session: Session) -> Sequence[str]:
        """Say of a tool whose functions are known which others it has that cannot be used: a sentence each."""
        del tool, session
        return ()

    def trial(self, tool: OpenTool) -> TrialCall | None:
        """Return the call that tells whether a tool works; None where asking for its functions tells it.

        Raises:
            ToolFailedError: it has none that could be made without knowing more.
        """
        del tool
        return None

    def trouble(self, output: Output) -> str:
        """Say what is wrong by the output of the trial's call; "" when nothing is."""
        return "It answered that it does not work." if output.is_failure else ""

    @abc.abstractmethod
    def plan(self, call: Invocation) -> Plan:
        """Say what a call will do. Opens nothing, sends nothing, and takes no time.

        Raises:
            ToolFailedError: the tool's settings, or the rules of its kind, do not allow this call at all.
        """

    @abc.abstractmethod
    async def run(self, call: Invocation, session: Session) -> Output:
        """Make a call that was planned: a read, or a write that a person approved.

        It may be cancelled at any moment, and then leaves nothing running behind.

        Raises:
            ToolFailedError: it did not work; the sentence says what to do about it.
        """
