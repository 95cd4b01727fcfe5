"""The operator's file of rules: read at the start, and again whenever its content changes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import attrs
import structlog

from akmatori_server.correlation.nodes import RulesError
from akmatori_server.correlation.state import Origin, RulesState
from akmatori_server.correlation.yaml_text import read_bytes, read_rules_text

_log = structlog.stdlib.get_logger("akmatori_server.correlation")


def first_state(path: Path) -> RulesState:
    """Read the file at the start.

    Raises:
        RulesError: it cannot be used.
    """
    return _read(path, read_bytes(path))


def next_state(before: RulesState, path: Path) -> RulesState:
    """Read the file again. While it is broken, what held before holds on, with the error beside it."""
    try:
        # The content is compared, not the time of the change: two changes may have the same one.
        content = read_bytes(path)
        if _version(content) == before.version and before.error is None:
            return before
        state = _read(path, content)
    except RulesError as error:
        if str(error) != before.error:
            _log.error("rules_file_broken", path=str(path), error=str(error))
        return attrs.evolve(before, error=str(error))
    _log.info("rules_file_loaded", path=str(path), rules=len(state.document.rules))
    return state


def _read(path: Path, content: bytes) -> RulesState:
    return RulesState(
        origin=Origin.FILE,
        document=read_rules_text(content),
        version=_version(content),
        path=path,
        updated_at=_changed_at(path),
    )


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _changed_at(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        # Replaced this very moment; the content was read.
        return None
