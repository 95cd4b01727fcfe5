"""What a connector's definition must keep to."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_server.errors import BadRequest
from akmatori_server.http_connectors.definition import parsed_definition
from akmatori_server.http_connectors.rules import check_definition

GET = {"name": "get_invoice", "http_method": "GET", "path": "/invoices/{{id}}"}
ID = {"name": "id", "in": "path", "required": True}
CALL = {**GET, "params": [ID]}


def check(*calls: dict[str, Any], **members: Any) -> dict[str, str]:
    """Return the complaints about a definition."""
    whole: dict[str, Any] = {
        "tool_type_name": "billing",
        "description": "",
        "base_url_field": "billing_url",
        "auth_config": None,
        "tools": {"tools": list(calls or [CALL])},
        **members,
    }
    try:
        check_definition(parsed_definition(**whole))
    except BadRequest as error:
        return dict(error.details)
    return {}


@pytest.mark.parametrize(
    "call",
    [
        CALL,
        {**GET, "path": "/v1/a-b/{{ id }}.json", "params": [ID]},
        {**GET, "path": "/", "params": []},
        {**GET, "path": "/{{id}}/{{id}}/~x:y", "params": [ID]},
        {"name": "add", "http_method": "POST", "path": "/x", "params": [{"name": "a", "in": "body"}]},
        {"name": "add", "http_method": "DELETE", "path": "/x", "read_only": False},
        {**GET, "path": "/x", "params": [{"name": "n", "in": "query", "type": "number", "default": 1.5}]},
        {**GET, "path": "/x", "params": [{"name": "X-Team", "in": "header", "default": "ops"}]},
    ],
)
def test_a_sound_definition_passes(call: dict[str, Any]) -> None:
    """Without a complaint."""
    assert check(call) == {}


@pytest.mark.parametrize(
    ("call", "place", "words"),
    [
        (GET, "path", "{{id}} is not declared"),
        ({**GET, "params": [{"name": "id", "in": "query"}]}, "path", "not declared"),
        ({**CALL, "path": "/invoices"}, "path", "the parameter id has no place"),
        ({**CALL, "path": "/invoices/{id}"}, "path", ""),
        ({**CALL, "path": "/invoices/{{id}"}, "path", ""),
        ({**CALL, "path": "invoices/{{id}}"}, "path", "begin with one /"),
        ({**CALL, "path": "//evil.example.net/{{id}}"}, "path", "begin with one /"),
        ({**CALL, "path": "/a/../{{id}}"}, "path", "steps"),
        ({**CALL, "path": "/a/%2e%2e/{{id}}"}, "path", "escapes"),
        ({**CALL, "path": "/a\\b/{{id}}"}, "path", "steps"),
        ({**CALL, "path": "/a/{{id}}?x=1"}, "path", "query"),
        ({**CALL, "path": "/a b/{{id}}"}, "path", "blanks"),
        ({**CALL, "name": "get.invoice"}, "name", "letter"),
        ({**CALL, "name": "1st"}, "name", "letter"),
        ({**CALL, "http_method": "POST", "read_only": True}, "read_only", "only a GET"),
        ({**CALL, "params": [ID, {"name": "id", "in": "query"}]}, "params", "2 parameters are called id"),
        ({**CALL, "params": [ID, {"name": "b", "in": "body"}]}, "params.1.in", "no body"),
        ({**CALL, "params": [ID, {"name": "Host", "in": "header"}]}, "params.1.name", "may not set"),
        ({**CALL, "params": [ID, {"name": "authorization", "in": "header"}]}, "params.1.name", "may not set"),
        ({**CALL, "params": [ID, {"name": "a\nb", "in": "header"}]}, "params.1.name", "not the name"),
        (
            {**CALL, "params": [ID, {"name": "n", "in": "query", "type": "integer", "default": "5"}]},
            "params.1.default",
            "integer",
        ),
        (
            {**CALL, "params": [ID, {"name": "n", "in": "query", "type": "integer", "default": True}]},
            "params.1.default",
            "integer",
        ),
    ],
)
def test_a_call_that_contradicts_itself_is_refused(call: dict[str, Any], place: str, words: str) -> None:
    """With the place."""
    complaints = check(CALL | {"name": "first"}, call)

    assert words in complaints[f"tools.tools.1.{place}"]


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"tool_type_name": "bil.ling"}, "tool_type_name"),
        ({"tool_type_name": " "}, "tool_type_name"),
        ({"base_url_field": "a b"}, "base_url_field"),
        ({"base_url_field": "allow_private"}, "base_url_field"),
        ({"base_url_field": "ssh_keys"}, "base_url_field"),
        (
            {"auth_config": {"method": "bearer_token", "token_field": "billing_url"}},
            "auth_config.token_field",
        ),
        ({"auth_config": {"method": "bearer_token", "token_field": "timeout"}}, "auth_config.token_field"),
        ({"auth_config": {"method": "api_key", "header_name": "a b"}}, "auth_config.header_name"),
        ({"auth_config": {"method": "api_key", "header_name": "Host"}}, "auth_config.header_name"),
        ({"base_url_field": "password", "auth_config": {"method": "basic_auth"}}, "base_url_field"),
        ({"tools": {"tools": [CALL, CALL]}}, "tools.tools"),
    ],
)
def test_a_connector_that_contradicts_itself_is_refused(members: dict[str, Any], place: str) -> None:
    """With the place."""
    assert place in check(**members)


def test_every_fault_is_told_at_once() -> None:
    """Not one after the other."""
    complaints = check({**GET, "name": "a.b"}, {**GET, "name": "c"}, tool_type_name="x.y")

    assert set(complaints) == {
        "tool_type_name",
        "tools.tools.0.name",
        "tools.tools.0.path",
        "tools.tools.1.path",
    }
