"""What the functions of NetBox, Kubernetes and Jira have to send."""

from __future__ import annotations

from typing import Any

from tests.server.kits.http_api.expected.rows import Row, get


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
