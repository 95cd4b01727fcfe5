"""The audit trail: who wrote what, when and from where, with what it was before and after."""

from akmatori_server.audit.actions import Action
from akmatori_server.audit.trail import AuditTrail

__all__ = ["Action", "AuditTrail"]
