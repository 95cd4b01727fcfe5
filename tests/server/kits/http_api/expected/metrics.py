"""What the functions of VictoriaMetrics and Grafana have to send."""

from __future__ import annotations

from tests.server.kits.http_api.expected.rows import Row, get

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
