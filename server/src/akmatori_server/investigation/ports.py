"""What the runner needs from whoever finds things out."""

from __future__ import annotations

from typing import Protocol

from akmatori_server.investigation.case import Case
from akmatori_server.investigation.journal import Journal
from akmatori_server.investigation.report import Report


class Investigator(Protocol):
    """Looks into one case.

    It may be called again for the same case after a crash. Lines it wrote are kept and not written twice,
    as long as it gives the same step the same key. It calls `journal.check()` before anything slow, and
    lets `Fenced` and `Stopped` pass: both say that somebody else decides now.
    """

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Find out what can be found out, saying each step to the journal, and return the report."""
        ...
