"""Which names skills and scripts may have."""

from __future__ import annotations

import re

from akmatori_server.errors import BadRequest
from akmatori_server.files.directory import INTERNAL

LONGEST_SKILL_NAME = 64
LONGEST_SCRIPT_NAME = 255
# `POST /api/skills/sync` is an operation: a skill of this name could not be addressed.
SYNC = "sync"

_SKILL = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SCRIPT = re.compile(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")


def is_skill_name(name: str) -> bool:
    """Whether a name is in kebab case and not too long."""
    return len(name) <= LONGEST_SKILL_NAME and _SKILL.fullmatch(name) is not None


def require_skill_name(name: str) -> str:
    """Return the name.

    Raises:
        BadRequest: it is not in kebab case, or too long.
    """
    if not is_skill_name(name):
        raise BadRequest(
            "name: use small letters and digits, in words joined by single dashes, beginning with a letter;"
            f" {LONGEST_SKILL_NAME} characters at most."
        )
    return name


def is_script_name(name: str) -> bool:
    """Whether a name may be a script's."""
    return len(name) <= LONGEST_SCRIPT_NAME and _SCRIPT.fullmatch(name) is not None


def require_script_name(name: str) -> str:
    """Return the name.

    Raises:
        BadRequest: it holds other characters, no dot, two dots in a row, or is too long.
    """
    if not is_script_name(name):
        raise BadRequest(
            "filename: use letters, digits, '_', '-' and '.', with at least one dot, never two in a row;"
            f" {LONGEST_SCRIPT_NAME} characters at most."
        )
    return name


def is_hidden(name: str) -> bool:
    """Whether a list leaves a name out."""
    return name.startswith((".", INTERNAL))
