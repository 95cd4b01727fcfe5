"""An engine that never begins to work: investigations would burn CPU beside what is measured."""

from __future__ import annotations

from akmatori_server.engine import MemoryEngine
from akmatori_server.engine.port import Handler


class IdleEngine(MemoryEngine):
    """Takes incidents into its queue and leaves them there."""

    def run(self, handler: Handler, concurrency: int, *, per_group: int | None = None) -> None:
        """Do nothing."""
