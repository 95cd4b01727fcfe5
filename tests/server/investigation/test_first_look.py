"""The first look: what is asked of the tools about any alert, whatever the runbooks say."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_server.command_gate import judge
from akmatori_server.config import load_settings
from akmatori_server.database import Database
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.facts import read_facts
from akmatori_server.investigation.rules.declared import declarations
from akmatori_server.investigation.rules.known import expression_of, host_name
from akmatori_server.toolbox.models import Access, Invocation, Plan
from tests.server.investigation.cases import case_of
from tests.server.investigation.checking import (
    PROMETHEUS,
    Lab,
    investigated,
    make_toolbox,
    on_sqlite,
    vector,
)
from tests.server.investigation.test_journal import new_incident


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
