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
from akmatori_server.runbooks.declared import TYPE_NAMES
from akmatori_server.tools.models import OpenTool

RUNBOOK = "runbook"
FIRST_LOOK = "first look"
# Of the tools of one type that a first look may ask.
MOST_OF_A_TYPE = 3


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
    # Whether the same is asked of other tools, too.
    is_one_of_several: bool = False

    @property
    def name(self) -> str:
        """What the report calls it."""
        of = f" ({self.tool.tool.logical_name})" if self.is_one_of_several else ""
        return f"{self.probe.name}{of}"


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
        if one.origin == FIRST_LOOK:
            asked, left = _first_look(number, one, facts, known, tools)
            questions += asked
            unasked += left
            continue
        tool = _tool(one.probe.tool, tools)
        question = tool if isinstance(tool, str) else _question(number, one, facts, known, tool)
        if isinstance(question, Question):
            questions.append(question)
        else:
            unasked.append(_unasked(one, question))
    return Asking(tuple(questions), tuple(unasked))


def _first_look(
    number: int, one: Declared, facts: Facts, known: Known, tools: Sequence[OpenTool]
) -> tuple[list[Question], list[Unasked]]:
    """Ask the tool that raised the alert, or each of them that can be asked, and not too many."""
    there = _of_type(one.probe.tool, tools)
    if len(there) > 1:
        there = _nearest(there, origin_of(facts))
    found = [_question(number, one, facts, known, tool) for tool in there]
    # Nobody asked for a first look at what is not there, or with what the alert does not say.
    questions = [question for question in found if isinstance(question, Question)]
    if len(questions) > 1:
        questions = [
            attrs.evolve(question, key=f"{question.key}:{question.tool.tool.id}", is_one_of_several=True)
            for question in questions
        ]
    left = [
        _unasked(
            one,
            f"{question.tool.tool.logical_name} was not asked, as {MOST_OF_A_TYPE} tools of a type are at most",
        )
        for question in questions[MOST_OF_A_TYPE:]
    ]
    return questions[:MOST_OF_A_TYPE], left


def _unasked(one: Declared, why: str) -> Unasked:
    return Unasked(probe=one.probe.name, origin=one.origin, why=why, compares=bool(one.probe.expect))


def _question(number: int, one: Declared, facts: Facts, known: Known, tool: OpenTool) -> Question | str:
    probe = one.probe
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


def _of_type(name: str, tools: Sequence[OpenTool]) -> list[OpenTool]:
    type_name = TYPE_NAMES.get(name, name)
    return [tool for tool in tools if tool.tool.type.name == type_name]


def _tool(name: str, tools: Sequence[OpenTool]) -> OpenTool | str:
    for tool in tools:
        if tool.tool.logical_name == name:
            return tool
    of_type = _of_type(name, tools)
    if len(of_type) == 1:
        return of_type[0]
    if of_type:
        names = ", ".join(sorted(tool.tool.logical_name for tool in of_type))
        return f"there are several tools of the type {of_type[0].tool.type.name}: name one of {names}"
    return f"no enabled tool is called {name}, and none is of that type"


def _nearest(tools: Sequence[OpenTool], origin: str) -> list[OpenTool]:
    """Return the tools on the host that the alert comes from; all of them when none is."""
    same = [tool for tool in tools if origin and _is_at(tool, origin)]
    return same or [tool for tool in tools if origin and _is_at(tool, origin, with_port=False)] or list(tools)


def _is_at(tool: OpenTool, origin: str, *, with_port: bool = True) -> bool:
    """Whether a tool reaches the server that the alert comes from."""
    texts = [value for value in tool.settings.values() if isinstance(value, str) and "://" in value]
    try:
        places = [urlsplit(text).netloc.rpartition("@")[2].lower() for text in texts]
        if with_port:
            return origin in places
        return host_name(origin) in {host_name(place) for place in places}
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
