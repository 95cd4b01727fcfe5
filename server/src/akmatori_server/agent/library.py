"""What a team has written down for its investigations: skills, runbooks, context files; read, never written."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from akmatori_server.context_files.models import ContextFile
from akmatori_server.context_files.service import ContextFileService
from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.investigation.facts import Facts
from akmatori_server.investigation.rules.match import Match, rank
from akmatori_server.investigation.rules.query import build_query
from akmatori_server.runbooks import store as runbooks_store
from akmatori_server.runbooks.models import Runbook, RunbookMatch
from akmatori_server.runbooks.search import search
from akmatori_server.skills.service import SkillService

CANDIDATES = 10
# A file larger than this is not read at all.
LARGEST_TEXT = 2 * 1024 * 1024


@attrs.frozen(kw_only=True)
class SkillNote:
    """A skill as the model sees it at first."""

    name: str
    description: str
    tools: tuple[str, ...]


class Library:
    """Reads skills, runbooks and context files."""

    def __init__(
        self, database: Database, *, skills: SkillService, context_files: ContextFileService
    ) -> None:
        self._database = database
        self._skills = skills
        self._files = context_files

    def skills(self) -> list[SkillNote]:
        """Return the enabled skills by name; those of the product guide every investigation anyway."""
        notes = [
            SkillNote(
                name=skill.name,
                description=skill.description,
                tools=tuple(tool.logical_name for tool in skill.tools if tool.enabled),
            )
            for skill in self._skills.listing.all()
            if skill.enabled and not skill.is_system
        ]
        return sorted(notes, key=lambda note: note.name)

    def skill_text(self, name: str) -> str | None:
        """Return an enabled skill's prompt, None when there is no such skill."""
        try:
            skill = self._skills.get(name)
        except NotFound:
            return None
        return str(skill.prompt or "") if skill.enabled and not skill.is_system else None

    def matching_runbooks(self, facts: Facts) -> list[Match]:
        """Return the runbooks that have words of a case, the best first, as the rules rank them."""
        query = build_query(facts)
        if not query.text:
            return []
        with self._database.read() as connection:
            return rank(search(connection, query.text, CANDIDATES), query, facts)

    def search_runbooks(self, text: str) -> Sequence[RunbookMatch]:
        """Return the runbooks that have words of a text, the best first."""
        with self._database.read() as connection:
            return search(connection, text, CANDIDATES)

    def runbook(self, runbook_id: int) -> Runbook | None:
        """Return a runbook, None when there is none of this number."""
        with self._database.read() as connection:
            return runbooks_store.get(connection, runbook_id)

    def context_files(self) -> list[ContextFile]:
        """Return what is known of all context files, by name."""
        return self._files.listing.all()

    def context_text(self, filename: str) -> str | None:
        """Return the text of a context file, None when there is none of this name, or it holds no text."""
        found = next((file for file in self._files.listing.all() if file.filename == filename), None)
        if found is None or found.size > LARGEST_TEXT:
            return None
        try:
            opened = self._files.open(found.id)
        except NotFound:
            return None
        with opened.content as content:
            read = content.read(LARGEST_TEXT)
        try:
            return read.decode("utf-8")
        except UnicodeDecodeError:
            return None
