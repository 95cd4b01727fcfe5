"""Async incidents with three more verbs: wait for one, follow its log, and create one and wait for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from akmatori_sdk._core.errors import AkmatoriError
from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._generated.akmatori.models import Incident, IncidentContext
from akmatori_sdk._generated.akmatori.operations import STREAM_EVENTS
from akmatori_sdk._generated.akmatori.resources import aio
from akmatori_sdk.ext.async_tail import AsyncTail
from akmatori_sdk.ext.waiting import DEFAULT_TIMEOUT, Watch, for_polls, for_stream, is_over


class AsyncIncidents(aio.AsyncIncidents):
    """Incidents and their investigations."""

    async def wait(
        self,
        uuid: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - it bounds the whole wait and names the last state
        on_log: Callable[[str], Awaitable[None] | None] | None = None,
        options: CallOptions | None = None,
    ) -> Incident:
        """Read an incident again and again until its investigation has ended.

        A status this version does not know counts as not ended. Polls that fail for a passing reason are
        repeated.

        Args:
            uuid: Identifier of the incident.
            timeout: Seconds to wait at most; `math.inf` to wait for ever.
            on_log: Called with what the log has gained since the last call; may be a coroutine function.
            options: Options for each poll.

        Raises:
            WaitTimeoutError: the time is over; `last` is the last state seen.
            NotFoundError: no incident has this identifier.
        """
        watch = Watch(uuid, timeout, self._sender.shared.clock, self._sender.settings.policy)
        while True:
            try:
                incident = await self.get(uuid, options=watch.options(options))
            except AkmatoriError as error:
                watch.missed(error)
            else:
                news = watch.saw(incident)
                if news and on_log is not None and (told := on_log(news)) is not None:
                    await told
                if is_over(incident):
                    return incident
            await self._sender.pause(watch.pause())

    def tail(
        self, uuid: str, *, timeout: float = DEFAULT_TIMEOUT, options: CallOptions | None = None
    ) -> AsyncTail:
        """Follow the log of an investigation: yields each new piece as it is written, until it has ended.

        The stream of events tells when to read; without one the incident is read again and again, as `wait`
        does. Afterwards `incident` of what came back is the incident in its final state.

        Args:
            uuid: Identifier of the incident.
            timeout: Seconds to follow at most; `math.inf` to follow for ever.
            options: Options for each read.

        Raises:
            WaitTimeoutError: the time is over; `last` is the last state seen.
            NotFoundError: no incident has this identifier.
        """
        sender = self._sender
        stream = self._stream(STREAM_EVENTS, query={"incident": uuid}, options=for_stream(options))
        watch = Watch(uuid, timeout, sender.shared.clock, sender.settings.policy)
        return AsyncTail(
            lambda options: self.get(uuid, options=options), sender.pause, stream, watch, for_polls(options)
        )

    async def create_and_wait(
        self,
        *,
        task: str,
        context: IncidentContext | Unset | None = UNSET,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - it bounds the whole wait and names the last state
        on_log: Callable[[str], Awaitable[None] | None] | None = None,
        options: CallOptions | None = None,
    ) -> Incident:
        """Open an incident and wait until its investigation has ended.

        Args:
            task: What to investigate.
            context: What is known about it; any keys.
            timeout: Seconds to wait at most; `math.inf` to wait for ever.
            on_log: Called with what the log has gained since the last call; may be a coroutine function.
            options: Options for the creation and for each poll.

        Raises:
            WaitTimeoutError: the time is over; the incident goes on, see `last.uuid`.
        """
        created = await self.create(task=task, context=context, options=options)
        return await self.wait(created.uuid, timeout=timeout, on_log=on_log, options=for_polls(options))
