"""Managing HTTP connectors. Each is a tool type, written in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.http.call import Call
from akmatori_server.http_connectors import store
from akmatori_server.http_connectors.definition import Definition, parsed_definition
from akmatori_server.http_connectors.models import HttpConnector, HttpConnectorChanges, NewHttpConnector
from akmatori_server.http_connectors.rules import check_definition
from akmatori_server.http_connectors.settings_schema import type_of
from akmatori_server.http_connectors.view import connector_model
from akmatori_server.listing import Listing
from akmatori_server.tools import namespaces
from akmatori_server.tools import store as tools_store
from akmatori_server.tools.namespaces import Owner
from akmatori_server.writes import Check, allow, unique_write

NAME = "tool_type_name"


class HttpConnectorService:
    """Creates, reads, changes and deletes connectors."""

    def __init__(self, database: Database, audit: AuditTrail, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self.now = now
        # The oldest first.
        self.listing = Listing(self._database, store.count, store.listed)

    def get(self, connector_id: int) -> HttpConnector:
        """Return one connector.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.read() as connection:
            return _found(store.get(connection, connector_id))

    def named(self, type_name: str) -> HttpConnector | None:
        """Return the connector whose tools are of this type; None when there is none."""
        with self._database.read() as connection:
            return store.named(connection, type_name)

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Open one write transaction; a name that another writer takes meanwhile is a Conflict too."""
        return unique_write(self._database, "The name has just been taken, or a tool made of the connector.")

    def create_in(
        self, connection: sa.Connection, call: Call | None, new: NewHttpConnector
    ) -> models.HttpConnector:
        """Store a new connector and its tool type, as part of the caller's transaction.

        Raises:
            BadRequest: the definition contradicts itself.
            Conflict: the name is taken or built in.
        """
        definition = parsed_definition(
            tool_type_name=new.tool_type_name,
            description=new.description,
            base_url_field=new.base_url_field,
            auth_config=new.auth_config,
            tools=new.tools,
        )
        check_definition(definition)
        namespaces.claim(connection, definition.tool_type_name, Owner.HTTP_CONNECTOR, member=NAME)
        now = self.now()
        created = store.insert(
            connection,
            {
                **_columns(definition, new.auth_config, new.tools),
                "enabled": True,
                "created_at": now,
                "updated_at": now,
            },
        )
        tools_store.put_type(connection, type_of(definition), now=now, is_connector=True)
        shown = connector_model(created)
        self._record(connection, call, Action.HTTP_CONNECTOR_CREATED, created.id, None, shown)
        return shown

    def update_in(
        self,
        connection: sa.Connection,
        call: Call | None,
        connector_id: int,
        changes: HttpConnectorChanges,
        *,
        check: Check[models.HttpConnector] = allow,
    ) -> models.HttpConnector:
        """Change what is not None, and the tool type with it, as part of the caller's transaction.

        Raises:
            NotFound: there is none with this id.
            BadRequest: the result would contradict itself.
            Conflict: the name is taken or built in, or `check` refused.
        """
        before = _found(store.get(connection, connector_id, hold=True))
        shown_before = connector_model(before)
        check(shown_before)
        auth_config = before.auth_config if changes.auth_config is None else changes.auth_config
        tools = before.tools if changes.tools is None else changes.tools
        definition = parsed_definition(
            tool_type_name=changes.tool_type_name or before.tool_type_name,
            description=before.description if changes.description is None else changes.description,
            base_url_field=changes.base_url_field or before.base_url_field,
            auth_config=auth_config,
            tools=tools,
        )
        check_definition(definition)
        enabled = before.enabled if changes.enabled is None else changes.enabled
        namespaces.move(
            connection, before.tool_type_name, definition.tool_type_name, Owner.HTTP_CONNECTOR, member=NAME
        )
        now = self.now()
        values = {**_columns(definition, auth_config, tools), "enabled": enabled, "updated_at": now}
        after = connector_model(store.update(connection, connector_id, values))
        tools_store.put_type(
            connection,
            type_of(definition),
            now=now,
            old_name=before.tool_type_name,
            is_connector=True,
            enabled=enabled,
        )
        self._record(connection, call, Action.HTTP_CONNECTOR_UPDATED, connector_id, shown_before, after)
        return after

    def delete_in(self, connection: sa.Connection, call: Call | None, connector_id: int) -> None:
        """Delete a connector and its tool type, as part of the caller's transaction.

        Raises:
            NotFound: there is none with this id.
            Conflict: tools are made of it.
        """
        connector = _found(store.get(connection, connector_id, hold=True))
        namespaces.retire(connection, connector.tool_type_name, "connector")
        store.delete(connection, connector_id)
        shown = connector_model(connector)
        self._record(connection, call, Action.HTTP_CONNECTOR_DELETED, connector_id, shown, None)

    def _record(
        self,
        connection: sa.Connection,
        call: Call | None,
        action: Action,
        connector_id: int,
        before: models.HttpConnector | None,
        after: models.HttpConnector | None,
    ) -> None:
        shown = [None if side is None else codec.encode_http_connector(side) for side in (before, after)]
        self._audit.record(connection, call, action, f"http_connector:{connector_id}", *shown)


def _columns(
    definition: Definition, auth_config: Mapping[str, Any] | None, tools: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "tool_type_name": definition.tool_type_name,
        "description": definition.description,
        "base_url_field": definition.base_url_field,
        "auth_config": None if auth_config is None else dict(auth_config),
        "tools": dict(tools),
    }


def _found(connector: HttpConnector | None) -> HttpConnector:
    if connector is None:
        raise NotFound("No HTTP connector has this id.")
    return connector
