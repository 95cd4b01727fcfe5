"""What the newest scans say of clusters and folders."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import ScanPhase
from akmatori_server.kubernetes.reports import scan_store
from akmatori_server.kubernetes.reports.reader import newest_summary
from akmatori_server.kubernetes.status.standing import Standing, Standings


def by_scans(names: Collection[str]) -> Standings:
    """Return what tells how targets of these names stand; of one that was never scanned nothing is known."""

    def standings(connection: sa.Connection, /) -> Mapping[str, Standing]:
        scopes = scan_store.scopes(connection)
        found: dict[str, Standing] = {}
        for name in names:
            posture = newest_summary(connection, name)
            if posture is None:
                continue
            # The one scanned last is the first.
            newest = next((scope for scope in scopes if name in scope.plan.targets), None)
            missed = "" if newest is None else _missed(connection, newest, name)
            found[name] = Standing(
                findings=posture.findings_by_severity,
                security_score=posture.security_score,
                last_scan_at=posture.last_scan_at,
                is_last_scan_degraded=bool(missed),
                missed=missed,
            )
        return found

    return standings


def _missed(connection: sa.Connection, newest: scan_store.Scope, name: str) -> str:
    """Return what a scan missed of one target; what it missed of the others is theirs."""
    if newest.newest_phase is not ScanPhase.DEGRADED:
        return ""
    # The text of an error begins with whom it is about.
    start = f"{name}: "
    errors = scan_store.errors_of_newest(connection, newest)
    return " ".join(error.message.removeprefix(start) for error in errors if error.message.startswith(start))
