"""Other places than Slack, through Apprise."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from akmatori_server.audit import AuditTrail
from akmatori_server.audit.models import EVERYTHING
from akmatori_server.audit.store import page
from akmatori_server.config import ConfigurationError
from akmatori_server.errors import NotFound
from akmatori_server.kubernetes import commands
from akmatori_server.notifications import sender
from akmatori_server.notifications.announcer import Approval
from akmatori_server.notifications.failures import SendError
from akmatori_server.notifications.from_file import apply_notifications_file, read_notifications_file
from akmatori_server.notifications.models import NotificationKind, Wanted
from akmatori_server.notifications.sending import SenderProxy, send_through
from akmatori_server.notifications.settings import WrittenTarget
from akmatori_server.notifications.words import Message
from tests.server.notifications.office import Office, use_slack
from tests.support.forward_proxy import forward_proxy
from tests.support.origin import Reply, running_origin
from tests.support.slack import TOKEN, SlackServer


@contextmanager
def hook() -> Generator[tuple[str, list[dict[str, Any]], list[int]]]:
    """Run a server that takes Apprise's JSON; yield its address, what it got, and what to answer next."""
    got: list[dict[str, Any]] = []
    statuses: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"json://u:sesame@127.0.0.1:{server.server_address[1]}/hook/T0KEN", got, statuses
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_any_other_target_gets_the_same_words(office: Office, slack: SlackServer) -> None:
    """Through Apprise, for the kinds that were chosen; its failures are kept apart from Slack's."""
    use_slack(office)
    with hook() as (url, got, statuses):
        chosen = WrittenTarget(
            name="On call",
            url=url,
            kinds=frozenset({NotificationKind.INCIDENT_OPENED, NotificationKind.INVESTIGATION_FINISHED}),
        )
        with office.service.writing() as write:
            write.put(write.before.changed(slack_kinds=None, targets=[chosen], box=write.box))
        statuses += [503, 404]
        [uuid] = office.alert("Disk_Full_A")
        office.send()
        office.investigate(
            "⚠️ Without a model.\n\nThe **log**. It is too big.\n\n## Evidence\n\nMuch of it.\n\n"
            "## Next steps\n\n1. Remove it.\n2. Buy a disk.\n\n## Confidence\n\nHigh. It was seen."
        )
        office.send(2)
        assert len(slack.messages) == 2
        office.alert("B")
        office.send()

    by_target = office.told(Wanted(channel="On call"))
    assert [(one.kind.value, one.state.value, one.attempts) for one in by_target] == [
        ("incident_opened", "given_up", 2),
        ("investigation_finished", "sent", 1),
        ("incident_opened", "sent", 1),
    ]
    # Whoever reads it knows what to do, and not the address.
    assert by_target[0].error == (
        "The target On call: The service answered with the HTTP status 404; check its url, and renew it in the"
        " notification settings or in AKMATORI_NOTIFICATIONS_FILE."
    )
    assert by_target[0].channel_type == "json"
    assert "Disk_Full_A" in got[0]["title"]
    assert f"https://a.test/incidents/{uuid}" in got[0]["message"]
    assert f"Incident `{uuid}`" in got[0]["message"].replace("\\", "")
    finished = got[2]["message"].replace("*", "")
    assert (
        "⚠️ Without a model.\n\nThe log. It is too big.\n\nConfidence: High. It was seen.\n\nNext: Remove it."
        in finished
    )
    assert "Much of it" not in finished
    assert "Buy a disk" not in finished
    assert uuid in finished
    with office.domain.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT url, shown_url FROM notification_targets").all()
    assert "sesame" not in str(stored)
    assert "T0KEN" not in str(stored)


def test_a_target_gets_what_is_needed_to_decide(office: Office) -> None:
    """As a warning: what waits, why, which it is and how it is approved; nowhere is there an address of ours."""
    with hook() as (url, got, _statuses):
        target = WrittenTarget(name="On call", url=url, kinds=frozenset({NotificationKind.APPROVAL_NEEDED}))
        with office.service.writing() as write:
            write.put(write.before.changed(slack_kinds=None, targets=[target], box=write.box))
        [uuid] = office.alert()
        approval = Approval(
            uuid="p-1",
            title="POST http://a/b",
            summary="POST http://a/b",
            purpose="It is *stuck*.",
            incident_id=office.domain.incidents.get(uuid)[0].id,
        )
        with office.domain.database.write() as connection:
            office.announcer.approval_needed(connection, approval, now=office.domain.clock())
        office.send()
    [told] = got
    assert told["type"] == "warning"
    for words in ("POST http://a/b", "in the model's words", "stuck", "/api/proposals/p-1/approve", uuid):
        assert words in told["message"], words


def test_an_alert_is_told_with_its_description(office: Office, slack: SlackServer) -> None:
    """Bounded; and with its uuid also where nobody knows where people reach this server."""
    use_slack(office)
    office.courier._delivery._public_url = ""
    [uuid] = office.alert(description="Since noon " + "x" * 5000)
    office.send()
    office.investigate("Done.")
    office.send()
    [first] = slack.top()
    assert "Since noon xxx" in first.text
    assert len(first.text) < 1500
    assert f"Incident `{uuid}`" in first.text
    assert f"Incident `{uuid}`" in slack.thread(first)[0].text
    assert "Open the incident" not in first.text


def test_a_file_says_what_is_told_where(office: Office, tmp_path: Path) -> None:
    """Stored like what the API writes, once; what cannot be is refused with its place, and no value of it."""
    path, trail = tmp_path / "notifications.yaml", AuditTrail(office.domain.database, now=office.domain.clock)

    def apply(text: str) -> None:
        path.write_text(text)
        apply_notifications_file(read_notifications_file(path), office.settings, office.service, trail)

    good = """
slack: {bot_token: xoxb-S3CRET, alerts_channel: "#ops", min_severity: high}
targets:
  - {name: hook, url: "json://u:S3CRET@127.0.0.1:9/x", kinds: [token_budget], min_severity: warning}
"""
    for _ in range(2):
        apply(good)
    assert read_notifications_file(path).channels() == ["slack, from high on", "hook, from warning on"]
    with office.domain.database.read() as connection:
        entries = page(connection, EVERYTHING, offset=0, limit=10)
        assert "S3CRET" not in str(connection.exec_driver_sql("SELECT * FROM notification_targets").all())
    assert sorted(one.action for one in entries) == [
        "settings:notifications:updated",
        "settings:slack:updated",
    ]
    slack, settings = office.settings.slack(), office.service.settings()
    assert slack.is_active
    assert (slack.alerts_channel, settings.slack_min_severity, len(settings.slack_kinds)) == (
        "#ops",
        "high",
        12,
    )
    [target] = settings.targets
    assert (target.name, target.kinds, target.min_severity) == ("hook", {"token_budget"}, "warning")
    assert target.url.reveal() == "json://u:S3CRET@127.0.0.1:9/x"
    # What the file does not mention stays.
    apply("targets: []")
    assert office.settings.slack().is_active
    assert office.service.settings().targets == ()

    for wrong, words in {
        "- a": "needs the member",
        "mail: {}": "has no mail",
        "slack: {bot_token: S3CRET}": ":1: slack needs alerts_channel",
        "targets:\n- {name: a}": ":2: a target needs url",
        "targets:\n- {name: a, url: 'nonsense://S3CRET'}": "targets[0].url: Apprise does not understand",
        "targets:\n- {name: a, url: 'json://S3CRET', kinds: [S3CRET]}": ":2: each of the kinds",
        "targets:\n- {name: a, url: 'json://S3CRET', min_severity: S3CRET}": ":2: min_severity must be",
        "slack: {bot_token: S3CRET, alerts_channel: a, enabled: S3CRET}": "enabled is true or false",
        "slack: {bot_token: S3CRET: ]": "no YAML",
    }.items():
        with pytest.raises(ConfigurationError) as refused:
            apply(wrong)
        assert words in str(refused.value)
        assert str(path) in str(refused.value)
        assert "S3CRET" not in str(refused.value)
    path.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_notifications_file(path)


def test_a_dead_target_is_named_with_what_to_do(office: Office) -> None:
    """As it is tried, too; an unknown channel is answered with all that there are."""
    url, kinds = "json://u:S3CRET@127.0.0.1:9/x", frozenset({NotificationKind.TOKEN_BUDGET})
    targets = [WrittenTarget(name=name, url=url, kinds=kinds) for name in ("Pager", "Mail")]
    with office.service.writing() as write:
        write.put(write.before.changed(slack_kinds=None, targets=targets, box=write.box))
    tried = office.service.test("Pager")
    assert tried.message.startswith("The target Pager: The service could not be reached")
    assert "check its url, and renew it in the notification settings" in tried.message
    assert "S3CRET" not in tried.message
    with pytest.raises(NotFound, match=r"channel: there is no Phone; there is slack, Pager, Mail\."):
        office.service.test("Phone")


def test_what_a_file_names_is_tried_without_a_server(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each channel or one of them; each failure with what to do, and no value of the file."""
    path = tmp_path / "notifications.yaml"
    monkeypatch.setenv("AKMATORI_NOTIFICATIONS_FILE", str(path))
    monkeypatch.setenv("AKMATORI_SLACK_API_URL", slack.url)

    def tried(*arguments: str) -> Result:
        return CliRunner().invoke(commands.main, ["notifications", "test", *arguments])

    with hook() as (url, got, statuses):
        path.write_text(
            f"slack: {{bot_token: {TOKEN}, alerts_channel: '#alerts'}}\ntargets: [{{name: Pager, url: '{url}'}}]\n"
        )
        statuses += [401]
        failed = tried()
        assert failed.exit_code == 1
        assert failed.stdout.startswith("slack: Sent to the channel ")
        assert "Pager: The service answered with the HTTP status 401; check its url" in failed.stderr
        assert "T0KEN" not in failed.output
        [posted] = slack.messages
        assert "test" in posted.text
        assert tried("Pager").stdout == "Pager: Sent.\n"
        assert len(got) == 2
    unknown = tried("Phone")
    assert (unknown.exit_code, "no channel Phone; it has slack, Pager." in unknown.stderr) == (2, True)


def test_what_the_proxy_does_not_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is excepted in the settings, by their rules; and nothing else, whatever the environment says."""
    import requests.sessions
    import requests.utils

    for module in (requests.utils, requests.sessions):
        monkeypatch.setattr(module, "should_bypass_proxies", module.should_bypass_proxies)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    sender.use_proxy("http://proxy:3128", "*.internal, 10.0.0.0/8, x.test:8443")
    through = {"http": "http://proxy:3128", "https": "http://proxy:3128", "all": "http://proxy:3128"}
    for address, proxies in {
        "https://hooks.example.net/x": through,
        "https://a.internal": {},
        "http://10.1.2.3/": {},
        "https://x.test:8443/y": {},
        "https://x.test/y": through,
    }.items():
        assert requests.utils.get_environ_proxies(address) == proxies, address


@pytest.mark.soak
def test_what_is_refused_through_the_proxy_is_told_as_ever() -> None:
    """The status, and whether it makes sense to try again; and that it was the proxy where nobody answers."""
    address = "json://127.0.0.1:9"
    with forward_proxy() as proxies, running_origin(lambda _asked: Reply(status=401)) as hook:
        proxy = SenderProxy(f"http://127.0.0.1:{proxies.port}", "")
        with pytest.raises(SendError, match="HTTP status 401") as refused:
            send_through(proxy, hook.url.replace("http", "json"), Message("t", "b"))
    assert (refused.value.http_status, refused.value.is_final) == (401, True)
    with pytest.raises(SendError, match="through the proxy") as away:
        send_through(SenderProxy("http://127.0.0.1:9", ""), address, Message("t", "b"))
    assert not away.value.is_final
