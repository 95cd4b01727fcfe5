"""Properties of systemd's units that hold no secrets."""

from __future__ import annotations

from akmatori_server.command_gate.harmless import harmless
from akmatori_server.command_gate.models import RefusedError


def check_properties(text: str) -> None:
    """Look at the names behind -p.

    Raises:
        RefusedError: one of them may hold a secret, or none is named, which means all.
    """
    for name in text.split(","):
        if name not in harmless().unit_properties:
            raise RefusedError(
                f"systemctl show does not print “{name[:60]}” here: only properties that hold no secrets, such as"
                " MainPID, ActiveState, Result, ExecMainStatus, NRestarts, FragmentPath, MemoryCurrent."
            )
