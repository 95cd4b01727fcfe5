"""What is to be said of the exceptions of a file that do nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator

from akmatori_server.kubernetes.manifests import Problem, ProblemKind
from akmatori_server.kubernetes.scans.exceptions import ScopedException


def doubtful_exceptions(
    exceptions: Iterable[ScopedException],
    fitted: Collection[ScopedException],
    today: dt.date,
    *,
    everything: bool,
) -> Iterator[Problem]:
    """Return a problem for each exception that has ended, or was for nothing.

    Args:
        exceptions: The exceptions of the file.
        fitted: Those that were for a finding.
        today: The day that their ends are compared with.
        everything: Whether every check was made over everything; else one may be for what was not checked.
    """
    for exception in exceptions:
        if not exception.accepted.holds(today):
            message = f"This exception ended on {exception.accepted.until}."
        elif everything and exception not in fitted:
            message = "This exception fits no finding of this scan."
        else:
            continue
        yield Problem(ProblemKind.DOUBTFUL, exception.file, exception.line, message)
