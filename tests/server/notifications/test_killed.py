"""A real server, killed without warning while Slack takes its message in: there is one message all the same."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.site import PASSWORD
from tests.support.slack import TOKEN, Answer, SlackServer

START_SECONDS = 120.0


@contextmanager
def server(directory: Path, port: int, settings: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """Run a server until it is killed, by the test or at the end."""
    command = [sys.executable, "-m", "akmatori_server", "serve", "--port", str(port)]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--data-dir", str(directory / "data")],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _is_ready(port):
                assert process.poll() is None, (directory / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield process
        finally:
            process.kill()
            process.wait()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.soak
def test_killed_while_slack_takes_the_message_in(tmp_path: Path, slack: SlackServer) -> None:
    """Slack has it, nobody heard; the next start looks there, and goes on with the thread."""
    slack.reset()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    settings = {"AKMATORI_SLACK_API_URL": slack.url, "ADMIN_PASSWORD": PASSWORD}
    slack.answer_next("chat.postMessage", Answer(is_done=True, delay=5))
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as admin,
        server(tmp_path, port, settings),
    ):
        login = admin.post("/auth/login", json={"username": "admin", "password": PASSWORD})
        admin.headers["Authorization"] = f"Bearer {login.json()['token']}"
        given = {"bot_token": TOKEN, "signing_secret": "s", "app_token": "a", "alerts_channel": "#alerts"}
        admin.put("/api/settings/slack", json={**given, "enabled": True}).raise_for_status()
        new = {"source_type_name": "alertmanager", "name": "prod"}
        source = admin.post("/api/alert-sources", json=new).json()["uuid"]
        alert = {"status": "firing", "labels": {"alertname": "Down"}, "fingerprint": "f"}
        body = {"version": "4", "alerts": [alert]}
        admin.post(f"/webhook/alert/{source}", json=body).raise_for_status()
        slack.until(lambda: bool(slack.messages))
    with server(tmp_path, port, settings):
        slack.until(
            lambda: any("white_check_mark" in message.reactions for message in slack.top()), seconds=60
        )

    [first] = slack.top()
    assert len(slack.thread(first)) == 1
    assert "conversations.history" in slack.methods()
