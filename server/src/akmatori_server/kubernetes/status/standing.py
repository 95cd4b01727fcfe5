"""What scans and incidents know of a cluster; whoever stores them answers this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import SeverityCounts


@attrs.frozen(kw_only=True)
class Standing:
    """What is known of one cluster; None is not known."""

    open_incidents: int | None = None
    findings: SeverityCounts | None = None
    # From 0 to 100.
    security_score: float | None = None
    last_scan_at: datetime | None = None
    is_last_scan_degraded: bool = False
    """Whether the last scan missed something of this one."""
    missed: str = ""
    """What it missed, and why."""

    @property
    def violations(self) -> int | None:
        """How many findings there are."""
        found = self.findings
        return None if found is None else found.critical + found.high + found.medium + found.low + found.info


NOTHING_KNOWN = Standing()


class Standings(Protocol):
    """Tells how clusters and folders stand, by the names of the targets."""

    def __call__(self, connection: sa.Connection, /) -> Mapping[str, Standing]:
        """Return what is known; a target that is not there is one that nothing is known of."""
        ...


def no_standings(_connection: sa.Connection, /) -> Mapping[str, Standing]:
    """Know nothing."""
    return {}
