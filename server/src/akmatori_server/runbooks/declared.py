"""Whether what probes declare is there: the tool's function, its arguments, and commands that only read. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from akmatori_server.command_gate import judge
from akmatori_server.incidents.storable import JSON
from akmatori_server.probes import Probe
from akmatori_server.probes.templates import Argument, Filter, Template
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.tools.definition import ToolFunction

# How people call what answers the queries of Prometheus, and PostgreSQL.
TYPE_NAMES: Mapping[str, str] = {
    "prometheus": "victoria_metrics",
    "victoriametrics": "victoria_metrics",
    "postgres": "postgresql",
}
COMMAND = "execute_command"

Functions = Mapping[str, Sequence[ToolFunction]]
"""The functions of tools, by the names of the tools and of their types."""


def faults_of(probes: Iterable[Probe], functions: Functions) -> list[str]:
    """Say what of these probes cannot be asked; nothing is said of tools whose functions are not known."""
    return [f"probe {probe.name}: {fault}" for probe in probes for fault in _faults(probe, functions)]


def _faults(probe: Probe, functions: Functions) -> Iterator[str]:
    # A tool's own name goes before what its type is called.
    name = probe.tool if probe.tool in functions else TYPE_NAMES.get(probe.tool, probe.tool)
    known = functions.get(name)
    if not known:
        # A command line is one whatever the tool is called.
        if probe.function == COMMAND and probe.arguments.keys() <= {"command", "servers"}:
            yield from _command_faults(probe)
        return
    function = {one.name: one for one in known}.get(probe.function)
    if function is None:
        names = sorted(one.name for one in known)
        near = difflib.get_close_matches(probe.function, names, n=1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
        yield f"function: {probe.tool} has no function {probe.function}; {meant}"
        return
    try:
        _check_arguments(function, probe.arguments)
    except ToolFailedError as error:
        yield f"arguments: {error}"
    else:
        if function.name == COMMAND:
            yield from _command_faults(probe)


def _check_arguments(function: ToolFunction, arguments: Mapping[str, Argument]) -> None:
    """Check the names, and the values that no alert has a part in."""
    members: Mapping[str, Any] = function.parameters.get("properties") or {}
    open_members: Mapping[str, Any] = {
        name: {} if _is_filled(arguments.get(name)) else one for name, one in members.items()
    }
    loose = attrs.evolve(function, parameters={**function.parameters, "properties": open_members})
    checked_arguments(loose, {name: _stand_in(value, members.get(name)) for name, value in arguments.items()})


def _is_filled(argument: Argument) -> bool:
    if isinstance(argument, Template):
        return bool(argument.slots)
    if isinstance(argument, dict):
        return any(_is_filled(value) for value in argument.values())
    return isinstance(argument, list) and any(_is_filled(value) for value in argument)


def _stand_in(argument: Argument, schema: Mapping[str, Any] | None = None) -> JSON:
    if isinstance(argument, Template):
        text = "".join(part if isinstance(part, str) else "x" for part in argument.parts)
        return _number(text, str((schema or {}).get("type")))
    if isinstance(argument, dict):
        return {name: _stand_in(value) for name, value in argument.items()}
    if isinstance(argument, list):
        return [_stand_in(value) for value in argument]
    return argument


def _number(text: str, kind: str) -> JSON:
    # As the investigator does: templates make texts only.
    try:
        return int(text) if kind == "integer" else float(text) if kind == "number" else text
    except ValueError:
        return text


def _command_faults(probe: Probe) -> Iterator[str]:
    command = probe.arguments.get("command")
    if not isinstance(command, Template):
        return
    parts = (
        part if isinstance(part, str) else "'x'" if part.filter is Filter.SHELL else "x"
        for part in command.parts
    )
    verdict = judge("".join(parts))
    if not verdict.allowed:
        yield f"arguments.command: {verdict.sentence.rstrip('.')}. A check only reads, so it is never run."
