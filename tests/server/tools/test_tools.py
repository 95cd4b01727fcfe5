"""Tools, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from cryptography.fernet import Fernet

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import models
from akmatori_server._generated.akmatori import stubs
from akmatori_server.crypto import SecretBox
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.skills.ports import AssignableTools
from akmatori_server.tools.assignable import ShownTools
from akmatori_server.tools.handlers import ToolHandlers
from akmatori_server.tools.service import ToolService
from akmatori_server.tools.tables import ssh_keys, tools
from tests.server.incidents.domain import call
from tests.server.tools import key_texts
from tests.server.tools.workshop import Workshop

GRAFANA = {"grafana_url": "https://grafana.example.net", "grafana_api_token": "glsa_the-first-token"}


@pytest.fixture
def handlers(workshop: Workshop) -> ToolHandlers:
    """The operations; they conform to what is generated from the contract."""
    handlers: stubs.Tools = ToolHandlers(workshop.tools, workshop.keys, workshop.trial)
    assert isinstance(handlers, ToolHandlers)
    return handlers


@attrs.frozen
class Api:
    """Calls as the HTTP layer makes them."""

    handlers: ToolHandlers
    workshop: Workshop

    def create(self, type_name: str = "ssh", name: str = "Prod SSH", **members: Any) -> models.Tool:
        """Add a tool."""
        body = models.CreateToolRequest(tool_type_id=self.workshop.type_id(type_name), name=name, **members)
        return self.handlers.create_tool(call(), idempotency_key=UNSET, body=body).body

    def update(self, tool_id: int, if_match: Any = UNSET, **members: Any) -> models.Tool:
        """Change a tool."""
        body = models.UpdateToolRequest(**members)
        return self.handlers.update_tool(call(), id=tool_id, if_match=if_match, body=body).body

    def get(self, tool_id: int) -> models.Tool:
        """Read a tool."""
        return self.handlers.get_tool(call(), id=tool_id).body


@pytest.fixture
def api(handlers: ToolHandlers, workshop: Workshop) -> Api:
    """Those calls."""
    return Api(handlers, workshop)


def settings_of(tool: models.Tool) -> dict[str, Any]:
    """Return settings that are there."""
    assert tool.settings is not None
    return tool.settings


def test_a_tool_with_nothing_optional(workshop: Workshop, api: Api) -> None:
    """Settings are null, it is enabled, its logical name is made from its name, its type comes along."""
    tool = api.create("zabbix", "  Prod Zabbix (EU) ")

    assert (tool.name, tool.logical_name) == ("Prod Zabbix (EU)", "prod-zabbix-eu")
    assert (tool.settings, tool.enabled) == (None, True)
    assert (tool.tool_type_id, tool.tool_type.name) == (workshop.type_id("zabbix"), "zabbix")
    assert tool.created_at == tool.updated_at == workshop.clock.now
    assert api.get(tool.id) == tool


@pytest.mark.parametrize(
    ("members", "logical_name"),
    [
        ({"name": "A  B"}, "a-b"),
        ({"logical_name": "__Own Name__"}, "own-name"),
        ({"logical_name": None}, "prod-ssh"),
        ({"name": "x" * 130}, "x" * 128),
        ({"name": "Größe 7"}, "gr-e-7"),
    ],
)
def test_the_logical_name_is_kebab_case(api: Api, members: dict[str, Any], logical_name: str) -> None:
    """From the one given, or the name."""
    assert api.create(**members).logical_name == logical_name


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"name": " \t"}, "name"),
        ({"name": "***"}, "logical_name"),
        ({"settings": {"ssh_debug": 1}}, "settings.ssh_debug"),
        ({"settings": {"ssh_hosts": [{"hostname": "a", "address": "b", "key_id": "no"}]}}, "no such key"),
        ({"settings": {"ssh_keys": [{"name": "k"}]}}, "private_key"),
        ({"settings": {"ssh_keys": "x"}}, "ssh_keys"),
    ],
)
def test_what_breaks_a_rule_is_refused(api: Api, members: dict[str, Any], named: str) -> None:
    """With a sentence that names the member, and nothing is stored."""
    with pytest.raises(BadRequest, match=named):
        api.create(**members)

    assert api.handlers.list_tools(call(), page=UNSET, per_page=UNSET) == []
    assert api.workshop.entries() == []


@pytest.mark.parametrize("type_id", [999, 9007199254740991])
def test_an_unknown_type_is_refused(handlers: ToolHandlers, type_id: int) -> None:
    """As a fault of the request."""
    body = models.CreateToolRequest(tool_type_id=type_id, name="x")

    with pytest.raises(BadRequest, match="tool_type_id"):
        handlers.create_tool(call(), idempotency_key=UNSET, body=body)


def test_taken_names_are_conflicts(api: Api) -> None:
    """The name and the logical name, on create and on rename; a tool may keep its own."""
    api.create(name="One")
    other = api.create(name="Two")

    attempts: tuple[Callable[[], object], ...] = (
        lambda: api.create(name="One", logical_name="else"),
        lambda: api.create(name="else", logical_name="ONE"),
        lambda: api.update(other.id, name="One"),
        lambda: api.update(other.id, logical_name="one"),
    )
    for attempt in attempts:
        with pytest.raises(Conflict):
            attempt()
    assert api.update(other.id, name="Two", logical_name="").logical_name == "two"


def test_an_update_changes_what_was_sent_only(workshop: Workshop, api: Api) -> None:
    """Left out and null keep: neither settings nor keys are lost, and nothing is switched off."""
    tool = api.create(settings={"ssh_debug": True}, enabled=False)
    workshop.clock.tick()
    renamed = api.update(tool.id, name="Other", settings=None, enabled=None)

    assert (renamed.name, renamed.logical_name, renamed.enabled) == ("Other", "prod-ssh", False)
    assert renamed.settings == {"ssh_debug": True, "ssh_keys": []}
    assert (renamed.created_at, renamed.updated_at) == (tool.created_at, workshop.clock.now)
    assert api.update(tool.id, logical_name="", enabled=True).logical_name == "other"
    assert api.update(tool.id, settings={}).settings == {"ssh_keys": []}


def test_secrets_are_shown_as_masks_and_stored_encrypted(workshop: Workshop, api: Api) -> None:
    """In every answer and in the audit trail; only what works with the tool gets them."""
    tool = api.create("grafana", settings=GRAFANA)
    listed = api.handlers.list_tools(call(), page=UNSET, per_page=UNSET)
    page = api.handlers.list_tools(call(), page=1, per_page=1)
    api.update(tool.id, enabled=False)

    assert isinstance(listed, list)
    assert isinstance(page, models.ToolPage)
    for shown in [tool, *listed, *page.data, api.get(tool.id)]:
        assert settings_of(shown) == {**GRAFANA, "grafana_api_token": "****oken"}
    assert "the-first" not in workshop.everything()
    assert "the-first" not in repr(workshop.tools.get(tool.id))
    assert "the-first" not in repr(workshop.tools.opened(tool.id))
    assert workshop.tools.opened(tool.id).settings == GRAFANA


def test_what_a_written_secret_means(workshop: Workshop, api: Api) -> None:
    """The mask keeps it, another text replaces it, another mask is refused, left out or empty removes it."""
    zabbix = {"zabbix_url": "https://z.example.net"}
    tool = api.create("zabbix", settings={**zabbix, "zabbix_token": "the-first-one"})

    def token() -> object:
        return workshop.tools.opened(tool.id).settings.get("zabbix_token")

    api.update(tool.id, settings={**zabbix, "zabbix_token": "****-one", "zabbix_timeout": 60})
    assert token() == "the-first-one"
    api.update(tool.id, settings={**zabbix, "zabbix_token": "the-second-two"})
    assert token() == "the-second-two"
    with pytest.raises(BadRequest, match="zabbix_token: this is the mask of another secret"):
        api.update(tool.id, settings={**zabbix, "zabbix_token": "****-one"})
    with pytest.raises(BadRequest, match="mask"):
        api.create("zabbix", "Copy", settings={**zabbix, "zabbix_token": "****-two"})
    assert token() == "the-second-two"
    assert settings_of(api.update(tool.id, settings={**zabbix, "zabbix_token": ""})) == zabbix
    assert token() is None


def test_a_wrong_setting_changes_nothing(workshop: Workshop, api: Api) -> None:
    """Nor does it leave an entry in the audit trail."""
    tool = api.create("grafana", settings=GRAFANA)
    before = len(workshop.entries())

    with pytest.raises(BadRequest) as caught:
        api.update(tool.id, name="New", settings={"grafana_url": "x", "grafana_timeout": 1})
    assert set(caught.value.details) == {
        "settings.grafana_url",
        "settings.grafana_timeout",
        "settings.grafana_api_token",
    }
    assert api.get(tool.id) == tool
    assert len(workshop.entries()) == before


def test_secrets_whose_key_is_lost_can_be_entered_again(workshop: Workshop, api: Api) -> None:
    """Until then the list still works, and the mask keeps what may become readable again."""
    tool = api.create("grafana", settings=GRAFANA)
    other = SecretBox([Fernet.generate_key().decode()])
    elsewhere = ToolService(workshop.database, other, workshop.audit, now=workshop.clock)
    lost = Api(ToolHandlers(elsewhere, workshop.keys, workshop.trial), workshop)

    assert settings_of(lost.get(tool.id))["grafana_api_token"] == "****"
    lost.update(tool.id, settings={**GRAFANA, "grafana_api_token": "****", "grafana_timeout": 9})
    assert workshop.tools.opened(tool.id).settings["grafana_api_token"] == "glsa_the-first-token"
    lost.update(tool.id, settings={**GRAFANA, "grafana_api_token": "entered-again"})
    assert elsewhere.opened(tool.id).settings["grafana_api_token"] == "entered-again"


def test_keys_may_come_along_with_a_new_tool(workshop: Workshop, api: Api) -> None:
    """With the hosts that use them; the private keys go where all private keys are."""
    key_id = "5F0C7A52-8f0e-4a36-9c55-1d5f0a1f6f3e"
    keys: list[dict[str, Any]] = [
        {"name": "first", "private_key": key_texts.openssh()},
        {"id": key_id, "name": "second", "private_key": key_texts.pkcs8(), "is_default": True},
    ]
    hosts = [{"hostname": "db-1", "address": "10.0.0.5", "key_id": key_id.lower()}]
    tool = api.create(settings={"ssh_keys": keys, "ssh_hosts": hosts})

    shown = settings_of(tool)
    assert [(key["name"], key["is_default"]) for key in shown["ssh_keys"]] == [
        ("first", False),
        ("second", True),
    ]
    assert set(shown["ssh_keys"][0]) == {"id", "name", "is_default", "created_at"}
    assert shown["ssh_hosts"] == hosts
    assert workshop.tools.opened(tool.id).private_keys[key_id.lower()] == keys[1]["private_key"]
    assert "PRIVATE KEY" not in workshop.everything()
    with pytest.raises(BadRequest, match="same name"):
        api.create(name="b", settings={"ssh_keys": [keys[0], keys[0]]})
    assert workshop.stored(tools.c.name) == ["Prod SSH"]


def test_an_update_of_what_was_not_read_is_refused(workshop: Workshop, api: Api) -> None:
    """By the entity tag, which a change of the keys changes too, whatever the clock says."""
    tool = api.create()
    tag = api.handlers.get_tool(call(), id=tool.id).headers["ETag"]
    body = models.CreateSshKeyRequest(name="k", private_key=key_texts.openssh())
    api.handlers.create_ssh_key(call(), id=tool.id, idempotency_key=UNSET, body=body)

    with pytest.raises(Conflict, match="read it again"):
        api.update(tool.id, if_match=tag, name="Late")
    fresh = api.handlers.get_tool(call(), id=tool.id).headers["ETag"]
    assert api.update(tool.id, if_match=fresh, name="In time").name == "In time"


@pytest.mark.parametrize(
    "operation",
    [
        lambda api, number: api.get(number),
        lambda api, number: api.update(number, name="x"),
        lambda api, number: api.handlers.delete_tool(call(), id=number),
        lambda api, number: api.handlers.list_ssh_keys(call(), id=number, page=UNSET, per_page=UNSET),
    ],
    ids=["get", "update", "delete", "keys"],
)
@pytest.mark.parametrize("number", [987, 9007199254740991])
def test_an_unknown_id_is_not_found(api: Api, operation: Callable[[Api, int], object], number: int) -> None:
    """For every operation."""
    with pytest.raises(NotFound):
        operation(api, number)


def test_a_deleted_tool_is_gone_with_its_keys_and_its_names_free(workshop: Workshop, api: Api) -> None:
    """The second delete finds nothing."""
    tool = api.create(settings={"ssh_keys": [{"name": "k", "private_key": key_texts.openssh()}]})
    api.handlers.delete_tool(call(), id=tool.id)

    assert workshop.stored(ssh_keys.c.id) == []
    with pytest.raises(NotFound):
        api.handlers.delete_tool(call(), id=tool.id)
    assert api.create().id != tool.id


def test_the_list_is_in_the_order_of_creation(api: Api) -> None:
    """Bare, or in pages."""
    ids = [api.create(name=name).id for name in ("c", "a", "b")]
    bare = api.handlers.list_tools(call(), page=UNSET, per_page=UNSET)
    page = api.handlers.list_tools(call(), page=2, per_page=2)
    beyond = api.handlers.list_tools(call(), page=2**62, per_page=UNSET)

    assert isinstance(bare, list)
    assert [tool.id for tool in bare] == ids
    assert isinstance(page, models.ToolPage)
    assert [tool.id for tool in page.data] == ids[2:]
    assert page.pagination == models.Pagination(page=2, per_page=2, total=3, total_pages=2)
    assert isinstance(beyond, models.ToolPage)
    assert beyond.data == []


def test_tools_are_shown_for_skills_by_their_ids(workshop: Workshop, api: Api) -> None:
    """Masked like everywhere; what does not exist is passed over."""
    tool = api.create("grafana", settings=GRAFANA)
    with workshop.database.read() as connection:
        port: AssignableTools = ShownTools(workshop.tools)
        shown = port.shown(connection, {tool.id, 9007199254740991})

    assert shown == {tool.id: tool}


def test_a_key_makes_a_create_happen_once(api: Api) -> None:
    """A repeat gets the first answer, with its masks."""
    body = models.CreateToolRequest(
        tool_type_id=api.workshop.type_id("grafana"), name="g", settings=dict(GRAFANA)
    )
    answers = [api.handlers.create_tool(call(), idempotency_key="k", body=body) for _ in range(2)]

    assert answers[0].body == answers[1].body
    assert answers[0].headers == answers[1].headers
    assert "the-first" not in api.workshop.everything()


def test_every_write_is_in_the_audit_trail(api: Api) -> None:
    """With what was before and after, as it was shown."""
    tool = api.create("grafana", settings=GRAFANA)
    api.update(tool.id, enabled=False)
    api.handlers.delete_tool(call(), id=tool.id)
    created, updated, deleted = api.workshop.entries()

    assert [one.action for one in (created, updated, deleted)] == [
        "tool:created",
        "tool:updated",
        "tool:deleted",
    ]
    assert {one.target for one in (created, updated, deleted)} == {f"tool:{tool.id}"}
    assert created.before is None
    assert created.after is not None
    assert created.after["settings"] == {**GRAFANA, "grafana_api_token": "****oken"}
    assert created.after["tool_type"] == "grafana"
    assert updated.before == created.after
    assert updated.after is not None
    assert updated.after["enabled"] is False
    assert deleted.before == updated.after
    assert deleted.after is None
    assert created.actor == "admin"


def test_a_restart_leaves_the_entity_tag(api: Api) -> None:
    """Although it writes the types again."""
    tool = api.create()
    before = api.handlers.get_tool(call(), id=tool.id).headers["ETag"]
    api.workshop.clock.tick()
    api.workshop.tools.seed_types()

    assert api.handlers.get_tool(call(), id=tool.id).headers["ETag"] == before
