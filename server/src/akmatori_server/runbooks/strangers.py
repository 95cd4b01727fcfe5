"""Files beside the runbooks that the mirror did not write: new runbooks, and what is none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import structlog

from akmatori_server.files import FileTooLargeError, SafeDirectory, UnsafePathError
from akmatori_server.runbooks.markdown import UnreadableRunbookError, has_own_form, read_markdown
from akmatori_server.runbooks.models import RunbookText

LARGEST_FILE = 4 * 1024 * 1024
# Of files that are looked at; more are no runbooks that somebody put there.
MOST_FILES = 1000

_KEPT_ASIDE = re.compile(r".*\.edited-[0-9a-f]{12}\.md")
_UNKNOWN = RunbookText(title="", content="")
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Strangers:
    """Looks at the files that are nobody's, and warns of each once."""

    def __init__(self, directory: SafeDirectory) -> None:
        self._directory = directory
        self._told: set[tuple[str, str]] = set()

    def runbooks(self, ours: Collection[str]) -> Iterator[tuple[str, RunbookText]]:
        """Return the new runbooks by the names of their files; of what is none, the log says why."""
        names = [
            entry.name
            for entry in self._directory.entries()
            if entry.name not in ours and _could_be_one(entry.name)
        ]
        there: set[tuple[str, str]] = set()
        for name in names[:MOST_FILES]:
            text, reason = self._read(name)
            if text is not None:
                yield name, text
                continue
            there.add((name, reason))
            if (name, reason) not in self._told:
                _log.warning("runbook_file_ignored", file=name, reason=reason)
        self._told = there

    def _read(self, name: str) -> tuple[RunbookText | None, str]:
        if _KEPT_ASIDE.fullmatch(name):
            return (
                None,
                "An edit that was not taken over waits here: merge it into the runbook, and delete this file.",
            )
        if has_own_form(name):
            return None, (
                "It has the name of the file of another or a deleted runbook; give it a name without a number in"
                " front, and it becomes a runbook."
            )
        try:
            return read_markdown(self._directory.read(name, limit=LARGEST_FILE), known=_UNKNOWN), ""
        except (UnreadableRunbookError, FileTooLargeError, UnsafePathError, OSError) as error:
            return None, str(error)


def _could_be_one(name: str) -> bool:
    # A folder that is kept in a repository has a README; editors' own files begin with a dot.
    return name.endswith(".md") and not name.startswith(".") and name.lower() != "readme.md"
