"""What is refused before anything is sent: writes that are not allowed, paths that lead elsewhere, and more."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_server.kits.http_api import http_kits
from akmatori_server.outgoing.policy import Policy, parsed_networks
from akmatori_server.settings.route import direct
from akmatori_server.toolbox.models import Access, ToolFailedError
from tests.server.kits.http_api.calling import TOKEN, open_tool, plan, run
from tests.server.kits.http_api.expected import EXPECTED
from tests.support.origin import running_origin

URL = "http://127.0.0.1:1"

KUBERNETES_PATHS = (
    "/api/v1/secrets",
    "/api/v1/namespaces/shop/secrets",
    "/api/v1/namespaces/shop/secrets/db",
    "/api/v1/namespaces/shop/SECRETS",
    "/api/v1/namespaces/shop/%73ecrets",
    "/api/v1/namespaces/shop/%2573ecrets",
    "/api/v1/namespaces/shop%2Fsecrets",
    "/api/v1/namespaces/shop%252fsecrets/db",
    "/api/v1//namespaces//shop//secrets",
    "/api/v1/namespaces/shop/pods/../secrets",
    "/api/v1/namespaces/shop/pods/%2e%2e/secrets",
    "/api/v1/namespaces/shop/pods/%252e%252e/secrets",
    "/api/v1/namespaces/shop/./secrets",
    "/api/v1/watch/namespaces/shop/pods",
    "/api/v1/watch/secrets",
    "/api/v1/proxy/nodes/n1",
    "/api/v1/namespaces/shop/pods/web/exec",
    "/api/v1/namespaces/shop/pods/web/EXEC",
    "/api/v1/namespaces/shop/pods/web/attach",
    "/api/v1/namespaces/shop/pods/web/portforward",
    "/api/v1/namespaces/shop/pods/web/proxy",
    "/api/v1/namespaces/shop/pods/web/proxy/metrics",
    "/api/v1/namespaces/shop/pods/web%2fproxy",
    "/api/v1/namespaces/shop/services/web:80/proxy/admin",
    "/api/v1/nodes/n1/proxy/configz",
    "/api/v1/namespaces/shop/serviceaccounts/default/token",
    "/api/v1/namespaces/shop/pods/web/log/more",
    "/apis/example.com/v1/namespaces/shop/secrets",
    "/apis/example.com/v1/secrets",
    "/healthz",
    "/metrics",
    "/logs/kube-apiserver.log",
    "/openapi/v2",
    "/apiX/v1/pods",
    "/..",
    "",
    "/api/v1/pods?watch=true",
    "/api/v1/pods%3Fwatch=true",
    "/api/v1/pods#x",
    "/api/v1\\secrets",
    "/api/v1/pods\r\nX: y",
    "/api/v1/pods%0d%0aX",
    "/api/v1/pods%00",
    "http://evil.example/api/v1/pods",
    "/api/v1/%25252525252525252573",
)


def test_kubernetes_shows_no_secrets_and_opens_no_stream() -> None:
    """Whatever way the path is written."""
    tool = open_tool("kubernetes", URL)
    for path in KUBERNETES_PATHS:
        with pytest.raises(ToolFailedError):
            plan(tool, "api_request", path=path)
    for params in ({"watch": True}, {"follow": "1"}, {"Watch": "true"}, {" watch ": 1}, {"a": {"b": 1}}):
        with pytest.raises(ToolFailedError):
            plan(tool, "api_request", path="/api/v1/pods", params=params)
    for name in ("..", ".", "", "a/b", "a%2fb", "%2e%2e", "%252e", "a?b", "a#b", "a\\b", "a\nb"):
        with pytest.raises(ToolFailedError):
            plan(tool, "get_pod_detail", namespace="shop", name=name)


def test_kubernetes_reads_what_is_no_secret() -> None:
    """Also where something is only called so."""
    tool = open_tool("kubernetes", URL)
    for path in (
        "/api",
        "/apis",
        "/api/v1/pods",
        "/api/v1/namespaces/secrets",
        "/api/v1/namespaces/shop/status",
        "/apis/apps/v1/namespaces/shop/deployments/proxy",
        "/apis/apps/v1/namespaces/shop/deployments/web/scale",
        "/api/v1/namespaces/shop/pods/web/log",
        "/apis/metrics.k8s.io/v1beta1/nodes",
    ):
        assert plan(tool, "api_request", path=path).access is Access.READ


@pytest.mark.parametrize(
    ("type_name", "path"),
    [
        ("netbox", "../admin"),
        ("netbox", "/api/%2e%2e/admin"),
        ("netbox", "dcim/devices?limit=0"),
        ("netbox", "dcim%23x"),
        ("jira", "../../secure/admin"),
        ("jira", "/rest/%252e%252e/secure"),
        ("jira", "api/2/issue?x"),
        ("victoria_metrics", "../../admin"),
        ("victoria_metrics", "api/v1/query?query=up"),
        ("victoria_metrics", "api/v1/%2e%2e/%2e%2e/admin"),
    ],
)
def test_paths_stay_where_they_belong(type_name: str, path: str) -> None:
    """There is no way up, and no second query."""
    with pytest.raises(ToolFailedError):
        plan(open_tool(type_name, URL), "api_request", path=path)


def test_what_changes_something_must_be_allowed() -> None:
    """By the tool's setting, which the sentence names; else it is not even proposed."""
    for type_name, rows in EXPECTED.items():
        setting = "jira_allow_writes" if type_name == "jira" else "allow_writes"
        allowed, forbidden = open_tool(type_name, URL), open_tool(type_name, URL, **{setting: False})
        for row in rows:
            if plan(allowed, row.function, **row.arguments).access is Access.WRITE:
                with pytest.raises(ToolFailedError, match=f"{setting} in its settings"):
                    plan(forbidden, row.function, **row.arguments)
                with pytest.raises(ToolFailedError, match=f"{setting} in its settings"):
                    run(forbidden, row.function, **row.arguments)
            else:
                plan(forbidden, row.function, **row.arguments)


def access(type_name: str, function: str, **arguments: Any) -> Access:
    """Return what a call does."""
    return plan(open_tool(type_name, URL), function, **arguments).access


def test_zabbix_reads_with_get_methods_only() -> None:
    """Everything else is a write, as far as anybody knows."""
    for method in ("host.get", "problem.get", "HOST.GET", "apiinfo.version", "usermacro.get"):
        assert access("zabbix", "api_request", method=method) is Access.READ
    for method in (
        *("host.create", "host.delete", "host.update", "event.acknowledge", "script.execute", "user.login"),
        *(
            "configuration.export",
            "configuration.import",
            "host.getx",
            "get",
            "host.get.delete",
            "host.get\n",
        ),
        *("history.push", "token.generate", " host.get", "host.get,host.delete"),
    ):
        assert access("zabbix", "api_request", method=method) is Access.WRITE


def test_metrics_are_read_by_their_paths() -> None:
    """Some others delete on a GET."""
    for method, path in (
        ("GET", "api/v1/query"),
        ("POST", "/api/v1/query"),
        ("POST", "api/v1/query_range"),
        ("POST", "api/v1/label/job/values"),
        ("GET", "api/v1/rules"),
        ("GET", "api/v1/status/tsdb"),
        ("GET", "metrics"),
        ("GET", "api//v1/%71uery"),
    ):
        assert access("victoria_metrics", "api_request", path=path, method=method) is Access.READ, path
    for method, path in (
        ("GET", "api/v1/admin/tsdb/delete_series"),
        ("POST", "api/v1/admin/tsdb/delete_series"),
        ("POST", "api/v1/rules"),
        ("POST", "api/v1/import"),
        ("GET", "-/reload"),
        ("POST", "-/quit"),
        ("GET", "internal/force_merge"),
        ("GET", "snapshot/create"),
        ("GET", "api/v1/query/../admin".replace("/../", "/")),
        ("POST", "api/v1/status/tsdb"),
        ("GET", "api/v1/write"),
    ):
        assert access("victoria_metrics", "api_request", path=path, method=method) is Access.WRITE, path


def test_sql_through_grafana_reads_only_where_it_plainly_does() -> None:
    """Its user in the database may be allowed more."""

    def of(**query: Any) -> Access:
        return access("grafana", "query_data_source", datasource_uid="P", queries=[{"refId": "A"}, query])

    for query in (
        {"rawSql": "SELECT * FROM orders"},
        {"rawSql": "with a as (select 1) select * from a"},
        {"expr": "sum(rate(deletes_total[5m]))"},
        {"query": "level:error AND delete"},
        {"query": "SELECT mean(x) FROM y"},
    ):
        assert of(**query) is Access.READ, query
    for query in (
        {"rawSql": "DELETE FROM orders"},
        {"rawSql": "SELECT 1; DROP TABLE orders"},
        {"rawSql": "WITH a AS (DELETE FROM orders RETURNING *) SELECT * FROM a"},
        {"rawSql": "/* */ UPDATE orders SET a=1"},
        {"rawSql": "SELECT * INTO b FROM a"},
        {"rawSql": "VACUUM"},
        {"query": "DROP MEASUREMENT cpu"},
        {"query": "show databases; drop database x"},
    ):
        assert of(**query) is Access.WRITE, query


@pytest.mark.parametrize(
    ("type_name", "function", "arguments", "words"),
    [
        ("grafana", "silence_alert", {"ends_at": "2026-11-22T09:00:00Z"}, "ends_at must be after"),
        ("grafana", "silence_alert", {"starts_at": "tomorrow"}, "starts_at must be a time such as"),
        ("grafana", "silence_alert", {"ends_at": "2026-11-22T12:00:00"}, "ends_at must be a time such as"),
        ("grafana", "query_prometheus", {"step": "often"}, "step must be"),
        ("pagerduty", "send_event", {"event_action": "resolve"}, "dedup_key must be given to resolve"),
        ("pagerduty", "send_event", {"summary": None}, "summary must be given to trigger"),
        ("pagerduty", "acknowledge_incident", {"requester_email": "a\r\nX: y"}, "no header can carry"),
        ("catchpoint", "acknowledge_alerts", {"assignee": None}, "assignee must be given"),
        ("jira", "update_issue", {"fields": {}}, "at least one field"),
        ("grafana", "get_dashboard", {"uid": "../../admin"}, "uid must be one name"),
        ("jira", "get_issue", {"key": "OPS-1/../x"}, "key must be one name"),
    ],
)
def test_arguments_must_fit_together(
    type_name: str, function: str, arguments: dict[str, Any], words: str
) -> None:
    """Or a sentence says how."""
    row = next(one for one in EXPECTED[type_name] if one.function == function)
    with pytest.raises(ToolFailedError, match=words):
        plan(open_tool(type_name, URL), function, **{**row.arguments, **arguments})


@pytest.mark.parametrize(
    ("type_name", "settings", "words"),
    [
        ("grafana", {"grafana_url": ""}, "grafana_url is not set"),
        ("grafana", {"grafana_api_token": " "}, "grafana_api_token is not set"),
        (
            "grafana",
            {"grafana_api_token": "a\r\nX: y"},
            "grafana_api_token in the tool's settings has characters",
        ),
        ("jira", {"jira_username": None}, "jira_username is not set"),
        ("victoria_metrics", {"vm_auth_method": "basic_auth"}, "vm_password is not set"),
    ],
)
def test_a_tool_must_be_configured(type_name: str, settings: dict[str, Any], words: str) -> None:
    """Said with the setting's name, before anything is sent."""
    row = EXPECTED[type_name][0]
    with pytest.raises(ToolFailedError, match=words):
        plan(open_tool(type_name, URL, **settings), row.function, **row.arguments)


def test_private_networks_must_be_allowed() -> None:
    """By the tool or by the installation; a metadata address never is."""
    with running_origin() as origin:
        closed = open_tool("grafana", origin.url, allowed_networks=[])
        with pytest.raises(ToolFailedError, match=r"127\.0\.0\.1 is a private address; .*allowed_networks"):
            run(closed, "list_data_sources")
        cloud = open_tool("grafana", "http://169.254.169.254", allowed_networks=["0.0.0.0/0"])
        with pytest.raises(ToolFailedError, match="never called"):
            run(cloud, "list_data_sources")
        assert origin.asked == []
        broken = open_tool("grafana", origin.url, allowed_networks=["here"])
        with pytest.raises(ToolFailedError, match="here is not a network"):
            run(broken, "list_data_sources")

    kits = http_kits(lambda _service: direct, policy=Policy(parsed_networks(["127.0.0.0/8"])))
    assert set(kits) == set(EXPECTED)
    assert TOKEN not in repr(closed)
