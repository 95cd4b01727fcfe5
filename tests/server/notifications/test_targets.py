"""Other places than Slack, through Apprise."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from akmatori_server.notifications.announcer import Approval
from akmatori_server.notifications.models import NotificationKind, Wanted
from akmatori_server.notifications.settings import WrittenTarget
from tests.server.notifications.office import Office, use_slack
from tests.support.slack import SlackServer

# Apprise asks for a module that Python is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


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
    assert by_target[0].error == "The service answered with the HTTP status 404."
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
