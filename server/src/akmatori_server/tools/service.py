"""Managing tools: their settings checked against their type, their secrets encrypted."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, cast

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.complaints import required_text
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.http.call import Call
from akmatori_server.listing import Listing
from akmatori_server.secrets.vault import SEALED, SecretMembers
from akmatori_server.tools import keys_store, store
from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.definition import secret_settings
from akmatori_server.tools.keys_in_settings import keys_to_add
from akmatori_server.tools.models import NewTool, OpenTool, SshKey, Tool, ToolChanges, ToolType
from akmatori_server.tools.settings import check_key_ids, check_settings, given_settings
from akmatori_server.tools.view import audit_view, tool_model
from akmatori_server.writes import Check, allow, unique_write

LONGEST_NAME = 255
LONGEST_LOGICAL_NAME = 128


class ToolService:
    """Creates, reads, changes and deletes tools."""

    def __init__(
        self, database: Database, secrets: SecretBox, audit: AuditTrail, *, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._audit = audit
        self.now = now
        # The oldest first.
        self.listing = Listing(self._database, store.count, store.listed)

    def seed_types(self) -> None:
        """Write the types this version knows; called at every start."""
        with self._database.write() as connection:
            for definition in builtin_types():
                store.put_type(connection, definition, now=self.now())

    def types(self) -> list[ToolType]:
        """Return every type, the built-in ones first."""
        with self._database.read() as connection:
            return store.types(connection)

    def get(self, tool_id: int) -> Tool:
        """Return one tool.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.read() as connection:
            return found(store.get(connection, tool_id))

    def shown(self, tool: Tool) -> models.Tool:
        """Return a tool as the API shows it, masks in place of its secrets."""
        if tool.settings is None:
            return tool_model(tool, None)
        return tool_model(tool, _secrets_of(tool).mask(tool.settings, self._secrets, _place(tool.id)))

    def opened(self, tool_id: int) -> OpenTool:
        """Return a tool with its secrets in clear, for what works with it.

        Raises:
            NotFound: there is none with this id.
            SecretUnreadableError: a secret was encrypted with a key this server does not have.
        """
        return self.open(self.get(tool_id))

    def open(self, tool: Tool) -> OpenTool:
        """Return a stored tool with its secrets in clear.

        Raises:
            SecretUnreadableError: a secret was encrypted with a key this server does not have.
        """
        settings = _secrets_of(tool).open(tool.settings or {}, self._secrets, _place(tool.id))
        keys = {key.id: self._secrets.decrypt(key.sealed_key, key_place(key.id)) for key in tool.keys}
        hidden = [value for name in _secret_names(tool) if isinstance(value := settings.get(name), str)]
        return OpenTool(
            tool=tool, settings=settings, private_keys=keys, secrets=frozenset([*hidden, *keys.values()])
        )

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Open one write transaction; a name that another writer takes meanwhile is a Conflict too."""
        return unique_write(self._database, "Another tool or key with this name has just been stored.")

    def create_in(self, connection: sa.Connection, call: Call | None, new: NewTool) -> models.Tool:
        """Store a new tool as part of the caller's transaction.

        Raises:
            BadRequest: the type does not exist, or a member or setting breaks its rule.
            Conflict: another tool has this name or logical name.
        """
        tool_type = store.get_type(connection, new.tool_type_id)
        if tool_type is None:
            raise BadRequest("tool_type_id: there is no such tool type; see GET /api/tool-types.")
        name = required_text("name", new.name, longest=LONGEST_NAME)
        logical_name = _logical_name(new.logical_name, name)
        _refuse_taken(connection, name, logical_name)
        keys = keys_to_add(new.settings or {})
        now = self.now()
        tool_id = store.insert(
            connection,
            {
                "tool_type_id": tool_type.id,
                "name": name,
                "logical_name": logical_name,
                "settings": None,
                "enabled": new.enabled,
                "created_at": now,
                "updated_at": now,
            },
        )
        for key, parsed in keys:
            stored = SshKey(
                id=key.id or str(uuid.uuid4()),
                tool_id=tool_id,
                name=key.name,
                sealed_key="",
                algorithm=parsed.algorithm,
                fingerprint=parsed.fingerprint,
                is_default=key.is_default,
                created_at=now,
            )
            keys_store.insert(connection, self.sealed_key(stored, parsed.text))
        tool = found(store.get(connection, tool_id))
        if new.settings is not None:
            # The secrets are bound to the row, which has its id only now.
            store.update(connection, tool_id, {"settings": self._sealed(tool, new.settings)})
            tool = found(store.get(connection, tool_id))
        return self._record(connection, call, Action.TOOL_CREATED, tool_id, None, self.shown(tool))

    def update_in(
        self,
        connection: sa.Connection,
        call: Call | None,
        tool_id: int,
        changes: ToolChanges,
        *,
        check: Check[models.Tool] = allow,
    ) -> models.Tool:
        """Change what is not None, as part of the caller's transaction.

        Raises:
            NotFound: there is none with this id.
            BadRequest: a member or setting breaks its rule.
            Conflict: another tool has this name or logical name, or `check` refused.
        """
        tool = found(store.hold(connection, tool_id))
        before = self.shown(tool)
        check(before)
        values = self._changed_values(tool, changes)
        _refuse_taken(
            connection,
            values.get("name", tool.name),
            values.get("logical_name", tool.logical_name),
            except_id=tool.id,
        )
        store.update(connection, tool_id, {**values, "updated_at": self.now()})
        after = self.shown(found(store.get(connection, tool_id)))
        return self._record(connection, call, Action.TOOL_UPDATED, tool_id, before, after)

    def delete_in(self, connection: sa.Connection, call: Call | None, tool_id: int) -> None:
        """Delete a tool with its keys, as part of the caller's transaction; skills it was assigned to lose it.

        Raises:
            NotFound: there is none with this id.
        """
        before = self.shown(found(store.hold(connection, tool_id)))
        store.delete(connection, tool_id)
        self._audit.record(connection, call, Action.TOOL_DELETED, f"tool:{tool_id}", audit_view(before), None)

    def sealed_key(self, key: SshKey, text: str) -> SshKey:
        """Return the key with its text encrypted in it."""
        return attrs.evolve(key, sealed_key=self._secrets.encrypt(text, key_place(key.id)))

    def _changed_values(self, tool: Tool, changes: ToolChanges) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if changes.name is not None:
            values["name"] = required_text("name", changes.name, longest=LONGEST_NAME)
        if changes.logical_name is not None:
            values["logical_name"] = _logical_name(changes.logical_name, values.get("name", tool.name))
        if changes.settings is not None:
            values["settings"] = self._sealed(tool, changes.settings)
        if changes.enabled is not None:
            values["enabled"] = changes.enabled
        return values

    def _sealed(self, tool: Tool, written: Any) -> dict[str, object]:
        settings = given_settings(written)
        check_settings(tool.type.schema, settings)
        check_key_ids(settings, frozenset(key.id for key in tool.keys))
        return _secrets_of(tool).seal(settings, self._secrets, _place(tool.id), stored=tool.settings)

    def _record(
        self,
        connection: sa.Connection,
        call: Call | None,
        action: Action,
        tool_id: int,
        before: models.Tool | None,
        after: models.Tool,
    ) -> models.Tool:
        shown_before = None if before is None else audit_view(before)
        self._audit.record(connection, call, action, f"tool:{tool_id}", shown_before, audit_view(after))
        return after


def key_place(key_id: str) -> str:
    """What a key is encrypted for."""
    return f"ssh_keys:{key_id}:private_key"


def found(tool: Tool | None) -> Tool:
    """Return the tool.

    Raises:
        NotFound: there is none.
    """
    if tool is None:
        raise NotFound("No tool has this id.")
    return tool


def _place(tool_id: int) -> str:
    return f"tools:{tool_id}:settings"


def _secrets_of(tool: Tool) -> SecretMembers:
    return SecretMembers(_secret_names(tool))


def _secret_names(tool: Tool) -> list[str]:
    """The secrets of the type, and what was one when it was stored: a connector may change its definition."""
    stored = [
        name
        for name, value in (tool.settings or {}).items()
        if isinstance(value, dict) and SEALED in cast("dict[str, object]", value)
    ]
    return list(dict.fromkeys([*secret_settings(tool.type.schema or {}), *stored]))


def _logical_name(written: str, name: str) -> str:
    """Bring the given name, or else the display name, to kebab case."""
    slug = re.sub(r"[^a-z0-9]+", "-", (written.strip() or name).lower()).strip("-")
    slug = slug[:LONGEST_LOGICAL_NAME].rstrip("-")
    if not slug:
        raise BadRequest("logical_name: needs a letter from a to z, or a digit; give one, or another name.")
    return slug


def _refuse_taken(connection: sa.Connection, name: str, logical_name: str, *, except_id: int = 0) -> None:
    if store.is_taken(connection, "name", name, except_id=except_id):
        raise Conflict("A tool with this name exists.")
    if store.is_taken(connection, "logical_name", logical_name, except_id=except_id):
        raise Conflict(f"A tool with the logical name {logical_name} exists.")
