"""Compares the generated modules in the tree with what the specifications give now."""

from __future__ import annotations

import difflib
from pathlib import Path

MOST_LINES = 40


def differences(tree: Path, fresh: Path) -> list[str]:
    """One paragraph per file that differs, is missing or is left over."""
    found: list[str] = []
    for name in sorted(_files(tree) | _files(fresh)):
        found += difference(tree / name, fresh / name)
    return found


def difference(old: Path, new: Path) -> list[str]:
    """A paragraph about one file of the tree, if it differs, is missing or is left over."""
    if not old.is_file():
        return [f"{old}: is missing"]
    if not new.is_file():
        return [f"{old}: is not generated any more"]
    return [] if old.read_bytes() == new.read_bytes() else [_diff(old, new)]


def _files(folder: Path) -> set[Path]:
    return {
        file.relative_to(folder)
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def _diff(old: Path, new: Path) -> str:
    lines = list(
        difflib.unified_diff(
            old.read_text(encoding="utf-8").splitlines(),
            new.read_text(encoding="utf-8").splitlines(),
            "in the tree",
            "generated",
            n=1,
            lineterm="",
        )
    )
    rest = [f"… {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    return "\n".join([f"{old}: differs", *lines[:MOST_LINES], *rest])
