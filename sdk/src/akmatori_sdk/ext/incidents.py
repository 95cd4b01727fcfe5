"""Incidents with two more verbs: wait for one, and create one and wait for it."""

from __future__ import annotations

from collections.abc import Callable

from akmatori_sdk._core.errors import AkmatoriError
from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._generated.akmatori.models import Incident, IncidentContext
from akmatori_sdk._generated.akmatori.resources import sync
from akmatori_sdk.ext.waiting import DEFAULT_TIMEOUT, Watch, for_polls, is_over


class Incidents(sync.Incidents):
    """Incidents and their investigations."""

    def wait(
        self,
        uuid: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        on_log: Callable[[str], None] | None = None,
        options: CallOptions | None = None,
    ) -> Incident:
        """Read an incident again and again until its investigation has ended.

        A status this version does not know counts as not ended. Polls that fail for a passing reason are
        repeated.

        Args:
            uuid: Identifier of the incident.
            timeout: Seconds to wait at most; `math.inf` to wait for ever.
            on_log: Called with what the log has gained since the last call.
            options: Options for each poll.

        Raises:
            WaitTimeoutError: the time is over; `last` is the last state seen.
            NotFoundError: no incident has this identifier.
        """
        watch = Watch(uuid, timeout, self._sender.shared.clock, self._sender.settings.policy)
        while True:
            try:
                incident = self.get(uuid, options=watch.options(options))
            except AkmatoriError as error:
                watch.missed(error)
            else:
                news = watch.saw(incident)
                if news and on_log is not None:
                    on_log(news)
                if is_over(incident):
                    return incident
            self._sender.pause(watch.pause())

    def create_and_wait(
        self,
        *,
        task: str,
        context: IncidentContext | Unset | None = UNSET,
        timeout: float = DEFAULT_TIMEOUT,
        on_log: Callable[[str], None] | None = None,
        options: CallOptions | None = None,
    ) -> Incident:
        """Open an incident and wait until its investigation has ended.

        Args:
            task: What to investigate.
            context: What is known about it; any keys.
            timeout: Seconds to wait at most; `math.inf` to wait for ever.
            on_log: Called with what the log has gained since the last call.
            options: Options for the creation and for each poll.

        Raises:
            WaitTimeoutError: the time is over; the incident goes on, see `last.uuid`.
        """
        created = self.create(task=task, context=context, options=options)
        return self.wait(created.uuid, timeout=timeout, on_log=on_log, options=for_polls(options))
