"""The tools of one investigation: every call goes through here, whoever asks for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import attrs
import sqlalchemy as sa

from akmatori_server.audit import Action, AuditTrail
from akmatori_server.database import Database
from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.journal import Journal
from akmatori_server.redaction import Redactor
from akmatori_server.toolbox import store
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.attempt import attempt
from akmatori_server.toolbox.cache import AnswerCache
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.models import (
    Access,
    CallResult,
    Invocation,
    Outcome,
    Output,
    Plan,
    ToolFailedError,
)
from akmatori_server.toolbox.ports import Propose, WriteRequest
from akmatori_server.toolbox.rendering import (
    LONGEST_LOGGED,
    call_lines,
    rendered,
    shortened,
    shown_arguments,
)
from akmatori_server.toolbox.session import Session
from akmatori_server.toolbox.store import Begun
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool

# Of one run of an investigation; a model that turns in circles ends here at the latest.
MOST_CALLS = 500
LONGEST_PURPOSE = 1000


@attrs.frozen(kw_only=True)
class Offer:
    """A function that may be called, of a tool."""

    tool: OpenTool
    kit: Kit = attrs.field(repr=False)
    function: ToolFunction

    @property
    def name(self) -> str:
        """How logs and reports name it: `prometheus.instant_query`."""
        return f"{self.tool.tool.logical_name}.{self.function.name}"


@attrs.frozen(kw_only=True)
class Desk:
    """What every bench of a process shares."""

    database: Database
    audit: AuditTrail
    propose: Propose
    now: Callable[[], datetime]
    most_calls: int = MOST_CALLS
    limits: CallLimits = attrs.field(factory=CallLimits)
    cache: AnswerCache = attrs.field(factory=AnswerCache)


@attrs.frozen
class _Ended:
    outcome: Outcome
    output: Output
    is_cached: bool = False


class Bench:
    """The functions an investigation may call. It lives in the investigation's event loop."""

    def __init__(
        self,
        desk: Desk,
        journal: Journal,
        session: Session,
        *,
        offers: Sequence[Offer],
        complaints: Sequence[str],
        redact: Redactor,
    ) -> None:
        self.offers = tuple(offers)
        # Tools whose functions cannot be known, a sentence each.
        self.complaints = tuple(complaints)
        self.redact = redact
        self._desk = desk
        self._journal = journal
        self._session = session
        self._by_name = {(one.tool.tool.logical_name, one.function.name): one for one in self.offers}
        with desk.database.read() as connection:
            self._made = store.count(connection, journal.incident_id, journal.key(""))

    async def call(
        self, key: str, tool: str, function: str, arguments: Mapping[str, JSON], *, purpose: str = ""
    ) -> CallResult:
        """Call a function, and return what came of it. A call that was made before gives what it gave then.

        Args:
            key: names the call within the run; the same step has the same key after a crash.
            tool: the tool's logical name.
            function: one of its functions.
            arguments: as whoever asks wrote them.
            purpose: what it is for, in the words of whoever asks.

        Raises:
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        self._journal.check()
        full_key = self._journal.key(key)
        with self._desk.database.read() as connection:
            known = store.ended(connection, self._journal.incident_id, full_key)
        if known is not None:
            return known
        offer = self._by_name.get((tool, function))
        begun = Begun(
            key=full_key,
            tool_id=offer.tool.tool.id if offer else 0,
            tool_name=tool[:128],
            tool_type=offer.tool.tool.type.name if offer else "",
            function=function[:255],
            arguments={name: self.redact.value(value) for name, value in arguments.items()},
            access=Access.READ.value,
            purpose=self.redact(purpose[:LONGEST_PURPOSE]),
        )
        try:
            kit, call, plan = self._planned(offer, tool, function, arguments)
        except ToolFailedError as error:
            return self._refused(key, begun, str(error))
        if plan.access is Access.WRITE:
            return self._proposed(key, attrs.evolve(begun, access=Access.WRITE.value), call, plan)
        return await self._made_call(key, begun, kit, call, plan)

    def _planned(
        self, offer: Offer | None, tool: str, function: str, arguments: Mapping[str, JSON]
    ) -> tuple[Kit, Invocation, Plan]:
        if offer is None:
            names = sorted({one.tool.tool.logical_name for one in self.offers})
            of_tool = sorted(one.function.name for one in self.offers if one.tool.tool.logical_name == tool)
            there = (
                f"{tool} has {', '.join(of_tool)}" if of_tool else f"there are {', '.join(names) or 'none'}"
            )
            raise ToolFailedError(f"There is no tool {tool[:128]}.{function[:255]} to be used; {there}.")
        if self._made >= self._desk.most_calls:
            raise ToolFailedError(
                f"The limit of {self._desk.most_calls} calls is reached; report what is known so far."
            )
        checked = checked_arguments(offer.function, arguments)
        call = Invocation(tool=offer.tool, function=offer.function, arguments=checked)
        return offer.kit, call, offer.kit.plan(call)

    async def _made_call(self, key: str, begun: Begun, kit: Kit, call: Invocation, plan: Plan) -> CallResult:
        incident_id = self._journal.incident_id
        self._made += 1
        running = LogLine(f"call:{key}", LineKind.TOOL, "\n".join(_called("Running", begun)))
        self._journal.commit(
            running, also=lambda connection: store.begin(connection, incident_id, begun, self._desk.now())
        )
        started = time.monotonic()
        ended = await self._answered(kit, call, plan)
        return self._end(key, begun, ended, duration_ms=int((time.monotonic() - started) * 1000))

    async def _answered(self, kit: Kit, call: Invocation, plan: Plan) -> _Ended:
        if plan.cache_seconds > 0 and (remembered := self._desk.cache.get(call)) is not None:
            return _Ended(Outcome.DONE, remembered, is_cached=True)
        outcome, output = await attempt(
            self._desk.limits,
            kit,
            call,
            self._session,
            seconds=plan.timeout_seconds,
            about=f"incident {self._journal.incident_id}",
        )
        if outcome is Outcome.DONE and plan.cache_seconds > 0:
            self._desk.cache.put(call, output, seconds=plan.cache_seconds)
        return _Ended(outcome, output)

    def _refused(self, key: str, begun: Begun, sentence: str) -> CallResult:
        return self._end(
            key, begun, _Ended(Outcome.REFUSED, Output(value=sentence)), duration_ms=0, is_begun=False
        )

    def _proposed(self, key: str, begun: Begun, call: Invocation, plan: Plan) -> CallResult:
        """Store the call for a person to decide about; nothing is done."""
        request = WriteRequest(
            incident_id=self._journal.incident_id,
            run=self._journal.run,
            key=begun.key,
            call=call,
            plan=plan,
            purpose=begun.purpose,
            shown_arguments=begun.arguments,
            shown_summary=self.redact(plan.summary),
        )
        sentence = (
            f"Not done: this would change something ({plan.summary}), so it was proposed to the people on call, who"
            " decide about it. Go on without its result, and mention the proposal in your report."
        )
        ended = _Ended(Outcome.PROPOSED, Output(value=sentence))
        return self._end(key, begun, ended, duration_ms=0, is_begun=False, request=request)

    def _end(
        self,
        key: str,
        begun: Begun,
        ended: _Ended,
        *,
        duration_ms: int,
        is_begun: bool = True,
        request: WriteRequest | None = None,
    ) -> CallResult:
        text, value, is_truncated = rendered(ended.output, self.redact)
        result = CallResult(
            outcome=ended.outcome,
            text=text,
            value=value,
            is_truncated=is_truncated,
            is_cached=ended.is_cached,
            duration_ms=duration_ms,
            call_id=begun.key,
        )
        incident_id, now = self._journal.incident_id, self._desk.now()

        def also(connection: sa.Connection) -> None:
            if not is_begun:
                store.begin(connection, incident_id, begun, now)
            if request is not None:
                self._desk.propose(connection, request)
            store.end(connection, incident_id, begun.key, result, now)
            self._desk.audit.record(
                connection,
                None,
                Action.TOOL_CALLED,
                f"tool:{begun.tool_id}",
                None,
                _audited(incident_id, begun, result),
            )

        self._journal.commit(_result_line(key, begun, result), also=also)
        return result


_HEADS = {
    Outcome.DONE: "✅ Ran",
    Outcome.FAILED: "❌ Failed",
    Outcome.REFUSED: "❌ Refused",
    Outcome.PROPOSED: "✋ Proposed",
}


def _called(head: str, begun: Begun) -> list[str]:
    name, arguments = f"{begun.tool_name}.{begun.function}", shown_arguments(dict(begun.arguments))
    return call_lines(head, name, begun.key, arguments if begun.arguments else "")


def _result_line(key: str, begun: Begun, result: CallResult) -> LogLine:
    lines = _called(_HEADS[result.outcome], begun)
    if result.text.strip():
        lines.append(f"Output:\n{shortened(result.text, LONGEST_LOGGED)}")
    return LogLine(f"res:{key}", LineKind.RESULT, "\n".join(lines))


def _audited(incident_id: int, begun: Begun, result: CallResult) -> Mapping[str, object]:
    return {
        "incident_id": incident_id,
        "call": begun.key,
        "tool": begun.tool_name,
        "function": begun.function,
        "arguments": begun.arguments,
        "access": begun.access,
        "outcome": result.outcome.value,
        "duration_ms": result.duration_ms,
    }
