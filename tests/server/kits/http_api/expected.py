"""What each function of the catalogue has to send, written by hand from the vendors' APIs."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen
class Row:
    """A call, and its request. `query` and `form` are in order; `body` is a value."""

    function: str
    arguments: dict[str, Any]
    method: str
    path: str
    query: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    form: list[tuple[str, str]] | None = None
    body: Any = None
    cache: float = 0
    headers: dict[str, str] = attrs.field(factory=dict[str, str])
    # What the other side answers, and what comes of it.
    answer: Any = attrs.field(factory=dict[str, Any])
    gives: Any = None


def get(
    function: str, arguments: dict[str, Any], path: str, query: str = "", cache: float = 0, **more: Any
) -> Row:
    """A row of a GET; the query is written `a=1 b=x,y`."""
    members = [(name, value) for name, _, value in (one.partition("=") for one in query.split())]
    return Row(function, arguments, "GET", path, members, cache=cache, **more)


DATA = {"status": "success", "data": {"resultType": "vector", "result": []}}
PICKED = DATA["data"]
VICTORIA_METRICS = [
    Row(
        "instant_query",
        {"query": 'up{job="a"}', "time": "1700000000", "step": "1m", "timeout": "5s"},
        "POST",
        "/api/v1/query",
        form=[("query", 'up{job="a"}'), ("time", "1700000000"), ("step", "1m"), ("timeout", "5s")],
        cache=15,
        answer=DATA,
        gives=PICKED,
    ),
    Row(
        "range_query",
        {"query": "up", "start": "1", "end": "2", "step": "15s"},
        "POST",
        "/api/v1/query_range",
        form=[("query", "up"), ("start", "1"), ("end", "2"), ("step", "15s")],
        cache=30,
        answer=DATA,
        gives=PICKED,
    ),
    get(
        "label_values",
        {"label_name": "job", "match": "up", "start": "1", "end": "2"},
        "/api/v1/label/job/values",
        "match[]=up start=1 end=2",
        60,
        answer={"data": ["a"]},
        gives=["a"],
    ),
    Row(
        "series",
        {"match": '{a="1",b="2"}', "start": "1"},
        "POST",
        "/api/v1/series",
        form=[("match[]", '{a="1",b="2"}'), ("start", "1")],
        cache=30,
        answer={"data": []},
        gives=[],
    ),
    get(
        "api_request",
        {"path": "api/v1/status/tsdb", "params": {"topN": 5}},
        "/api/v1/status/tsdb",
        "topN=5",
        answer={"data": {"n": 1}},
        gives={"n": 1},
    ),
]

SILENCE = {"name": "a", "value": "b", "isRegex": False, "isEqual": True}
SOURCE = {"uid": "P1"}
GRAFANA = [
    get(
        "search_dashboards",
        {"query": "disk", "tag": "ops", "folder_id": 3, "limit": 10},
        "/api/search",
        "query=disk tag=ops type=dash-db folderIds=3 limit=10",
        30,
    ),
    get("get_dashboard", {"uid": "abc"}, "/api/dashboards/uid/abc", cache=30),
    get(
        "get_dashboard_panels",
        {"uid": "abc"},
        "/api/dashboards/uid/abc",
        cache=30,
        answer={
            "dashboard": {
                "panels": [
                    {"id": 1, "title": "CPU", "type": "graph", "datasource": SOURCE, "targets": [1]},
                    {"id": 2, "type": "row", "panels": [{"id": 3, "title": "In", "type": "stat"}]},
                ],
                "rows": [{"panels": [{"id": 4, "title": "Old", "type": "graph", "datasource": "x"}]}],
            }
        },
        gives=[
            {"id": 1, "title": "CPU", "type": "graph", "datasource": SOURCE},
            {"id": 4, "title": "Old", "type": "graph", "datasource": "x"},
            {"id": 3, "title": "In", "type": "stat", "datasource": None},
        ],
    ),
    get(
        "get_alert_rules",
        {},
        "/api/v1/provisioning/alert-rules",
        cache=15,
        answer=[{"uid": "a"}],
        gives=[{"uid": "a"}],
    ),
    get("get_alert_rule", {"uid": "r1"}, "/api/v1/provisioning/alert-rules/r1", cache=15),
    get(
        "get_alert_instances",
        {"filter": "a=b", "silenced": False, "inhibited": True, "active": True},
        "/api/alertmanager/grafana/api/v2/alerts",
        "filter=a=b silenced=false inhibited=true active=true",
        15,
    ),
    Row(
        "silence_alert",
        {
            "matchers": [SILENCE],
            "starts_at": "2026-11-22T10:00:00Z",
            "ends_at": "2026-11-22T12:00:00+01:00",
            "created_by": "akmatori",
            "comment": "known",
        },
        "POST",
        "/api/alertmanager/grafana/api/v2/silences",
        body={
            "matchers": [SILENCE],
            "startsAt": "2026-11-22T10:00:00Z",
            "endsAt": "2026-11-22T12:00:00+01:00",
            "createdBy": "akmatori",
            "comment": "known",
        },
    ),
    get("list_data_sources", {}, "/api/datasources", cache=60),
    Row(
        "query_data_source",
        {
            "datasource_uid": "P1",
            "queries": [{"expr": "up", "datasource": {"uid": "OTHER"}, "datasourceId": 9}, {"refId": "Z"}],
            "from": "2026-11-22T10:00:00Z",
            "to": "now",
        },
        "POST",
        "/api/ds/query",
        body={
            "queries": [
                {"refId": "A", "maxDataPoints": 1000, "expr": "up", "datasource": SOURCE},
                {"refId": "Z", "maxDataPoints": 1000, "datasource": SOURCE},
            ],
            "from": "1795341600000",
            "to": "now",
        },
    ),
    Row(
        "query_prometheus",
        {"datasource_uid": "P1", "expr": "up", "start": "1700000000", "end": "1700000600", "step": "1m"},
        "POST",
        "/api/ds/query",
        body={
            "queries": [
                {
                    "refId": "A",
                    "maxDataPoints": 1000,
                    "expr": "up",
                    "instant": False,
                    "range": True,
                    "format": "time_series",
                    "interval": "1m",
                    "intervalMs": 60000,
                    "datasource": {"uid": "P1", "type": "prometheus"},
                }
            ],
            "from": "1700000000000",
            "to": "1700000600000",
        },
    ),
    Row(
        "query_loki",
        {"datasource_uid": "P1", "expr": '{a="b"}', "limit": 50, "direction": "backward"},
        "POST",
        "/api/ds/query",
        body={
            "queries": [
                {
                    "refId": "A",
                    "maxDataPoints": 1000,
                    "expr": '{a="b"}',
                    "queryType": "range",
                    "maxLines": 50,
                    "direction": "backward",
                    "datasource": {"uid": "P1", "type": "loki"},
                }
            ],
            "from": "now-1h",
            "to": "now",
        },
    ),
    Row(
        "create_annotation",
        {"text": "deployed", "dashboard_id": 5, "tags": ["a"], "time": 1, "time_end": 2},
        "POST",
        "/api/annotations",
        body={"text": "deployed", "dashboardId": 5, "tags": ["a"], "time": 1, "timeEnd": 2},
    ),
    get(
        "get_annotations",
        {
            "from": 1,
            "to": 2,
            "dashboard_id": 3,
            "panel_id": 4,
            "tags": ["a", "b"],
            "limit": 5,
            "type": "alert",
        },
        "/api/annotations",
        "from=1 to=2 dashboardId=3 panelId=4 tags=a tags=b limit=5 type=alert",
        30,
    ),
]

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


def netbox(function: str, place: str, names: str, cache: float = 60) -> Row:
    """A list of NetBox: every filter has the name of its parameter."""
    texts = {name: f"{name}-1" for name in names.split()}
    numbers: dict[str, Any] = {"limit": 5, "offset": 10}
    whole = {name: 3 for name in ("device_id", "vid") if name in texts}
    flags = {"enabled": True} if "enabled" in texts else {}
    arguments: dict[str, Any] = {**texts, **whole, **flags, **numbers}
    query = " ".join(
        f"{name}={str(value).lower() if value is True else value}" for name, value in arguments.items()
    )
    return get(function, arguments, f"/api/{place}/", query, cache)


NETBOX = [
    netbox("get_devices", "dcim/devices", "name site role status tag platform tenant q"),
    get("get_device", {"id": 7}, "/api/dcim/devices/7/", cache=60),
    netbox("get_interfaces", "dcim/interfaces", "device device_id name type enabled"),
    netbox("get_sites", "dcim/sites", "name region status tag tenant q"),
    netbox("get_racks", "dcim/racks", "site name status role tenant q"),
    netbox("get_cables", "dcim/cables", "device site type status"),
    netbox("get_device_types", "dcim/device-types", "manufacturer model q"),
    netbox("get_ip_addresses", "ipam/ip-addresses", "address device interface vrf tenant status q"),
    netbox("get_prefixes", "ipam/prefixes", "prefix site vrf vlan tenant status q"),
    netbox("get_vlans", "ipam/vlans", "vid name site group tenant q"),
    netbox("get_vrfs", "ipam/vrfs", "name tenant q"),
    netbox("get_circuits", "circuits/circuits", "provider type status tenant q", 120),
    netbox("get_providers", "circuits/providers", "name q", 120),
    netbox(
        "get_virtual_machines", "virtualization/virtual-machines", "name cluster site status role tenant q"
    ),
    netbox("get_clusters", "virtualization/clusters", "name type group site tenant q"),
    netbox("get_vm_interfaces", "virtualization/interfaces", "virtual_machine name enabled"),
    netbox("get_tenants", "tenancy/tenants", "name group q", 120),
    netbox("get_tenant_groups", "tenancy/tenant-groups", "name q", 120),
    get(
        "api_request",
        {"path": "dcim//regions/", "query_params": {"name": "eu", "tag": ["a", "b"]}, "limit": 3},
        "/api/dcim/regions/",
        "name=eu tag=a tag=b limit=3",
        60,
    ),
]

PICKY = {"label_selector": "app=web", "field_selector": "status.phase=Running", "limit": 7}
SELECTED = "labelSelector=app=web fieldSelector=status.phase=Running limit=7"
SPACE = {"namespace": "shop"}


def listed(function: str, group: str, resource: str, cache: float) -> Row:
    """A list of a namespace."""
    return get(function, {**SPACE, **PICKY}, f"/{group}/namespaces/shop/{resource}", SELECTED, cache)


KUBERNETES = [
    get("get_namespaces", PICKY, "/api/v1/namespaces", SELECTED, 120),
    get("get_nodes", {}, "/api/v1/nodes", "limit=100", 120),
    listed("get_pods", "api/v1", "pods", 30),
    get("get_pod_detail", {**SPACE, "name": "web-1"}, "/api/v1/namespaces/shop/pods/web-1", cache=30),
    get(
        "get_pod_logs",
        {**SPACE, "name": "web-1", "container": "app", "since_seconds": 60, "previous": True},
        "/api/v1/namespaces/shop/pods/web-1/log",
        "container=app tailLines=100 sinceSeconds=60 previous=true",
        15,
        answer="line 1\nline 2\n",
        gives="line 1\nline 2\n",
    ),
    listed("get_events", "api/v1", "events", 15),
    listed("get_deployments", "apis/apps/v1", "deployments", 60),
    get(
        "get_deployment_detail",
        {**SPACE, "name": "web"},
        "/apis/apps/v1/namespaces/shop/deployments/web",
        cache=60,
    ),
    listed("get_statefulsets", "apis/apps/v1", "statefulsets", 60),
    listed("get_daemonsets", "apis/apps/v1", "daemonsets", 60),
    listed("get_jobs", "apis/batch/v1", "jobs", 30),
    listed("get_cronjobs", "apis/batch/v1", "cronjobs", 60),
    get("get_node_detail", {"name": "node-1.example.net"}, "/api/v1/nodes/node-1.example.net", cache=120),
    listed("get_services", "api/v1", "services", 120),
    listed("get_configmaps", "api/v1", "configmaps", 120),
    listed("get_ingresses", "apis/networking.k8s.io/v1", "ingresses", 120),
    get("api_request", {"path": "/api/v1//pods", "params": {"limit": 2}}, "/api/v1/pods", "limit=2", 60),
]

REST = "/rest/api/3"
JIRA = [
    get(
        "search_issues",
        {"jql": "project=OPS", "fields": "summary", "expand": "names", "start_at": 5, "max_results": 10},
        f"{REST}/search",
        "jql=project=OPS fields=summary expand=names startAt=5 maxResults=10",
        15,
    ),
    get(
        "get_issue",
        {"key": "OPS-1", "fields": "a", "expand": "b"},
        f"{REST}/issue/OPS-1",
        "fields=a expand=b",
        30,
    ),
    get(
        "get_issue_comments",
        {"key": "OPS-1", "start_at": 1, "max_results": 2},
        f"{REST}/issue/OPS-1/comment",
        "startAt=1 maxResults=2",
        30,
    ),
    get("get_issue_transitions", {"key": "OPS-1"}, f"{REST}/issue/OPS-1/transitions", cache=30),
    get(
        "get_issue_changelog",
        {"key": "OPS-1", "max_results": 2},
        f"{REST}/issue/OPS-1/changelog",
        "maxResults=2",
        60,
    ),
    get(
        "get_projects",
        {"query": "op", "start_at": 1, "max_results": 2},
        f"{REST}/project/search",
        "query=op startAt=1 maxResults=2",
        120,
    ),
    get("get_project", {"key": "OPS"}, f"{REST}/project/OPS", cache=120),
    get("search_users", {"query": "ann"}, f"{REST}/user/search", "query=ann", 60),
    get("api_request", {"path": "api/3/status", "params": {"x": True}}, "/rest/api/3/status", "x=true", 30),
    Row(
        "add_comment",
        {"key": "OPS-1", "body": "a\nb"},
        "POST",
        f"{REST}/issue/OPS-1/comment",
        body={
            "body": {
                "type": "doc",
                "version": 1,
                "content": [
                    {"type": "paragraph", "content": [{"type": "text", "text": "a"}]},
                    {"type": "paragraph", "content": [{"type": "text", "text": "b"}]},
                ],
            }
        },
    ),
    Row(
        "transition_issue",
        {"key": "OPS-1", "transition_id": "31", "comment": "c", "fields": {"resolution": {"name": "Done"}}},
        "POST",
        f"{REST}/issue/OPS-1/transitions",
        body={
            "transition": {"id": "31"},
            "update": {
                "comment": [
                    {
                        "add": {
                            "body": {
                                "type": "doc",
                                "version": 1,
                                "content": [
                                    {"type": "paragraph", "content": [{"type": "text", "text": "c"}]}
                                ],
                            }
                        }
                    }
                ]
            },
            "fields": {"resolution": {"name": "Done"}},
        },
    ),
    Row(
        "create_issue",
        {
            "project_key": "OPS",
            "issue_type": "Bug",
            "summary": "s",
            "description": "d",
            "assignee": "5b1",
            "priority": "High",
            "labels": ["a"],
            "fields": {"customfield_1": 2, "summary": "not this"},
        },
        "POST",
        f"{REST}/issue",
        body={
            "fields": {
                "customfield_1": 2,
                "summary": "s",
                "project": {"key": "OPS"},
                "issuetype": {"name": "Bug"},
                "description": {
                    "type": "doc",
                    "version": 1,
                    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "d"}]}],
                },
                "assignee": {"accountId": "5b1"},
                "priority": {"name": "High"},
                "labels": ["a"],
            }
        },
    ),
    Row(
        "update_issue",
        {"key": "OPS-1", "fields": {"summary": "x"}},
        "PUT",
        f"{REST}/issue/OPS-1",
        body={"fields": {"summary": "x"}},
    ),
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
EXPECTED: dict[str, list[Row]] = {
    "victoria_metrics": VICTORIA_METRICS,
    "grafana": GRAFANA,
    "pagerduty": PAGERDUTY,
    "catchpoint": CATCHPOINT,
    "netbox": NETBOX,
    "kubernetes": KUBERNETES,
    "jira": JIRA,
    "zabbix": ZABBIX,
}
