"""Reading a rules document from plain values, as they come from a YAML file or from the API's JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from akmatori_server.alert_sources.types import SOURCE_TYPES
from akmatori_server.alerts.fields import LABELS, MEMBERS
from akmatori_server.alerts.models import AlertStatus, Severity
from akmatori_server.correlation.document import VERSION, Case, CaseAlert, RulesDocument
from akmatori_server.correlation.durations import parse_duration
from akmatori_server.correlation.nodes import Node, RulesError, required
from akmatori_server.correlation.rules import DEFAULT_WINDOW, LONGEST_NAME, RESERVED_NAMES, Rule
from akmatori_server.matching import Matcher, MatcherError, parse_matcher

MOST_RULES = 200
MOST_MATCHERS = 50
MOST_FIELDS = 20
MOST_CASES = 200
MOST_CASE_ALERTS = 200
# All of them are taken in for a test, a hundred in a second or more.
MOST_ALERTS = 1000
LONGEST_MATCHER = 5000
LONGEST_FIELD = 300
LONGEST_ID = 64
LONGEST_TEXT = 1024
LONGEST_SOURCE = 128
FIELDS = frozenset((*MEMBERS, "fingerprint", "source", "source_type"))
# A tuple: the value may be one that no set can be asked for.
VERSIONS = (VERSION, str(VERSION))
DEFAULT_SOURCE = "case"
DEFAULT_SOURCE_TYPE = "alertmanager"

_NAME = re.compile(r"[^\W_][\w .:/()+-]*", re.ASCII)
_ALERT_MEMBERS = (
    "id",
    "at",
    "status",
    "alert_name",
    "severity",
    "labels",
    "summary",
    "host",
    "service",
    "group_key",
    "source",
    "source_type",
)
_TEXTS = {
    "alert_name": 255,
    "summary": LONGEST_TEXT,
    "host": LONGEST_TEXT,
    "service": LONGEST_TEXT,
    "group_key": LONGEST_TEXT,
    "source": LONGEST_SOURCE,
}
_SOURCE_TYPES = tuple(source_type.name for source_type in SOURCE_TYPES)

E = TypeVar("E", AlertStatus, Severity)


def read_document(value: object) -> RulesDocument:
    """Read a rules document.

    Args:
        value: mappings, lists and texts; the version may be a number or a text, since a YAML file has texts only.

    Raises:
        RulesError: it breaks a rule; the error names the place.
    """
    root = Node(value)
    members = root.members(("version", "window", "rules", "cases"))
    version = required(members, "version", root)
    if isinstance(version.value, bool) or version.value not in VERSIONS:
        version.fail(f"must be {VERSION}, the only version there is.")
    rules = tuple(_rule(node) for node in _items(members, "rules", MOST_RULES))
    _refuse_repeated_names("rules", [rule.name for rule in rules])
    cases = tuple(_case(node, {rule.name for rule in rules}) for node in _items(members, "cases", MOST_CASES))
    _refuse_repeated_names("cases", [case.name for case in cases])
    if sum(len(case.alerts) for case in cases) > MOST_ALERTS:
        members["cases"].fail(f"may have {MOST_ALERTS} alerts at most, all cases together.")
    window = _duration(members["window"]) if "window" in members else DEFAULT_WINDOW
    return RulesDocument(window=window, rules=rules, cases=cases)


def _rule(node: Node) -> Rule:
    members = node.members(("name", "match", "by", "window"))
    name = required(members, "name", node)
    by = required(members, "by", node).items(MOST_FIELDS, least=1)
    fields = tuple(_field(item) for item in by)
    for item, field in zip(by, fields, strict=True):
        if fields.count(field) > 1:
            item.fail(f"{field} is listed twice.")
    return Rule(
        name=_rule_name(name),
        matchers=tuple(_matcher(item) for item in _items(members, "match", MOST_MATCHERS)),
        by=fields,
        window=_duration(members["window"]) if "window" in members else None,
    )


def _rule_name(node: Node) -> str:
    name = node.text(LONGEST_NAME, least=1)
    if name in RESERVED_NAMES:
        node.fail(f"{name} is a name the server uses itself; choose another.")
    if _NAME.fullmatch(name) is None or name != name.strip():
        node.fail("must begin with a letter or a digit and hold only letters, digits, spaces and _.:/()+-")
    return name


def _field(node: Node) -> str:
    name = node.text(LONGEST_FIELD, least=1)
    if name in FIELDS or (name.startswith(LABELS) and name != LABELS):
        return name
    raise RulesError(
        f"{name} is not a member of an alert; for the label of that name write {LABELS}{name}."
        f" Members are {', '.join(sorted(FIELDS))}.",
        place=node.place,
    )


def _matcher(node: Node) -> Matcher:
    text = node.text(LONGEST_MATCHER, least=1)
    try:
        matcher = parse_matcher(text)
    except MatcherError as error:
        raise RulesError(str(error), place=node.place) from error
    if "." in matcher.name and not matcher.name.startswith(LABELS):
        raise RulesError(
            f"{matcher.name} is not a member of an alert; for the label of that name write {LABELS}{matcher.name}.",
            place=node.place,
        )
    return matcher


def _case(node: Node, rules: set[str]) -> Case:
    members = node.members(("name", "alerts", "incidents", "rules"))
    name = required(members, "name", node).text(LONGEST_NAME, least=1)
    alerts = _alerts(required(members, "alerts", node).items(MOST_CASE_ALERTS, least=1))
    ids = {alert.id for alert in alerts}
    incidents = tuple(
        tuple(_known_id(item, ids) for item in incident.items(MOST_CASE_ALERTS, least=1))
        for incident in required(members, "incidents", node).items(MOST_CASE_ALERTS)
    )
    expected = members["rules"].entries() if "rules" in members else {}
    for alert_id, rule in expected.items():
        _known_id(Node(alert_id, rule.place), ids)
        if rule.text(LONGEST_NAME) not in rules | RESERVED_NAMES:
            rule.fail(f"{rule.value} is not the name of a rule.")
    return Case(
        name=name,
        alerts=alerts,
        incidents=incidents,
        rules={alert_id: str(rule.value) for alert_id, rule in expected.items()},
    )


def _alerts(nodes: list[Node]) -> tuple[CaseAlert, ...]:
    """Read the alerts; what a later one with the same id leaves out is as it was before."""
    latest: dict[str, CaseAlert] = {}
    types: dict[str, str] = {}
    alerts: list[CaseAlert] = []
    for node in nodes:
        alert = _alert(node, latest, types)
        before = latest.get(alert.id, alert)
        if alert.source != before.source:
            node.fail(
                f"{alert.id} is an alert of {before.source} above; one of another source is another alert."
            )
        if types.setdefault(alert.source, alert.source_type) != alert.source_type:
            node.fail(f"{alert.source} is a source of the type {types[alert.source]} above.")
        latest[alert.id] = alert
        alerts.append(alert)
    return tuple(alerts)


def _alert(node: Node, latest: Mapping[str, CaseAlert], types: Mapping[str, str]) -> CaseAlert:
    members = node.members(_ALERT_MEMBERS)
    alert_id = required(members, "id", node).text(LONGEST_ID, least=1)
    before = latest.get(alert_id)
    if before is None:
        required(members, "alert_name", node)
    texts = {
        name: members[name].text(longest)
        if name in members
        else ""
        if before is None
        else getattr(before, name)
        for name, longest in _TEXTS.items()
    }
    source = texts["source"] or DEFAULT_SOURCE
    return CaseAlert(
        id=alert_id,
        at=_duration(members["at"]) if "at" in members else before.at if before else timedelta(0),
        # Not as before: an alert that is named again without a word fires.
        status=_member_of(AlertStatus, members.get("status")) or AlertStatus.FIRING,
        severity=_member_of(Severity, members.get("severity"))
        or (before.severity if before else Severity.WARNING),
        labels=_labels(members["labels"]) if "labels" in members else before.labels if before else {},
        alert_name=texts["alert_name"],
        summary=texts["summary"],
        host=texts["host"],
        service=texts["service"],
        group_key=texts["group_key"],
        source=source,
        source_type=_one_of(_SOURCE_TYPES, members.get("source_type"))
        or types.get(source, DEFAULT_SOURCE_TYPE),
    )


def _labels(node: Node) -> dict[str, str]:
    return {name: value.text(LONGEST_TEXT) for name, value in node.entries().items()}


def _member_of(kind: type[E], node: Node | None) -> E | None:
    name = _one_of([member.value for member in kind], node)
    return None if name is None else kind(name)


def _one_of(known: Sequence[str], node: Node | None) -> str | None:
    if node is None:
        return None
    if node.value not in known:
        node.fail(f"must be one of {', '.join(known)}.")
    return str(node.value)


def _duration(node: Node) -> timedelta:
    text = node.text(LONGEST_ID)
    try:
        return parse_duration(text)
    except ValueError as error:
        node.fail(str(error))


def _known_id(node: Node, ids: set[str]) -> str:
    alert_id = node.text(LONGEST_ID)
    if alert_id not in ids:
        node.fail(f"{alert_id} is not the id of an alert of this case.")
    return alert_id


def _items(members: Mapping[str, Node], name: str, most: int) -> list[Node]:
    return members[name].items(most) if name in members else []


def _refuse_repeated_names(place: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise RulesError(f"{name} is the name of an earlier one too.", place=f"{place}[{index}].name")
