"""A server shaped like Slack's Web API: it keeps messages and reactions, and answers as it is told to.

It knows what the tests need of Slack: posting, editing, threads, reactions, history with metadata, channels,
and its errors. What it was asked is in `calls`, in the order in which it came.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import attrs

TOKEN = "xoxb-the-right-token"
CHANNEL = "C0ALERTS01"


@attrs.frozen
class SlackCall:
    """One call of a method."""

    method: str
    arguments: Mapping[str, Any]
    token: str


@attrs.define
class SlackMessage:
    """A message as Slack keeps it."""

    channel: str
    ts: str
    text: str
    thread_ts: str = ""
    metadata: Any = None
    reactions: list[str] = attrs.field(factory=list[str])
    edits: int = 0
    # Under its thread, until somebody replies.
    status: str = ""


@attrs.frozen
class Answer:
    """What to answer instead: before Slack does anything, or after it did."""

    status: int = 200
    body: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    # Do it first, and only then answer so.
    is_done: bool = False
    # Close the connection without an answer.
    is_silent: bool = False
    delay: float = 0.0


def error(code: str, **more: Any) -> Answer:
    """Return Slack's way to say no: with the status 200."""
    return Answer(body={"ok": False, "error": code, **more})


def rate_limited(seconds: int) -> Answer:
    """Return Slack's way to ask for patience."""
    return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)})


class SlackServer:
    """The state of a workspace."""

    def __init__(self) -> None:
        self.url = ""
        self.tokens = {TOKEN}
        self.channels = {"alerts": CHANNEL, "general": "C0GENERAL1"}
        self.calls: list[SlackCall] = []
        self.messages: list[SlackMessage] = []
        # For the next calls of a method, one after the other.
        self.answers: dict[str, list[Answer]] = {}
        self._lock = threading.RLock()
        self._number = 0

    def answer_next(self, method: str, *answers: Answer) -> None:
        """Have the next calls of a method answered like this."""
        self.answers.setdefault(method, []).extend(answers)

    def methods(self) -> list[str]:
        """Return what was called, in its order."""
        return [call.method for call in self.calls]

    def top(self) -> list[SlackMessage]:
        """Return the messages that are in no thread."""
        return [message for message in self.messages if not message.thread_ts]

    def thread(self, first: SlackMessage) -> list[SlackMessage]:
        """Return the replies to a message."""
        return [message for message in self.messages if message.thread_ts == first.ts]

    def until(self, condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"It did not come about; Slack was asked {self.methods()}.")
            # Each look may be a request that the tests check, too.
            time.sleep(0.1)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self.calls.clear()
            self.messages.clear()
            self.answers.clear()

    def take(self, call: SlackCall) -> Answer:
        """Do what is asked."""
        with self._lock:
            self.calls.append(call)
            prepared = self.answers.get(call.method)
            instead = prepared.pop(0) if prepared else None
            if instead is not None and not instead.is_done:
                return instead
            if call.token not in self.tokens:
                return error("invalid_auth")
            known = getattr(self, "_" + call.method.replace(".", "_"), None)
            body = {"ok": False, "error": "unknown_method"} if known is None else known(call.arguments)
            return instead or Answer(body=body)

    def _auth_test(self, _given: Mapping[str, Any]) -> dict[str, Any]:
        return {"ok": True, "team": "Example", "user": "akmatori", "bot_id": "B01"}

    def _conversations_list(self, given: Mapping[str, Any]) -> dict[str, Any]:
        # One channel a page: whoever looks for a later one has to turn pages.
        names = sorted(self.channels)
        place = int(given.get("cursor") or 0)
        following = str(place + 1) if place + 1 < len(names) else ""
        shown = [{"id": self.channels[name], "name": name} for name in names[place : place + 1]]
        return {"ok": True, "channels": shown, "response_metadata": {"next_cursor": following}}

    def _chat_postMessage(self, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802  Slack's name
        channel = str(self.channels.get(str(given["channel"]).lstrip("#"), given["channel"]))
        if channel not in self.channels.values():
            return {"ok": False, "error": "channel_not_found"}
        self._number += 1
        message = SlackMessage(
            channel=channel,
            ts=f"{int(time.time())}.{self._number:06}",
            text=given["text"],
            thread_ts=given.get("thread_ts", ""),
            metadata=given.get("metadata"),
        )
        self.messages.append(message)
        first = self._find(channel, message.thread_ts)
        if first is not None:
            first.status = ""
        return {"ok": True, "channel": channel, "ts": message.ts}

    def _assistant_threads_setStatus(self, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802  Slack's name
        message = self._find(given["channel_id"], given["thread_ts"])
        if message is None:
            return {"ok": False, "error": "invalid_thread_ts"}
        message.status = given["status"]
        return {"ok": True}

    def _chat_update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self._find(given["channel"], given["ts"])
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        message.text = given["text"]
        message.edits += 1
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _reactions_add(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self._find(given["channel"], given["timestamp"])
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        if given["name"] in message.reactions:
            return {"ok": False, "error": "already_reacted"}
        message.reactions.append(given["name"])
        return {"ok": True}

    def _reactions_remove(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self._find(given["channel"], given["timestamp"])
        if message is None or given["name"] not in message.reactions:
            return {"ok": False, "error": "no_reaction"}
        message.reactions.remove(given["name"])
        return {"ok": True}

    def _conversations_history(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return self._listed(given, "")

    def _conversations_replies(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return self._listed(given, given["ts"])

    def _listed(self, given: Mapping[str, Any], thread: str) -> dict[str, Any]:
        shown = [
            {"ts": message.ts, "text": message.text, "metadata": message.metadata}
            for message in self.messages
            if message.channel == given["channel"]
            and message.thread_ts == thread
            and float(message.ts) >= float(given.get("oldest", 0))
        ]
        return {"ok": True, "messages": shown}

    def _find(self, channel: str, ts: str) -> SlackMessage | None:
        return next((one for one in self.messages if (one.channel, one.ts) == (channel, ts)), None)


@contextmanager
def slack_server() -> Generator[SlackServer]:
    """Run one on a free port of the loopback."""
    slack = SlackServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_json = "json" in (self.headers.get("Content-Type") or "") and body.startswith("{")
            arguments = (
                json.loads(body) if is_json else {name: value[0] for name, value in parse_qs(body).items()}
            )
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            answer = slack.take(SlackCall(self.path.removeprefix("/api/"), arguments, token))
            time.sleep(answer.delay)
            if answer.is_silent:
                self.close_connection = True
                return
            content = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            # Whoever asked may have been killed meanwhile.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    slack.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
