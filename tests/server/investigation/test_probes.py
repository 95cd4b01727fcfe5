"""The rule investigator makes the checks that runbooks and skills declare, and the report says what they mean."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.files import SafeDirectory
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation import Journal, Runner
from akmatori_server.investigation.rules import RuleInvestigator, SkillFiles
from akmatori_server.investigation.rules.declared import declarations
from akmatori_server.investigation.rules.ports import SkillText
from akmatori_server.investigation.rules.probing import Budget
from akmatori_server.skills.tables import skills
from akmatori_server.skills.workspace import SkillWorkspace
from akmatori_server.toolbox.models import Access, Invocation, Plan, ToolFailedError
from akmatori_server.toolbox.session import Session
from akmatori_server.toolbox.tables import tool_calls
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool
from tests.server.investigation.cases import NOW, disk_alert
from tests.server.investigation.checking import (
    PASSWORD,
    PROMETHEUS,
    Lab,
    add_runbook,
    investigated,
    make_toolbox,
    on_sqlite,
    vector,
)
from tests.server.investigation.test_journal import log_of, new_incident, row_of, take

FREE = """---
probes:
  - name: free space
    tool: prometheus
    function: instant_query
    arguments:
      query: 'free{instance="{{ labels.instance }}",mountpoint="{{ labels.mountpoint }}"}'
    expect:
      - value: data.result[0].value[1]
        below: 0.1
        says: "{{ labels.mountpoint }} of {{ labels.instance }} has {{ value }} left"
        severity: critical
        unit: percent
    answers: 1
  - name: inodes
    tool: prometheus
    function: series
    arguments: {match: 'inodes{instance="{{ labels.instance }}"}', start: "{{ started_at - 15m }}"}
    expect:
      - {value: "[*].free", below: 100}
  - name: usage
    tool: hosts
    function: execute_command
    arguments: {command: "df -h", servers: ["{{ hostname }}"]}
---

## Find what grows

1. See which filesystem it is.
2. See its use:

   ```sh
   df -h
   ```

3. Find the largest directories:

   ```sh
   du -xh /var
   ```
"""


def test_the_checks_of_the_runbook_are_made_and_weighed(database: Database) -> None:
    """Values, thresholds and calls in a table; findings first; steps ticked; what is not known is said."""
    add_runbook(database, "Filesystem space filling up", FREE)
    lab = Lab()
    lab.answers({"instant_query": vector(0.031), "series": [{"free": 4096}]})

    report, log = investigated(database, lab)

    assert lab.arguments[-1]["query"] == 'free{instance="db-07.example.net:9100",mountpoint="/var"}'
    assert lab.arguments[0]["start"] == "2026-11-22T02:26:17Z"
    assert report.splitlines()[0] == (
        "**NodeFilesystemSpaceFillingUp** on `db-07.example.net:9100` has been firing for 1h 18m. ❌ /var of "
        "db-07.example.net:9100 has 3.1 % left. 1 of 2 checks explains the alert. The runbook **Filesystem space "
        "filling up** fits; its steps are below."
    )
    assert "- ❌ /var of db-07.example.net:9100 has 3.1 % left (call `probe:1:" in report
    assert "| 3.1 % | \\< 10 % | ❌ | call `probe:1:" in report
    assert "| 4096 | \\< 100 | ✅ | call `probe:2:" in report
    assert "1. ✅ See which filesystem it is. *(answered above)*" in report
    assert "2. See its use:" in report
    assert "- usage (of the runbook): no enabled tool is called hosts, and none is of that type." in report
    assert "High." in report
    assert "Of the runbook's own 2 checks 1 confirms it, 1 does not." in report
    assert "probes:" not in report
    assert "🔎 free space: ❌ /var of db-07.example.net:9100 has 3.1 % left" in log
    assert "✅ Ran: prometheus.instant_query" in log
    assert "left out: usage (runbook)" in log


@on_sqlite
def test_a_step_is_ticked_when_its_very_command_was_run(database: Database) -> None:
    add_runbook(database, "Filesystem space filling up", FREE.replace("execute_command", "test_connectivity"))
    lab = Lab()
    lab.answers({"test_connectivity": {"results": []}})
    report, _ = investigated(database, lab, tools={"hosts": ("ssh", {})})
    # Its function takes no command, so the call is refused and the step stays.
    assert "2. See its use:" in report

    from akmatori_server.investigation.rules.evidence import Check, Evidence, Verdict, answered_steps

    one = Evidence(
        probe="usage",
        origin="runbook",
        asked="",
        call_id="1",
        checks=(Check(verdict=Verdict.SHOWN),),
        command="df  -h",
    )
    assert answered_steps([one], [[], ["$ df -h\n"], ["df -h\ndu"], ["du"]]) == {2}


@on_sqlite
def test_checks_that_find_nothing_lower_the_confidence_and_a_failing_tool_is_no_news(
    database: Database,
) -> None:
    add_runbook(database, "Filesystem space filling up", FREE)
    lab = Lab()
    lab.answers({"instant_query": vector(0.5)})

    report, _ = investigated(database, lab)

    assert "The one check that was made shows nothing wrong" in report
    assert "Medium." in report
    assert "Of the runbook's own 2 checks 0 confirm it, 1 does not, and 1 was not answered." in report
    assert "failed: nothing is known about series." in report


@on_sqlite
def test_a_label_cannot_ask_something_else(database: Database) -> None:
    add_runbook(database, "Filesystem space filling up", FREE)
    context = disk_alert()
    context["target_labels"] = {**context["target_labels"], "mountpoint": '/"} or up{a="'}
    lab = Lab()
    lab.answers({"instant_query": vector(0.5), "series": []})

    report, _ = investigated(database, lab, context=context)

    assert [call.function.name for call in lab.asked] == ["series"]
    assert "which could mean something else where it is put" in report


@on_sqlite
def test_without_what_the_alert_should_say_a_check_is_left_out(database: Database) -> None:
    add_runbook(database, "Filesystem space filling up", FREE)
    context = disk_alert()
    del context["target_labels"]["mountpoint"]
    context["raw_payload"] = {}
    lab = Lab()
    lab.answers({"series": []})

    report, _ = investigated(database, lab, context=context)

    assert "- free space (of the runbook): the alert says nothing about labels.mountpoint." in report


@on_sqlite
def test_broken_front_matter_is_a_complaint_and_the_steps_stand(database: Database) -> None:
    add_runbook(database, "Filesystem space filling up", FREE.replace("below: 0.1", "below: little"))

    report, log = investigated(database, Lab())

    sentence = "probe 1 (free space): expect"
    assert sentence in report
    assert sentence in log
    assert "1. See which filesystem it is." in report


def test_a_crash_does_not_ask_twice_what_is_answered(database: Database) -> None:
    """The second worker finds the first one's answers; the lines of the log stand once."""
    add_runbook(database, "Filesystem space filling up", FREE)
    lab = Lab()
    toolbox = make_toolbox(database, lab, {"prometheus": PROMETHEUS})
    incident_id = new_incident(database, source="alertmanager", context=disk_alert())
    blocked = threading.Event()

    async def half(call: Invocation) -> JSON:
        if call.function.name == "series":
            blocked.set()
            await asyncio.sleep(60)
        return vector(0.031)

    lab.answer = half
    investigator = RuleInvestigator(database, now=lambda: NOW, tools=toolbox, first_look=False)
    runner = Runner(database, investigator, now=lambda: NOW)

    async def crash() -> None:
        work = asyncio.ensure_future(runner.run(incident_id))
        # What it waits for happens in threads and in the database.
        while not (blocked.is_set() and "✅ Ran: prometheus.instant_query" in log_of(database, incident_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        work.cancel()
        await asyncio.wait({work})

    asyncio.run(crash())
    lab.answers({"instant_query": vector(0.9), "series": [{"free": 1}]})
    asyncio.run(runner.run(incident_id))

    assert sorted(call.function.name for call in lab.asked) == ["instant_query", "series", "series"]
    report, log = row_of(database, incident_id).response, log_of(database, incident_id)
    assert "has 3.1 % left" in report
    assert log.count("🛠️ Running: prometheus.series") == 1
    with database.read() as connection:
        keys = connection.execute(sa.select(tool_calls.c.key)).scalars().all()
    assert [key.split(":")[:2] for key in sorted(keys)] == [["probe", "1"], ["probe", "2"]]


@on_sqlite
def test_slow_tools_are_not_waited_for(database: Database) -> None:
    """Each has its time, and all together theirs; what is there by then counts."""
    add_runbook(database, "Filesystem space filling up", FREE)
    lab = Lab()

    async def slow(call: Invocation) -> JSON:
        if call.function.name == "series":
            await asyncio.sleep(60)
        return vector(0.031)

    lab.answer = slow
    toolbox = make_toolbox(database, lab, {"prometheus": PROMETHEUS})
    started = time.monotonic()
    report, _ = investigated(database, lab, toolbox=toolbox, budget=Budget(each=0.2, together=5))
    assert "- inodes (of the runbook): prometheus did not answer within 0.2 seconds." in report
    second = new_incident(database, uuid="0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a78", context=disk_alert())
    report, _ = investigated(
        database, lab, toolbox=toolbox, incident_id=second, budget=Budget(each=30, together=0.3)
    )
    assert "inodes (of the runbook): the 0.3 seconds for all checks were over." in report
    assert "has 3.1 % left" in report
    assert time.monotonic() - started < 20


def test_whoever_is_overtaken_stops_asking(database: Database) -> None:
    """Another worker takes the incident while a tool works: nothing more is written, nothing is swallowed."""
    add_runbook(database, "Filesystem space filling up", FREE)
    lab = Lab()
    incident_id = new_incident(database, source="alertmanager", context=disk_alert())

    async def overtaken(_call: Invocation) -> JSON:
        if not taken:
            taken.append(take(database, incident_id))
        return vector(0.031)

    taken: list[Journal] = []
    lab.answer = overtaken
    investigated(database, lab, incident_id=incident_id)

    assert row_of(database, incident_id).status == "running"
    assert "🔎 free space" not in log_of(database, incident_id)


@on_sqlite
def test_secrets_of_tools_do_not_reach_the_report(database: Database) -> None:
    add_runbook(
        database,
        "Filesystem space filling up",
        "---\nprobes:\n- tool: prometheus\n  function: instant_query\n  arguments: {query: '{{ labels.x }} '}\n---\n",
    )
    context = disk_alert()
    context["target_labels"] = {**context["target_labels"], "x": PASSWORD}
    lab = Lab()
    lab.answers({"instant_query": {"echo": PASSWORD, "password": "abc"}})

    report, log = investigated(database, lab, context=context)

    evidence = report[report.index("## Evidence") : report.index("## Runbook")]
    assert "📄" in evidence
    assert PASSWORD not in evidence
    assert PASSWORD not in log[log.index("Execution Log") : log.index("Final Response")]


@on_sqlite
def test_skills_declare_checks_for_the_alerts_they_know(database: Database, tmp_path: Path) -> None:
    """Those that are enabled, and match; their files are read anew each time."""
    probe = (
        "---\nname: {0}\ndescription: x\nprobes:\n- name: {0} check\n  tool: victoria_metrics\n"
        "  function: instant_query\n  arguments: {{query: up}}\n  when: ['{1}']\n"
        "  expect: [{{value: result, count_above: 0, says: '{0} speaks'}}]\n---\n"
    )
    workspace = SkillWorkspace(database, SafeDirectory(tmp_path))
    rows = [
        {"name": name, "description": "", "category": "", "is_system": False, "enabled": enabled, "manifest": {},
         "created_at": NOW, "updated_at": NOW}
        for name, enabled in (("disk", True), ("network", True), ("off", False), ("gone", True))
    ]  # fmt: skip
    with database.write() as connection:
        connection.execute(sa.insert(skills), rows)
    for name, matcher in (
        ("disk", "labels.mountpoint=/var"),
        ("network", 'labels.device=~"eth.*"'),
        ("off", "severity!=x"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "SKILL.md").write_text(probe.format(name, matcher))
    lab = Lab()
    lab.answers({"instant_query": vector(1)})

    report, _ = investigated(database, lab, skills=SkillFiles(workspace))

    assert "⚠️ disk speaks" in report
    assert "network speaks" not in report
    assert "off speaks" not in report
    assert "1 of 1 check shows something that may have to do with the alert; none is grave." in report


def test_a_skill_with_broken_front_matter_is_a_complaint() -> None:
    found = declarations(None, [SkillText("bad", "---\nprobes: 3\n---\n")], first_look=False)

    assert found.complaints == ("The skill bad declares probes that cannot be read: probes: must be a list.",)


@on_sqlite
def test_a_check_changes_nothing(database: Database) -> None:
    """What would change something is not even proposed: every alert would propose it again."""
    add_runbook(
        database,
        "Filesystem space filling up",
        "---\nprobes: [{tool: hosts, function: execute_command, arguments: {command: reboot}}]\n---\n1. Look",
    )
    lab = Lab()
    report, _ = investigated(database, lab, tools={"hosts": ("ssh", {})})

    assert lab.asked == []
    assert "hosts.execute\\_command would change something, and a check only reads" in report
    with database.read() as connection:
        assert connection.execute(sa.select(tool_calls)).all() == []


def four_checks(*thresholds: int, tool: str = "prometheus") -> str:
    probes = "".join(
        f"- {{name: c{number}, tool: {tool}, function: instant_query, arguments: {{query: 'q{number}'}},"
        f" expect: [{{value: 'result[0].value[1]', above: {threshold}}}]}}\n"
        for number, threshold in enumerate(thresholds)
    )
    return f"---\nprobes:\n{probes}---\n1. Look"


@on_sqlite
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (four_checks(1, 9, 9), "Medium. {} Of the runbook's own 3 checks 1 confirms it, 2 do not."),
        (four_checks(1, 1, 9), "High. {} Of the runbook's own 3 checks 2 confirm it, 1 does not."),
        (four_checks(9, 9), "Medium. {} Of the runbook's own 2 checks 0 confirm it, 2 do not."),
        (
            four_checks(1, 1, 1, tool="gone").replace("c0, tool: gone", "c0, tool: prometheus"),
            "Medium. {} Of the runbook's own 3 checks 1 confirms it, 0 do not, and 2 were not answered.",
        ),
        (
            four_checks(9, 1, 1, tool="gone").replace("c0, tool: gone", "c0, tool: prometheus"),
            "Low. {} Of the runbook's own 3 checks 0 confirm it, 1 does not, and 2 were not answered.",
        ),
    ],
)
def test_the_majority_of_the_answers_and_their_share_make_the_confidence(
    database: Database, content: str, told: str
) -> None:
    add_runbook(database, "Filesystem space filling up", content)
    lab = Lab()
    lab.answers({"instant_query": vector(5)})

    report, _ = investigated(database, lab)

    fits = "The runbook's title covers what the alert is called, and no other comes near."
    assert told.format(fits) in report


@on_sqlite
def test_one_cause_is_told_once(database: Database) -> None:
    """In the log, under "not checked", and in the headline when there is nothing else to say."""
    add_runbook(database, "Filesystem space filling up", four_checks(1, 1, 1))
    lab = Lab()

    async def refused(_call: Invocation) -> JSON:
        raise ToolFailedError("127.0.0.1 is private: allow it in allowed_networks.")

    lab.answer = refused
    report, log = investigated(database, lab)

    sentence = "failed: 127.0.0.1 is private: allow it in allowed"
    assert "No check could be made: prometheus failed: 127.0.0.1 is private" in report.splitlines()[0]
    unchecked = report[report.index("## What was not checked") :]
    assert unchecked.count(sentence) == 1
    assert "- prometheus, c0 (of the runbook, call probe:1:" in unchecked
    (finding,) = [
        line for line in log.splitlines() if "🔎" in line and "Verdict" not in line and sentence in line
    ]
    assert "c0, c1, c2: ❔ prometheus failed" in finding
    (note,) = [line for line in log.splitlines() if "Not checked: " in line]
    assert "\\" not in note
    assert ".." not in note


@on_sqlite
def test_a_tool_that_cannot_be_used_is_said_in_the_report(database: Database) -> None:
    """A dead MCP server, for one."""
    add_runbook(database, "Filesystem space filling up", four_checks(1))

    class Dead(Lab):
        async def functions(self, tool: OpenTool, session: Session) -> Sequence[ToolFunction]:
            raise ToolFailedError("The server does not answer.")

    report, _ = investigated(database, Dead())

    unchecked = report[report.index("## What was not checked") :]
    assert "- prometheus: The server does not answer." in unchecked
    assert "- c0 (of the runbook): prometheus cannot be used." in unchecked


@on_sqlite
def test_what_commands_wrote_is_shown_and_their_step_is_ticked(database: Database) -> None:
    """Not the JSON around it, and not half a line."""
    content = (
        "---\nprobes: [{name: disk, tool: hosts, function: execute_command, arguments: {command: 'df -P /'}}]\n---\n"
        "1. Look at the disk: `df -P /`\n2. Look at `/var` with `du`\n"
    )
    add_runbook(database, "Filesystem space filling up", content)

    class Reading(Lab):
        def plan(self, call: Invocation) -> Plan:
            return Plan(access=Access.READ, summary="")

    lab = Reading()
    table = "Filesystem 1024-blocks\n/dev/sda1  4096\n" + "x" * 500
    lab.answers(
        {"execute_command": {"results": [{"server": "db", "success": True, "stdout": table, "stderr": ""}]}}
    )

    report, _ = investigated(database, lab, tools={"hosts": ("ssh", {})})

    assert "| `Filesystem 1024-blocks ⏎ /dev/sda1 4096 …` |" in report
    assert "1. ✅ Look at the disk: `df -P /` *(answered above)*" in report
    assert "2. Look at" in report


@on_sqlite
def test_no_series_is_said_in_words(database: Database) -> None:
    add_runbook(database, "Filesystem space filling up", four_checks(1))
    lab = Lab()
    lab.answers({"instant_query": vector()})

    report, log = investigated(database, lab)

    assert "Prometheus has no series for it." in report
    assert "1 runbook has words of it:" in log


class HalfBroken(Lab):
    """A tool of which one function cannot be used."""

    async def left_out(self, tool: OpenTool, session: Session) -> list[str]:
        """Say so."""
        del tool, session
        return ["The tool get_issue is left out: its schema breaks the rules of JSON Schema."]


@on_sqlite
def test_what_a_tool_has_that_cannot_be_used_is_a_line_of_the_log(database: Database) -> None:
    """Where a person looks who misses it; the others are asked."""
    add_runbook(database, "Filesystem space filling up", four_checks(1))
    lab = HalfBroken()
    lab.answers({"instant_query": vector(5)})
    _, log = investigated(database, lab)

    line = (
        "Not usable: prometheus: The tool get_issue is left out: its schema breaks the rules of JSON Schema."
    )
    assert [one for one in log.splitlines() if "Not usable" in one] == [line]
    assert lab.asked
