"""Both specifications of this repository keep every rule, and say what the two products document."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.bundle import load
from codegen.lint import lint

SPEC = Path(__file__).parents[2] / "spec"

DOCUMENTED = {
    "GET /health": "health.get",
    "GET /readyz": "readiness.get",
    "GET /incidents": "incidents.list",
    "GET /incidents/{id}": "incidents.get",
    "POST /incidents/{id}/acknowledge": "incidents.acknowledge",
    "GET /scans": "scans.list",
    "POST /scans/trigger": "scans.trigger",
    # Ours beside them: without it a client could only ask for the report until that is complete.
    "GET /scans/{id}": "scans.get",
    "GET /scans/{id}/report": "scans.report",
    "GET /findings": "findings.list",
    "GET /findings/summary": "findings.summary",
    "GET /costs": "costs.get",
    "GET /costs/recommendations": "costs.recommendations.list",
    "GET /drift": "drift.list",
    "GET /drift/{namespace}": "drift.get",
    "GET /token-usage": "token_usage.get",
    "GET /notifications": "notifications.list",
    "GET /clusters": "clusters.list",
    "GET /clusters/{name}/status": "clusters.status",
    "GET /openapi.json": "openapi.get",
}


@pytest.mark.parametrize("system", ["akmatori", "aotanami"])
def test_the_specification_keeps_every_rule(system: str) -> None:
    """Both specifications are clean; the message lists what is not."""
    assert [str(problem) for problem in lint(SPEC / system)] == []


def test_aotanami_has_the_documented_operations() -> None:
    """No documented operation is missing, and none is invented."""
    document = load(SPEC / "aotanami")
    found = {
        f"{method.upper()} {path}": operation["x-sdk"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert found == DOCUMENTED
    assert document["servers"][0]["url"] == "/api/v1"


def test_every_aotanami_answer_but_its_description_is_the_envelope() -> None:
    """Lists and single objects come in the same envelope."""
    document = load(SPEC / "aotanami")
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status[0] == "2" and path != "/openapi.json":
                    ref = response["content"]["application/json"]["schema"]["$ref"]
                    schema = schemas[ref.rpartition("/")[2]]
                    assert schema["required"] == ["data", "metadata"], path
                    assert schema["properties"]["metadata"] == {"$ref": "#/components/schemas/Metadata"}
