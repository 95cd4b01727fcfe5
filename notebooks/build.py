"""Writes first_incident.ipynb from the cells below: `python notebooks/build.py`.

Reviewing Python beats reviewing JSON.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

CELLS: tuple[tuple[str, str], ...] = (
    (
        "markdown",
        """# Your first incident

Three alerts arrive as Prometheus Alertmanager sends them. The server turns each into an incident and investigates
it with the runbooks it knows; no LLM and no other service is needed. Run the cells from the top: the first one
starts a server of its own on a free port and the last one stops it.""",
    ),
    (
        "code",
        """from contextlib import ExitStack
from importlib.resources import files

from akmatori_sdk import Akmatori
from akmatori_server.demo import temporary_server

running = ExitStack()
server = running.enter_context(temporary_server())
client = running.enter_context(Akmatori(base_url=server.base_url, username="admin", password=server.password))
client""",
    ),
    ("markdown", "## Runbooks\n\nWhat your team already knows. Here: the samples that come with the server."),
    (
        "code",
        """samples = files("akmatori_server.demo").joinpath("runbooks")
for entry in sorted(samples.iterdir(), key=lambda entry: entry.name):
    heading, _, content = entry.read_text(encoding="utf-8").partition("\\n")
    client.runbooks.create(title=heading.removeprefix("# "), content=content.strip())

next(client.runbooks.list().pages())""",
    ),
    (
        "markdown",
        "## Alerts\n\nA source has its own webhook address, and a secret that Alertmanager sends along.",
    ),
    (
        "code",
        """import json
from datetime import UTC, datetime, timedelta

from akmatori_sdk import CallOptions

source = client.alert_sources.create(source_type_name="alertmanager", name="Notebook", webhook_secret="notebook-secret")
secret = CallOptions(headers={"X-Alertmanager-Secret": "notebook-secret"})

ALERTS = [
    ("NodeDiskFilling", "critical", "db-07:9100", "/var is 93% full", 34),
    ("ContainerOOMKilled", "warning", "checkout-5d9f", "container was OOM killed: memory limit reached", 12),
    ("TLSCertificateExpiresSoon", "warning", "shop.example.net:443", "certificate expires in 6 days", 55),
]

def alert(name, severity, instance, summary, minutes_ago):
    return {
        "status": "firing",
        "labels": {"alertname": name, "severity": severity, "instance": instance, "job": "node"},
        "annotations": {"summary": summary},
        "startsAt": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.net/graph",
        "fingerprint": name.encode().hex()[:16],
    }

for facts in ALERTS:
    body = {"version": "4", "groupKey": facts[0], "status": "firing", "alerts": [alert(*facts)]}
    reply = client.webhooks.receive(source.uuid, body=json.dumps(body).encode(), options=secret)
    print(facts[0], "→", reply.strip())""",
    ),
    (
        "markdown",
        "## Investigations\n\n`wait()` follows an investigation and hands over each new piece of its log.",
    ),
    (
        "code",
        """incidents = [client.incidents.wait(found.uuid, timeout=60) for found in client.incidents.list()]
incidents[0]""",
    ),
    (
        "code",
        """from IPython.display import Markdown

Markdown(client.incidents.get(incidents[-1].uuid).response)""",
    ),
    ("markdown", "## The table and the picture"),
    ("code", "next(client.incidents.list().pages())"),
    (
        "code",
        """import matplotlib.pyplot as plt

incidents.sort(key=lambda incident: incident.started_at)
begun = [datetime.fromisoformat(incident.context["started_at"]) for incident in incidents]
figure, axes = plt.subplots(figsize=(9, 2.6), layout="constrained")
for row, (incident, since) in enumerate(zip(incidents, begun)):
    waited = (incident.started_at - since).total_seconds() / 60
    axes.barh(row, waited, color="#d97757", height=0.5)
    axes.annotate(f"explained in {incident.execution_time_ms} ms", (waited, row), xytext=(6, 0),
                  textcoords="offset points", va="center")
axes.set_yticks(range(len(incidents)), [incident.context["alert_name"] for incident in incidents])
axes.set_xlabel("minutes the alert had been firing when it was delivered")
axes.set_xlim(0, 75)
axes.spines[["top", "right"]].set_visible(False)
axes.set_title("From firing to explained", loc="left")
plt.show()""",
    ),
    ("code", "running.close()"),
)


def notebook() -> nbformat.NotebookNode:
    """Return the notebook, without outputs and without anything that changes from run to run."""
    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, (kind, source) in enumerate(CELLS):
        cell = (
            nbformat.v4.new_markdown_cell(source) if kind == "markdown" else nbformat.v4.new_code_cell(source)
        )
        cell["id"] = f"cell-{number}"
        made.cells.append(cell)
    return made


if __name__ == "__main__":
    Path(__file__).with_name("first_incident.ipynb").write_text(nbformat.writes(notebook()) + "\n")
