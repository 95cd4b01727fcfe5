"""Changing skills: one lock, one transaction and the staged files that belong to it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.files import LOCK, Change, SafeDirectory, changing, settle
from akmatori_server.skills import store
from akmatori_server.skills.document import FILE
from akmatori_server.skills.folder import SCRIPTS, SkillFolder
from akmatori_server.skills.names import is_skill_name


class SkillWorkspace:
    """The table and the directory of skills.

    The files are the truth about prompts, descriptions and scripts; the table is the truth about everything
    else, and about which files the last committed change left. A change writes its files aside, commits, and
    then puts them in place; a crash in between is settled by what was committed before anybody goes on.
    """

    def __init__(self, database: Database, directory: SafeDirectory) -> None:
        self.database = database
        self.directory = directory

    def folder(self, name: str) -> SkillFolder:
        """Return the directory of one skill."""
        return SkillFolder(self.directory.below(name))

    @contextmanager
    def change(self) -> Generator[Change]:
        """Yield a change; its rows and files become visible together at the end, or not at all.

        Raises:
            Conflict: somebody else was faster (an assigned tool was just deleted, say), or a link stands where
                the files belong.
        """
        with changing(self.database, self.directory, self._settle) as change:
            yield change

    def _settle(self, connection: sa.Connection) -> None:
        """Finish or take back what a crash has left."""
        names = [entry.name for entry in self.directory.entries() if is_skill_name(entry.name)]
        left = [name for name in names if self._has_leftovers(name)]
        if not left and not self._root_has_leftovers():
            return
        manifests = {skill.name: skill.manifest for skill in store.listed(connection)}
        settle(self.directory, dict.fromkeys(manifests))
        for name in left:
            self._settle_folder(name, manifests.get(name, {}))

    def _settle_folder(self, name: str, manifest: Mapping[str, str]) -> None:
        folder = self.folder(name)
        settle(folder.directory, {FILE: manifest[FILE]} if FILE in manifest else {})
        if folder.directory.kind(SCRIPTS) == "directory":
            prefix = f"{SCRIPTS}/"
            scripts = {path.removeprefix(prefix): digest for path, digest in manifest.items() if path != FILE}
            settle(folder.scripts, scripts)
        if not manifest and not folder.directory.entries():
            # It was made for a skill that was never committed.
            self.directory.remove(name)

    def _has_leftovers(self, name: str) -> bool:
        folder = self.folder(name)
        if self.directory.kind(name) != "directory":
            return False
        if folder.directory.internal_names():
            return True
        return folder.directory.kind(SCRIPTS) == "directory" and bool(folder.scripts.internal_names())

    def _root_has_leftovers(self) -> bool:
        return any(name != LOCK for name in self.directory.internal_names())
