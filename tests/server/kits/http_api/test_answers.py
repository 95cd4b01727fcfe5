"""What comes back: values, and sentences that say what to do."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from akmatori_server.kits.http_api import HttpKit
from akmatori_server.kits.http_api.form import load_form
from akmatori_server.outgoing.policy import Policy, parsed_networks
from akmatori_server.settings.route import Proxy
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.toolbox.session import Session
from tests.server.kits.http_api.calling import TOKEN, invocation, open_tool, run
from tests.support.forward_proxy import forward_proxy
from tests.support.origin import Asked, Origin, Reply, running_origin
from tests.support.tls import authority_and_server


@pytest.fixture
def origin() -> Generator[Origin]:
    """The other side."""
    with running_origin() as running:
        yield running


def complaint(origin: Origin, reply: Reply, type_name: str = "grafana", **settings: Any) -> str:
    """Return what a call fails with."""
    origin.reply = lambda _asked: reply
    functions = {"grafana": "list_data_sources", "kubernetes": "get_nodes"}
    with pytest.raises(ToolFailedError) as caught:
        run(open_tool(type_name, origin.url, **settings), functions[type_name])
    return str(caught.value)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not accept the credentials; check grafana_api_token in the tool's settings."),
        (403, "the account of grafana_api_token may not do this"),
        (404, "there is no such thing; check the arguments, or grafana_url"),
        (429, "too many requests"),
        (400, "check the arguments"),
        (502, "a problem of its own"),
        (304, "redirects"),
    ],
)
def test_statuses_say_what_to_do(origin: Origin, status: int, words: str) -> None:
    """With what the other side says, shortened, and without the token that it repeats."""
    said = complaint(origin, Reply(f"no,\n  {TOKEN} is bad {'x' * 2000}", status))

    assert f"answered {status}: " in said
    assert words in said
    assert TOKEN not in said
    assert len(said) < 800
    if status != 304:
        assert "It says: no, **** is bad xxx" in said


def test_pages_for_people_are_not_repeated(origin: Origin) -> None:
    """They say nothing to a model."""
    said = complaint(origin, Reply("<html>Sorry</html>", 503, {"Content-Type": "text/html"}))
    assert "Sorry" not in said
    said = complaint(origin, Reply("<html>Log in</html>", 200, {"Content-Type": "text/html"}))
    assert "did not answer with JSON; check grafana_url" in said


def test_a_large_answer_is_refused_with_advice(origin: Origin) -> None:
    """Half of a JSON text is none; a log is cut instead."""
    said = complaint(origin, Reply(["x" * (6 * 1024 * 1024)]))
    assert "larger than 5 MiB; ask for less" in said

    origin.reply = lambda _asked: Reply("line\n" * (1024 * 1024 + 10))
    output = run(open_tool("kubernetes", origin.url), "get_pod_logs", namespace="a", name="b")
    assert output.is_truncated
    assert isinstance(output.value, str)
    assert len(output.value) == 5 * 1024 * 1024


def test_what_does_not_answer_names_the_setting(origin: Origin) -> None:
    """The address, the limit of time, the certificate."""
    _, context = authority_and_server("k8s.example")
    said = complaint(origin, Reply(), grafana_url="http://127.0.0.1:1")
    assert said.startswith("No connection to 127.0.0.1 port 1: Connection refused. Check grafana_url")
    origin.socket = context.wrap_socket(origin.socket, server_side=True)
    said = complaint(origin, Reply(), "kubernetes", k8s_url=f"https://127.0.0.1:{origin.server_port}")
    assert "put it into k8s_ca_cert, or switch k8s_verify_ssl off" in said


def test_slowness_names_the_setting() -> None:
    """The limit is the tool's."""
    import threading

    over = threading.Event()

    def reply(_asked: Asked) -> Reply:
        over.wait(5)
        return Reply()

    with running_origin(reply) as origin:
        tool = open_tool("victoria_metrics", origin.url, vm_timeout=1)
        with pytest.raises(ToolFailedError, match=r"within 1 seconds\. Ask for less, or raise vm_timeout"):
            run(tool, "instant_query", query="up")
        over.set()


def test_redirects_of_reads_are_followed_and_of_writes_are_not(origin: Origin) -> None:
    """A write that goes elsewhere is not what was approved."""
    origin.reply = lambda asked: (
        Reply([{"id": 1}]) if asked.path == "/new" else Reply({}, 302, {"Location": "/new"})
    )
    tool = open_tool("grafana", origin.url)

    assert run(tool, "list_data_sources").value == [{"id": 1}]
    with pytest.raises(ToolFailedError, match="it redirects, which is not followed here; check grafana_url"):
        run(tool, "create_annotation", text="x")
    origin.reply = lambda _asked: Reply({}, 302, {"Location": "http://169.254.169.254/"})
    with pytest.raises(ToolFailedError, match="never called"):
        run(tool, "list_data_sources")


def test_no_content_is_an_answer(origin: Origin) -> None:
    """Jira has nothing to say when a change worked."""
    origin.reply = lambda _asked: Reply(b"", 204)
    tool = open_tool("jira", origin.url)

    assert run(tool, "update_issue", key="A-1", fields={"summary": "x"}).value == {"status": 204}


def test_kubernetes_objects_come_without_contents(origin: Origin) -> None:
    """Of config maps, of secrets that turn up in a list, and of variables that are called like secrets."""
    pod = {
        "kind": "Pod",
        "metadata": {
            "name": "web",
            "managedFields": [{"a": 1}],
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": '{"DB_PASSWORD":"hunter2"}',
                "team": "shop",
            },
        },
        "spec": {
            "containers": [
                {
                    "env": [
                        {"name": "DB_PASSWORD", "value": "hunter2"},
                        {"name": "LOG_LEVEL", "value": "debug"},
                        {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a"}}},
                    ]
                }
            ]
        },
    }
    maps = {
        "kind": "ConfigMapList",
        "items": [{"metadata": {"name": "a"}, "data": {"p": "hunter2"}, "binaryData": {"b": "aHVudGVyMg=="}}],
    }
    mixed = {
        "kind": "List",
        "items": [{"kind": "Secret", "data": {"p": "hunter2"}, "stringData": {"p": "hunter2"}}],
    }
    tool = open_tool("kubernetes", origin.url)

    def shown(body: Any, function: str, **arguments: Any) -> Any:
        origin.reply = lambda _asked: Reply(body)
        return run(tool, function, **arguments).value

    seen = shown(pod, "get_pod_detail", namespace="a", name="web")
    assert seen["metadata"] == {"name": "web", "annotations": {"team": "shop"}}
    [container] = seen["spec"]["containers"]
    assert [one.get("value") for one in container["env"]] == ["****", "debug", None]
    assert shown(maps, "get_configmaps", namespace="a")["items"] == [{"metadata": {"name": "a"}}]
    assert shown(mixed, "api_request", path="/api/v1/things")["items"] == [{"kind": "Secret"}]
    assert "hunter2" not in str(seen)


def test_a_large_config_map_is_no_obstacle(origin: Origin) -> None:
    """Its contents are left out before the answer is measured."""
    large = {
        "kind": "ConfigMapList",
        "items": [{"metadata": {"name": "a"}, "data": {"x": "y" * (6 * 1024 * 1024)}}],
    }
    origin.reply = lambda _asked: Reply(large)
    output = run(open_tool("kubernetes", origin.url), "get_configmaps", namespace="a")

    assert output.value == {"kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}


def test_the_proxy_of_a_type_is_used(origin: Origin) -> None:
    """The target's address is checked all the same."""
    import asyncio

    form = load_form("grafana")
    assert form is not None
    with forward_proxy() as proxy:
        route = Proxy(f"http://127.0.0.1:{proxy.port}")
        kit = HttpKit(form, route=lambda _url: route, policy=Policy(parsed_networks(["127.0.0.1"])))

        async def main(url: str) -> object:
            tool = open_tool("grafana", url, allowed_networks=[])
            async with Session() as session:
                return (await kit.run(invocation(tool, "list_data_sources", {}), session)).value

        assert asyncio.run(main(origin.url)) == {}
        assert len(proxy.passed) == 1
        with pytest.raises(ToolFailedError, match="private address"):
            asyncio.run(main("http://10.0.0.1"))
        assert len(proxy.passed) == 1
