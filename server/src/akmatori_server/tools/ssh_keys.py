"""The SSH keys of a tool: one of them is the default, and none goes that a host uses."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import codec
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.http.call import Call
from akmatori_server.tools import keys_store, store
from akmatori_server.tools.models import NewSshKey, SshKey, SshKeyChanges, Tool
from akmatori_server.tools.private_key import parse_private_key
from akmatori_server.tools.service import ToolService, found
from akmatori_server.tools.settings import hosts_with_key
from akmatori_server.tools.view import key_model

MOST_HOSTS_NAMED = 5


class SshKeyService:
    """Adds, renames and deletes keys. Every write holds the tool, so that two at once are one after the other."""

    def __init__(self, tools: ToolService, audit: AuditTrail) -> None:
        self._tools = tools
        self._audit = audit

    def add_in(self, connection: sa.Connection, call: Call | None, tool_id: int, new: NewSshKey) -> SshKey:
        """Add a key as part of the caller's transaction. The first key is the default.

        Raises:
            NotFound: there is no such tool.
            BadRequest: the private key cannot be used, or the name is blank.
            Conflict: another key of the tool has this name.
        """
        # Reading a key takes time; nobody should wait for the tool meanwhile.
        name, parsed = _name(new.name), parse_private_key(new.private_key)
        tool = found(store.hold(connection, tool_id))
        _refuse_taken(tool, name)
        becomes_default = new.is_default or not tool.keys
        if becomes_default:
            keys_store.clear_default(connection, tool_id)
        key = SshKey(
            id=str(uuid.uuid4()),
            tool_id=tool_id,
            name=name,
            sealed_key="",
            algorithm=parsed.algorithm,
            fingerprint=parsed.fingerprint,
            is_default=becomes_default,
            created_at=self._tools.now(),
        )
        keys_store.insert(connection, self._tools.sealed_key(key, parsed.text))
        self._changed(connection, call, Action.SSH_KEY_ADDED, None, key)
        return key

    def update_in(
        self, connection: sa.Connection, call: Call | None, tool_id: int, key_id: str, changes: SshKeyChanges
    ) -> SshKey:
        """Rename a key or make it the default, as part of the caller's transaction.

        Raises:
            NotFound: there is no such tool, or it has no such key.
            Conflict: another key of the tool has this name.
        """
        tool = found(store.hold(connection, tool_id))
        key = _key(tool, key_id)
        if changes.name is not None:
            name = _name(changes.name)
            _refuse_taken(tool, name, except_id=key.id)
            keys_store.rename(connection, key.id, name)
        if changes.make_default and not key.is_default:
            keys_store.clear_default(connection, tool_id)
            keys_store.set_default(connection, key.id)
        after = _key(found(store.get(connection, tool_id)), key.id)
        self._changed(connection, call, Action.SSH_KEY_UPDATED, key, after)
        return after

    def delete_in(self, connection: sa.Connection, call: Call | None, tool_id: int, key_id: str) -> None:
        """Delete a key as part of the caller's transaction; the oldest other one takes its place as default.

        Raises:
            NotFound: there is no such tool, or it has no such key.
            Conflict: a host uses the key, or the tool has no other.
        """
        tool = found(store.hold(connection, tool_id))
        key = _key(tool, key_id)
        hosts = hosts_with_key(tool.settings, key.id)
        if hosts:
            named = ", ".join(hosts[:MOST_HOSTS_NAMED]) + (", …" if len(hosts) > MOST_HOSTS_NAMED else "")
            raise Conflict(f"Hosts use this key: {named}. Give them another key first.")
        others = [other for other in tool.keys if other.id != key.id]
        if not others:
            raise Conflict("This is the only key of the tool; add another one first, or delete the tool.")
        keys_store.delete(connection, key.id)
        if key.is_default:
            keys_store.set_default(connection, others[0].id)
        self._changed(connection, call, Action.SSH_KEY_DELETED, key, None)

    def _changed(
        self,
        connection: sa.Connection,
        call: Call | None,
        action: Action,
        before: SshKey | None,
        after: SshKey | None,
    ) -> None:
        key = after or before
        assert key is not None, "a change has a side"  # noqa: S101  for the type checker
        # The tool shows its keys, so it is another one now.
        store.update(connection, key.tool_id, {"updated_at": self._tools.now()})
        shown = [None if side is None else codec.encode_ssh_key(key_model(side)) for side in (before, after)]
        self._audit.record(connection, call, action, f"tool:{key.tool_id}:ssh_key:{key.id}", *shown)


def _key(tool: Tool, key_id: str) -> SshKey:
    for key in tool.keys:
        if key.id == key_id.lower():
            return key
    raise NotFound("This tool has no SSH key with this id.")


def _name(written: str) -> str:
    name = written.strip()
    if not name:
        raise BadRequest("name: must not be blank.")
    return name


def _refuse_taken(tool: Tool, name: str, *, except_id: str = "") -> None:
    if any(key.name == name and key.id != except_id for key in tool.keys):
        raise Conflict("This tool has another SSH key with this name.")
