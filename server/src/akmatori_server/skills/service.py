"""Managing skills: rows, prompts and assigned tools."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.context_files.references import references_in
from akmatori_server.errors import BadRequest, Conflict, Forbidden, NotFound
from akmatori_server.files import Change
from akmatori_server.http.call import Call
from akmatori_server.listing import Listing
from akmatori_server.skills import store
from akmatori_server.skills.document import (
    FILE,
    LONGEST_DESCRIPTION,
    Document,
    write_document,
)
from akmatori_server.skills.models import NewSkill, Skill, SkillChanges
from akmatori_server.skills.names import SYNC, require_skill_name
from akmatori_server.skills.system import SYSTEM_SKILLS
from akmatori_server.skills.views import SkillViews
from akmatori_server.skills.workspace import SkillWorkspace
from akmatori_server.writes import Check, allow

LONGEST_CATEGORY = 64
MOST_NAMED = 5


class SkillService:
    """Creates, reads, changes and deletes skills."""

    def __init__(
        self,
        workspace: SkillWorkspace,
        views: SkillViews,
        *,
        audit: AuditTrail,
        now: Callable[[], datetime],
    ) -> None:
        self.workspace = workspace
        self._views = views
        self._audit = audit
        self.now = now
        # The oldest first.
        self.listing = Listing(workspace.database, store.count, self._listed)

    def seed_system_skills(self) -> None:
        """Store the skills of the product that are not there yet; called at every start."""
        with self.workspace.database.write() as connection:
            for known in SYSTEM_SKILLS.values():
                stored = store.get(connection, known.name, to_change=True)
                if stored is None:
                    values = _row(known.name, known.description, known.category, now=self.now())
                    store.insert(connection, {**values, "is_system": True})
                elif not stored.is_system:
                    store.update(connection, stored.id, {"is_system": True})

    def get(self, name: str) -> models.Skill:
        """Return one skill.

        Raises:
            NotFound: there is none of this name.
        """
        with self.workspace.database.read() as connection:
            return self._views.one(connection, found(store.get(connection, name)))

    def prompt(self, name: str) -> str:
        """Return a skill's prompt; raises what `get` raises."""
        with self.workspace.database.read() as connection:
            return self._views.prompt(found(store.get(connection, name)))

    def tools(self, name: str) -> list[models.Tool]:
        """Return the tools assigned to a skill; raises what `get` raises."""
        with self.workspace.database.read() as connection:
            return self._views.tools_of(connection, found(store.get(connection, name)))

    def referring_to(self, filename: str) -> list[str]:
        """Return the names of the skills whose prompts refer to a context file."""
        with self.workspace.database.read() as connection:
            skills = store.listed(connection)
        return [skill.name for skill in skills if filename in references_in(self._views.prompt(skill))]

    def create_in(self, change: Change, call: Call | None, new: NewSkill) -> models.Skill:
        """Store a new skill as part of a change.

        Raises:
            BadRequest: a member breaks its rule.
            Conflict: the name is taken, by a skill or by a directory.
        """
        name = require_skill_name(new.name)
        _check_texts(new.description, new.category)
        if name == SYNC:
            raise Conflict(f"The name {SYNC} is taken by an operation of the API.")
        connection, folder = change.connection, self.workspace.folder(name)
        if name in SYSTEM_SKILLS or store.get(connection, name) is not None:
            raise Conflict("A skill with this name exists.")
        if self.workspace.directory.kind(name) not in {None, "directory"} or folder.directory.entries():
            raise Conflict(
                "The skills directory holds something of this name already; POST /api/skills/sync takes it over."
            )
        document = Document(name=name, description=new.description, prompt=new.prompt)
        digest = change.staged.put(folder.directory, FILE, write_document(document))
        values = _row(name, new.description, new.category, now=self.now())
        stored = store.insert(connection, {**values, "enabled": new.enabled, "manifest": {FILE: digest}})
        # The prompt's file takes its place after the commit.
        created = attrs.evolve(self._views.one(connection, stored), prompt=new.prompt)
        self._record(change, call, Action.SKILL_CREATED, None, created)
        return created

    def update(
        self,
        call: Call | None,
        name: str,
        changes: SkillChanges,
        *,
        check: Check[models.Skill] = allow,
        action: Action = Action.SKILL_UPDATED,
    ) -> models.Skill:
        """Change what the caller gives.

        Raises:
            NotFound: there is none of this name.
            BadRequest: a member breaks its rule.
            Forbidden: it would change the prompt of a system skill.
            Conflict: `check` refused.
        """
        _check_texts(changes.description or "", changes.category or "")
        with self.workspace.change() as change:
            stored = found(store.get(change.connection, name, to_change=True))
            before = self._views.one(change.connection, stored)
            check(before)
            if stored.is_system and changes.prompt not in {None, before.prompt}:
                raise _fixed("prompt")
            values: dict[str, Any] = {
                member: value
                for member, value in attrs.asdict(changes).items()
                if value is not None and member != "prompt"
            }
            prompt = before.prompt
            if not stored.is_system and (changes.prompt is not None or changes.description is not None):
                document = self._new_document(stored, changes)
                digest = change.staged.put(
                    self.workspace.folder(name).directory, FILE, write_document(document)
                )
                values["manifest"] = {**stored.manifest, FILE: digest}
                prompt = document.prompt
            updated = store.update(change.connection, stored.id, {**values, "updated_at": self.now()})
            after = attrs.evolve(self._views.one(change.connection, updated), prompt=prompt)
            self._record(change, call, action, before, after)
        return after

    def replace_prompt(self, call: Call | None, name: str, prompt: str) -> None:
        """Replace a skill's prompt.

        Raises:
            NotFound: there is none of this name.
            Forbidden: it is a system skill.
        """
        with self.workspace.database.read() as connection:
            if found(store.get(connection, name)).is_system:
                raise _fixed("prompt")
        self.update(call, name, SkillChanges(prompt=prompt), action=Action.SKILL_PROMPT_UPDATED)

    def replace_tools(self, call: Call | None, name: str, tool_ids: Collection[int]) -> models.Skill:
        """Make these the tools of a skill.

        Raises:
            NotFound: there is none of this name.
            Forbidden: it is a system skill.
            BadRequest: an identifier is that of no tool; the skill keeps the tools it has.
        """
        with self.workspace.change() as change:
            stored = found(store.get(change.connection, name, to_change=True))
            if stored.is_system:
                raise _fixed("tools")
            before = self._views.one(change.connection, stored)
            _check_tools(tool_ids, self._views.existing_tools(change.connection, tool_ids))
            store.replace_tools(change.connection, stored.id, tool_ids)
            updated = store.update(change.connection, stored.id, {"updated_at": self.now()})
            after = self._views.one(change.connection, updated)
            self._record(change, call, Action.SKILL_TOOLS_UPDATED, before, after)
        return after

    def delete(self, call: Call | None, name: str) -> None:
        """Delete a skill with its files.

        Raises:
            NotFound: there is none of this name.
            Forbidden: it is a system skill.
        """
        with self.workspace.change() as change:
            stored = found(store.get(change.connection, name, to_change=True))
            if stored.is_system:
                raise Forbidden("A system skill cannot be deleted; disable it instead.")
            before = self._views.one(change.connection, stored)
            store.delete(change.connection, stored.id)
            self._record(change, call, Action.SKILL_DELETED, before, None)
            change.staged.remove(self.workspace.directory, name)

    def _listed(
        self, connection: sa.Connection, *, offset: int = 0, limit: int | None = None
    ) -> list[models.Skill]:
        return self._views.many(connection, store.listed(connection, offset=offset, limit=limit))

    def _new_document(self, stored: Skill, changes: SkillChanges) -> Document:
        folder = self.workspace.folder(stored.name)
        known = folder.document() or Document(
            name=stored.name, description=stored.description, prompt=folder.prompt()
        )
        return attrs.evolve(
            known,
            name=stored.name,
            description=stored.description if changes.description is None else changes.description,
            prompt=known.prompt if changes.prompt is None else changes.prompt,
        )

    def _record(
        self,
        change: Change,
        call: Call | None,
        action: Action,
        before: models.Skill | None,
        after: models.Skill | None,
    ) -> None:
        named = after or before
        self._audit.record(
            change.connection,
            call,
            action,
            f"skill:{named.name if named else ''}",
            None if before is None else codec.encode_skill(before),
            None if after is None else codec.encode_skill(after),
        )


def found(skill: Skill | None) -> Skill:
    """Return the skill.

    Raises:
        NotFound: there is none.
    """
    if skill is None:
        raise NotFound("No skill has this name.")
    return skill


def _row(name: str, description: str, category: str, *, now: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "category": category,
        "is_system": False,
        "enabled": True,
        "manifest": {},
        "created_at": now,
        "updated_at": now,
    }


def _check_texts(description: str, category: str) -> None:
    if len(description) > LONGEST_DESCRIPTION:
        raise BadRequest(f"description: {LONGEST_DESCRIPTION} characters at most.")
    if len(category) > LONGEST_CATEGORY:
        raise BadRequest(f"category: {LONGEST_CATEGORY} characters at most.")


def _check_tools(tool_ids: Collection[int], existing: Collection[int]) -> None:
    unknown = sorted(set(tool_ids) - set(existing))
    if unknown:
        named = ", ".join(str(tool_id) for tool_id in unknown[:MOST_NAMED])
        more = " and others" if len(unknown) > MOST_NAMED else ""
        raise BadRequest(
            f"tool_instance_ids: there is no tool {named}{more}; the tools of the skill stay as they are."
        )


def _fixed(what: str) -> Forbidden:
    return Forbidden(f"The {what} of a system skill cannot be changed.")
