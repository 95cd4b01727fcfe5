"""Other places than Slack, through Apprise."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

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
        office.investigate("## Cause\n\nThe **log**.")
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
    assert "The log" in got[2]["message"].replace("*", "")
    with office.domain.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT url, shown_url FROM notification_targets").all()
    assert "sesame" not in str(stored)
    assert "T0KEN" not in str(stored)
