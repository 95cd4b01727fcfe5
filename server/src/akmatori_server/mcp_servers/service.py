"""Managing MCP servers: definitions checked as a whole, their secrets encrypted.

Each is a tool type, written in the same transaction: its tools are assigned to skills like all others.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.errors import Conflict, NotFound
from akmatori_server.http.call import Call
from akmatori_server.listing import Listing
from akmatori_server.mcp_servers import store
from akmatori_server.mcp_servers.models import Endpoint, McpServer, McpServerMembers, Transport
from akmatori_server.mcp_servers.rules import AUTH_SECRETS, auth_headers, check_server
from akmatori_server.mcp_servers.tool_type import type_of
from akmatori_server.secrets.vault import SecretMembers
from akmatori_server.tools import namespaces
from akmatori_server.tools import store as tools_store
from akmatori_server.tools.namespaces import Owner
from akmatori_server.writes import Check, allow, unique_write

PREFIX = "namespace_prefix"
# Which of the variables are secrets nobody can tell, so all are.
ENVIRONMENT = SecretMembers(["*"])
AUTH = SecretMembers(AUTH_SECRETS)


class McpServerService:
    """Creates, reads, changes and deletes servers."""

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
        """Write the tool types of servers that were stored before servers were types; called at every start."""
        with self._database.write() as connection:
            for server in store.listed(connection):
                self._put_type(connection, server)

    def get(self, server_id: int) -> McpServer:
        """Return one server.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.read() as connection:
            return _found(store.get(connection, server_id))

    def shown(self, server: McpServer) -> models.McpServer:
        """Return a server as the API shows it: masks in place of secrets, and what is empty left out."""
        env_vars = ENVIRONMENT.mask(server.env_vars or {}, self._secrets, _env_place(server.id))
        auth_config = AUTH.mask(server.auth_config or {}, self._secrets, _auth_place(server.id))
        args: list[str] = (server.args or {}).get("args", [])
        return models.McpServer(
            id=server.id,
            name=server.name,
            transport=models.McpTransport(server.transport.value),
            url=server.url or UNSET,
            command=server.command or UNSET,
            args=models.McpArguments(args=args) if args else UNSET,
            env_vars={name: str(value) for name, value in env_vars.items()} or UNSET,
            namespace_prefix=server.namespace_prefix,
            auth_config=auth_config or UNSET,
            enabled=server.enabled,
            created_at=server.created_at,
            updated_at=server.updated_at,
        )

    def endpoint(self, server_id: int) -> Endpoint:
        """Return what is needed to reach a server, with its secrets in clear.

        Raises:
            NotFound: there is none with this id.
            SecretUnreadableError: a secret was encrypted with a key this server does not have.
        """
        return self._endpoint(self.get(server_id))

    def endpoint_of_type(self, name: str) -> Endpoint:
        """Return what is needed to reach the server that is a tool type.

        Raises:
            NotFound: there is none, or it is not enabled.
            SecretUnreadableError: a secret was encrypted with a key this server does not have.
        """
        with self._database.read() as connection:
            server = store.with_prefix(connection, name)
        if server is None or not server.enabled:
            raise NotFound(f"There is no enabled MCP server with the prefix {name}.")
        return self._endpoint(server)

    def secrets(self) -> frozenset[str]:
        """Return every secret of every server, for what keeps them out of texts; those that cannot be read are not."""
        found: set[str] = set()
        for server in self.listing.all():
            with suppress(SecretUnreadableError):
                found.update(self._endpoint(server).secrets)
        return frozenset(found)

    def _endpoint(self, server: McpServer) -> Endpoint:
        env_vars = ENVIRONMENT.open(server.env_vars or {}, self._secrets, _env_place(server.id))
        headers = auth_headers(AUTH.open(server.auth_config or {}, self._secrets, _auth_place(server.id)))
        # Of a scheme and its credential, the credential is the secret.
        credentials = [value.rpartition(" ")[2] for value in headers.values()]
        return Endpoint(
            prefix=server.namespace_prefix,
            transport=server.transport,
            url=server.url,
            command=server.command,
            args=tuple((server.args or {}).get("args", [])),
            environment={name: str(value) for name, value in env_vars.items()},
            headers=headers,
            secrets=(*(str(value) for value in env_vars.values()), *credentials),
        )

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Open one write transaction; a name that another writer takes meanwhile is a Conflict too."""
        return unique_write(
            self._database, "The name or the prefix has just been taken, or a tool made of the server."
        )

    def create_in(
        self, connection: sa.Connection, call: Call | None, members: McpServerMembers
    ) -> models.McpServer:
        """Store a new server as part of the caller's transaction.

        Raises:
            BadRequest: the definition is incomplete or contradicts itself.
            Conflict: the name or the prefix is taken or built in.
        """
        now = self.now()
        blank = McpServer(
            id=0,
            name="",
            transport=Transport.SSE,
            url="",
            command="",
            args=None,
            env_vars=None,
            namespace_prefix="",
            auth_config=None,
            enabled=True,
            created_at=now,
            updated_at=now,
        )
        new = _changed(blank, members)
        check_server(new)
        self._refuse_name(connection, new.name)
        namespaces.claim(connection, new.namespace_prefix, Owner.MCP_SERVER, member=PREFIX)
        server_id = store.insert(connection, {**_columns(new), "created_at": now})
        # The secrets are bound to the row, which has its id only now.
        stored = _found(store.get(connection, server_id))
        self._put_type(connection, stored)
        shown = self.shown(store.update(connection, server_id, self._sealed(stored, members)))
        self._record(connection, call, Action.MCP_SERVER_CREATED, server_id, None, shown)
        return shown

    def update_in(
        self,
        connection: sa.Connection,
        call: Call | None,
        server_id: int,
        members: McpServerMembers,
        *,
        check: Check[models.McpServer] = allow,
    ) -> models.McpServer:
        """Change what is not None, as part of the caller's transaction.

        Raises:
            NotFound: there is none with this id.
            BadRequest: the result would be incomplete or contradict itself.
            Conflict: the name or the prefix is taken or built in, or `check` refused.
        """
        before = _found(store.get(connection, server_id, hold=True))
        shown_before = self.shown(before)
        check(shown_before)
        after = attrs.evolve(_changed(before, members), updated_at=self.now())
        auth_config = AUTH.mask(before.auth_config or {}, self._secrets, _auth_place(server_id))
        check_server(
            after if members.auth_config is not None else attrs.evolve(after, auth_config=auth_config)
        )
        self._refuse_name(connection, after.name, except_id=server_id)
        namespaces.move(
            connection, before.namespace_prefix, after.namespace_prefix, Owner.MCP_SERVER, member=PREFIX
        )
        self._put_type(connection, after, old_name=before.namespace_prefix)
        values = {**_columns(after), **self._sealed(before, members)}
        shown = self.shown(store.update(connection, server_id, values))
        self._record(connection, call, Action.MCP_SERVER_UPDATED, server_id, shown_before, shown)
        return shown

    def delete_in(self, connection: sa.Connection, call: Call | None, server_id: int) -> None:
        """Delete a server as part of the caller's transaction.

        Raises:
            NotFound: there is none with this id.
            Conflict: tools are made of it.
        """
        server = _found(store.get(connection, server_id, hold=True))
        namespaces.retire(connection, server.namespace_prefix, "MCP server")
        store.delete(connection, server_id)
        self._record(connection, call, Action.MCP_SERVER_DELETED, server_id, self.shown(server), None)

    def _put_type(self, connection: sa.Connection, server: McpServer, *, old_name: str | None = None) -> None:
        tools_store.put_type(
            connection,
            type_of(server),
            now=self.now(),
            old_name=old_name,
            is_connector=True,
            enabled=server.enabled,
        )

    def _sealed(self, stored: McpServer, members: McpServerMembers) -> dict[str, Any]:
        """Encrypt what was written; what was not stays as it is stored."""
        sealed: dict[str, Any] = {"updated_at": self.now()}
        if members.env_vars is not None:
            sealed["env_vars"] = (
                ENVIRONMENT.seal(
                    members.env_vars, self._secrets, _env_place(stored.id), stored=stored.env_vars
                )
                or None
            )
        if members.auth_config is not None:
            sealed["auth_config"] = (
                AUTH.seal(
                    members.auth_config, self._secrets, _auth_place(stored.id), stored=stored.auth_config
                )
                or None
            )
        return sealed

    def _refuse_name(self, connection: sa.Connection, name: str, *, except_id: int = 0) -> None:
        if store.name_is_taken(connection, name, except_id=except_id):
            raise Conflict("name: an MCP server with this name exists.")

    def _record(
        self,
        connection: sa.Connection,
        call: Call | None,
        action: Action,
        server_id: int,
        before: models.McpServer | None,
        after: models.McpServer | None,
    ) -> None:
        shown = [None if side is None else codec.encode_mcp_server(side) for side in (before, after)]
        self._audit.record(connection, call, action, f"mcp_server:{server_id}", *shown)


def _changed(server: McpServer, members: McpServerMembers) -> McpServer:
    """Return the server with what was written in place of what is stored."""
    written: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) and name != "transport" else value
        for name, value in attrs.asdict(members, recurse=False).items()
        if value is not None
    }
    return attrs.evolve(server, **written)


def _columns(server: McpServer) -> dict[str, Any]:
    """Return what is stored beside the secrets."""
    return {
        "name": server.name,
        "transport": server.transport.value,
        "url": server.url,
        "command": server.command,
        "args": dict(server.args) if server.args else None,
        "namespace_prefix": server.namespace_prefix,
        "enabled": server.enabled,
        "updated_at": server.updated_at,
    }


def _env_place(server_id: int) -> str:
    return f"mcp_servers:{server_id}:env_vars"


def _auth_place(server_id: int) -> str:
    return f"mcp_servers:{server_id}:auth_config"


def _found(server: McpServer | None) -> McpServer:
    if server is None:
        raise NotFound("No MCP server has this id.")
    return server
