"""Which probes a case calls for, of which tools, with which arguments. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import attrs

from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.facts import Facts
from akmatori_server.investigation.rules.evidence import Unasked
from akmatori_server.investigation.rules.known import host_name, origin_of
from akmatori_server.probes import Known, MissingValueError, Probe, UnfitValueError
from akmatori_server.probes.templates import filled
from akmatori_server.tools.models import OpenTool

RUNBOOK = "runbook"
FIRST_LOOK = "first look"
# How people call what answers the queries of Prometheus.
TYPE_NAMES: Mapping[str, str] = {
    "prometheus": "victoria_metrics",
    "victoriametrics": "victoria_metrics",
    "postgres": "postgresql",
}


@attrs.frozen
class Declared:
    """A probe and who declared it."""

    origin: str
    probe: Probe


@attrs.frozen(kw_only=True)
class Question:
    """A probe that can be asked."""

    key: str
    origin: str
    probe: Probe
    tool: OpenTool
    arguments: Mapping[str, JSON]
    known: Known


@attrs.frozen
class Asking:
    """What to ask, and what not."""

    questions: tuple[Question, ...]
    unasked: tuple[Unasked, ...]


def questions_for(
    declared: Iterable[Declared], facts: Facts, known: Known, tools: Sequence[OpenTool]
) -> Asking:
    """Choose the probes that fit, and fill in what the alert says."""
    questions: list[Question] = []
    unasked: list[Unasked] = []
    for number, one in enumerate(declared, start=1):
        if not all(matcher.matches(known.texts) for matcher in one.probe.when):
            continue
        asked = _question(number, one, facts, known, tools)
        if isinstance(asked, Question):
            questions.append(asked)
        elif one.origin != FIRST_LOOK:
            # Nobody asked for a first look at what is not there.
            unasked.append(Unasked(probe=one.probe.name, origin=one.origin, why=asked))
    return Asking(tuple(questions), tuple(unasked))


def _question(
    number: int, one: Declared, facts: Facts, known: Known, tools: Sequence[OpenTool]
) -> Question | str:
    probe = one.probe
    tool = _tool(probe.tool, tools, origin_of(facts) if one.origin == FIRST_LOOK else "")
    if isinstance(tool, str):
        return tool
    there = known.with_texts(_of_tool(tool, facts))
    try:
        arguments = {name: filled(argument, there) for name, argument in probe.arguments.items()}
    except MissingValueError as missing:
        return f"the alert says nothing about {missing}"
    except UnfitValueError as unfit:
        return str(unfit).rstrip(".")
    # The number alone would find the answer to another question when the runbook was changed meanwhile.
    key = f"probe:{number}:{probe.digest}"
    return Question(key=key, origin=one.origin, probe=probe, tool=tool, arguments=arguments, known=there)


def _tool(name: str, tools: Sequence[OpenTool], origin: str) -> OpenTool | str:
    for tool in tools:
        if tool.tool.logical_name == name:
            return tool
    type_name = TYPE_NAMES.get(name, name)
    of_type = [tool for tool in tools if tool.tool.type.name == type_name]
    if len(of_type) > 1 and origin:
        of_type = [tool for tool in of_type if _is_at(tool, origin)]
    if len(of_type) == 1:
        return of_type[0]
    if of_type:
        names = ", ".join(sorted(tool.tool.logical_name for tool in of_type))
        return f"there are several tools of the type {type_name}: name one of {names}"
    return f"no enabled tool is called {name}, and none is of that type"


def _is_at(tool: OpenTool, origin: str) -> bool:
    """Whether a tool reaches the server that the alert comes from."""
    texts = [value for value in tool.settings.values() if isinstance(value, str) and "://" in value]
    try:
        return any(urlsplit(text).netloc.rpartition("@")[2].lower() == origin for text in texts)
    except ValueError:
        return False


def _of_tool(tool: OpenTool, facts: Facts) -> Mapping[str, str]:
    """Return what is known of the alert's host to this tool."""
    name = host_name(facts.host).lower()
    if not name or tool.tool.type.name != "ssh":
        return {}
    hosts = cast("Sequence[Mapping[str, Any]]", tool.settings.get("ssh_hosts") or ())
    for host in hosts:
        listed = str(host.get("hostname", ""))
        if (
            name in {listed.lower(), str(host.get("address", "")).lower()}
            or name.partition(".")[0] == listed.lower()
        ):
            return {"listed_host": listed}
    return {}
