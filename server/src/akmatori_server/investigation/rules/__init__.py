"""The investigator that needs no model: it finds the runbook for a case, and makes the checks declared for it."""

from akmatori_server.investigation.rules.investigator import RuleInvestigator
from akmatori_server.investigation.rules.match import Candidate
from akmatori_server.investigation.rules.skill_files import SkillFiles

__all__ = ["Candidate", "RuleInvestigator", "SkillFiles"]
