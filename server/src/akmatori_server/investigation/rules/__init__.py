"""The investigator that needs no model: it finds the runbook for a case, and makes the checks declared for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akmatori_server.lazy_names import lazy_names

if TYPE_CHECKING:
    from akmatori_server.investigation.rules.investigator import RuleInvestigator
    from akmatori_server.investigation.rules.match import Candidate
    from akmatori_server.investigation.rules.skill_files import SkillFiles

__all__ = ["Candidate", "RuleInvestigator", "SkillFiles"]

__getattr__ = lazy_names(
    __name__, {"Candidate": "match", "RuleInvestigator": "investigator", "SkillFiles": "skill_files"}
)
