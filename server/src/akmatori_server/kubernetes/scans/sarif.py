"""The result of a scan as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias
from urllib.parse import quote

from akmatori_sdk._generated.aotanami.models import Finding, Severity
from akmatori_server.kubernetes.checks.catalogue import CHECKS
from akmatori_server.kubernetes.checks.model import Check
from akmatori_server.kubernetes.manifests import Problem, ProblemKind
from akmatori_server.kubernetes.scans.findings import control_refs
from akmatori_server.kubernetes.scans.model import ScanResult

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
# Code hosts sort by this number, which is on the scale of CVSS.
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}
_RULES = {check.id: index for index, check in enumerate(CHECKS)}


def sarif_pieces(result: ScanResult, *, version: str) -> Iterator[str]:
    """Return the log in pieces: checks as rules, findings as results, what was not checked as notifications."""
    run: dict[str, Json] = {
        "tool": {
            "driver": {
                "name": "aotanami",
                "semanticVersion": version,
                "rules": [_rule(check, result.cis_version) for check in CHECKS],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not result.partial,
                "toolExecutionNotifications": [
                    *_notifications(result.problems),
                    *_skipped(result.skipped),
                ],
            }
        ],
    }
    yield f'{{"$schema": {json.dumps(SCHEMA)}, "version": "2.1.0", "runs": [\n'
    # The results stand last, so that they need not be there before what comes first is written.
    yield json.dumps(run, indent=1)[:-1].rstrip() + ',\n "results": ['
    for index, finding in enumerate(result.findings):
        yield (",\n" if index else "\n") + json.dumps(_result(finding))
    yield "\n]}]}"


def _skipped(skipped: Mapping[str, str]) -> Iterator[Json]:
    for check, reason in sorted(skipped.items()):
        text = f"The check {check} was not made. {reason}"
        yield {"level": "error", "message": {"text": text}, "associatedRule": {"id": check}}


def _rule(check: Check, cis_version: str) -> Json:
    tags: list[Json] = ["security", check.category.value]
    tags += [f"{ref.framework.value}:{ref.control_id}" for ref in control_refs(check, cis_version)]
    return {
        "id": check.id,
        "name": re.sub(r"(?:^|-)(.)", lambda found: found[1].upper(), check.id),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.description},
        "help": {"text": check.remediation},
        "defaultConfiguration": {"level": _LEVELS.get(check.severity, "note")},
        "properties": {"tags": tags, "security-severity": _SCORES[check.severity]},
    }


def _result(finding: Finding) -> Json:
    resource = finding.resource
    name = f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
    where = f"{resource.kind} {name}" + (f", container {finding.container}" if finding.container else "")
    evidence = f" ({finding.evidence})" if finding.evidence else ""
    check = str(finding.check_id)
    answer: dict[str, Json] = {
        "ruleId": check,
        "ruleIndex": _RULES[check],
        "level": _LEVELS.get(finding.severity, "note"),
        "message": {"text": f"{where}: {finding.title}{evidence}. {finding.recommendation or ''}".strip()},
        "partialFingerprints": {"aotanamiFinding/v1": finding.id},
        "properties": {"severity": finding.severity.value},
    }
    location: dict[str, Json] = {
        "logicalLocations": [
            {"name": resource.name, "kind": "resource", "fullyQualifiedName": f"{resource.kind}/{name}"}
        ]
    }
    if finding.source:
        location["physicalLocation"] = _physical(finding.source.file, finding.source.line or None)
    answer["locations"] = [location]
    if finding.suppressed:
        answer["suppressions"] = [{"kind": "inSource", "justification": finding.suppression_reason or ""}]
    return answer


def _notifications(problems: Iterable[Problem]) -> Iterator[Json]:
    for problem in problems:
        missing = problem.kind in (ProblemKind.UNREADABLE, ProblemKind.NOT_READ)
        notification: dict[str, Json] = {
            "level": "error" if missing else "note",
            "message": {"text": problem.message},
        }
        if problem.line is not None or problem.kind is ProblemKind.UNREADABLE:
            location: Json = {"physicalLocation": _physical(problem.file, problem.line)}
            notification["locations"] = [location]
        else:
            # Of a live cluster there is no file to point at.
            notification["message"] = {"text": str(problem)}
        yield notification


def _physical(file: str, line: int | None) -> Json:
    address = quote(file.encode("utf-8", "surrogateescape"))
    location: dict[str, Json] = {
        "artifactLocation": {"uri": f"file://{address}" if file.startswith("/") else address}
    }
    if line is not None:
        location["region"] = {"startLine": max(line, 1)}
    return location
