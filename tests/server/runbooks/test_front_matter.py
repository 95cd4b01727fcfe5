"""Front matter: YAML above a runbook's text, kept as it is written and checked when it is saved."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from akmatori_server.audit import AuditTrail
from akmatori_server.cli import main
from akmatori_server.database import metadata
from akmatori_server.files import SafeDirectory
from akmatori_server.runbooks.front_matter import (
    FrontMatterError,
    body_of,
    complaint_of,
    probes_of,
    split,
    without_heading,
)
from akmatori_server.runbooks.mirror import RunbookMirror
from akmatori_server.runbooks.models import RunbookText
from tests.server.incidents.domain import Domain

GOOD = """---
owner: team-db
probes:
  - name: cpu
    tool: metrics
    function: ask
    arguments: {query: 'up{instance="{{ labels.instance }}"}', on: on, day: 2026-11-22, n: 5, f: 0.5}
    expect:
      - {value: "result[0].value[1]", above: 0.9, severity: critical}
    answers: 1
---

1. Look at the CPU.
"""
BROKEN = GOOD.replace("above: 0.9", "above: much")


def test_the_text_for_people_is_what_follows() -> None:
    assert body_of(GOOD) == "1. Look at the CPU.\n"
    (probe,) = probes_of(GOOD)
    assert (probe.name, probe.answers) == ("cpu", (1,))
    assert probe.arguments["n"] == 5
    assert probe.arguments["f"] == 0.5
    # YAML 1.1 would make true of one and a date of the other.
    assert [part for name in ("on", "day") for part in probe.arguments[name].parts] == [
        "on",
        "2026-11-22",
    ]


def test_a_runbook_without_front_matter_is_as_before() -> None:
    for content in (
        "# Steps\n\n1. Look",
        "---\n\nA line of dashes for its looks.\n\n---\nmore",
        "---\nno end of it",
        "---\nNote: this: is [not yaml\n---\nmore",
        "text\n---\nprobes: []\n---\n",
        "",
    ):
        assert split(content).matter is None
        assert body_of(content) == content
        assert probes_of(content) == ()
    assert probes_of("---\ntags: [a]\n---\n1. Look") == ()
    assert body_of("---\ntags: [a]\n---\n\n1. Look") == "1. Look"


def test_windows_line_ends_and_a_byte_order_mark_are_no_obstacle() -> None:
    assert len(probes_of("\ufeff" + GOOD.replace("\n", "\r\n"))) == 1


def test_what_cannot_be_used_is_said() -> None:
    for content, sentence in (
        (BROKEN, "probe 1 (cpu): expect[0].above: must be a number."),
        ("---\nprobes: [\n---\n", "The front matter is not valid YAML at line"),
        ("---\nprobes: &a [*a]\n---\n", "not valid YAML"),
        ("---\nprobes: []\nprobes: []\n---\n", "probes is there twice"),
        ("---\nprobes: !!python/object:os.system x\n---\n", "not valid YAML"),
        ("---\nprobe:\n- tool: x\n---\n", "probe: is not known in the front matter; did you mean probes?"),
        ("---\nprobes:\n- tool: x\n\n1. Look\n", "The front matter is never closed"),
        ("---\nprobes: {}\n---\n", "probes: must be a list."),
        ("---\nprobes: " + "[" * 2000 + "\n---\n", "not valid YAML"),
        ("---\nprobes: []\n#" + "x" * 70_000 + "\n---\n", "65536 characters at most"),
    ):
        with pytest.raises(FrontMatterError) as refusal:
            probes_of(content)
        assert sentence in str(refusal.value)
        assert complaint_of(content) == str(refusal.value)


def test_a_mirrored_file_has_its_front_matter_below_the_title() -> None:
    assert without_heading("# Disk full\n\n" + GOOD) == GOOD
    assert without_heading("# Disk full\n\n1. Look") == "# Disk full\n\n1. Look"


def test_saving_checks_the_front_matter_and_keeps_it_as_it_is(admin: httpx.Client) -> None:
    refused = admin.post("/api/runbooks", json={"title": "CPU", "content": BROKEN})
    created = admin.post("/api/runbooks", json={"title": "CPU", "content": GOOD})
    path = f"/api/runbooks/{created.json()['id']}"
    refused_change = admin.put(path, json={"title": "CPU", "content": BROKEN})

    assert refused.status_code == refused_change.status_code == 400
    assert refused.json()["error"] == "content: probe 1 (cpu): expect[0].above: must be a number."
    assert created.status_code == 201
    assert admin.get(path).json()["content"] == GOOD
    assert admin.delete(path).status_code == 204


def check(*files: Path) -> Result:
    return CliRunner().invoke(main, ["runbooks", "check", *map(str, files)], catch_exceptions=False)


def test_the_command_checks_files(tmp_path: Path) -> None:
    good, broken, steps, plain = (
        tmp_path / name for name in ("good.md", "broken.md", "steps.md", "plain.md")
    )
    good.write_text("# CPU is busy\n\n" + GOOD)
    broken.write_text(BROKEN)
    steps.write_text(GOOD.replace("answers: 1", "answers: [1, 4]"))
    plain.write_text("# Plain\n\n1. Look\n")

    passed, failed = check(good, plain), check(good, broken, steps, tmp_path / "gone.md")

    assert (passed.exit_code, failed.exit_code) == (0, 1)
    assert f"{good}: 1 probe: cpu." in passed.output
    assert f"{plain}: no probes." in passed.output
    assert f"{broken}: probe 1 (cpu): expect[0].above: must be a number." in failed.output
    assert f"{steps}: probe cpu: answers: there is no step 4; the runbook has 1." in failed.output
    assert "gone.md: cannot be read: No such file or directory." in failed.output


MISTAKEN = """---
probes:
  - {name: a, tool: prometheus, function: instant_qery, arguments: {query: up}}
  - {name: b, tool: victoria_metrics, function: instant_query, arguments: {quer: up}}
  - {name: c, tool: prometheus, function: range_query, arguments: {query: up, start: "{{ now }}", end: x, step: 1m}}
  - {name: d, tool: hosts, function: execute_command, arguments: {command: "rm -rf /tmp/x"}}
  - {name: e, tool: ssh, function: execute_command, arguments: {command: "df {{ labels.mountpoint | shell }}"}}
  - {name: f, tool: "", function: "", answers: x}
---

1. Look
"""


def test_the_command_tells_all_that_is_wrong(tmp_path: Path) -> None:
    """Functions and arguments of built-in types, commands that do more than read, and each member."""
    file = tmp_path / "mistaken.md"
    file.write_text(MISTAKEN)

    lines = check(file).output.splitlines()

    for sentence in (
        "probe a: function: prometheus has no function instant_qery; did you mean instant_query?",
        "probe b: arguments: The arguments are wrong: query must be given",
        "probe d: arguments.command: ",
        "probe 6 (f): tool: must not be empty.",
        "probe 6 (f): function: must not be empty.",
        "probe 6 (f): answers: must be the number of a step",
    ):
        assert [line for line in lines if sentence in line], sentence
    assert not [line for line in lines if "probe c" in line or "probe e" in line], lines


def test_saving_refuses_a_function_that_an_existing_tool_has_not(admin: httpx.Client) -> None:
    content = "---\nprobes: [{tool: %s, function: instant_qery}]\n---\n1. Look"
    types = {one["name"]: one["id"] for one in admin.get("/api/tool-types").json()}
    body = {
        "tool_type_id": types["victoria_metrics"],
        "name": "Watcher",
        "settings": {"vm_url": "http://vm.example"},
    }
    tool = admin.post("/api/tools", json=body)
    assert tool.status_code == 201, tool.text

    refused = admin.post(
        "/api/runbooks", json={"title": "x", "content": content % tool.json()["logical_name"]}
    )
    unknown = admin.post("/api/runbooks", json={"title": "x", "content": content % "elsewhere"})

    assert refused.status_code == 400
    assert "has no function instant_qery; did you mean instant_query?" in refused.json()["error"]
    assert unknown.status_code == 201
    assert admin.delete(f"/api/runbooks/{unknown.json()['id']}").status_code == 204
    assert admin.delete(f"/api/tools/{tool.json()['id']}").status_code == 204


def test_an_edit_on_disk_is_kept_and_complained_about(domain: Domain, tmp_path: Path) -> None:
    """Somebody is at work on it: the text is theirs, and the log says what is wrong."""
    audit = AuditTrail(domain.database, now=domain.clock)
    metadata.create_all(domain.database.engine)
    mirror = RunbookMirror(domain.database, SafeDirectory(tmp_path / "rb"), audit=audit, now=domain.clock)
    runbook = domain.runbooks.create(RunbookText(title="CPU is busy", content=GOOD))
    mirror.sync()
    file = tmp_path / "rb" / f"{runbook.id}-cpu-is-busy.md"
    file.write_text(file.read_text().replace("above: 0.9", "above: much"))

    with capture_logs() as told:
        mirror.sync()

    assert domain.runbooks.get(runbook.id).content == BROKEN
    (warning,) = (event for event in told if event["event"] == "runbook_probes_unreadable")
    assert warning["reason"] == "probe 1 (cpu): expect[0].above: must be a number."
