"""Async skills: scripts from files."""

from __future__ import annotations

import os
from functools import cached_property

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._generated.akmatori.models import SkillScriptSaved
from akmatori_sdk._generated.akmatori.resources import aio
from akmatori_sdk.ext.progress import script_text


class AsyncSkillsScripts(aio.AsyncSkillsScripts):
    """The scripts of skills."""

    async def put(
        self,
        name: str,
        filename: str,
        *,
        content: str | Unset | None = UNSET,
        path: str | os.PathLike[str] | None = None,
        options: CallOptions | None = None,
    ) -> SkillScriptSaved:
        """Create a script or replace its text.

        Args:
            name: Name of the skill.
            filename: File name of the script: letters, digits, `_`, `-` and `.`, with at least one dot and
                never two in a row.
            content: Text of the script; left out means empty.
            path: A file to take the text from, in place of `content`.
            options: Timeout, retries and headers for this call only.

        Raises:
            ValueError: both `content` and `path` are given, or the file is not UTF-8 text.
            BadRequestError: 400. No script can have this name.
            ForbiddenError: 403. A system skill takes no scripts.
            NotFoundError: 404. No skill has this name.
        """
        return await super().put(name, filename, content=script_text(content, path), options=options)


class AsyncSkills(aio.AsyncSkills):
    """Skills the agent may use, their prompts, tools and scripts."""

    @cached_property
    def scripts(self) -> AsyncSkillsScripts:
        """The scripts of skills."""
        return AsyncSkillsScripts(self._client)
