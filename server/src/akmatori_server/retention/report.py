"""What one cleanup did."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class RetentionReport:
    """What one cleanup did, counted."""

    started_at: datetime
    # False: the operator has switched it off, and nothing was done.
    enabled: bool
    # Incidents that finished before this moment are deleted.
    cutoff: datetime
    incidents: int = 0
    alerts: int = 0
    log_lines: int = 0
    # Silences that ended before that moment.
    silences: int = 0
    # Directories of those incidents, and directories that belonged to no incident any more.
    directories: int = 0
    orphans: int = 0
    # Left alone: a link, or a path outside the incidents' directory.
    refused: int = 0
    # Not removed although they should be; the next cleanup tries again.
    failed: int = 0

    def counts(self) -> dict[str, int]:
        """Return the numbers alone."""
        return {
            "incidents": self.incidents,
            "alerts": self.alerts,
            "log_lines": self.log_lines,
            "silences": self.silences,
            "directories": self.directories,
            "orphans": self.orphans,
            "refused": self.refused,
            "failed": self.failed,
        }
