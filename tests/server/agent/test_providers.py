"""Each provider through its real SDK, and what becomes of an investigation when one fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import pytest

from akmatori_server.settings.llm import LlmChanges, LlmProvider, ThinkingLevel
from akmatori_server.settings.proxy import ProxyService
from tests.server.agent.room import KEY, AgentRoom
from tests.server.agent.texts import REPORT
from tests.support.forward_proxy import forward_proxy
from tests.support.llm import Answer, Ask, Break, Fail, Hang, Received, Say, scripted

LOOK = Say(
    "I look at the host.",
    (Ask("oracle-1__look", {"host": "db-1"}), Ask("runbook_search", {"text": "disk"})),
    thinking="The disk, probably.",
    cached_tokens=40,
)
MODELS = {
    "openai": "gpt-5.5",
    "custom": "llama",
    "openrouter": "openai/gpt-5.5",
    "anthropic": "claude-sonnet-4-6",
    "google": "gemini-3-pro-preview",
}


@pytest.mark.parametrize("provider", MODELS)
def test_every_provider_investigates(room: AgentRoom, provider: str) -> None:
    """Reasoning, text, calls and their results reach the log in sections; tokens, cost and time are kept."""
    with scripted(LOOK, Say(REPORT)) as model:
        room.configure(model, provider, model=MODELS[provider])
        row = room.investigate()

    assert row.status == "completed", row.response
    log = room.log()
    sections = [
        "🤔 The disk, probably.",
        "I look at the host.",
        '🛠️ Running: oracle-1.look [m1.2]\nArgs: {"host":"db-1"}',
        '✅ Ran: oracle-1.look [m1.2]\nArgs: {"host":"db-1"}\nOutput:\n{\n  "host": "db-1",\n  "load": 0.5\n}',
        '✅ Ran: runbook_search [m1.3]\nArgs: {"text":"disk"}\n',
        "--- Final Response ---\n\nThe disk of db-1 is full.",
    ]
    places = [log.index(section) for section in sections]
    assert places == sorted(places)
    assert log.count("The disk of db-1 is full.") == 1
    first, second = model.requests
    assert "db-1" in first.text
    assert first.functions[-2:] == ["oracle-1__look", "oracle-1__change"]
    assert [("load" in text, "[m1." in text) for text in second.results] == [(True, True), (False, True)]
    assert row.tokens_used == 220
    usage = room.usage()
    assert (usage.provider, usage.model, usage.requests) == (provider, MODELS[provider], 2)
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (200, 20, 40)
    assert (usage.cost_usd is None) == (provider == "custom")
    assert ("Cost: $0.00" in row.response) == (provider != "custom")
    assert "🎯 Tokens: 220" in row.response
    assert _sent_key(first) == KEY


def _sent_key(request: Received) -> str:
    headers = request.headers
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer


def test_the_thinking_level_reaches_each_provider_in_its_own_words(room: AgentRoom) -> None:
    """Off means off, or as little as the model can; the highest level is the nearest that there is."""
    found: dict[str, list[Any]] = {}
    with scripted(Say(REPORT)) as model:
        for number, (provider, name) in enumerate(MODELS.items()):
            for level in (ThinkingLevel.OFF, ThinkingLevel.LOW, ThinkingLevel.XHIGH):
                room.configure(model, provider, model=name, thinking_level=level)
                incident = room.another_incident(f"{number}-{level}")
                assert room.investigate(incident).status == "completed"
                found.setdefault(provider, []).append(_thinking(model.requests[-1]))
    assert found == {
        "openai": ["none", "low", "xhigh"],
        "custom": [None, None, None],
        "openrouter": ["none", "low", "high"],
        "anthropic": [None, "low", "max"],
        "google": ["low", "low", "high"],
    }


def _thinking(request: Received) -> Any:
    body = request.body
    if request.api == "google":
        return body["generationConfig"]["thinkingConfig"]["thinking_level"].lower()
    if request.api == "anthropic":
        return (body.get("output_config") or {}).get("effort") if "thinking" in body else None
    return (body.get("reasoning") or {}).get("effort", body.get("reasoning_effort"))


def test_requests_go_through_the_configured_proxy_and_no_other(
    room: AgentRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its password; what the environment says is not asked."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with scripted(Say(REPORT)) as model, forward_proxy() as proxy:
        room.configure(model, "anthropic", model=MODELS["anthropic"])
        assert room.investigate().status == "completed"
        assert not proxy.passed
        with room.settings.writing() as write:
            url = f"http://user:pass%20word@127.0.0.1:{proxy.port}"
            write.put_proxy(write.proxy().replaced(url=url, no_proxy="", services=[ProxyService.LLM]))
        for number, provider in enumerate(("openai", "anthropic", "google")):
            room.configure(model, provider, model=MODELS[provider])
            assert room.investigate(room.another_incident(str(number))).status == "completed"
    assert len(proxy.passed) == 3
    assert {passed.headers["proxy-authorization"] for passed in proxy.passed} == {
        "Basic dXNlcjpwYXNzIHdvcmQ="
    }


SOON = {"retry-after-ms": "1"}
PASSING: dict[str, tuple[Answer, str]] = {
    "too many requests": (Fail(429, headers=SOON), "limits how often it may be asked (429)"),
    "an error of its own": (Fail(500, headers=SOON), "failed with an error of its own (500)"),
    "overloaded": (Fail(503, headers=SOON), "is overloaded or unavailable (503)"),
    "broken off": (Break(), "broke the connection off"),
    "nothing said": (Say(""), "answered with nothing"),
}


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "custom"])
def test_failures_that_pass_are_retried_and_logged(room: AgentRoom, provider: str, quick: None) -> None:
    """Each kind once in one run: the log says what failed, and the report comes all the same."""
    del quick
    for number, (name, (failure, words)) in enumerate(PASSING.items()):
        with scripted(script=_first(failure, Say(REPORT))) as model:
            room.configure(model, provider, model=MODELS[provider])
            incident = room.another_incident(f"{number}")
            row = room.investigate(incident)
        assert row.status == "completed", name
        assert row.response.startswith("The disk of db-1 is full."), (name, row.response)
        log = room.log(incident)
        assert "🔄 Retrying (attempt 1/3): " in log, name
        assert words in log or name == "broken off", (name, log)


def _first(first: Answer, then: Answer) -> Any:
    answers = iter([first])
    return lambda _request: next(answers, then)


LASTING: dict[str, tuple[Answer, str, int]] = {
    "wrong key": (Fail(401, f"Incorrect API key provided: {KEY}"), "refused the API key", 1),
    "no credit": (Fail(429, "No credit.", code="insufficient_quota"), "credit or quota is used up", 1),
    "no such model": (Fail(404, "No such model."), "does not know the model", 1),
    "limited for good": (Fail(429, headers=SOON), "(429). It was asked 4 times.", 4),
    "rejected": (Fail(400, f"Bad {KEY} thing"), "did not accept the request (400): “Bad **** thing”", 1),
}


def test_failures_that_stay_leave_it_to_the_rules(room: AgentRoom, quick: None) -> None:
    """The report says in one sentence why, without the key, and the rules do what they can."""
    del quick
    for number, (name, (failure, words, requests)) in enumerate(LASTING.items()):
        with scripted(failure) as model:
            room.configure(model)
            incident = room.another_incident(f"{number}")
            row = room.investigate(incident)
        assert row.status == "completed", name
        assert row.response.startswith("⚠️ The language model could not be used: "), name
        first = row.response.splitlines()[0]
        assert words in first, (name, first)
        assert first.endswith("The rules investigated instead."), name
        assert "No runbook" in row.response, name
        assert KEY not in row.response + room.log(incident), name
        assert len(model.requests) == requests or name == "rejected", name


def test_a_provider_that_cannot_be_reached_leaves_it_to_the_rules(room: AgentRoom, quick: None) -> None:
    """Nobody listens there."""
    del quick
    with scripted(Say("x")) as model:
        room.configure(model)
    row = room.investigate()
    assert row.status == "completed"
    assert f"cannot be reached at http://127.0.0.1:{model.port}/v1." in row.response


def test_what_was_found_before_a_failure_is_in_the_report(room: AgentRoom, quick: None) -> None:
    """The calls and words from before it stand beside what the rules say; what they cost is kept."""
    del quick
    with scripted(LOOK, Fail(401)) as model:
        room.configure(model)
        row = room.investigate()
    assert "refused the API key" in row.response
    assert "> I look at the host." in row.response
    assert "`oracle-1.look`" in row.response
    assert row.tokens_used == 110


def test_reasoning_settings_that_a_model_does_not_take_are_left_out(room: AgentRoom) -> None:
    """Asked again without them, and the rest of the run too."""

    def script(request: Received) -> Answer:
        if "summary" in request.body["reasoning"]:
            return Fail(400, "Unsupported parameter: reasoning.summary")
        return LOOK if request.turn == 0 else Say(REPORT)

    with scripted(script=script) as model:
        room.configure(model, "openai", model="gpt-5.5")
        row = room.investigate()
    assert row.response.startswith("The disk of db-1 is full.")
    assert "Retrying without settings about reasoning" in room.log()
    assert len(model.requests) == 3


def test_a_conversation_too_long_for_the_model_is_shortened(room: AgentRoom) -> None:
    """Old outputs give way; what is stored stays whole."""
    room.room.oracle.answer = _long
    limit = 60_000

    def script(request: Received) -> Answer:
        if len(request.text) > limit:
            return Fail(
                400, "This model's maximum context length is 16000 tokens.", code="context_length_exceeded"
            )
        calls = tuple(
            Ask("oracle-1__look", {"host": f"db-{request.turn}"}, id=f"c{request.turn}") for _ in range(1)
        )
        return Say("", calls) if request.turn < 4 else Say(REPORT)

    with scripted(script=script) as model:
        room.configure(model)
        row = room.investigate()
    assert row.response.startswith("The disk of db-1 is full."), row.response
    assert "📦" in room.log()
    assert "was left out to save room" in model.requests[-1].text
    assert not any("left out to save room" in message for message in room.messages())


def test_one_that_cannot_be_shortened_is_given_up_at_once(room: AgentRoom) -> None:
    """Nothing is to be left out of the first message, and saying so five times helps nobody."""
    failure = Fail(400, "This model's maximum context length is 10 tokens.", code="context_length_exceeded")
    with scripted(failure) as model:
        room.configure(model)
        row = room.investigate()
    assert "more text than the model scripted-1 can take" in row.response.splitlines()[0]
    assert (len(model.requests), room.log().count("📦")) == (1, 0)


@pytest.mark.parametrize("page", [b"<html><body>Welcome</body></html>", b""])
def test_a_server_that_is_no_model_is_said_to_be_none(room: AgentRoom, quick: None, page: bytes) -> None:
    """A web page, or nothing at all: the base URL is of something else."""
    del quick
    with web_page(page) as url, scripted(Say("")) as model:
        room.configure(model, base_url=url)
        row = room.investigate()
    first = row.response.splitlines()[0]
    assert f"at {url}" in first, first
    assert "check the base URL" in first, first
    assert "UnexpectedModelBehavior" not in first


@contextmanager
def web_page(page: bytes) -> Generator[str]:
    """Serve one page, whatever is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def _long(call: Any) -> Any:
    from akmatori_server.toolbox.models import Output

    return Output(value=f"{call.arguments['host']} " * 3000)


@pytest.mark.parametrize("where", ["model", "tool"])
def test_an_investigation_is_cancelled_within_a_second(room: AgentRoom, where: str) -> None:
    """Whether the model thinks or a tool works."""
    waiting = threading.Event()

    def script(_request: Received) -> Answer:
        if where == "model":
            waiting.set()
            return Hang(10)
        return LOOK

    async def slow(_call: Any) -> Any:
        waiting.set()
        await asyncio.sleep(10)

    room.room.oracle.answer = slow

    async def main() -> float:
        task = asyncio.ensure_future(room.runner().run(room.room.incident_id))
        assert await asyncio.to_thread(waiting.wait, 30)
        begin = time.monotonic()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        return time.monotonic() - begin

    with scripted(script=script) as model:
        room.configure(model)
        taken = asyncio.run(main())
    assert taken < 1.5
    assert room.row().status == "running"


def test_a_missing_library_leaves_it_to_the_rules(room: AgentRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report names the extra to install."""
    import sys

    monkeypatch.setitem(sys.modules, "akmatori_server.agent.running", None)
    with scripted(Say(REPORT)) as model:
        room.configure(model)
        row = room.investigate()
    assert row.status == "completed"
    assert "install akmatori-server[agent]" in row.response.splitlines()[0]


@pytest.mark.parametrize(
    ("provider", "changes", "words"),
    [
        ("custom", {"base_url": ""}, "needs a base_url"),
        ("openai", {"model": ""}, "names no model"),
        ("openrouter", {"model": "gpt-5.5"}, "must be prefixed"),
    ],
)
def test_an_incomplete_configuration_is_said(
    room: AgentRoom, provider: str, changes: dict[str, str], words: str
) -> None:
    """By the rules' report."""
    with scripted(Say(REPORT)) as model:
        room.configure(model, provider, **changes)
        row = room.investigate()
    assert words in row.response.splitlines()[0]
    assert not model.requests


def test_no_configuration_means_the_rules_without_a_word(room: AgentRoom) -> None:
    """That is the default, and nothing is wrong with it."""
    row = room.investigate()
    assert row.status == "completed"
    assert "language model" not in row.response


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a moment only where the provider does not say how long."""
    from akmatori_server.agent import running
    from akmatori_server.agent.asking import Patience

    monkeypatch.setattr(running, "Patience", lambda: attrs.evolve(Patience(), first_seconds=0.01))


def test_an_active_configuration_that_cannot_be_used_is_said(room: AgentRoom) -> None:
    """Somebody filled it in and forgot the key: the rules say so, once."""
    with room.settings.writing() as write:
        config = write.llm().of(LlmProvider.CUSTOM)
        changes = LlmChanges(base_url="http://127.0.0.1:9/v1", model="llama")
        write.activate_llm(config.changed(changes))
    row = room.investigate()
    assert row.status == "completed"
    assert "The active configuration Custom has no API key; set one" in row.response.splitlines()[0]
    assert row.response.count("has no API key") == 1
