"""The result of a scan as JSON: findings as the API has them, the numbers, and the problems."""

from __future__ import annotations

from typing import Any

from akmatori_sdk._generated.aotanami.codec import encode_finding, encode_scan_summary
from akmatori_server.kubernetes.scans.model import ScanResult


def to_json(result: ScanResult) -> dict[str, Any]:
    """Return what `-o json` writes."""
    return {
        "findings": [encode_finding(finding) for finding in result.findings],
        "summary": encode_scan_summary(result.summary),
        "problems": [
            {"kind": item.kind.value, "file": item.file, "line": item.line, "message": item.message}
            for item in result.problems
        ],
    }
