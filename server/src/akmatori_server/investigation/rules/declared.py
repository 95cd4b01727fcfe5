"""The probes that are declared for a case: by its runbook, by the skills, and by the first look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

import attrs
import structlog

from akmatori_server.investigation.rules.ports import SkillText
from akmatori_server.investigation.rules.questions import FIRST_LOOK, RUNBOOK, Declared
from akmatori_server.probes import Probe
from akmatori_server.runbooks.front_matter import FrontMatterError, probes_of

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@attrs.frozen
class Declarations:
    """Probes, and what is wrong with those that cannot be read."""

    probes: tuple[Declared, ...] = ()
    complaints: tuple[str, ...] = ()


def declarations(
    runbook: tuple[str, str] | None, skills: Sequence[SkillText], *, first_look: bool
) -> Declarations:
    """Read the probes of the matched runbook (title and content), of the skills and of the first look."""
    found: list[Declared] = []
    complaints: list[str] = []
    if runbook is not None:
        title, content = runbook
        _read(RUNBOOK, f"The runbook “{title}”", content, found, complaints)
    for skill in skills:
        _read(f"skill {skill.name}", f"The skill {skill.name}", skill.content, found, complaints)
    if first_look:
        found += _declared(FIRST_LOOK, _first_look())
    return Declarations(tuple(found), tuple(complaints))


def _read(origin: str, name: str, content: str, found: list[Declared], complaints: list[str]) -> None:
    try:
        found += _declared(origin, probes_of(content))
    except FrontMatterError as error:
        _log.warning("probes_unreadable", origin=origin, name=name, reason=str(error))
        complaints.append(f"{name} declares probes that cannot be read: {error}")


def _declared(origin: str, probes: Iterable[Probe]) -> list[Declared]:
    return [Declared(origin, probe) for probe in probes]


@cache
def _first_look() -> tuple[Probe, ...]:
    text = (
        files("akmatori_server.investigation.rules").joinpath("first_look.yaml").read_text(encoding="utf-8")
    )
    return probes_of(f"---\n{text}\n---\n")
