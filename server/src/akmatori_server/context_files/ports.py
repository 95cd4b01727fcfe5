"""What context files need to know about prompts."""

from __future__ import annotations

from typing import Protocol


class Prompts(Protocol):
    """The texts that may refer to context files."""

    def referring_to(self, filename: str) -> list[str]:
        """Return the names of the skills whose prompts refer to the file."""
        ...


class NoPrompts:
    """An installation without skills."""

    def referring_to(self, filename: str) -> list[str]:
        """Return nothing."""
        del filename
        return []
