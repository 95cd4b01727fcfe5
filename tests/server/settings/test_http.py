"""The settings over HTTP: what the dashboard, scripts and the Terraform provider send and get."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from akmatori_sdk import Akmatori
from akmatori_server.http.call import Scope
from tests.support.site import Site

PATHS = ("general", "slack", "llm", "proxy", "retention")


@pytest.mark.parametrize("path", PATHS)
def test_everybody_may_read_and_only_an_administrator_write(server: Site, path: str) -> None:
    """Whatever the setting."""
    url = f"/api/settings/{path}"
    with server.client() as anonymous, server.client(server.key(Scope.WRITE)) as writer:
        assert anonymous.get(url).status_code == 401
        assert writer.get(url).status_code == 200
        assert writer.put(url, json={}).status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_tag_that_was_read_guards_the_write(admin: httpx.Client, path: str) -> None:
    """The second writer gets 409."""
    url = f"/api/settings/{path}"
    body = {"provider": "openai"} if path == "llm" else {}
    headers = {"If-Match": admin.get(url).headers["etag"]}
    answers = [admin.put(url, json=body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].json()["code"] == "stale_write"
    assert answers[0].headers["etag"] == admin.get(url).headers["etag"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("general", {"base_url": "ftp://x"}),
        ("general", {"surplus": 1}),
        ("slack", {"enabled": "yes"}),
        ("slack", {"is_configured": True}),
        ("llm", {}),
        ("llm", {"provider": "other"}),
        ("llm", {"provider": "openai", "thinking_level": ""}),
        ("llm", {"provider": "openai", "base_url": "x"}),
        ("proxy", {"proxy_url": "socks5://x"}),
        ("proxy", {"services": {"ssh": {"enabled": True}}}),
        ("proxy", {"services": {"llm": {"enabled": True, "supported": True}}}),
        ("proxy", {"services": {"other": {"enabled": True}}}),
        ("retention", {"retention_days": 0}),
        ("retention", {"retention_days": 3651}),
        ("retention", {"retention_days": 1.5}),
        ("retention", {"retention_days": True}),
        ("retention", {"cleanup_interval_hours": 8761}),
    ],
)
def test_what_breaks_a_rule_is_refused(admin: httpx.Client, path: str, body: dict[str, Any]) -> None:
    """With 400, and nothing is changed."""
    url = f"/api/settings/{path}"
    before = admin.get(url).json()

    assert admin.put(url, json=body).status_code == 400
    assert admin.get(url).json() == before


def test_the_dashboard_saves_what_it_read(admin: httpx.Client) -> None:
    """It sends the masked proxy URL back, and every toggle."""
    url = "/api/settings/proxy"
    form = {
        "proxy_url": "http://user:s3cret-of-proxy@proxy:3128",
        "no_proxy": "localhost",
        "services": {"llm": {"enabled": True}, "slack": {"enabled": True}},
    }
    shown = admin.put(url, json=form).json()
    again = admin.put(
        url, json={**form, "proxy_url": shown["proxy_url"], "services": {"llm": {"enabled": False}}}
    ).json()

    assert shown["proxy_url"] == again["proxy_url"] == "http://user:%2A%2A%2A%2A@proxy:3128"
    assert (again["services"]["llm"]["enabled"], again["services"]["slack"]["enabled"]) == (False, False)
    assert admin.put(url, json={}).json()["proxy_url"] == ""


def test_the_terraform_provider_writes_the_old_shapes(admin: httpx.Client) -> None:
    """`openai` for the proxy, the collection for the language model; it reads the flat members."""
    proxy = admin.put("/api/settings/proxy", json={"services": {"openai": {"enabled": True}}}).json()
    body = {"provider": "anthropic", "api_key": "sk-EXAMPLE-cdef", "model": "claude-sonnet-4-6"}
    llm = admin.put("/api/settings/llm", json=body).json()

    assert proxy["services"]["openai"] == proxy["services"]["llm"] == {"enabled": True, "supported": True}
    assert (llm["provider"], llm["model"], llm["api_key"]) == ("anthropic", "claude-sonnet-4-6", "****cdef")
    assert admin.get("/api/settings/llm").json() == llm


def test_the_life_of_a_configuration(admin: httpx.Client) -> None:
    """Created, read, changed, activated, replaced, deleted: 200 with a notice, not 204."""
    root = "/api/settings/llm"
    created = admin.post(root, json={"provider": "custom", "name": "Life", "api_key": "l0cal-EXAMPLE-0cal"})
    path = f"{root}/{created.json()['id']}"
    changed = admin.put(path, json={"model": "qwen", "api_key": created.json()["api_key"]})
    activated = admin.put(f"{path}/activate")
    refused = admin.delete(path)
    admin.put(root, json={"provider": "openai"})
    deleted = admin.delete(path)

    assert created.status_code == 201
    assert created.headers["etag"] != changed.headers["etag"]
    assert (changed.json()["model"], changed.json()["api_key"]) == ("qwen", "****0cal")
    assert activated.json()["active"] is True
    assert refused.status_code == 400
    assert (deleted.status_code, set(deleted.json())) == (200, {"message"})
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("PUT", "/activate")])
def test_an_unknown_configuration_is_404(admin: httpx.Client, method: str, path: str) -> None:
    """For every operation."""
    body = {"model": "m"} if (method, path) == ("PUT", "") else None

    assert admin.request(method, f"/api/settings/llm/999999{path}", json=body).status_code == 404


def test_a_configuration_keeps_its_provider(admin: httpx.Client) -> None:
    """The member is unknown on update."""
    assert admin.put("/api/settings/llm/1", json={"provider": "google"}).status_code == 400


def test_the_sdk_reads_and_writes_every_setting(server: Site, api_key: str) -> None:
    """Typed, and with what it did not touch kept."""
    with Akmatori(server.base_url, api_key=api_key) as client:
        settings = client.settings
        settings.general.update(base_url="https://akmatori.example.net")
        settings.slack.update(bot_token="xoxb-EXAMPLE-b0t1", enabled=True)
        settings.slack.update(alerts_channel="#alerts")
        settings.retention.update(retention_days=30)
        config = settings.llm.configs.create(provider="custom", name="From the SDK", api_key="k-EXAMPLE-1234")
        settings.llm.configs.activate(config.id)

        assert settings.general.get().base_url == "https://akmatori.example.net"
        slack = settings.slack.get()
        assert (slack.bot_token, slack.alerts_channel, slack.enabled) == ("****b0t1", "#alerts", True)
        assert settings.retention.get().retention_days == 30
        assert settings.llm.get().active_id == config.id
        assert settings.proxy.get().services.ssh.supported is False
