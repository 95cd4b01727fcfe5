"""The requests of two clients that exist for the product: its Terraform provider, and its dashboard.

Neither is ours to change: each test sends what that client sends, and looks at what that client looks at.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.server.tools import key_texts
from tests.support.databases import copied_database
from tests.support.site import PASSWORD, Site, running_site


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """The server; which database it has makes no difference to these clients."""
    directory = tmp_path_factory.mktemp("provider")
    with copied_database("sqlite", directory, request) as url, running_site(url, directory) as running:
        yield running


@pytest.fixture(scope="module")
def provider(site: Site) -> Generator[httpx.Client]:
    """A client as the provider has one: it logs in, and sends the token as Bearer."""
    login = {"username": "admin", "password": PASSWORD}
    token = httpx.post(f"{site.base_url}/auth/login", json=login).json()["token"]
    with site.client(token) as client:
        yield client


def sent(client: httpx.Client, method: str, path: str, body: object = None, **options: Any) -> Any:
    """Send a request as the provider does: any 2xx is a success, and a body is JSON."""
    answer = client.request(method, path, json=body, **options)
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def stamped(thing: Any) -> Any:
    """Check what the provider reads of every resource: an integer id, and moments in RFC 3339."""
    assert isinstance(thing["id"], int)
    for member in ("created_at", "updated_at"):
        assert datetime.fromisoformat(thing[member]).tzinfo is not None
    return thing


def gone(client: httpx.Client, path: str) -> None:
    """Check that the resource is gone, which the provider tells by the 404 and nothing else."""
    assert client.get(path).status_code == 404


def test_a_skill(provider: httpx.Client) -> None:
    """Created with `enabled`; the reply has the prompt that was planned."""
    plan = {
        "name": "disk-skill",
        "description": "Disks",
        "category": "infrastructure",
        "prompt": "Look at the disks first.",
        "enabled": True,
    }
    made = stamped(sent(provider, "POST", "/api/skills", plan))
    assert {name: made[name] for name in plan} == plan
    read = sent(provider, "GET", "/api/skills/disk-skill")
    assert {name: read[name] for name in plan} == plan

    change = {"description": "", "category": "storage", "enabled": False, "prompt": "Look twice."}
    changed = sent(provider, "PUT", "/api/skills/disk-skill", change)
    assert {name: changed[name] for name in change} == change
    assert sent(provider, "GET", "/api/skills/disk-skill")["prompt"] == "Look twice."
    assert sent(provider, "DELETE", "/api/skills/disk-skill") is None
    gone(provider, "/api/skills/disk-skill")


def test_the_tools_of_a_skill(provider: httpx.Client) -> None:
    """Set by their ids, read from the skill, and taken away by an empty list."""
    tool = _tool(provider, "Of the skill")
    sent(provider, "POST", "/api/skills", {"name": "with-tools", "prompt": "x", "enabled": True})
    sent(provider, "PUT", "/api/skills/with-tools/tools", {"tool_instance_ids": [tool["id"]]})

    skill = sent(provider, "GET", "/api/skills/with-tools")
    assert [one["id"] for one in skill["tools"]] == [tool["id"]]
    sent(provider, "PUT", "/api/skills/with-tools/tools", {"tool_instance_ids": []})
    assert not sent(provider, "GET", "/api/skills/with-tools").get("tools")


def test_a_script_of_a_skill(provider: httpx.Client) -> None:
    """The reply to the PUT has the content, which goes into the state as it is."""
    sent(provider, "POST", "/api/skills", {"name": "with-script", "prompt": "x", "enabled": True})
    path = "/api/skills/with-script/scripts/look.sh"
    for content in ("#!/bin/sh\ndf -h\n", "#!/bin/sh\ndf -i\n"):
        assert sent(provider, "PUT", path, {"content": content})["content"] == content
        assert sent(provider, "GET", path)["content"] == content
    sent(provider, "DELETE", path)
    gone(provider, path)


def test_a_tool(provider: httpx.Client) -> None:
    """Created with `enabled`; the reply names its type. Settings that are left out are kept, not wiped."""
    made = stamped(_tool(provider, "Grafana"))
    assert made["tool_type"]["name"] == "grafana"
    assert made["enabled"] is True
    path = f"/api/tools/{made['id']}"
    read = sent(provider, "GET", path)
    assert (read["name"], read["tool_type"]["name"]) == ("Grafana", "grafana")

    changed = sent(provider, "PUT", path, {"name": "Grafana EU", "enabled": False})
    assert (changed["name"], changed["enabled"]) == ("Grafana EU", False)
    assert changed["settings"]["grafana_url"] == "https://g.example.net"
    settings = {"grafana_url": "https://eu.example.net", "grafana_api_token": "glsa_second"}
    changed = sent(provider, "PUT", path, {"name": "Grafana EU", "enabled": True, "settings": settings})
    assert changed["settings"]["grafana_url"] == "https://eu.example.net"
    sent(provider, "DELETE", path)
    gone(provider, path)


def test_an_ssh_key(provider: httpx.Client) -> None:
    """Its id is a text; read from the list; a new default takes the place of the old one."""
    types = sent(provider, "GET", "/api/tool-types")
    ssh = next(one["id"] for one in types if one["name"] == "ssh")
    tool = sent(provider, "POST", "/api/tools", {"tool_type_id": ssh, "name": "Hosts", "enabled": True})
    path = f"/api/tools/{tool['id']}/ssh-keys"
    first, second = (
        sent(
            provider,
            "POST",
            path,
            {"name": name, "private_key": key_texts.openssh(), "is_default": is_default},
        )
        for name, is_default in (("first", False), ("second", True))
    )
    assert isinstance(first["id"], str)
    assert datetime.fromisoformat(first["created_at"]).tzinfo is not None
    assert [(one["name"], one["is_default"]) for one in sent(provider, "GET", path)] == [
        ("first", False),
        ("second", True),
    ]

    changed = sent(provider, "PUT", f"{path}/{first['id']}", {"name": "deploy", "is_default": True})
    assert (changed["name"], changed["is_default"]) == ("deploy", True)
    assert sent(provider, "DELETE", f"{path}/{second['id']}") is None
    assert [one["name"] for one in sent(provider, "GET", path)] == ["deploy"]


def test_an_alert_source(provider: httpx.Client, site: Site) -> None:
    """What is not set is null; the address for its webhook is told."""
    body = {
        "source_type_name": "alertmanager",
        "name": "prod",
        "description": "",
        "webhook_secret": "a-webhook-secret",
    }
    made = stamped(sent(provider, "POST", "/api/alert-sources", body))
    assert made["field_mappings"] is None
    assert made["settings"] is None
    assert made["alert_source_type"]["name"] == "alertmanager"
    path = f"/api/alert-sources/{made['uuid']}"
    read = sent(provider, "GET", path)
    assert read["webhook_url"] == f"{site.base_url}/webhook/alert/{made['uuid']}"

    changed = sent(provider, "PUT", path, {"name": "prod-eu", "description": "EU", "enabled": False})
    assert (changed["name"], changed["description"], changed["enabled"]) == ("prod-eu", "EU", False)
    assert sent(provider, "DELETE", path) is None
    gone(provider, path)


def test_a_context_file(provider: httpx.Client) -> None:
    """Uploaded without the field `filename`: the part's own name is taken."""
    files = {"file": ("topology.md", b"# Topology\n")}
    made = stamped(
        sent(provider, "POST", "/api/context", files=files, data={"description": "What talks to what"})
    )
    assert (made["filename"], made["size"]) == ("topology.md", 11)
    assert made["description"] == "What talks to what"
    path = f"/api/context/{made['id']}"
    assert sent(provider, "GET", path)["filename"] == "topology.md"
    assert provider.get(f"{path}/download").content == b"# Topology\n"
    assert sent(provider, "DELETE", path) is None
    gone(provider, path)


def test_the_slack_settings(provider: httpx.Client) -> None:
    """Partial updates; secrets are read as masks, and cleared when the resource is destroyed."""
    body = {"bot_token": "xoxb-0123456789", "alerts_channel": "C042", "enabled": True}
    changed = stamped(sent(provider, "PUT", "/api/settings/slack", body))
    assert (changed["bot_token"], changed["alerts_channel"]) == ("****6789", "C042")
    assert changed["is_configured"] is False
    body = {"bot_token": "", "signing_secret": "", "app_token": "", "alerts_channel": "", "enabled": False}
    sent(provider, "PUT", "/api/settings/slack", body)
    assert sent(provider, "GET", "/api/settings/slack")["bot_token"] == ""


def test_the_llm_settings(provider: httpx.Client) -> None:
    """Written on the collection, read flat: the provider becomes the active one."""
    body = {
        "provider": "anthropic",
        "api_key": "sk-ant-0123456789",
        "model": "claude-sonnet-4-6",
        "thinking_level": "high",
        "base_url": "",
    }
    changed = stamped(sent(provider, "PUT", "/api/settings/llm", body))
    read = stamped(sent(provider, "GET", "/api/settings/llm"))
    for answer in (changed, read):
        assert (answer["provider"], answer["model"]) == ("anthropic", "claude-sonnet-4-6")
        assert (answer["api_key"], answer["thinking_level"]) == ("****6789", "high")
        assert answer["is_configured"] is True
    assert read["active_provider"] == "anthropic"
    assert read["providers"]["anthropic"]["model"] == "claude-sonnet-4-6"

    sent(provider, "PUT", "/api/settings/llm", {"provider": "openai"})
    assert sent(provider, "GET", "/api/settings/llm")["provider"] == "openai"


def test_the_proxy_settings(provider: httpx.Client) -> None:
    """With the services as the provider knows them, and `openai` in place of `llm`."""
    body = {
        "proxy_url": "http://ann:secret-secret@proxy.example.net:3128",
        "no_proxy": "localhost",
        "services": {"openai": {"enabled": True}, "slack": {"enabled": False}, "zabbix": {"enabled": True}},
    }
    for answer in (
        sent(provider, "PUT", "/api/settings/proxy", body),
        sent(provider, "GET", "/api/settings/proxy"),
    ):
        enabled = {name: answer["services"][name]["enabled"] for name in ("openai", "slack", "zabbix")}
        assert enabled == {"openai": True, "slack": False, "zabbix": True}
        assert answer["no_proxy"] == "localhost"
        assert answer["proxy_url"] == "http://ann:%2A%2A%2A%2A@proxy.example.net:3128"
    body = {"proxy_url": "", "no_proxy": "", "services": {}}
    assert sent(provider, "PUT", "/api/settings/proxy", body)["proxy_url"] == ""


def test_the_data_sources(provider: httpx.Client) -> None:
    """Bare lists, in which the provider looks for a name."""
    for path in ("/api/tool-types", "/api/alert-source-types"):
        found = sent(provider, "GET", path)
        assert isinstance(found, list)
        assert all(stamped(one)["name"] for one in found)


def test_what_the_provider_has_no_use_for_any_more(provider: httpx.Client) -> None:
    """The product took the aggregation settings away. A stub would accept what nothing heeds: there is none."""
    answer = provider.get("/api/settings/aggregation")
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_the_dashboard_reads_everything_it_needs(provider: httpx.Client) -> None:
    """Its pages break where a member is missing."""
    verified = sent(provider, "GET", "/auth/verify")
    assert (verified["valid"], verified["username"]) == (True, "admin")
    status = sent(provider, "GET", "/auth/setup-status")
    assert set(status) >= {"setup_required", "setup_completed"}
    for path in (
        "skills",
        "tools",
        "tool-types",
        "alert-sources",
        "alert-source-types",
        "context",
        "runbooks",
    ):
        assert isinstance(sent(provider, "GET", f"/api/{path}"), list), path
    llm = sent(provider, "GET", "/api/settings/llm")
    assert {one["id"] for one in llm["configs"]} >= {llm["active_id"]}
    services = sent(provider, "GET", "/api/settings/proxy")["services"]
    assert {"llm", "slack", "zabbix", "victoria_metrics"} <= services.keys()
    page = sent(
        provider, "GET", "/api/incidents", params={"from": 1, "to": 4000000000, "page": 1, "per_page": 20}
    )
    assert set(page["pagination"]) >= {"page", "per_page", "total", "total_pages"}
    assert set(sent(provider, "GET", "/api/settings/retention")) >= {"enabled", "retention_days"}
    catalogue = sent(provider, "GET", "/mcp/tools")
    assert all("properties" in kind["settings_schema"] for kind in catalogue.values())


def test_the_dashboard_saves_a_tool(provider: httpx.Client) -> None:
    """It sends back what it read, masks for the secrets, and an empty logical name after a rename."""
    made = _tool(provider, "Dashboards", enabled=None)
    settings = {name: value for name, value in made["settings"].items() if name != "ssh_keys"}
    body = {"name": "Boards", "logical_name": "", "settings": settings, "enabled": True}
    saved = sent(provider, "PUT", f"/api/tools/{made['id']}", body)

    assert (saved["name"], saved["logical_name"]) == ("Boards", "boards")
    assert saved["settings"] == settings


def test_the_dashboard_saves_an_alert_source(provider: httpx.Client) -> None:
    """All members come back, nulls too; the secret as it was shown keeps the one that is stored."""
    body = {"source_type_name": "zabbix", "name": "zabbix", "webhook_secret": "the-shared-secret"}
    made = sent(provider, "POST", "/api/alert-sources", body)
    members = ("name", "description", "webhook_secret", "field_mappings", "settings", "enabled")
    saved = sent(
        provider, "PUT", f"/api/alert-sources/{made['uuid']}", {name: made[name] for name in members}
    )
    assert saved["webhook_secret"] == made["webhook_secret"]
    assert saved["name"] == "zabbix"


def test_the_dashboard_downloads_by_a_plain_link(provider: httpx.Client, site: Site) -> None:
    """With the token in the link, where nothing else takes it, and no API key."""
    files = {"file": ("map.md", b"# Map\n")}
    made = sent(provider, "POST", "/api/context", files=files, data={"filename": "map.md"})
    link = f"{site.base_url}/api/context/{made['id']}"
    token = provider.headers["Authorization"].removeprefix("Bearer ")
    key = sent(provider, "POST", "/api/settings/api-keys", {"name": "link", "scope": "read"})["key"]

    downloaded = httpx.get(f"{link}/download", params={"token": token})
    assert (downloaded.status_code, downloaded.content) == (200, b"# Map\n")
    assert "attachment" in downloaded.headers["Content-Disposition"]
    for path, wrong in ((f"{link}/download", key), (f"{link}/download", f"{token}x"), (link, token)):
        assert httpx.get(path, params={"token": wrong}).status_code == 401


def test_the_dashboard_tells_a_person_what_went_wrong(provider: httpx.Client, site: Site) -> None:
    """`error` is one text; and 401 means the login only, for it drops the token."""
    for method, path, body, status in (
        ("POST", "/api/runbooks", {"title": ""}, 400),
        ("GET", "/api/tools/999999", None, 404),
        ("POST", "/api/alert-sources", {"source_type_name": "zabbix", "name": "zabbix"}, 409),
    ):
        answer = provider.request(method, path, json=body)
        assert answer.status_code == status
        assert isinstance(answer.json()["error"], str)
    assert httpx.get(f"{site.base_url}/api/tools").status_code == 401


def _tool(client: httpx.Client, name: str, *, enabled: bool | None = True) -> Any:
    types = sent(client, "GET", "/api/tool-types")
    grafana = next(one["id"] for one in types if one["name"] == "grafana")
    settings = {"grafana_url": "https://g.example.net", "grafana_api_token": "glsa_first"}
    body = {"tool_type_id": grafana, "name": name, "settings": settings}
    return sent(client, "POST", "/api/tools", body if enabled is None else {**body, "enabled": enabled})
