"""Async scans with one more verb: wait for one."""

from __future__ import annotations

from akmatori_sdk._core.errors import AkmatoriError
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._generated.aotanami.models import Scan, ScanPhase
from akmatori_sdk._generated.aotanami.resources import aio
from akmatori_sdk.ext.waiting import DEFAULT_TIMEOUT, Polling

# A phase this version does not know is not among them: a newer server may have added a step before the end.
_TERMINAL = frozenset({ScanPhase.COMPLETED, ScanPhase.FAILED, ScanPhase.DEGRADED})


class AsyncScans(aio.AsyncScans):
    """Scans of the cluster and their reports."""

    async def wait(
        self,
        id: str,  # noqa: A002 - named as everywhere in the API
        *,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - it bounds the whole wait and names the last state
        options: CallOptions | None = None,
    ) -> Scan:
        """Read a scan again and again until it has ended, however it ended: look at its `phase`.

        Polls that fail for a passing reason are repeated.

        Args:
            id: Identifier of the scan.
            timeout: Seconds to wait at most; `math.inf` to wait for ever.
            options: Options for each poll.

        Raises:
            WaitTimeoutError: the time is over; `last` is the last state seen.
            NotFoundError: no scan has this identifier.
        """
        watch = Polling(
            id if id.startswith("scan-") else f"scan {id}",
            timeout,
            self._sender.shared.clock,
            self._sender.settings.policy,
        )
        while True:
            try:
                scan = await self.get(id, options=watch.options(options))
            except AkmatoriError as error:
                watch.missed(error)
            else:
                watch.noted(scan, f"its phase is {scan.phase.value}")
                if scan.phase in _TERMINAL:
                    return scan
            await self._sender.pause(watch.pause())
