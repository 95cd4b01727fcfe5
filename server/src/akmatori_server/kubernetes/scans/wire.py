"""The result of a scan as JSON: findings as the API has them, the numbers, and what was not checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from akmatori_sdk._generated.aotanami.codec import (
    encode_compliance_result,
    encode_finding,
    encode_scan_summary,
)
from akmatori_server.kubernetes.pod_security import Level
from akmatori_server.kubernetes.scans.model import ScanResult


def json_pieces(result: ScanResult) -> Iterator[str]:
    """Return what `-o json` writes, in pieces: a finding is a line, and only one of them is held."""
    yield '{\n"findings": ['
    for index, finding in enumerate(result.findings):
        yield (",\n" if index else "\n") + json.dumps(encode_finding(finding))
    yield "\n],\n"
    rest = _rest(result)
    yield ",\n".join(f"{json.dumps(name)}: {json.dumps(value, indent=1)}" for name, value in rest.items())
    yield "\n}"


def _rest(result: ScanResult) -> dict[str, Any]:
    return {
        "summary": encode_scan_summary(result.summary),
        "partial": result.partial,
        "problems": [
            {"kind": item.kind.value, "file": item.file, "line": item.line, "message": item.message}
            for item in result.problems
        ],
        "skippedChecks": [
            {"checkId": check, "reason": reason} for check, reason in sorted(result.skipped.items())
        ],
        "podSecurity": {level.label: result.levels.get(level, 0) for level in reversed(Level)},
        "compliance": [encode_compliance_result(item) for item in result.compliance],
    }
