"""Through the public door: the settings, an incident, its report and its log, on the server and both databases."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.server.agent.room import KEY
from tests.server.agent.texts import REPORT
from tests.support.llm import Ask, Fail, Say, scripted
from tests.support.site import ON_SQLITE_ALONE

pytestmark = ON_SQLITE_ALONE


def finished(client: httpx.Client, uuid: str) -> dict[str, Any]:
    """Wait for an incident's end."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        incident: dict[str, Any] = client.get(f"/api/incidents/{uuid}").json()
        if incident["status"] in {"completed", "failed"}:
            return incident
        time.sleep(0.05)
    raise AssertionError(incident)


def test_a_model_investigates_what_the_api_was_asked(admin: httpx.Client) -> None:
    """Configured by the API, asked by the API; then the key is wrong, and the rules take over."""
    runbook = {"title": "Disk full on db-1", "content": "Look for deleted files that are still open."}
    assert admin.post("/api/runbooks", json=runbook).status_code == 201
    script = (Say("", (Ask("runbook_search", {"text": "disk"}),), thinking="A runbook?"), Say(REPORT))
    with scripted(*script) as model:
        settings = {
            "provider": "custom",
            "api_key": KEY,
            "model": "scripted-1",
            "base_url": model.base_url("custom"),
        }
        assert admin.put("/api/settings/llm", json=settings).status_code == 200
        created = admin.post("/api/incidents", json={"task": "The disk of db-1 is full: why?"}).json()
        incident = finished(admin, created["uuid"])
    assert incident["status"] == "completed"
    assert incident["response"].startswith("The disk of db-1 is full. Remove old logs first.")
    assert incident["tokens_used"] == 220
    for section in (
        "🤔 A runbook?",
        "🛠️ Running: runbook_search",
        "✅ Ran: runbook_search",
        "--- Final Response",
    ):
        assert section in incident["full_log"]
    assert "Look for deleted files that are still open." in model.requests[0].text
    assert "The disk of db-1 is full: why?" in model.requests[0].text

    with scripted(Fail(401, f"wrong: {KEY}")) as model:
        settings = {"provider": "custom", "base_url": model.base_url("custom")}
        assert admin.put("/api/settings/llm", json=settings).status_code == 200
        created = admin.post("/api/incidents", json={"task": "The disk of db-1 is full: why?"}).json()
        incident = finished(admin, created["uuid"])
    assert incident["status"] == "completed"
    assert "refused the API key; set a valid one in the LLM settings." in incident["response"]
    assert "Disk full on db-1" in incident["response"]
    assert KEY not in str(incident)
