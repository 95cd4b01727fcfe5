"""Answers the operations of the tag `skills`."""

from __future__ import annotations

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given
from akmatori_server.listing import answer_part
from akmatori_server.pagination import requested_page
from akmatori_server.skills.models import NewSkill, SkillChanges
from akmatori_server.skills.scripts import ScriptService
from akmatori_server.skills.service import SkillService
from akmatori_server.skills.sync import SkillSync

CREATE = KeyedCreate("createSkill", codec.encode_skill, codec.decode_skill)


class SkillHandlers:
    """Skills over HTTP."""

    def __init__(self, skills: SkillService, scripts: ScriptService, sync: SkillSync) -> None:
        self._skills = skills
        self._scripts = scripts
        self._sync = sync

    def list_skills(self, _call: Call, /, *, page: int | Unset, per_page: int | Unset) -> models.SkillList:
        """List the skills."""
        return self._skills.listing.answer(
            requested_page(page, per_page), lambda skill: skill, models.SkillPage
        )

    def create_skill(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateSkillRequest
    ) -> Answer[models.Skill]:
        """Create a skill."""
        new = NewSkill(
            name=body.name,
            description=given(body.description) or "",
            category=given(body.category) or "",
            prompt=given(body.prompt) or "",
            enabled=given(body.enabled) is not False,
        )
        with self._skills.workspace.change() as change:
            created = CREATE.answer(
                change.connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_skill_request(body),
                create=lambda: self._skills.create_in(change, call, new),
                now=self._skills.now(),
            )
        return _answer(created)

    def sync_skills(self, call: Call, /) -> models.SkillSyncResult:
        """Compare the skills directory with the known skills, and take over what was done there."""
        drift = self._sync.sync(call)
        return models.SkillSyncResult(
            status="ok",
            message=drift.message,
            added=list(drift.added),
            changed=list(drift.changed),
            missing=list(drift.missing),
            skipped=[models.SkippedDirectory(name=one.name, reason=one.reason) for one in drift.skipped],
        )

    def get_skill(self, _call: Call, /, *, name: str) -> Answer[models.Skill]:
        """Read one skill."""
        return _answer(self._skills.get(name))

    def update_skill(
        self, call: Call, /, *, name: str, if_match: str | Unset, body: models.UpdateSkillRequest
    ) -> Answer[models.Skill]:
        """Change members of a skill."""
        changes = SkillChanges(
            description=given(body.description),
            category=given(body.category),
            enabled=given(body.enabled),
            prompt=given(body.prompt),
        )

        def check(stored: models.Skill) -> None:
            require_match(if_match, _etag(stored))

        return _answer(self._skills.update(call, name, changes, check=check))

    def delete_skill(self, call: Call, /, *, name: str) -> None:
        """Delete a skill with its prompt and scripts."""
        self._skills.delete(call, name)

    def get_skill_prompt(self, _call: Call, /, *, name: str) -> models.SkillPrompt:
        """Read a skill's prompt."""
        return models.SkillPrompt(prompt=self._skills.prompt(name))

    def update_skill_prompt(
        self, call: Call, /, *, name: str, body: models.UpdateSkillPromptRequest
    ) -> models.SkillPromptSaved:
        """Replace a skill's prompt."""
        self._skills.replace_prompt(call, name, given(body.prompt) or "")
        return models.SkillPromptSaved(status="ok")

    def list_skill_tools(
        self, _call: Call, /, *, name: str, page: int | Unset, per_page: int | Unset
    ) -> models.ToolList:
        """List the tools assigned to a skill."""
        return answer_part(self._skills.tools(name), requested_page(page, per_page), models.ToolPage)

    def update_skill_tools(
        self, call: Call, /, *, name: str, body: models.UpdateSkillToolsRequest
    ) -> Answer[models.Skill]:
        """Replace the tools assigned to a skill."""
        return _answer(self._skills.replace_tools(call, name, given(body.tool_instance_ids) or []))

    def list_skill_scripts(self, _call: Call, /, *, name: str) -> models.SkillScripts:
        """List a skill's scripts."""
        scripts = self._scripts.list(name)
        return models.SkillScripts(skill_name=name, scripts_dir=scripts.directory, scripts=scripts.names)

    def clear_skill_scripts(self, call: Call, /, *, name: str) -> models.SkillScriptsCleared:
        """Delete all scripts of a skill."""
        self._scripts.clear(call, name)
        return models.SkillScriptsCleared(message="All scripts are deleted.", skill_name=name)

    def get_skill_script(self, _call: Call, /, *, name: str, filename: str) -> models.SkillScript:
        """Read one script of a skill."""
        script = self._scripts.get(name, filename)
        return models.SkillScript(
            filename=script.filename,
            content=script.content,
            size=script.size,
            modified_at=script.modified_at,
        )

    def put_skill_script(
        self, call: Call, /, *, name: str, filename: str, body: models.PutSkillScriptRequest
    ) -> models.SkillScriptSaved:
        """Create a script or replace its text."""
        content = given(body.content) or ""
        self._scripts.put(call, name, filename, content)
        return models.SkillScriptSaved(success=True, filename=filename, content=content)

    def delete_skill_script(self, call: Call, /, *, name: str, filename: str) -> None:
        """Delete one script of a skill."""
        self._scripts.delete(call, name, filename)


def _answer(skill: models.Skill) -> Answer[models.Skill]:
    return Answer(skill, headers={"ETag": _etag(skill)})


def _etag(skill: models.Skill) -> str:
    tools = (f"{tool.id}:{tool.updated_at}" for tool in skill.tools)
    return etag_of(skill.id, skill.updated_at, skill.prompt, *tools)
