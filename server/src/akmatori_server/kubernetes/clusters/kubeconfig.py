"""Which contexts kubeconfig files have, told before anything connects: the library says it when it is too late."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

_LARGEST = 16 * 1024 * 1024


def usual_files() -> tuple[Path, ...]:
    """Return the files that are read when none is named, as `kubectl` reads them."""
    named = os.environ.get("KUBECONFIG", "")
    files = [Path(part).expanduser() for part in named.split(os.pathsep) if part]
    return tuple(files) or (Path.home() / ".kube" / "config",)


def contexts_of(files: Iterable[Path]) -> frozenset[str] | None:
    """Return the names of the contexts; None when a file cannot be understood, which is the library's to say."""
    found: set[str] = set()
    for file in files:
        try:
            if not file.is_file():
                continue
            if file.stat().st_size > _LARGEST:
                return None
            # Whatever is not as it should be raises one of these errors.
            content: Any = yaml.safe_load(file.read_bytes())
            contexts: Any = content.get("contexts") if content else None
            found |= {str(one["name"]) for one in contexts or ()}
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
            return None
    return frozenset(found)


def complaint_about(context: str | None, files: Iterable[Path]) -> str:
    """Return why these files cannot be used for a context, as a sentence; "" when they can, or nobody knows."""
    files = tuple(files)
    contexts = contexts_of(files)
    if contexts is None or (context is None and contexts) or context in contexts:
        return ""
    where = ", ".join(map(str, files))
    if context is None or not contexts:
        return f"There is no context in {where}."
    has, it_has = ("has", "it has") if len(files) == 1 else ("have", "they have")
    return f"{where} {has} no context {context}; {it_has} {', '.join(sorted(contexts)[:20])}."
