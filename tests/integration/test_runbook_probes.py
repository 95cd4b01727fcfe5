"""The runbook of the documentation asks a real Prometheus, and the report says what it answered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from akmatori_server.cli import main
from akmatori_server.database import Database
from akmatori_server.investigation import Runner
from akmatori_server.investigation.rules import RuleInvestigator
from akmatori_server.kits.http_api import http_kits
from akmatori_server.outgoing.policy import Policy, parsed_networks
from akmatori_server.settings.route import direct
from tests.integration.monitoring import Backlog, eventually, running_prometheus
from tests.server.investigation.cases import NOW
from tests.server.investigation.checking import add_runbook, make_toolbox
from tests.server.investigation.test_journal import new_incident, row_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

DOCUMENT = Path(__file__).parents[2] / "docs" / "runbook-probes.md"


@pytest.fixture
def runbook() -> str:
    """The example, as it stands in the documentation."""
    found = re.search(r"```markdown\n(.*?)```\n\nSave it", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def prometheus(tmp_path: Path) -> Generator[tuple[str, Backlog]]:
    """A Prometheus that knows of two queues."""
    with Backlog() as backlog:
        backlog["mail"], backlog["print"] = 500, 130
        with running_prometheus(tmp_path / "prometheus", backlog) as base_url:
            yield base_url, backlog


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_report_rests_on_what_prometheus_says(
    database: Database, prometheus: tuple[str, Backlog], runbook: str, tmp_path: Path
) -> None:
    """The checks of the runbook, and those of the first look; a label that would ask more asks nothing."""
    base_url, _ = prometheus
    file = tmp_path / "queue-backlog.md"
    file.write_text(runbook)
    assert CliRunner().invoke(main, ["runbooks", "check", str(file)]).exit_code == 0
    add_runbook(database, "Queue backlog", runbook)
    kit = http_kits(lambda _service: direct, policy=Policy(parsed_networks(["127.0.0.1"])))[
        "victoria_metrics"
    ]
    settings = {"vm_url": base_url, "vm_auth_method": "none"}
    toolbox = make_toolbox(database, kit, {"prometheus": ("victoria_metrics", settings)})
    investigator = RuleInvestigator(database, now=lambda: NOW, tools=toolbox)
    runner = Runner(database, investigator, now=lambda: NOW)

    def investigated(number: int, queue: str) -> str:
        context = {
            "alert_name": "QueueBacklog",
            "severity": "critical",
            "status": "firing",
            "target_labels": {"alertname": "QueueBacklog", "queue": queue},
            "raw_payload": {"generatorURL": f"{base_url}/graph?g0.expr={quote('queue_backlog > 100')}"},
        }
        incident = new_incident(
            database, uuid=f"0b1f6c1e-6a0f-4a53-9f0c-{number:012}", source="alertmanager", context=context
        )
        asyncio.run(runner.run(incident))
        return str(row_of(database, incident).response)

    eventually(lambda: "500" in asked(base_url, 'queue_backlog{queue="mail"}'), "Prometheus to scrape")
    report = investigated(1, "mail")

    assert "❌ The queue mail has 500 jobs waiting" in report
    assert "⚠️ Other queues are behind too (1); the worst is print with 130" in report
    assert "💡 The alert's own expression still holds for queue=mail, and for 1 other series" in report
    assert "1. ✅ See how many jobs wait" in report
    assert re.search(r"Of the runbook's own [23] checks [23] confirm it", report)

    hostile = investigated(2, 'x"} or queue_backlog{queue="mail')
    assert "500 jobs" not in hostile
    assert "jobs waiting (of the runbook, call" in hostile


def asked(base_url: str, query: str) -> str:
    """Ask Prometheus itself."""
    with urlopen(f"{base_url}/api/v1/query?query={quote(query)}", timeout=10) as reply:
        return str(json.load(reply)["data"]["result"])
