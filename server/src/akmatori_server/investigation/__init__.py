"""Investigations: from a queued incident to a report.

The engine calls `Runner.run`. The runner takes the incident, has an `Investigator` look into it and closes
it; all it writes goes through the `Journal`, which makes every line and every close happen once, however
often the process dies.

Its names are imported when they are asked for: the command that checks runbooks needs a small part of the package, and
does not wait for the database's libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from akmatori_server.lazy_names import lazy_names

if TYPE_CHECKING:
    from akmatori_server.investigation.case import AttachedAlert, Case
    from akmatori_server.investigation.journal import Fenced, Journal, Stopped
    from akmatori_server.investigation.ports import Investigator
    from akmatori_server.investigation.report import Confidence, Report, Section
    from akmatori_server.investigation.runner import Runner

__all__ = [
    "AttachedAlert",
    "Case",
    "Confidence",
    "Fenced",
    "Investigator",
    "Journal",
    "Report",
    "Runner",
    "Section",
    "Stopped",
]

__getattr__ = lazy_names(
    __name__,
    {
        "AttachedAlert": "case",
        "Case": "case",
        "Confidence": "report",
        "Fenced": "journal",
        "Investigator": "ports",
        "Journal": "journal",
        "Report": "report",
        "Runner": "runner",
        "Section": "report",
        "Stopped": "journal",
    },
)
