"""The scripts of skills: plain files in the skill's directory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from akmatori_server.audit import Action, AuditTrail
from akmatori_server.errors import Forbidden, NotFound
from akmatori_server.files import Change
from akmatori_server.http.call import Call
from akmatori_server.skills import store
from akmatori_server.skills.folder import SCRIPTS, SkillFolder
from akmatori_server.skills.models import Script, Skill
from akmatori_server.skills.names import is_script_name, require_script_name
from akmatori_server.skills.service import found
from akmatori_server.skills.workspace import SkillWorkspace


@attrs.frozen
class ScriptList:
    """The scripts of a skill, and where they are."""

    directory: str
    names: list[str]


class ScriptService:
    """Lists, reads, writes and deletes the scripts of skills."""

    def __init__(self, workspace: SkillWorkspace, *, audit: AuditTrail, now: Callable[[], datetime]) -> None:
        self._workspace = workspace
        self._audit = audit
        self._now = now

    def list(self, skill_name: str) -> ScriptList:
        """Return the scripts of a skill by name.

        Raises:
            NotFound: no skill has this name.
        """
        folder = self._folder(skill_name)
        return ScriptList(str(folder.scripts.path), folder.script_names())

    def get(self, skill_name: str, filename: str) -> Script:
        """Return a script.

        Raises:
            NotFound: no skill, or no script of it, has this name.
            BadRequest: no script can have this name.
            Conflict: it is not text.
        """
        require_script_name(filename)
        return self._folder(skill_name).script(filename)

    def put(self, call: Call | None, skill_name: str, filename: str, content: str) -> None:
        """Create a script, or replace its text.

        Raises:
            NotFound: no skill has this name.
            BadRequest: no script can have this name.
            Forbidden: it is a system skill.
        """
        require_script_name(filename)
        with self._workspace.change() as change:
            skill, folder = self._changed(change, skill_name)
            before = skill.manifest.get(f"{SCRIPTS}/{filename}")
            digest = change.staged.put(folder.scripts, filename, content.encode())
            self._store(change, skill, {**skill.manifest, f"{SCRIPTS}/{filename}": digest})
            self._record(
                change,
                call,
                Action.SKILL_SCRIPT_WRITTEN,
                f"skill:{skill_name}/{filename}",
                None if before is None else {"filename": filename, "sha256": before},
                {"filename": filename, "sha256": digest},
            )

    def delete(self, call: Call | None, skill_name: str, filename: str) -> None:
        """Delete a script.

        Raises:
            NotFound: no skill, or no script of it, has this name.
            BadRequest: no script can have this name.
            Forbidden: it is a system skill.
        """
        require_script_name(filename)
        with self._workspace.change() as change:
            skill, folder = self._changed(change, skill_name)
            if not change.staged.remove(folder.scripts, filename):
                raise NotFound("The skill has no script of this name.")
            path = f"{SCRIPTS}/{filename}"
            self._store(
                change, skill, {known: digest for known, digest in skill.manifest.items() if known != path}
            )
            self._record(
                change,
                call,
                Action.SKILL_SCRIPT_DELETED,
                f"skill:{skill_name}/{filename}",
                {"filename": filename, "sha256": skill.manifest.get(path, "")},
                None,
            )

    def clear(self, call: Call | None, skill_name: str) -> None:
        """Delete every script of a skill, hidden ones included.

        Raises:
            NotFound: no skill has this name.
            Forbidden: it is a system skill.
        """
        with self._workspace.change() as change:
            skill, folder = self._changed(change, skill_name)
            names = [
                entry.name
                for entry in folder.scripts.entries()
                if entry.kind == "file" and is_script_name(entry.name)
            ]
            for name in names:
                change.staged.remove(folder.scripts, name)
            prefix = f"{SCRIPTS}/"
            kept = {path: digest for path, digest in skill.manifest.items() if not path.startswith(prefix)}
            self._store(change, skill, kept)
            self._record(
                change,
                call,
                Action.SKILL_SCRIPTS_CLEARED,
                f"skill:{skill_name}",
                {"scripts": names},
                {"scripts": []},
            )

    def _folder(self, skill_name: str) -> SkillFolder:
        with self._workspace.database.read() as connection:
            skill = found(store.get(connection, skill_name))
        return self._workspace.folder(skill.name)

    def _changed(self, change: Change, skill_name: str) -> tuple[Skill, SkillFolder]:
        skill = found(store.get(change.connection, skill_name, to_change=True))
        if skill.is_system:
            raise Forbidden("A system skill has no scripts.")
        return skill, self._workspace.folder(skill.name)

    def _store(self, change: Change, skill: Skill, manifest: dict[str, str]) -> None:
        store.update(change.connection, skill.id, {"manifest": manifest, "updated_at": self._now()})

    def _record(
        self,
        change: Change,
        call: Call | None,
        action: Action,
        target: str,
        before: dict[str, object] | None,
        after: dict[str, object] | None,
    ) -> None:
        self._audit.record(change.connection, call, action, target, before, after)
