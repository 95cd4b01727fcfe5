"""The files of enabled skills, for the probes that they declare."""

from __future__ import annotations

from akmatori_server.investigation.rules.ports import SkillText
from akmatori_server.skills import store
from akmatori_server.skills.workspace import SkillWorkspace


class SkillFiles:
    """Reads them anew each time: they are edited on disk."""

    def __init__(self, workspace: SkillWorkspace) -> None:
        self._workspace = workspace

    def enabled(self) -> list[SkillText]:
        """Return the files of the enabled skills, by name; those that cannot be read are left out."""
        with self._workspace.database.read() as connection:
            skills = store.listed(connection)
        names = sorted(skill.name for skill in skills if skill.enabled and not skill.is_system)
        contents = ((name, self._workspace.folder(name).content()) for name in names)
        return [SkillText(name, raw.decode("utf-8", "replace")) for name, raw in contents if raw is not None]
