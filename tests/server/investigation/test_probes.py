"""The rule investigator makes the checks that runbooks and skills declare, and the report says what they mean."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from akmatori_server.command_gate import judge
from akmatori_server.config import load_settings
from akmatori_server.database import Database
from akmatori_server.files import SafeDirectory
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation import Journal, Runner
from akmatori_server.investigation.facts import read_facts
from akmatori_server.investigation.rules import RuleInvestigator, SkillFiles
from akmatori_server.investigation.rules.declared import declarations
from akmatori_server.investigation.rules.known import expression_of, host_name
from akmatori_server.investigation.rules.ports import SkillText
from akmatori_server.investigation.rules.probing import Budget
from akmatori_server.skills.tables import skills
from akmatori_server.skills.workspace import SkillWorkspace
from akmatori_server.toolbox.models import Access, Invocation, Plan, ToolFailedError
from akmatori_server.toolbox.session import Session
from akmatori_server.toolbox.tables import tool_calls
from akmatori_server.toolbox.toolbox import Toolbox
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool
from tests.server.investigation.cases import NOW, case_of, disk_alert
from tests.server.investigation.checking import (
    PASSWORD,
    PROMETHEUS,
    Lab,
    add_runbook,
    make_toolbox,
    vector,
)
from tests.server.investigation.test_journal import log_of, new_incident, row_of, take

# What a database has no part in is tried on one of them.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

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


def investigated(
    database: Database,
    lab: Lab,
    *,
    tools: dict[str, Any] | None = None,
    toolbox: Toolbox | None = None,
    context: dict[str, Any] | None = None,
    incident_id: int | None = None,
    **options: Any,
) -> tuple[str, str]:
    """Run an investigation to its end; return the report and the log."""
    toolbox = toolbox or make_toolbox(database, lab, {"prometheus": PROMETHEUS} if tools is None else tools)
    options = {"first_look": False, **options}
    investigator = RuleInvestigator(database, now=lambda: NOW, tools=toolbox, **options)
    incident_id = incident_id or new_incident(
        database, source="alertmanager", context=context or disk_alert()
    )
    asyncio.run(Runner(database, investigator, now=lambda: NOW).run(incident_id))
    return row_of(database, incident_id).response, log_of(database, incident_id)


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


def test_the_first_look_can_be_switched_off() -> None:
    assert load_settings({}).first_look
    assert not load_settings({"AKMATORI_FIRST_LOOK": "0"}).first_look


FIRST = {
    "prometheus": PROMETHEUS,
    "other": ("victoria_metrics", {"vm_url": "http://elsewhere.example.net"}),
    "cluster": ("kubernetes", {"k8s_url": "https://k8s.example.net", "k8s_token": "t0ken-of-k8s"}),
    "hosts": (
        "ssh",
        {
            "ssh_hosts": [
                {"hostname": "db-07", "address": "10.0.0.7"},
                {"hostname": "x", "address": "10.0.0.8"},
            ]
        },
    ),
}


def crash_loop() -> dict[str, Any]:
    labels = {
        "alertname": "KubePodCrashLooping",
        "namespace": "shop",
        "pod": "web-1",
        "instance": "db-07:9100",
    }
    return {
        "alert_name": "KubePodCrashLooping",
        "target_labels": labels,
        "target_host": "db-07.example.net:9100",
        "status": "firing",
        "raw_payload": {
            "generatorURL": "http://prom.example.net:9090/graph?g0.expr=rate%28x%5B5m%5D%29+%3E+0&g0.tab=1"
        },
    }


@on_sqlite
def test_a_first_look_needs_no_runbook(database: Database) -> None:
    """What common tools say about any alert: enough to make the report worth reading."""
    pod: JSON = {
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {"name": "app", "restartCount": 12, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                 "lastState": {"terminated": {"reason": "OOMKilled"}}}
            ],
        }
    }  # fmt: skip
    lab = Lab()

    async def answer(call: Invocation) -> JSON:
        query = str(call.arguments.get("query", ""))
        if call.function.name == "get_pod_detail":
            return pod
        if call.function.name == "get_events":
            return {"items": [{"message": "Back-off restarting failed container"}]}
        if call.function.name == "get_server_info":
            return {"results": [{"hostname": "db-07"}]}
        return vector(0.0, job="node") if query.startswith("up{") else vector()

    lab.answer = answer
    report, _ = investigated(database, lab, tools=FIRST, context=crash_loop(), first_look=True)

    asked = {
        call.function.name: dict(call.arguments)
        for call in lab.asked
        if call.function.name != "instant_query"
    }
    assert asked["get_pod_detail"] == {"namespace": "shop", "name": "web-1"}
    assert asked["get_events"]["field_selector"] == "involvedObject.name=web-1,type=Warning"
    assert asked["get_server_info"] == {"servers": ["db-07"]}
    queries = {str(call.arguments["query"]) for call in lab.asked if call.function.name == "instant_query"}
    assert "rate(x[5m]) > 0" in queries
    assert 'up{instance="db-07:9100"}' in queries
    # Of two, the one that raised the alert.
    assert {call.tool.tool.logical_name for call in lab.asked} == {"prometheus", "cluster", "hosts"}
    assert "❌ The target db-07:9100 (job node) cannot be scraped" in report
    assert "❌ The container app waits: CrashLoopBackOff" in report
    assert "❌ The container app ended before: OOMKilled" in report
    assert "⚠️ The container app was restarted 12 times" in report
    assert "Medium. No runbook fits well enough to lean on. 3 of 5 checks explain the alert." in report


@on_sqlite
def test_a_first_look_is_silent_where_there_is_nothing_to_look_with(database: Database) -> None:
    report, log = investigated(database, Lab(), tools={}, context=crash_loop(), first_look=True)

    assert "pod (" not in report
    assert "No tool was used" in report
    assert "Checks to make" not in log


def test_what_the_first_look_declares_can_be_read() -> None:
    found = declarations(None, (), first_look=True)

    assert found.complaints == ()
    assert {one.probe.tool for one in found.probes} == {"victoria_metrics", "kubernetes", "ssh"}
    assert declarations(None, (), first_look=False).probes == ()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("db-1:9100", "db-1"),
        ("db-1", "db-1"),
        ("[::1]:9100", "::1"),
        ("::1", "::1"),
        ("10.0.0.5:22", "10.0.0.5"),
        ("", ""),
    ],
)
def test_a_host_has_its_name_without_a_port(host: str, name: str) -> None:
    assert host_name(host) == name


def test_the_expression_is_read_from_the_alerts_graph() -> None:
    facts = read_facts(case_of(crash_loop()))

    assert expression_of(facts) == "rate(x[5m]) > 0"
    assert expression_of(read_facts(case_of({"alert_name": "A"}))) == ""


def queue_alert(**labels: str) -> dict[str, Any]:
    return {
        "alert_name": "QueueBacklog",
        "severity": "critical",
        "status": "firing",
        "target_labels": {"alertname": "QueueBacklog", "severity": "critical", "team": "ops", **labels},
        "raw_payload": {"generatorURL": "http://prom.example.net:9090/graph?g0.expr=queue_backlog+%3E+100"},
    }


def series(*metrics: dict[str, str]) -> JSON:
    return {
        "resultType": "vector",
        "result": [{"metric": dict(metric), "value": [1795000000.0, "500"]} for metric in metrics],
    }


PUSH = {"__name__": "queue_backlog", "queue": "push", "instance": "q:1"}
MAIL, PRINT = {**PUSH, "queue": "mail"}, {**PUSH, "queue": "print"}


@on_sqlite
def test_whether_the_alert_still_holds_is_asked_of_its_own_series(database: Database) -> None:
    """Series of other queues are other alerts."""
    lab = Lab()
    toolbox = make_toolbox(database, lab, {"prometheus": PROMETHEUS})
    said = "The alert's own expression"
    for number, (metrics, sentence) in enumerate(
        (
            ((MAIL, PRINT), f"💡 {said} no longer holds for queue=push (2 other series do) ("),
            ((MAIL,), f"💡 {said} no longer holds for queue=push (1 other series does) ("),
            ((PUSH, MAIL), f"💡 {said} still holds for queue=push, and for 1 other series ("),
            ((PUSH,), f"💡 {said} still holds for queue=push, instance=q:1 ("),
            (({},), f"💡 {said} still holds ("),
            ((), f"💡 {said} no longer holds ("),
            (({"zone": "a"},), f"{said} holds for 1 series, none of which has a label of the alert."),
        )
    ):
        lab.answers({"instant_query": series(*metrics)})
        context = queue_alert(queue="push", instance="q:1")
        incident = new_incident(database, uuid=f"0b1f6c1e-6a0f-4a53-9f0c-{number:012}", context=context)
        report, _ = investigated(database, lab, toolbox=toolbox, incident_id=incident, first_look=True)
        assert sentence in report, metrics


@on_sqlite
def test_several_prometheus_are_asked_each_and_what_is_left_out_is_said(database: Database) -> None:
    lab = Lab()
    lab.answers({"instant_query": series(PUSH)})
    tools = {
        f"prom-{number}": ("victoria_metrics", {"vm_url": f"http://prom-{number}.example.net:9090"})
        for number in (1, 2, 3, 4)
    }

    report, _ = investigated(database, lab, tools=tools, context=queue_alert(queue="push"), first_look=True)

    assert sorted(call.tool.tool.logical_name for call in lab.asked) == ["prom-1", "prom-2", "prom-3"]
    assert "| alert expression (prom-2) |" in report
    assert "alert expression (first look): prom-4 was not asked" in report


@on_sqlite
def test_of_several_prometheus_the_one_on_the_alerts_host_is_asked(database: Database) -> None:
    lab = Lab()
    lab.answers({"instant_query": series(PUSH)})
    tools = {
        "near": ("victoria_metrics", {"vm_url": "http://prom.example.net:8428"}),
        "far": ("victoria_metrics", {"vm_url": "http://far.example.net:9090"}),
    }

    investigated(database, lab, tools=tools, context=queue_alert(queue="push"), first_look=True)

    assert {call.tool.tool.logical_name for call in lab.asked} == {"near"}


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
def test_the_first_look_at_a_host_reads_its_load_memory_and_disk(database: Database) -> None:
    class Gate(Lab):
        def plan(self, call: Invocation) -> Plan:
            is_read = call.function.name != "execute_command" or judge(str(call.arguments["command"])).allowed
            return Plan(access=Access.READ if is_read else Access.WRITE, summary="")

    lab = Gate()
    lab.answers({"execute_command": {"results": [{"server": "db-07", "stdout": "up 3 days"}]}})
    report, _ = investigated(
        database, lab, tools={"hosts": FIRST["hosts"]}, context=crash_loop(), first_look=True
    )

    asked = [dict(call.arguments) for call in lab.asked if call.function.name == "execute_command"]
    assert [one["command"] for one in asked] == ["uptime", "free -m", "df -P"]
    assert {str(one["servers"]) for one in asked} == {"['db-07']"}
    assert "`up 3 days`" in report


@on_sqlite
def test_no_series_is_said_in_words(database: Database) -> None:
    add_runbook(database, "Filesystem space filling up", four_checks(1))
    lab = Lab()
    lab.answers({"instant_query": vector()})

    report, log = investigated(database, lab)

    assert "Prometheus has no series for it." in report
    assert "1 runbook has words of it:" in log
