"""Skills as the API shows them: the row, the prompt from its file, and the assigned tools with secrets masked."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import models
from akmatori_server.skills import store
from akmatori_server.skills.models import Skill
from akmatori_server.skills.ports import AssignableTools
from akmatori_server.skills.system import SYSTEM_SKILLS
from akmatori_server.skills.workspace import SkillWorkspace


class SkillViews:
    """Makes the API's models of skills."""

    def __init__(self, workspace: SkillWorkspace, tools: AssignableTools) -> None:
        self._workspace = workspace
        self._tools = tools

    def prompt(self, skill: Skill) -> str:
        """Return the prompt."""
        known = SYSTEM_SKILLS.get(skill.name) if skill.is_system else None
        return self._workspace.folder(skill.name).prompt() if known is None else known.prompt

    def one(self, connection: sa.Connection, skill: Skill) -> models.Skill:
        """Return one skill."""
        return self.many(connection, [skill])[0]

    def many(self, connection: sa.Connection, skills: Sequence[Skill]) -> list[models.Skill]:
        """Return several, with two queries however many they are."""
        assigned = store.tool_ids(connection, [skill.id for skill in skills])
        shown = self._tools.shown(connection, {tool for ids in assigned.values() for tool in ids})
        return [
            self._model(skill, [shown[tool] for tool in assigned[skill.id] if tool in shown])
            for skill in skills
        ]

    def tools_of(self, connection: sa.Connection, skill: Skill) -> list[models.Tool]:
        """Return the tools of a skill."""
        assigned = store.tool_ids(connection, [skill.id])[skill.id]
        shown = self._tools.shown(connection, assigned)
        return [shown[tool] for tool in assigned if tool in shown]

    def existing_tools(self, connection: sa.Connection, ids: Collection[int]) -> set[int]:
        """Return those of the identifiers that belong to a tool."""
        return set(self._tools.shown(connection, set(ids)))

    def _model(self, skill: Skill, tools: list[models.Tool]) -> models.Skill:
        return models.Skill(
            id=skill.id,
            name=skill.name,
            description=skill.description,
            category=skill.category,
            is_system=skill.is_system,
            enabled=skill.enabled,
            prompt=self.prompt(skill),
            tools=tools,
            created_at=skill.created_at,
            updated_at=skill.updated_at,
        )
