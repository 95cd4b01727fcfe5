"""Skills as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Skill:
    """The row of a skill. Its prompt and scripts are files, of which `manifest` holds the hashes."""

    id: int
    name: str
    description: str
    category: str
    is_system: bool
    enabled: bool
    manifest: Mapping[str, str] = attrs.field(repr=False)
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class NewSkill:
    """What a caller gives to create a skill."""

    name: str
    description: str = ""
    category: str = ""
    prompt: str = attrs.field(default="", repr=False)
    enabled: bool = True


@attrs.frozen(kw_only=True)
class SkillChanges:
    """What a caller changes; None keeps what is stored."""

    description: str | None = None
    category: str | None = None
    enabled: bool | None = None
    prompt: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Script:
    """A script of a skill."""

    filename: str
    content: str = attrs.field(repr=False)
    size: int
    modified_at: datetime


@attrs.frozen
class Skipped:
    """Something in the skills directory that is not a skill."""

    name: str
    reason: str


@attrs.frozen(kw_only=True)
class Drift:
    """How the skills directory and the known skills differed."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def message(self) -> str:
        """A sentence for people."""
        return (
            f"Skills synced: {len(self.added)} added, {len(self.changed)} changed, {len(self.missing)} missing,"
            f" {len(self.skipped)} skipped."
        )
