"""Programs for jq: anything but the environment, files and modules."""

from __future__ import annotations

import re

from akmatori_server.command_gate.models import RefusedError

# Also within texts: jq runs what stands in \( ) there.
_REFUSED = re.compile(r"\b(env|ENV|import|include|input_filename|get_search_list|modulemeta|__prog\w*)\b")
_MEMBERS = frozenset({"env", "import", "include"})


def check_jq(program: str) -> None:
    """Refuse a program that reads something beside its input.

    Raises:
        RefusedError: it does.
    """
    for found in _REFUSED.finditer(program):
        # A member that is called so is only a member.
        if found[0] not in _MEMBERS or not program[: found.start()].endswith("."):
            raise RefusedError(f"jq may read its input only; leave {found[0]} out of the program.")
