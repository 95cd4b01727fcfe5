"""Comparing the skills directory with the known skills, and taking over what was done on disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs
import structlog

from akmatori_server.audit import Action, AuditTrail
from akmatori_server.files import Change, UnsafePathError
from akmatori_server.files.directory import Entry
from akmatori_server.http.call import Call
from akmatori_server.skills import store
from akmatori_server.skills.document import Document, InvalidSkillError
from akmatori_server.skills.models import Drift, Skill, Skipped
from akmatori_server.skills.names import SYNC, is_hidden, is_skill_name
from akmatori_server.skills.system import SYSTEM_SKILLS
from akmatori_server.skills.workspace import SkillWorkspace

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LONGEST_SHOWN_NAME = 255


@attrs.define
class _Findings:
    added: list[str] = attrs.field(factory=list[str])
    changed: list[str] = attrs.field(factory=list[str])
    skipped: list[Skipped] = attrs.field(factory=list[Skipped])


class SkillSync:
    """Takes over what was done in the skills directory; the files are the truth about what they hold."""

    def __init__(self, workspace: SkillWorkspace, *, audit: AuditTrail, now: Callable[[], datetime]) -> None:
        self._workspace = workspace
        self._audit = audit
        self._now = now

    def recover(self) -> Drift:
        """Settle what a crash has left, and take over what was done on disk meanwhile; called at every start."""
        drift = self.sync(None)
        if drift != Drift():
            _log.info(
                "skills_synced",
                added=drift.added,
                changed=drift.changed,
                missing=drift.missing,
                skipped=[skipped.name for skipped in drift.skipped],
            )
        return drift

    def sync(self, call: Call | None) -> Drift:
        """Compare, take over what is new or changed, and report what is missing or cannot be a skill."""
        with self._workspace.change() as change:
            known = {skill.name: skill for skill in store.listed(change.connection) if not skill.is_system}
            findings = _Findings()
            for entry in self._workspace.directory.entries():
                if not is_hidden(entry.name):
                    self._look_at(change, entry, known.get(entry.name), findings)
            skipped = {one.name for one in findings.skipped}
            missing = tuple(name for name in known if name not in skipped and self._is_missing(name))
            drift = Drift(
                added=tuple(findings.added),
                changed=tuple(findings.changed),
                missing=missing,
                skipped=tuple(findings.skipped),
            )
            if drift.added or drift.changed:
                self._audit.record(
                    change.connection, call, Action.SKILLS_SYNCED, "skills", None, attrs.asdict(drift)
                )
        return drift

    def _look_at(self, change: Change, entry: Entry, skill: Skill | None, findings: _Findings) -> None:
        shown = entry.name.encode("utf-8", "replace").decode()[:LONGEST_SHOWN_NAME]
        try:
            document = self._document(entry, skill)
            if document is None:
                return
            manifest = self._workspace.folder(entry.name).manifest()
        except InvalidSkillError as error:
            findings.skipped.append(Skipped(shown, str(error)))
            return
        except (OSError, UnsafePathError):
            findings.skipped.append(Skipped(shown, "A file of it cannot be read, or is a link."))
            return
        values = {"description": document.description, "manifest": manifest, "updated_at": self._now()}
        if skill is None:
            category = document.more.get("category")
            fresh = {
                "name": entry.name,
                "category": category[:64] if isinstance(category, str) else "",
                "is_system": False,
                "enabled": True,
                "created_at": self._now(),
            }
            store.insert(change.connection, {**values, **fresh})
            findings.added.append(entry.name)
        elif manifest != skill.manifest:
            store.update(change.connection, skill.id, values)
            findings.changed.append(entry.name)

    def _document(self, entry: Entry, skill: Skill | None) -> Document | None:
        """Return what the entry's prompt file says, None when the skill is known and the file is missing."""
        if entry.kind != "directory":
            raise InvalidSkillError("It is a link or a file; a skill is a directory.")
        if not is_skill_name(entry.name):
            raise InvalidSkillError("The name is not in kebab case, or too long.")
        if entry.name == SYNC or entry.name in SYSTEM_SKILLS:
            raise InvalidSkillError("The name is taken by the product.")
        document = self._workspace.folder(entry.name).checked_document(entry.name)
        if document is None and skill is None:
            raise InvalidSkillError("It has no SKILL.md.")
        return document

    def _is_missing(self, name: str) -> bool:
        return self._workspace.folder(name).content() is None
