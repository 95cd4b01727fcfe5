"""The SSH keys of a tool, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import models
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.tools.handlers import ToolHandlers
from akmatori_server.tools.models import ToolChanges
from tests.server.incidents.domain import call
from tests.server.tools import key_texts
from tests.server.tools.workshop import Workshop

TEXT = key_texts.openssh()
UNKNOWN = "5f0c7a52-8f0e-4a36-9c55-1d5f0a1f6f3e"


@pytest.fixture
def handlers(workshop: Workshop) -> ToolHandlers:
    """The operations."""
    return ToolHandlers(workshop.tools, workshop.keys, workshop.trial)


def add(handlers: ToolHandlers, tool_id: int, name: str, **members: Any) -> models.SshKey:
    """Add a key."""
    body = models.CreateSshKeyRequest(**{"name": name, "private_key": TEXT, **members})
    return handlers.create_ssh_key(call(), id=tool_id, idempotency_key=UNSET, body=body)


def change(handlers: ToolHandlers, tool_id: int, key_id: str, **members: Any) -> models.SshKey:
    """Change a key."""
    return handlers.update_ssh_key(
        call(), id=tool_id, key_id=key_id, body=models.UpdateSshKeyRequest(**members)
    )


def keys(handlers: ToolHandlers, tool_id: int) -> list[tuple[str, bool]]:
    """Name the keys, and say which is the default."""
    listed = handlers.list_ssh_keys(call(), id=tool_id, page=UNSET, per_page=UNSET)
    assert isinstance(listed, list)
    return [(key.name, key.is_default) for key in listed]


def test_a_key_is_shown_without_the_key(workshop: Workshop, handlers: ToolHandlers) -> None:
    """It is stored encrypted, and what works with the tool gets it."""
    tool = workshop.tool()
    key = add(handlers, tool, " deploy ")

    assert (key.name, key.is_default, key.algorithm) == ("deploy", True, "ssh-ed25519")
    assert str(key.fingerprint).startswith("SHA256:")
    assert key.created_at == workshop.clock.now
    assert "PRIVATE KEY" not in workshop.everything()
    assert TEXT.splitlines()[1] not in workshop.everything()
    assert workshop.tools.opened(tool).private_keys == {key.id: TEXT}
    shown = workshop.tools.shown(workshop.tools.get(tool))
    assert shown.settings == {
        "ssh_keys": [
            {"id": key.id, "name": "deploy", "is_default": True, "created_at": "2026-05-15T10:00:00Z"}
        ]
    }


def test_one_key_is_the_default(workshop: Workshop, handlers: ToolHandlers) -> None:
    """The first; then the newest that is made so; and nothing takes that away but another default."""
    tool = workshop.tool()
    first = add(handlers, tool, "a", is_default=False)
    second = add(handlers, tool, "b")
    assert keys(handlers, tool) == [("a", True), ("b", False)]
    add(handlers, tool, "c", is_default=True)
    assert keys(handlers, tool) == [("a", False), ("b", False), ("c", True)]
    assert change(handlers, tool, second.id, is_default=True).is_default
    assert change(handlers, tool, second.id, is_default=False, name="").is_default
    assert change(handlers, tool, first.id, name="z").name == "z"
    assert keys(handlers, tool) == [("z", False), ("b", True), ("c", False)]
    handlers.delete_ssh_key(call(), id=tool, key_id=second.id.upper())
    assert keys(handlers, tool) == [("z", True), ("c", False)]


def test_names_are_unique_within_the_tool(workshop: Workshop, handlers: ToolHandlers) -> None:
    """Another tool may have the same; a key may keep its own."""
    tool, other = workshop.tool(), workshop.tool("zabbix", "Other")
    add(handlers, tool, "a")
    second = add(handlers, tool, "b")
    add(handlers, other, "a")

    with pytest.raises(Conflict):
        add(handlers, tool, " a")
    with pytest.raises(Conflict):
        change(handlers, tool, second.id, name="a")
    assert change(handlers, tool, second.id, name="b ").name == "b"


def test_a_key_that_a_host_uses_stays(workshop: Workshop, handlers: ToolHandlers) -> None:
    """The refusal names the host."""
    tool = workshop.tool()
    key, _other = add(handlers, tool, "a"), add(handlers, tool, "b")
    hosts = [{"hostname": "db-1", "address": "10.0.0.5", "key_id": key.id}]
    with workshop.tools.transaction() as connection:
        workshop.tools.update_in(connection, None, tool, ToolChanges(settings={"ssh_hosts": hosts}))

    with pytest.raises(Conflict, match="db-1"):
        handlers.delete_ssh_key(call(), id=tool, key_id=key.id)
    with workshop.tools.transaction() as connection:
        workshop.tools.update_in(connection, None, tool, ToolChanges(settings={}))
    handlers.delete_ssh_key(call(), id=tool, key_id=key.id)
    assert keys(handlers, tool) == [("b", True)]


def test_the_only_key_stays(workshop: Workshop, handlers: ToolHandlers) -> None:
    """It goes with the tool."""
    tool = workshop.tool()
    key = add(handlers, tool, "a")

    with pytest.raises(Conflict, match="only key"):
        handlers.delete_ssh_key(call(), id=tool, key_id=key.id)


def test_what_is_unknown_is_not_found(workshop: Workshop, handlers: ToolHandlers) -> None:
    """The key of another tool, too."""
    tool, other = workshop.tool(), workshop.tool("ssh", "Other")
    key = add(handlers, other, "a")

    for attempt in (
        lambda: add(handlers, 987, "a"),
        lambda: change(handlers, tool, UNKNOWN, name="x"),
        lambda: change(handlers, tool, key.id, name="x"),
        lambda: handlers.delete_ssh_key(call(), id=tool, key_id=key.id),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_bad_key_or_name_is_refused(workshop: Workshop, handlers: ToolHandlers) -> None:
    """Nothing is stored."""
    tool = workshop.tool()

    with pytest.raises(BadRequest, match="passphrase"):
        add(handlers, tool, "a", private_key=key_texts.pkcs8("secret"))
    with pytest.raises(BadRequest, match="blank"):
        add(handlers, tool, "  ")
    assert keys(handlers, tool) == []


def test_keys_come_in_pages_too(workshop: Workshop, handlers: ToolHandlers) -> None:
    """In the order of adding."""
    tool = workshop.tool()
    for name in "cab":
        add(handlers, tool, name)
    page = handlers.list_ssh_keys(call(), id=tool, page=2, per_page=2)

    assert isinstance(page, models.SshKeyPage)
    assert [key.name for key in page.data] == ["b"]
    assert page.pagination.total == 3


def test_a_key_is_added_once_under_one_idempotency_key(workshop: Workshop, handlers: ToolHandlers) -> None:
    """For each tool."""
    tool, other = workshop.tool(), workshop.tool("ssh", "Other")
    body = models.CreateSshKeyRequest(name="a", private_key=TEXT)
    answers = [handlers.create_ssh_key(call(), id=tool, idempotency_key="k", body=body) for _ in range(2)]

    assert answers[0] == answers[1]
    with pytest.raises(Conflict, match="another request"):
        handlers.create_ssh_key(call(), id=other, idempotency_key="k", body=body)


def test_writes_of_keys_are_in_the_audit_trail(workshop: Workshop, handlers: ToolHandlers) -> None:
    """Without the keys."""
    tool = workshop.tool()
    key = add(handlers, tool, "a")
    add(handlers, tool, "b")
    change(handlers, tool, key.id, name="c")
    handlers.delete_ssh_key(call(), id=tool, key_id=key.id)
    entries = [entry for entry in workshop.entries() if entry.target == f"tool:{tool}:ssh_key:{key.id}"]

    assert [entry.action for entry in entries] == [
        "tool:ssh_key:added",
        "tool:ssh_key:updated",
        "tool:ssh_key:deleted",
    ]
    assert [entry.before and entry.before["name"] for entry in entries] == [None, "a", "c"]
    assert [entry.after and entry.after["name"] for entry in entries] == ["a", "c", None]
    assert set(entries[0].after or {}) == {
        "id",
        "name",
        "is_default",
        "created_at",
        "algorithm",
        "fingerprint",
    }


def test_many_writers_at_once_leave_a_whole_list(workshop: Workshop, handlers: ToolHandlers) -> None:
    """Every key that was added is there, none is doubled, and exactly one is the default.

    Some write settings meanwhile, which carry an old list of keys: it must not come back.
    """
    tool = workshop.tool()
    old = add(handlers, tool, "old")

    def write(number: int) -> str | None:
        try:
            if number % 4 == 0:
                with workshop.tools.transaction() as connection:
                    changes = ToolChanges(settings={"ssh_keys": [], "ssh_command_timeout": 5 + number})
                    workshop.tools.update_in(connection, None, tool, changes)
                return None
            if number % 4 == 1:
                change(handlers, tool, old.id, is_default=True)
                return None
            return add(handlers, tool, f"key-{number // 2}", is_default=True).name
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        added = [name for name in pool.map(write, range(40)) if name is not None]

    names = [name for name, _ in keys(handlers, tool)]
    assert sorted(names) == sorted(["old", *added])
    assert len(added) == len(set(added)) == 10
    assert [is_default for _, is_default in keys(handlers, tool)].count(True) == 1


def test_deleting_at_once_leaves_one_key(workshop: Workshop, handlers: ToolHandlers) -> None:
    """Whoever comes last is told that it is the only one."""
    tool = workshop.tool()
    ids = [add(handlers, tool, name).id for name in "abcdef"]

    def remove(key_id: str) -> bool:
        try:
            handlers.delete_ssh_key(call(), id=tool, key_id=key_id)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(remove, ids))

    assert outcomes.count(False) == 1
    assert [is_default for _, is_default in keys(handlers, tool)] == [True]
