"""Through the public door: an alert is delivered, and the server tells what becomes of it; what goes where."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from akmatori_sdk import Akmatori
from akmatori_sdk._generated.akmatori import models
from akmatori_server.http.call import Scope
from tests.support.databases import copied_database
from tests.support.forward_proxy import forward_proxy
from tests.support.origin import Asked, Reply, running_origin
from tests.support.site import Site, logged_in, running_site
from tests.support.slack import CHANNEL, TOKEN, SlackServer, error, rate_limited, slack_server

URL = "/api/settings/notifications"
BASE = "https://akmatori.example.net"


@pytest.fixture(scope="module")
def slack() -> Generator[SlackServer]:
    """A workspace."""
    with slack_server() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, slack: SlackServer
) -> Generator[Site]:
    """A server that talks to it. What differs between the databases is tested below HTTP."""
    directory: Path = tmp_path_factory.mktemp("server")
    with (
        copied_database(request.param, directory, request) as url,
        running_site(url, directory, slack_api_url=slack.url) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def admin(site: Site) -> Generator[httpx.Client]:
    """Its administrator."""
    yield from logged_in(site)


@pytest.fixture(autouse=True)
def told(admin: httpx.Client, slack: SlackServer) -> None:
    """Slack is configured, and empty."""
    slack.reset()
    secrets = {"bot_token": TOKEN, "signing_secret": "s3cret", "app_token": "xapp-1"}
    body = {**secrets, "alerts_channel": "#alerts", "enabled": True}
    assert admin.put("/api/settings/slack", json=body).status_code == 200
    assert admin.put("/api/settings/general", json={"base_url": BASE + "/"}).status_code == 200
    assert admin.put("/api/settings/notifications", json={"targets": []}).status_code == 200


def deliver(admin: httpx.Client, *names: str, status: str = "firing") -> list[str]:
    """Deliver alerts as a Prometheus Alertmanager does, and return the incidents they opened."""
    sources = admin.get("/api/alert-sources").json()
    if not sources:
        new = {"source_type_name": "alertmanager", "name": "prod"}
        sources = [admin.post("/api/alert-sources", json=new).json()]
    alerts = [
        {
            "status": status,
            "labels": {"alertname": name, "severity": "critical", "instance": "web-1", "job": "shop"},
            "annotations": {"summary": f"{name} <!channel> & *all*", "runbook_url": "https://wiki.example/x"},
            "fingerprint": f"fp-{name}",
            "startsAt": "2026-05-15T10:00:00Z",
        }
        for name in names
    ]
    known = {one["uuid"] for one in admin.get("/api/incidents").json()["data"]}
    answer = admin.post(f"/webhook/alert/{sources[0]['uuid']}", json={"version": "4", "alerts": alerts})
    assert answer.status_code == 200, answer.text
    return [one["uuid"] for one in admin.get("/api/incidents").json()["data"] if one["uuid"] not in known]


def entries(admin: httpx.Client, **wanted: str) -> list[dict[str, Any]]:
    """List notifications, the oldest first."""
    return list(reversed(admin.get("/api/notifications", params=wanted).json()))


def test_an_alert_is_a_thread(admin: httpx.Client, slack: SlackServer) -> None:
    """The first message with its marks, the report beneath it, and a list of what was sent."""
    [uuid] = deliver(admin, "DiskFull")
    slack.until(lambda: bool(slack.top()) and "white_check_mark" in slack.top()[0].reactions)

    [first] = slack.top()
    [reply] = slack.thread(first)
    assert first.channel == CHANNEL
    for part in (
        "🔴 DiskFull - web-1",
        "*Severity:* critical",
        "*Source:* alertmanager / prod",
        "web-1",
        "shop",
    ):
        assert part in first.text
    assert f"<{BASE}/incidents/{uuid}|Open the incident>" in first.text
    assert "<https://wiki.example/x|Runbook>" in first.text
    assert "<!channel>" not in first.text
    assert first.reactions == ["rotating_light", "white_check_mark"]
    assert "⏱️ Time:" in reply.text
    assert reply.text.endswith(f"<{BASE}/incidents/{uuid}|Open the incident> | Incident `{uuid}`")
    incident = admin.get(f"/api/incidents/{uuid}").json()
    assert (incident["slack_channel_id"], incident["slack_message_ts"]) == (CHANNEL, first.ts)
    slack.until(lambda: [one["state"] for one in entries(admin, incident=uuid)] == ["sent"] * 3)
    opened, started, finished = entries(admin, incident=uuid)
    assert [opened["kind"], started["kind"], finished["kind"]] == [
        "incident_opened",
        "investigation_started",
        "investigation_finished",
    ]
    assert opened["severity"] == "critical"
    assert (opened["resource_kind"], opened["resource_name"]) == ("Service", "shop")
    assert [attempt["outcome"] for attempt in opened["attempts"]] == ["sent"]


def test_slack_is_left_alone_as_long_as_it_asks(admin: httpx.Client, slack: SlackServer) -> None:
    """And then told everything, once and in its order."""
    slack.answer_next("chat.postMessage", rate_limited(1))
    [uuid] = deliver(admin, "Slow")
    slack.until(lambda: [one["state"] for one in entries(admin, incident=uuid)] == ["sent"] * 3)

    [first] = slack.top()
    assert len(slack.thread(first)) == 1
    attempts = entries(admin, incident=uuid)[0]["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["rate_limited", "sent"]
    assert attempts[0]["http_status"] == 429


def test_what_no_attempt_can_mend_is_said_at_once(admin: httpx.Client, slack: SlackServer) -> None:
    """A sentence for the operator; and what is mended is used at once."""
    slack.answer_next("conversations.list", error("missing_scope"))
    assert admin.put("/api/settings/slack", json={"bot_token": "xoxb-wrong"}).status_code == 200
    [uuid] = deliver(admin, "Down")
    slack.until(lambda: {one["state"] for one in entries(admin, incident=uuid)} == {"given_up", "skipped"})

    refused = entries(admin, incident=uuid)[0]
    assert refused["attempt_count"] == 1
    assert "bot token" in refused["error"]
    assert "xoxb" not in admin.get("/api/notifications").text
    assert admin.put("/api/settings/slack", json={"bot_token": TOKEN}).status_code == 200
    [after] = deliver(admin, "DownAgain")
    slack.until(lambda: [one["state"] for one in entries(admin, incident=after)] == ["sent"] * 3)


def test_a_storm_is_one_message(admin: httpx.Client, slack: SlackServer) -> None:
    """However many alerts it has."""
    [uuid] = deliver(admin, *(f"Storm{number}" for number in range(300)))
    slack.until(lambda: len(entries(admin, incident=uuid, state="sent")) == 3)

    [first] = slack.top()
    assert "🌩️" in first.text
    assert "300, of which 300 fire" in first.text


def test_a_channel_can_be_tried(admin: httpx.Client, slack: SlackServer, site: Site) -> None:
    """It says what happened; nobody but an administrator may."""
    with site.client(site.key(Scope.WRITE)) as writer:
        refused = writer.post("/api/settings/notifications/test", json={"channel": "slack"})
    with Akmatori(base_url=site.base_url, api_key=site.key(Scope.ADMIN)) as client:
        good = client.settings.notifications.test(channel="slack")
        client.settings.slack.update(bot_token="xoxb-wrong")
        bad = client.settings.notifications.test(channel="slack")
        unknown = admin.post("/api/settings/notifications/test", json={"channel": "nowhere"})

    assert refused.status_code == 403
    assert good.success
    assert good.message == f"Sent to the channel {CHANNEL} of the workspace Example as akmatori."
    assert slack.methods()[0] == "auth.test"
    assert not bad.success
    assert "bot token" in bad.message
    assert unknown.status_code == 404


def test_settings_are_kept_masked_tagged_and_audited(site: Site, admin: httpx.Client) -> None:
    """The address is shown without what may be a secret in it, and what is shown keeps it."""
    target = {
        "name": "On call",
        "url": "json://me:sesame@127.0.0.1:9/hook/T0KEN?+X-Auth=k3y",
        "kinds": ["incident_opened"],
    }
    before = admin.get(URL)
    assert len(before.json()["slack"]["kinds"]) == 12
    stored = admin.put(URL, json={"targets": [target]}, headers={"If-Match": before.headers["etag"]})
    assert stored.status_code == 200, stored.text
    assert admin.put(URL, json={}, headers={"If-Match": before.headers["etag"]}).status_code == 409
    [shown] = stored.json()["targets"]
    assert shown == {
        "name": "On call",
        "url": "json://me:****@127.0.0.1:9/****",
        "enabled": True,
        "kinds": ["incident_opened"],
        "min_severity": "info",
    }
    with Akmatori(base_url=site.base_url, api_key=site.key(Scope.ADMIN)) as client:
        kept = client.settings.notifications.update(
            targets=[models.UpdateNotificationTarget(name="On call", url=shown["url"], enabled=False)]
        )
        result = client.settings.notifications.test(channel="On call")
        assert not list(client.notifications.list(channel="On call"))
    [target_kept] = kept.targets
    assert (target_kept.url, target_kept.enabled) == (shown["url"], False)
    # Left out, all kinds are told but that an investigation runs.
    assert len(target_kept.kinds) == 11
    assert not result.success
    assert "T0KEN" not in result.message
    trail = admin.get("/api/audit", params={"target": "settings:notifications"})
    actions = [entry["action"] for entry in trail.json()["data"]]
    assert actions[:2] == ["settings:notifications:tested", "settings:notifications:updated"]
    for secret in ("sesame", "T0KEN", "k3y"):
        assert secret not in trail.text
        assert secret not in admin.get(URL).text
    with site.installation.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT url FROM notification_targets").all()
    assert "T0KEN" not in str(rows)


def test_targets_are_reached_through_the_proxy_of_the_settings(admin: httpx.Client) -> None:
    """When their toggle is on, but for what is excepted; nothing of it is shown to who lists processes."""
    processes: list[bytes] = []

    def reply(_asked: Asked) -> Reply:
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                processes.append((place / "cmdline").read_bytes() + (place / "environ").read_bytes())
        return Reply()

    def test(path: str, **proxy: Any) -> dict[str, Any]:
        given = {"proxy_url": f"http://me:sesame@127.0.0.1:{proxies.port}", **proxy}
        assert admin.put("/api/settings/proxy", json=given).status_code == 200
        url = f"json://u:T0KEN@127.0.0.1:{hook.server_port}/{path}"
        admin.put(URL, json={"targets": [{"name": "hook", "url": url}]})
        answer: dict[str, Any] = admin.post(f"{URL}/test", json={"channel": "hook"}).json()
        return answer

    toggle = {"notifications": {"enabled": True}}
    with forward_proxy() as proxies, running_origin(reply) as hook:
        try:
            assert test("x", services={})["success"]
            assert proxies.passed == []
            through = test("x", services=toggle)
            assert through["success"], through
            [passed] = proxies.passed
            assert (passed.method, passed.target) == ("POST", f"{hook.url}/x")
            assert passed.headers["proxy-authorization"] == "Basic bWU6c2VzYW1l"
            assert len(hook.asked) == 2
            shown = admin.get("/api/settings/proxy").json()["services"]["notifications"]
        finally:
            admin.put("/api/settings/proxy", json={})
    assert shown == {"enabled": True, "supported": True}
    assert any(b"akmatori_server.notifications.sender" in one for one in processes)
    assert not [one for one in processes if b"sesame" in one or b"T0KEN" in one]


def test_what_cannot_be_sent_to_is_refused(site: Site, admin: httpx.Client) -> None:
    """One sentence each, without the address."""
    refused = {
        "targets[0].url: Apprise does not understand": {"name": "a", "url": "nonsense://S3CRET"},
        "targets[0].url: a new target needs": {"name": "b"},
        "targets[0].url: this is what is shown": {"name": "c", "url": "json://me:****@127.0.0.1/****"},
        "targets[0].name: slack is": {"name": "slack", "url": "json://127.0.0.1"},
        "targets[0].name: must be": {"name": " a", "url": "json://127.0.0.1"},
    }
    for sentence, target in refused.items():
        answer = admin.put(URL, json={"targets": [target]})
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(sentence), answer.text
        assert "S3CRET" not in answer.text
    twice = [{"name": "a", "url": "json://127.0.0.1"}] * 2
    assert "another target" in admin.put(URL, json={"targets": twice}).json()["error"]
    assert admin.put(URL, json={"slack": {"kinds": ["everything"]}}).status_code == 400
    with site.client() as anonymous, site.client(site.key(Scope.WRITE)) as writer:
        assert anonymous.get(URL).status_code == 401
        assert writer.get(URL).status_code == 200
        assert writer.put(URL, json={}).status_code == 403
        assert writer.get("/api/notifications", params={"page": 9}).json()["data"] == []
        assert writer.get("/api/notifications", params={"state": "lost"}).status_code == 400
