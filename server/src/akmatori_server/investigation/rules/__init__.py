"""The investigator that needs no model: it finds the runbook for a case by rules."""

from akmatori_server.investigation.rules.investigator import RuleInvestigator
from akmatori_server.investigation.rules.match import Candidate

__all__ = ["Candidate", "RuleInvestigator"]
