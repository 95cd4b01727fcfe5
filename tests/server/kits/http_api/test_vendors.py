"""What is special about single vendors: logins, versions, and what is asked instead or afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.toolbox.session import Session
from tests.server.kits.http_api.calling import TOKEN, invocation, kit_of, open_tool, run
from tests.server.kits.http_api.zabbix_server import PASSWORD, Zabbix
from tests.support.origin import Asked, Origin, Reply, running_origin

BY_PASSWORD = {"auth_method": "credentials", "zabbix_username": "ann", "zabbix_password": PASSWORD}


@pytest.fixture
def origin() -> Generator[Origin]:
    """The other side."""
    with running_origin() as running:
        yield running


@pytest.mark.parametrize("version", ["5.0.40", "6.0.30", "6.4.1", "7.0.0", "7.4.0"])
def test_zabbix_gets_credentials_in_the_form_it_knows(origin: Origin, version: str) -> None:
    """The token or a session; in the header or in the body, in each call of a batch."""
    zabbix = Zabbix(version=version, token=TOKEN)
    origin.reply = zabbix.reply

    for settings in ({}, BY_PASSWORD):
        tool = open_tool("zabbix", f"{origin.url}/zabbix/api_jsonrpc.php", **settings)
        assert run(tool, "get_hosts").value == []
        assert run(tool, "get_items_batch", searches=["a", "b"]).value == []
    assert {asked.target for asked in origin.asked} == {"/zabbix/api_jsonrpc.php"}
    assert zabbix.methods.count("user.login") == 2


def test_a_zabbix_login_is_kept_and_renewed(origin: Origin) -> None:
    """Once for an investigation, and again when it ends; a write is not made twice."""
    zabbix = Zabbix()
    origin.reply = zabbix.reply
    tool = open_tool("zabbix", origin.url, **BY_PASSWORD)

    async def main() -> None:
        async with Session() as session:

            async def call(function: str, **arguments: Any) -> object:
                return (await kit_of(tool).run(invocation(tool, function, arguments), session)).value

            await asyncio.gather(*(call("get_hosts", limit=number) for number in range(1, 6)))
            assert zabbix.methods.count("user.login") == 1
            zabbix.sessions.clear()
            assert await call("get_hosts") == []
            assert zabbix.methods.count("user.login") == 2
            zabbix.sessions.clear()
            with pytest.raises(ToolFailedError, match=r"Zabbix refused the call: .*re-login"):
                await call("api_request", method="host.create", params={"host": "x"})
            assert zabbix.methods.count("host.create") == 1

    asyncio.run(main())


def test_a_zabbix_that_refuses_says_why(origin: Origin) -> None:
    """And which settings to look at; not the password that it repeats."""
    origin.reply = Zabbix().reply
    wrong = {**BY_PASSWORD, "zabbix_username": "bob"}
    with pytest.raises(ToolFailedError, match="Check zabbix_username and zabbix_password") as caught:
        run(open_tool("zabbix", origin.url, **wrong), "get_hosts")
    assert "Incorrect user name" in str(caught.value)
    assert PASSWORD not in str(caught.value)
    with pytest.raises(ToolFailedError, match="zabbix_token is not set"):
        run(open_tool("zabbix", origin.url, zabbix_token=""), "get_hosts")
    origin.reply = lambda _asked: Reply({"hello": 1})
    with pytest.raises(ToolFailedError, match="not one of the Zabbix API; check zabbix_url"):
        run(open_tool("zabbix", origin.url), "get_hosts")


def test_problems_come_with_their_hosts(origin: Origin) -> None:
    """Which only their triggers know; nobody asks where there is no problem."""
    zabbix = Zabbix(token=TOKEN)
    origin.reply = zabbix.reply
    tool = open_tool("zabbix", origin.url)

    assert run(tool, "get_problems").value == []
    assert "trigger.get" not in zabbix.methods
    zabbix.results = {
        "problem.get": [{"eventid": "9", "objectid": "5", "name": "Disk"}, {"eventid": "8", "objectid": "6"}],
        "trigger.get": [{"triggerid": "5", "hosts": [{"hostid": "1", "name": "web"}]}],
    }
    assert run(tool, "get_problems").value == [
        {"eventid": "9", "objectid": "5", "name": "Disk", "hosts": [{"hostid": "1", "name": "web"}]},
        {"eventid": "8", "objectid": "6", "hosts": []},
    ]
    assert origin.asked[-1].json["params"]["triggerids"] == ["5", "6"]


def test_zabbix_passwords_are_masked(origin: Origin) -> None:
    """Media types are answered with theirs."""
    zabbix = Zabbix(
        token=TOKEN, results={"mediatype.get": [{"name": "Mail", "passwd": "hunter2", "username": ""}]}
    )
    origin.reply = zabbix.reply
    output = run(open_tool("zabbix", origin.url), "api_request", method="mediatype.get")

    assert output.value == [{"name": "Mail", "passwd": "****", "username": ""}]


V2 = {"jira_api_version": "2", "jira_auth_type": "server_bearer"}


def test_jira_servers_are_asked_in_their_version(origin: Origin) -> None:
    """Texts stay texts, users have names, and projects are looked through here."""
    projects = [
        {"key": "OPS", "name": "Operations"},
        {"key": "WEB", "name": "Shop"},
        {"key": "DB", "name": "Ops DB"},
    ]
    origin.reply = lambda asked: Reply(projects if asked.path.endswith("/project") else {})
    tool = open_tool("jira", origin.url, **V2)

    assert run(tool, "get_projects", query="ops", start_at=1, max_results=1).value == {
        "startAt": 1,
        "maxResults": 1,
        "total": 2,
        "isLast": True,
        "values": [{"key": "DB", "name": "Ops DB"}],
    }
    run(tool, "search_users", query="ann")
    assert origin.asked[-1].target == "/rest/api/2/user/search?username=ann"
    run(tool, "add_comment", key="OPS-1", body="a\nb")
    assert origin.asked[-1].json == {"body": "a\nb"}
    run(
        tool,
        "create_issue",
        project_key="OPS",
        issue_type="Bug",
        summary="s",
        description="d",
        assignee="ann",
    )
    assert origin.asked[-1].json["fields"] == {
        "project": {"key": "OPS"},
        "issuetype": {"name": "Bug"},
        "summary": "s",
        "description": "d",
        "assignee": {"name": "ann"},
    }
    assert {asked.headers["authorization"] for asked in origin.asked} == {f"Bearer {TOKEN}"}


def test_the_changes_of_an_issue_are_found_in_it(origin: Origin) -> None:
    """Where there is no operation for them; an issue that is not there is said."""
    histories = [{"id": str(number)} for number in range(5)]

    def reply(asked: Asked) -> Reply:
        if asked.target == "/rest/api/2/issue/OPS-1?expand=changelog&fields=summary":
            return Reply({"key": "OPS-1", "changelog": {"histories": histories}})
        return Reply({"errorMessages": ["no such thing"]}, 404)

    origin.reply = reply
    tool = open_tool("jira", origin.url, **V2)
    page = run(tool, "get_issue_changelog", key="OPS-1", start_at=2, max_results=2).value

    assert page == {"startAt": 2, "maxResults": 2, "total": 5, "isLast": False, "values": histories[2:4]}
    with pytest.raises(ToolFailedError, match="answered 404"):
        run(tool, "get_issue_changelog", key="OPS-2")


def test_the_search_of_the_cloud_is_found(origin: Origin) -> None:
    """It has moved, and says so with 410."""
    origin.reply = lambda asked: Reply({"issues": []}) if asked.path.endswith("/jql") else Reply({}, 410)
    tool = open_tool("jira", origin.url)

    assert run(tool, "search_issues", jql="project=A", max_results=3, start_at=0).value == {"issues": []}
    assert origin.asked[-1].query == [("fields", "*navigable"), ("jql", "project=A"), ("maxResults", "3")]
    run(tool, "search_issues", jql="project=A", fields="summary")
    assert dict(origin.asked[-1].query)["fields"] == "summary"


def test_metrics_authenticate_as_they_are_told(origin: Origin) -> None:
    """Not at all, with a token, or with a password."""
    origin.reply = lambda _asked: Reply({"data": 1})
    for settings, sent in (
        ({"vm_auth_method": "none"}, None),
        ({}, f"Bearer {TOKEN}"),
        ({"vm_auth_method": "basic_auth", "vm_username": "a", "vm_password": "b"}, "Basic YTpi"),
    ):
        run(
            open_tool("victoria_metrics", origin.url + "/select/0/prometheus/", **settings),
            "instant_query",
            query="up",
        )
        assert origin.asked[-1].headers.get("authorization") == sent
        assert origin.asked[-1].path == "/select/0/prometheus/api/v1/query"


def test_metrics_requests_may_be_text_and_posts(origin: Origin) -> None:
    """A POST sends a form; what is no JSON is a text."""
    tool = open_tool("victoria_metrics", origin.url)
    origin.reply = lambda _asked: Reply("up 1\n")
    assert run(tool, "api_request", path="metrics").value == "up 1\n"
    origin.reply = lambda _asked: Reply({"data": [1]})
    output = run(
        tool, "api_request", path="api/v1/query", method="POST", params={"query": "up", "nocache": True}
    )
    assert output.value == [1]
    assert origin.asked[-1].form == [("query", "up"), ("nocache", "true")]
    origin.reply = lambda _asked: Reply({"status": "ok"})
    with pytest.raises(ToolFailedError, match="no data; check vm_url"):
        run(tool, "instant_query", query="up")
