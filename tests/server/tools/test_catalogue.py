"""The tool types this version knows, and what is published about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import jsonschema_rs
import pytest
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import models
from akmatori_server._generated.akmatori import stubs
from akmatori_server.tools.builtin import NAMES, builtin_types
from akmatori_server.tools.definition import TypeDefinition, secret_settings
from akmatori_server.tools.handlers import ToolTypeHandlers
from akmatori_server.tools.tables import tool_types
from tests.server.incidents.domain import call
from tests.server.tools.workshop import Workshop

# From the contract: what must be given, and what is a secret.
REQUIRED = {
    "ssh": [],
    "zabbix": ["zabbix_url"],
    "victoria_metrics": ["vm_url"],
    "catchpoint": ["catchpoint_api_token"],
    "postgresql": ["pg_host", "pg_database", "pg_username", "pg_password"],
    "grafana": ["grafana_url", "grafana_api_token"],
    "pagerduty": ["pagerduty_api_token"],
    "clickhouse": ["ch_host", "ch_database", "ch_username", "ch_password"],
    "netbox": ["netbox_url", "netbox_api_token"],
    "kubernetes": ["k8s_url", "k8s_token"],
    "jira": ["jira_url", "jira_api_token"],
}
SECRETS = {
    "ssh": (),
    "zabbix": ("zabbix_token", "zabbix_password"),
    "victoria_metrics": ("vm_bearer_token", "vm_password"),
    "catchpoint": ("catchpoint_api_token",),
    "postgresql": ("pg_password",),
    "grafana": ("grafana_api_token",),
    "pagerduty": ("pagerduty_api_token",),
    "clickhouse": ("ch_password",),
    "netbox": ("netbox_api_token",),
    "kubernetes": ("k8s_token",),
    "jira": ("jira_api_token",),
}


@pytest.fixture
def handlers(workshop: Workshop) -> ToolTypeHandlers:
    """The operations; they conform to what is generated from the contract."""
    handlers: stubs.ToolTypes = ToolTypeHandlers(workshop.tools)
    assert isinstance(handlers, ToolTypeHandlers)
    return handlers


def nulls(value: object, path: str = "") -> Iterator[str]:
    """Find members without a value: YAML makes them of a comma in a text."""
    if isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            if member is None:
                yield f"{path}.{name}"
            yield from nulls(member, f"{path}.{name}")
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from nulls(item, path)


@pytest.mark.parametrize("definition", builtin_types(), ids=lambda one: one.name)
def test_a_type_is_complete(definition: TypeDefinition) -> None:
    """Schemas are schemas, every member has its text, and the contract's settings are there."""
    schemas = [definition.settings, *(function.parameters for function in definition.functions)]

    for schema in schemas:
        jsonschema_rs.Draft202012Validator(dict(schema))
        assert list(nulls(schema)) == []
        for name, member in schema["properties"].items():
            assert member["description"].endswith("."), name
    assert definition.settings.get("required", []) == REQUIRED[definition.name]
    assert secret_settings(definition.settings) == SECRETS[definition.name]
    names = [function.name for function in definition.functions]
    assert len(set(names)) == len(names) > 0


def test_the_eleven_types_are_there_in_their_order(workshop: Workshop, handlers: ToolTypeHandlers) -> None:
    """With the schema that settings are checked against."""
    types = handlers.list_tool_types(call(), page=UNSET, per_page=UNSET)

    assert isinstance(types, list)
    assert [(one.id, one.name) for one in types] == list(enumerate(NAMES, start=1))
    assert types[1].schema is not None
    assert types[1].schema["required"] == ["zabbix_url"]
    assert types[0].created_at == workshop.clock.now
    page = handlers.list_tool_types(call(), page=3, per_page=4)
    assert isinstance(page, models.ToolTypePage)
    assert [one.name for one in page.data] == ["netbox", "kubernetes", "jira"]
    assert page.pagination == models.Pagination(page=3, per_page=4, total=11, total_pages=3)


def test_seeding_again_repairs_what_was_changed(workshop: Workshop) -> None:
    """Identifiers and creation stay."""
    before = workshop.tools.types()
    with workshop.database.write() as connection:
        connection.execute(sa.update(tool_types).values(description="old"))
    workshop.clock.tick()
    workshop.tools.seed_types()
    after = workshop.tools.types()

    assert [(t.id, t.created_at, t.description) for t in after] == [
        (t.id, t.created_at, t.description) for t in before
    ]


def test_the_catalogue_has_what_forms_need(handlers: ToolTypeHandlers) -> None:
    """In the words that the dashboard reads; and which functions only read."""
    catalogue = handlers.get_tool_catalogue(call())

    assert list(catalogue) == list(NAMES)
    kubernetes = catalogue["kubernetes"].settings_schema
    properties: dict[str, Any] = kubernetes["properties"]
    assert kubernetes["required"] == ["k8s_url", "k8s_token"]
    assert properties["k8s_token"]["secret"] is True
    assert properties["k8s_ca_cert"]["format"] == "textarea"
    assert properties["k8s_timeout"] == {
        "type": "integer",
        "minimum": 5,
        "maximum": 300,
        "default": 30,
        "description": "Seconds a request may take.",
        "advanced": True,
    }
    assert "x-" not in repr(catalogue["ssh"].settings_schema).replace("x-86", "")
    writing = {
        f"{name}.{function.name}"
        for name, entry in catalogue.items()
        for function in entry.functions
        if not function.read_only
    }
    assert writing == {
        "ssh.execute_command",
        "zabbix.api_request",
        "victoria_metrics.api_request",
        "catchpoint.acknowledge_alerts",
        "catchpoint.run_instant_test",
        "grafana.silence_alert",
        "grafana.create_annotation",
        "pagerduty.acknowledge_incident",
        "pagerduty.resolve_incident",
        "pagerduty.reassign_incident",
        "pagerduty.add_incident_note",
        "pagerduty.send_event",
        "jira.add_comment",
        "jira.transition_issue",
        "jira.create_issue",
        "jira.update_issue",
    }


def test_parameters_are_told_to_programs_and_to_people(handlers: ToolTypeHandlers) -> None:
    """A schema, and one line."""
    [function] = [
        one
        for one in handlers.get_tool_catalogue(call())["victoria_metrics"].functions
        if one.name == "label_values"
    ]

    assert function.parameters == "label_name* (string), match (string), start (string), end (string)"
    schema = function.input_schema
    assert schema is not UNSET
    assert schema["required"] == ["label_name"]
    assert set(schema["properties"]) == {"label_name", "match", "start", "end"}
