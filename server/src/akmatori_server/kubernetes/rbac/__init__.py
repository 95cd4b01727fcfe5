"""Effective rights: what roles, put together, let their holders do, and what they can make of it."""

from akmatori_server.kubernetes.rbac.graph import Grant, Rbac, read_rbac
from akmatori_server.kubernetes.rbac.model import Account, Binding, Role, Subject
from akmatori_server.kubernetes.rbac.powers import POWERS, Power
from akmatori_server.kubernetes.rbac.rules import Rule, read_rules
from akmatori_server.kubernetes.rbac.takeover import Takeover, find_takeover

__all__ = [
    "POWERS",
    "Account",
    "Binding",
    "Grant",
    "Power",
    "Rbac",
    "Role",
    "Rule",
    "Subject",
    "Takeover",
    "find_takeover",
    "read_rbac",
    "read_rules",
]
