"""What the rule investigator needs from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import attrs

from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.journal import Journal
from akmatori_server.redaction import Redactor
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import CallResult
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool


class Offer(Protocol):
    """A function that may be called."""

    @property
    def tool(self) -> OpenTool:
        """The tool it is of."""
        ...

    @property
    def kit(self) -> Kit:
        """What makes calls of it."""
        ...

    @property
    def function(self) -> ToolFunction:
        """The function."""
        ...


class Bench(Protocol):
    """Tools that are open for an investigation."""

    @property
    def offers(self) -> Sequence[Offer]:
        """What may be called."""
        ...

    @property
    def complaints(self) -> Sequence[str]:
        """Tools that cannot be used, a sentence each."""
        ...

    @property
    def redact(self) -> Redactor:
        """Masks secrets."""
        ...

    async def call(
        self, key: str, tool: str, function: str, arguments: Mapping[str, JSON], *, purpose: str = ""
    ) -> CallResult:
        """Call a function; a call that was made before a crash gives what it gave then."""
        ...


class Tools(Protocol):
    """The tools of an installation."""

    def enabled(self) -> list[OpenTool]:
        """Return every enabled tool."""
        ...

    def open(self, journal: Journal, tools: Sequence[OpenTool]) -> AbstractAsyncContextManager[Bench]:
        """Open tools for an investigation."""
        ...


@attrs.frozen
class SkillText:
    """The file of an enabled skill."""

    name: str
    content: str = attrs.field(repr=False)


class Skills(Protocol):
    """The skills of an installation."""

    def enabled(self) -> Sequence[SkillText]:
        """Return the files of the enabled skills, by name; those that cannot be read are left out."""
        ...
