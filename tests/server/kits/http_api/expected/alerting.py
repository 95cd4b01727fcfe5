"""What the functions of PagerDuty, Catchpoint and Zabbix have to send."""

from __future__ import annotations

from typing import Any

from tests.server.kits.http_api.expected.rows import Row, get

FROM = {"from": "ann@example.net"}
WHO = {"incident_id": "Q1", "requester_email": "ann@example.net"}
PAGERDUTY = [
    get(
        "get_incidents",
        {
            "statuses": "triggered, acknowledged",
            "urgencies": "high",
            "service_ids": "S1,S2",
            "since": "a",
            "until": "b",
            "sort_by": "created_at:desc",
            "limit": 5,
            "offset": 10,
        },
        "/incidents",
        "statuses[]=triggered statuses[]=acknowledged urgencies[]=high service_ids[]=S1 service_ids[]=S2 since=a"
        " until=b sort_by=created_at:desc limit=5 offset=10",
        15,
        headers={"accept": "application/vnd.pagerduty+json;version=2"},
    ),
    get("get_incident", {"incident_id": "Q1"}, "/incidents/Q1", cache=15),
    get("get_incident_notes", {"incident_id": "Q1"}, "/incidents/Q1/notes", cache=15),
    get("get_incident_alerts", {"incident_id": "Q1"}, "/incidents/Q1/alerts", cache=15),
    get(
        "get_services",
        {"query": "web", "limit": 1, "offset": 2},
        "/services",
        "query=web limit=1 offset=2",
        60,
    ),
    get("get_escalation_policies", {"query": "ops"}, "/escalation_policies", "query=ops", 60),
    get(
        "get_on_calls",
        {"schedule_ids": "A,B", "escalation_policy_ids": "C", "since": "a", "until": "b"},
        "/oncalls",
        "schedule_ids[]=A schedule_ids[]=B escalation_policy_ids[]=C since=a until=b",
        30,
    ),
    get("list_recent_changes", {"since": "a", "limit": 9}, "/change_events", "since=a limit=9", 30),
    Row(
        "acknowledge_incident",
        WHO,
        "PUT",
        "/incidents/Q1",
        body={"incident": {"type": "incident_reference", "status": "acknowledged"}},
        headers=FROM,
    ),
    Row(
        "resolve_incident",
        WHO,
        "PUT",
        "/incidents/Q1",
        body={"incident": {"type": "incident_reference", "status": "resolved"}},
        headers=FROM,
    ),
    Row(
        "reassign_incident",
        {**WHO, "assignee_ids": "U1, U2", "escalation_policy_id": "E1"},
        "PUT",
        "/incidents/Q1",
        body={
            "incident": {
                "type": "incident_reference",
                "assignments": [
                    {"assignee": {"id": "U1", "type": "user_reference"}},
                    {"assignee": {"id": "U2", "type": "user_reference"}},
                ],
                "escalation_policy": {"id": "E1", "type": "escalation_policy_reference"},
            }
        },
        headers=FROM,
    ),
    Row(
        "add_incident_note",
        {**WHO, "content": "seen"},
        "POST",
        "/incidents/Q1/notes",
        body={"note": {"content": "seen"}},
        headers=FROM,
    ),
    Row(
        "send_event",
        {"routing_key": "R0UT1NG", "event_action": "trigger", "summary": "down", "class": "ping"},
        "POST",
        "/v2/enqueue",
        body={
            "routing_key": "R0UT1NG",
            "event_action": "trigger",
            "payload": {"summary": "down", "severity": "error", "source": "akmatori", "class": "ping"},
        },
    ),
]

PAGES = {"page_number": 2, "page_size": 50}
TIMES = {"start_time": "a", "end_time": "b"}
IN_PAGES = "pageNumber=2 pageSize=50"
CATCHPOINT = [
    get(
        "get_alerts",
        {"severity": "critical", **TIMES, "test_ids": "1,2", **PAGES},
        "/v4/tests/alerts",
        f"severity=critical startTime=a endTime=b testIds=1,2 {IN_PAGES}",
        15,
    ),
    get("get_alert_details", {"alert_ids": "1,2"}, "/v4/tests/alerts/1,2", cache=15),
    get(
        "get_test_performance",
        {"test_ids": "1", **TIMES, "metrics": "m", "dimensions": "d"},
        "/v4/tests/explorer/aggregated",
        "testIds=1 startTime=a endTime=b metrics=m dimensions=d",
        30,
    ),
    get(
        "get_test_performance_raw",
        {"test_ids": "1", **TIMES, "node_ids": "9", **PAGES},
        "/v4/tests/explorer/raw",
        f"testIds=1 startTime=a endTime=b nodeIds=9 {IN_PAGES}",
        30,
    ),
    get(
        "get_tests",
        {"test_ids": "1", "test_type": "web", "folder_id": "5", "status": "active", **PAGES},
        "/v4/tests",
        f"testIds=1 testType=web folderId=5 status=active {IN_PAGES}",
        60,
    ),
    get("get_test_details", {"test_ids": "1,2"}, "/v4/tests/1,2", cache=60),
    get(
        "get_test_errors",
        {"test_ids": "1", **TIMES, **PAGES},
        "/v4/tests/errors/raw",
        f"testIds=1 startTime=a endTime=b {IN_PAGES}",
        15,
    ),
    get(
        "get_internet_outages",
        {**TIMES, "asn": "64500", "country": "DE", **PAGES},
        "/v4/iw/outages",
        f"startTime=a endTime=b asn=64500 country=DE {IN_PAGES}",
        30,
    ),
    get("get_nodes", PAGES, "/v4/nodes/all", IN_PAGES, 60),
    get(
        "get_node_alerts",
        {"node_ids": "9", **TIMES, **PAGES},
        "/v4/node/alerts",
        f"nodeIds=9 startTime=a endTime=b {IN_PAGES}",
        15,
    ),
    Row(
        "acknowledge_alerts",
        {"alert_ids": "1, 2", "action": "assign", "assignee": "ann"},
        "PATCH",
        "/v4/tests/alerts",
        body={"alertIds": ["1", "2"], "action": "assign", "assignee": "ann"},
    ),
    Row("run_instant_test", {"test_id": "5"}, "POST", "/v4/instanttests/5"),
]


def rpc(
    function: str, arguments: dict[str, Any], method: str, params: dict[str, Any], cache: float, **more: Any
) -> Row:
    """A call of Zabbix."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = {"jsonrpc": "2.0", "id": 1, "result": []}
    return Row(
        function,
        arguments,
        "POST",
        "/api_jsonrpc.php",
        body=body,
        cache=cache,
        **{"answer": answer, "gives": [], **more},
    )


ZABBIX = [
    rpc(
        "get_hosts",
        {"output": "hostid, name", "filter": {"status": 0}, "search": {"name": "web"}, "limit": 5},
        "host.get",
        {
            "output": ["hostid", "name"],
            "filter": {"status": 0},
            "search": {"name": "web"},
            "startSearch": True,
            "limit": 5,
        },
        30,
    ),
    rpc(
        "get_problems",
        {"recent": True, "severity_min": 3, "hostids": ["1"], "limit": 5},
        "problem.get",
        {
            "output": "extend",
            "selectTags": "extend",
            "recent": True,
            "severities": [3, 4, 5],
            "hostids": ["1"],
            "limit": 5,
            "sortfield": ["eventid"],
            "sortorder": "DESC",
        },
        15,
    ),
    rpc(
        "get_history",
        {"itemids": ["1"], "time_from": 1, "time_till": 2, "limit": 5},
        "history.get",
        {
            "output": "extend",
            "itemids": ["1"],
            "history": 0,
            "time_from": 1,
            "time_till": 2,
            "limit": 5,
            "sortfield": "clock",
            "sortorder": "DESC",
        },
        30,
    ),
    rpc(
        "get_items",
        {"hostids": ["1"], "search": {"key_": "cpu"}, "start_search": False, "output": "extend"},
        "item.get",
        {"output": "extend", "hostids": ["1"], "search": {"key_": "cpu"}, "startSearch": False},
        30,
    ),
    Row(
        "get_items_batch",
        {"searches": ["cpu", "mem"], "hostids": ["1"]},
        "POST",
        "/api_jsonrpc.php",
        body=[
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "item.get",
                "params": {
                    "output": "extend",
                    "startSearch": True,
                    "limit": 10,
                    "hostids": ["1"],
                    "search": {"key_": pattern},
                },
            }
            for number, pattern in ((1, "cpu"), (2, "mem"))
        ],
        cache=30,
        answer=[
            {"id": 2, "result": [{"itemid": "8"}, {"itemid": "9"}]},
            {"id": 1, "result": [{"itemid": "7"}, {"itemid": "8"}]},
        ],
        gives=[{"itemid": "7"}, {"itemid": "8"}, {"itemid": "9"}],
    ),
    rpc(
        "get_triggers",
        {"hostids": ["1"], "only_true": True, "min_severity": 2, "output": "extend"},
        "trigger.get",
        {
            "output": "extend",
            "hostids": ["1"],
            "only_true": True,
            "min_severity": 2,
            "expandDescription": True,
            "selectHosts": ["hostid", "host", "name"],
        },
        30,
    ),
    rpc(
        "api_request",
        {"method": "maintenance.get", "params": {"output": "extend"}},
        "maintenance.get",
        {"output": "extend"},
        0,
    ),
]
