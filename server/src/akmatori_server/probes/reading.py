"""Reading declared probes: plain values in, probes out, or a sentence that names the probe and the member."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn, TypeVar, cast

from akmatori_server.correlation.nodes import Node, RulesError
from akmatori_server.matching import Matcher, MatcherError, parse_matcher
from akmatori_server.matching.regex import compile_regex
from akmatori_server.probes.answers import is_path
from akmatori_server.probes.models import Expectation, Operator, Probe, ProbeError, Severity
from akmatori_server.probes.templates import Argument, Template, TemplateError, parse_template

T = TypeVar("T")

MOST_PROBES = 20
MOST_EXPECTATIONS = 20
MOST_MATCHERS = 20
MOST_ANSWERS = 40
DEEPEST_ARGUMENT = 10
LONGEST_NAME = 100
LONGEST_TEXT = 500
LONGEST_PATH = 500

_PROBE = ("name", "tool", "function", "arguments", "when", "expect", "answers")
_OPERATORS = tuple(operator.value for operator in Operator)
_EXPECTATION = ("value", *_OPERATORS, "says", "severity", "unit")
_NUMERIC = {Operator.ABOVE, Operator.BELOW, Operator.COUNT_ABOVE, Operator.COUNT_BELOW}
_FLAGS = {Operator.PRESENT, Operator.ABSENT}
# What a sentence can speak of beside the alert's facts.
SAID = ("value", "threshold_value", "count", "item.")


def read_probes(value: object) -> tuple[Probe, ...]:
    """Read a list of probes.

    Raises:
        ProbeError: one of them cannot be used; the sentence says which, and why.
    """
    probes, faults = read_with_faults(value)
    if faults:
        raise ProbeError(faults[0])
    return probes


def read_with_faults(value: object) -> tuple[tuple[Probe, ...], tuple[str, ...]]:
    """Read those of a list of probes that can be used, and say of every other what is wrong."""
    try:
        nodes = Node(value, "probes").items(MOST_PROBES)
    except RulesError as error:
        return (), (str(error),)
    probes: list[Probe] = []
    faults: list[str] = []
    for number, node in enumerate(nodes, start=1):
        probe = f"probe {_label(node, number)}"
        read = _probe(node)
        if isinstance(read, Probe):
            if read.name in {other.name for other in probes}:
                faults.append(f"{probe}: name: another probe has this name; each needs one of its own.")
            probes.append(read)
            continue
        for fault in read:
            within = fault.place.removeprefix(node.place).removeprefix(".")
            faults.append(f"{probe}: {f'{within}: ' if within else ''}{fault.sentence}")
    return tuple(probes), tuple(faults)


def _label(node: Node, number: int) -> str:
    members: object = node.value
    given = cast("Mapping[object, object]", members).get("name") if isinstance(members, dict) else None
    return f"{number} ({given[:LONGEST_NAME]})" if isinstance(given, str) and given else str(number)


def _probe(node: Node) -> Probe | list[RulesError]:
    """Read a probe; or say all that is wrong with its members."""
    errors: list[RulesError] = []

    def tried(read: Callable[[], T], instead: T) -> T:
        try:
            return read()
        except RulesError as error:
            errors.append(error)
            return instead

    members = tried(lambda: node.members(_PROBE), None)
    if members is None:
        return errors
    for name in ("tool", "function"):
        if name not in members:
            tried(partial(node.fail, f"{name} is missing."), None)
    text = partial(_text, members)
    tool, function = tried(lambda: text("tool", 128), ""), tried(lambda: text("function", 255), "")
    probe = Probe(
        name=tried(lambda: text("name", LONGEST_NAME), "") or f"{tool}.{function}",
        tool=tool,
        function=function,
        arguments=tried(lambda: _arguments(members["arguments"]) if "arguments" in members else {}, {}),
        when=tried(lambda: _when(members.get("when")), ()),
        expect=tried(lambda: _expectations(members.get("expect")), ()),
        answers=tried(lambda: _answers(members.get("answers")), ()),
        digest=_digest(tool, function, node.value),
    )
    return errors or probe


def _text(members: Mapping[str, Node], name: str, longest: int) -> str:
    return members[name].text(longest, least=1) if name in members else ""


def _digest(tool: str, function: str, value: object) -> str:
    arguments = cast("Mapping[str, object]", value).get("arguments")
    text = json.dumps([tool, function, arguments], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _arguments(node: Node) -> dict[str, Argument]:
    return {name: _argument(member, name, 0) for name, member in node.entries().items()}


def _argument(node: Node, name: str, depth: int) -> Argument:
    value = node.value
    if depth > DEEPEST_ARGUMENT:
        node.fail("nests too deep.")
    if isinstance(value, str):
        return _template(node, value, argument=name)
    if isinstance(value, dict):
        return {key: _argument(member, key, depth + 1) for key, member in node.entries().items()}
    if isinstance(value, list):
        return [_argument(item, name, depth + 1) for item in node.items(1000)]
    if value is not None and not isinstance(value, (bool, int, float)):
        node.fail("must be a text, a number, true, false, null, a list or a mapping.")
    return value


def _template(node: Node, text: str, *, argument: str = "") -> Template:
    try:
        return parse_template(text, more=() if argument else SAID, argument=argument)
    except TemplateError as error:
        _fail(node, error)


def _when(node: Node | None) -> tuple[Matcher, ...]:
    if node is None:
        return ()
    matchers: list[Matcher] = []
    for item in node.items(MOST_MATCHERS):
        try:
            matchers.append(parse_matcher(item.text(5000, least=1)))
        except MatcherError as error:
            _fail(item, error)
    return tuple(matchers)


def _answers(node: Node | None) -> tuple[int, ...]:
    if node is None:
        return ()
    items = node.items(MOST_ANSWERS) if isinstance(node.value, list) else [node]
    for item in items:
        if not isinstance(item.value, int) or isinstance(item.value, bool) or item.value < 1:
            item.fail("must be the number of a step of the runbook, or a list of them.")
    return tuple(cast("int", item.value) for item in items)


def _expectations(node: Node | None) -> tuple[Expectation, ...]:
    return () if node is None else tuple(_expectation(item) for item in node.items(MOST_EXPECTATIONS))


def _expectation(node: Node) -> Expectation:
    members = node.members(_EXPECTATION)
    if "value" not in members:
        node.fail("value is missing: the path in the answer, such as result[0].value[1].")
    path = members["value"].text(LONGEST_PATH, least=1)
    if not is_path(path):
        members["value"].fail("must be a path such as result[0].value[1] or items[*].status.phase.")
    given = [name for name in _OPERATORS if name in members]
    if len(given) != 1:
        node.fail(
            f"needs one of {', '.join(_OPERATORS)}."
            if not given
            else f"has {' and '.join(given)}; one is all it can have."
        )
    operator = Operator(given[0])
    says = members.get("says")
    return Expectation(
        path=path,
        operator=operator,
        threshold=_threshold(operator, members[given[0]]),
        says=None if says is None else _template(says, says.text(LONGEST_TEXT)),
        severity=_severity(members.get("severity")),
        unit=members["unit"].text(40) if "unit" in members else "",
    )


def _threshold(operator: Operator, node: Node) -> float | str | bool:
    value = node.value
    if operator in _NUMERIC:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            node.fail("must be a number.")
        return float(value)
    if operator in _FLAGS:
        if value is not True:
            node.fail("must be true; leave it out otherwise.")
        return True
    if operator in {Operator.MATCHES, Operator.NOT_MATCHES}:
        pattern = node.text(4096)
        try:
            compile_regex(pattern)
        except MatcherError as error:
            _fail(node, error)
        return pattern
    if isinstance(value, (bool, str)):
        return value
    if not isinstance(value, (int, float)):
        node.fail("must be a text, a number, true or false.")
    return float(value)


def _severity(node: Node | None) -> Severity:
    if node is None:
        return Severity.WARNING
    if node.value not in set(Severity):
        node.fail(f"must be one of {', '.join(Severity)}.")
    return Severity(cast("str", node.value))


def _fail(node: Node, error: Exception) -> NoReturn:
    node.fail(str(error))
